"""One question with its answer on the page: how it looks, how it grows, and what its asker can do with it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, StreamingResponse
from markupsafe import Markup

from bot.faces import PHRASES, foot_of, step_phrase
from bot.reading import Seen, read
from bot.web.checks import MEMBERS
from bot.web.conversations import Beside, beside, delete_answer
from bot.web.markdown import closed, html_from, visible
from bot.web.page import Here, Looking, Visitor, Web
from bot.web.waiting import reviews_waiting
from feedback.votes import REASONS, cast, explain
from nod.contracts import Answer, Vote
from nod.errors import NotFoundError

router = APIRouter(prefix="/chat/answers/{answer_id}", dependencies=MEMBERS)

GROWTH_SECONDS = 0.1  # a page repaints an answer this often at most
SIGN_OF_LIFE_SECONDS = 15.0  # what stands between an idle stream and a proxy's patience
_COMMENT_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Step:
    """One line of how an answer came about."""

    name: str
    detail: str


async def own_answer(answer_id: UUID, web: Here, visitor: Looking) -> Answer:
    """Return an answer of the visitor's own. Raises NotFoundError for anybody else's."""
    answer = await web.services.record.answer(answer_id)
    if answer.place.platform != "web" or answer.person_id != visitor.me.person_id:
        raise NotFoundError(f"There is no answer {answer_id}.")
    return answer


Own = Annotated[Answer, Depends(own_answer)]


# ── looks ──


async def turns_html(web: Web, visitor: Visitor, answers: list[Answer]) -> list[Markup]:
    """Return answers as they look to their asker."""
    sides = await beside(web.services.engine, answers, visitor.me.person_id) if answers else {}
    return [turn_html(web, visitor, answer, sides.get(answer.answer_id, Beside())) for answer in answers]


def turn_html(web: Web, visitor: Visitor, answer: Answer, side: Beside) -> Markup:
    """Return one question with its answer."""
    return web.html("chat/turn.html", visitor, answer=answer, side=side, **_values(answer, side))


def _values(answer: Answer, side: Beside) -> dict[str, object]:
    safe = html_from(answer.text, sources=answer.sources, words=answer.question)
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


async def _foot(web: Web, visitor: Visitor, answer: Answer, *, is_thanked: bool = False, asks_why: bool = False) -> HTMLResponse:
    side = (await beside(web.services.engine, [answer], visitor.me.person_id))[answer.answer_id]
    waiting = await reviews_waiting(web.services.engine) if visitor.me.may_review else None
    return web.page(
        "chat/foot.html", visitor, answer=answer, side=side, is_thanked=is_thanked, asks_why=asks_why, now_waiting=waiting, reasons=REASONS
    )


# ── growing ──


@router.get("/live")
async def live(answer: Own, web: Here, visitor: Looking) -> StreamingResponse:
    """Send an answer as it grows, from its beginning whenever one joins, to its end."""
    events = _until_ending(web, _events(web, visitor, answer))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(web: Web, visitor: Visitor, answer: Answer) -> AsyncGenerator[str]:
    services = web.services
    yield "retry: 1000\n\n"
    async with contextlib.aclosing(read(services.record, services.follower, answer.answer_id, GROWTH_SECONDS)) as reading:
        async for seen in reading:
            if seen.answer:
                (whole,) = await turns_html(web, visitor, [seen.answer])
                yield _event("end", {"html": str(whole), "said": _said(visitor, seen.answer)})
                return
            yield _event("grew", {"html": html_from(closed(seen.text), words=answer.question), "note": note_of(visitor, seen)})


def note_of(visitor: Visitor, seen: Seen) -> str:
    """Return the line above a growing answer: what is being done now."""
    if seen.is_continuing:
        return PHRASES.say("step.continuing", visitor.language)
    if seen.text:
        return visitor.t("chat.answering")
    return step_phrase(seen.step, visitor.language)


def _said(visitor: Visitor, answer: Answer) -> str:
    """Return what a screen reader says once the answer is there."""
    return foot_of(answer).apology if answer.status == "failed" else f"{visitor.t('chat.answered')} {visible(answer.text)[:500]}"


def _event(name: str, data: dict[str, str]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _until_ending(web: Web, events: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Give what `events` gives, with a sign of life in long silences, until the process ends; the browser then comes back by itself."""
    ending = asyncio.create_task(web.services.ending.wait())
    coming: asyncio.Task[str | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(anext(events, None))
            done, _ = await asyncio.wait({coming, ending}, timeout=SIGN_OF_LIFE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ending in done:
                return
            if coming in done:
                event, coming = coming.result(), None
                if event is None:
                    return
                yield event
            elif not done:
                yield ": still here\n\n"
    finally:
        ending.cancel()
        if coming:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()


@router.get("")
async def turn(answer: Own, web: Here, visitor: Looking) -> HTMLResponse:
    """Show one answer as it is now."""
    return HTMLResponse((await turns_html(web, visitor, [answer]))[0])


# ── what its asker can do ──


@router.post("/vote")
async def vote(
    answer: Own,
    value: Annotated[Literal["up", "down"], Form()],
    kind: Annotated[Literal["set", "unset"], Form()],
    web: Here,
    visitor: Looking,
) -> HTMLResponse:
    """Give a thumb or take it back. Both buttons are one signal, so pressing the other one changes the vote."""
    if answer.status != "answered":
        raise HTTPException(409, "error.not_answered")
    await cast(
        web.services.engine,
        web.services.record,
        Vote(
            event_id=f"web:{uuid4()}", person=visitor.me.person, kind=kind, value=value, source="web", token="thumb",  # noqa: S106  # the name of a signal, no secret
            at=datetime.now(UTC), answer_id=answer.answer_id,
        ),
    )  # fmt: skip
    return await _foot(web, visitor, answer, is_thanked=kind == "set" and value == "up", asks_why=kind == "set" and value == "down")


@router.post("/reasons")
async def say_why(
    answer: Own,
    web: Here,
    visitor: Looking,
    reason: Annotated[list[str] | None, Form()] = None,
    comment: Annotated[str, Form(max_length=_COMMENT_LENGTH)] = "",
) -> HTMLResponse:
    """Add reasons and the right answer to a thumb."""
    known = [name for name in reason or [] if name in REASONS]
    await explain(web.services.engine, web.services.record, answer.answer_id, visitor.me.person, known, comment.strip() or None)
    return await _foot(web, visitor, answer, is_thanked=True)


@router.post("/stop", status_code=204)
async def stop(answer: Own, web: Here) -> None:
    """End an answer where it is; what was said stays."""
    await web.services.record.stop(answer.answer_id, answer.person_id)


@router.post("/again")
async def again(answer: Own, web: Here, visitor: Looking) -> HTMLResponse:
    """Answer the question once more, at the end of the conversation; pressed twice it is asked once."""
    new_id = await web.services.record.again(answer.answer_id)
    if new_id is None:
        return HTMLResponse("", 200)
    web.services.waker.wake()
    return HTMLResponse((await turns_html(web, visitor, [await web.services.record.answer(new_id)]))[0])


@router.post("/delete")
async def delete(answer: Own, web: Here, visitor: Looking) -> HTMLResponse:
    """Take a question with its answer away, with a way back."""
    if not answer.is_terminal:
        await web.services.record.stop(answer.answer_id, answer.person_id)
    await delete_answer(web.services.engine, answer, is_deleted=True)
    return web.page("chat/gone.html", visitor, answer=answer)


@router.post("/restore")
async def restore(answer: Own, web: Here, visitor: Looking) -> HTMLResponse:
    """Bring a deleted answer back."""
    await delete_answer(web.services.engine, answer, is_deleted=False)
    return HTMLResponse((await turns_html(web, visitor, [answer]))[0])
