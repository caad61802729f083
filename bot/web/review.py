"""The review page: what people thought of answers, and what a reviewer says of it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from pydantic import BaseModel, Field

from bot.faces import marked
from bot.web.checks import REVIEWERS
from bot.web.markdown import html_from
from bot.web.page import Here, Looking, Visitor, Web
from bot.web.sources import open_source
from bot.web.waiting import reviews_waiting
from feedback.reviews import VERDICTS, ReviewError, Verdict, review, undo
from feedback.votes import VoteRow, list_votes
from nod.contracts import Source
from nod.errors import NotFoundError
from nod.readers import person_alone

router = APIRouter(prefix="/review", dependencies=REVIEWERS)

SHOWN = 100
_TEXT_LENGTH = 20_000
Shelf = Literal["open", "down", "up", "all"]


class Said(BaseModel):
    """What a reviewer said of an answer."""

    verdict: Verdict
    correction: str = Field("", max_length=_TEXT_LENGTH)
    note: str = Field("", max_length=_TEXT_LENGTH)


@router.get("")
async def votes(web: Here, visitor: Looking, show: Shelf = "open") -> HTMLResponse:
    """Show votes, newest first: by default the thumbs-down that nobody has judged."""
    rows = await _rows(web, show)
    return web.page(
        "review/page.html", visitor, here="review", show=show, cards=[_card(web, visitor, row) for row in rows[:SHOWN]],
        more=max(0, len(rows) - SHOWN), waiting=await reviews_waiting(web.services.engine),
    )  # fmt: skip


async def _rows(web: Web, show: Shelf) -> list[VoteRow]:
    """Return the votes of a shelf. Direct messages in chat, which their writers did not share, are neither shown nor counted."""
    rows = await list_votes(web.services.engine, vote="down" if show in ("open", "down") else "up" if show == "up" else None)
    rows = [row for row in rows if row.question is not None and row.answer is not None and row.vote != "withdrawn"]
    return [row for row in rows if row.verdict is None] if show == "open" else rows


def _card(web: Web, visitor: Visitor, row: VoteRow, problem: str = "") -> Markup:
    sources = [Source.model_validate(source) for source in row.sources]
    safe = html_from(marked(row.answer or "", row.citations), sources=sources)
    return web.html(
        "review/card.html", visitor, row=row, sources=sources, text=Markup(safe), verdicts=VERDICTS, problem=problem  # noqa: S704  # harmless
    )  # fmt: skip


@router.post("/{answer_id}")
async def judge(answer_id: UUID, said: Annotated[Said, Form()], web: Here, visitor: Looking) -> HTMLResponse:
    """Keep a verdict. A correction that is missing is said, and what was typed stays."""
    row = await _row(web, answer_id)
    try:
        await review(
            web.services.engine, answer_id, visitor.me.person_id, said.verdict, correction=said.correction, note=said.note.strip() or None
        )
    except ReviewError:
        return HTMLResponse(_card(web, visitor, row, problem=visitor.t("review.needs_correction")), 422)
    return web.page("review/done.html", visitor, row=await _row(web, answer_id), waiting=await reviews_waiting(web.services.engine))


@router.post("/{answer_id}/undo")
async def take_back(answer_id: UUID, web: Here, visitor: Looking) -> HTMLResponse:
    """Take one's own verdict back and show the vote again."""
    await undo(web.services.engine, answer_id, visitor.me.person_id)
    return HTMLResponse(_card(web, visitor, await _row(web, answer_id)))


@router.get("/{answer_id}/sources/{n}")
async def voted_source(answer_id: UUID, n: int, web: Here, visitor: Looking) -> HTMLResponse:
    """Open a source of a voted answer, as far as the reviewer may see the document."""
    await _row(web, answer_id)
    answer = await web.services.record.answer(answer_id)
    scopes = await web.audience(person_alone(visitor.me.person), visitor.me.person)
    opened = await open_source(web.services.engine, answer, n, scopes)
    return web.page("chat/source.html", visitor, opened=opened)


async def _row(web: Web, answer_id: UUID) -> VoteRow:
    """Return the vote by which a reviewer knows an answer. Raises NotFoundError for an answer that has none, or is private."""
    rows = await _rows(web, "all")
    if found := next((row for row in rows if row.answer_id == answer_id), None):
        return found
    raise NotFoundError(f"There is no vote on {answer_id}.")
