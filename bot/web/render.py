"""The looks of one question with its answer on the page."""

import json
from dataclasses import dataclass

from markupsafe import Markup

from bot.faces import foot_of, marked
from bot.web.conversations import Beside, beside
from bot.web.markdown import html_from, visible
from bot.web.page import Visitor, Web
from feedback.votes import REASONS
from nod.contracts import Answer


@dataclass(frozen=True, slots=True)
class Step:
    """One line of how an answer came about."""

    name: str
    detail: str


async def turns_html(web: Web, visitor: Visitor, answers: list[Answer]) -> list[Markup]:
    """Return answers as they look to their asker."""
    sides = await beside(web.services.engine, answers, visitor.me.person_id) if answers else {}
    return [turn_html(web, visitor, answer, sides.get(answer.answer_id, Beside())) for answer in answers]


def turn_html(web: Web, visitor: Visitor, answer: Answer, side: Beside) -> Markup:
    """Return one question with its answer."""
    return web.html("chat/turn.html", visitor, answer=answer, side=side, **_values(answer, side))


def _values(answer: Answer, side: Beside) -> dict[str, object]:
    safe = html_from(marked(answer.text, answer.citations), sources=answer.sources, words=answer.question)
    ended = answer.answered_at or answer.accepted_at
    return {
        "text": Markup(safe),  # noqa: S704  # html_from makes it harmless
        "question": visible(answer.question),
        "foot": foot_of(answer),
        "seconds": f"{(ended - answer.accepted_at).total_seconds():.1f}",
        "steps": _steps(answer, side),
        "reasons": REASONS,
    }


def _steps(answer: Answer, side: Beside) -> list[Step]:
    tools = [Step(str(tool.get("name", "")), json.dumps(tool.get("arguments", {}), ensure_ascii=False)) for tool in side.tools]
    return [*tools, Step("model", answer.model)] if answer.model else tools
