"""One question with its answer on the page: how it grows, and what its asker can do with it."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, StreamingResponse

from bot.web.checks import MEMBERS
from bot.web.conversations import beside, delete_answer
from bot.web.page import Here, Looking, Visitor, Web
from bot.web.platform import events
from bot.web.render import turns_html
from bot.web.waiting import reviews_waiting
from feedback.votes import REASONS, cast, explain
from nod.contracts import Answer, Vote
from nod.errors import NotFoundError

router = APIRouter(prefix="/chat/answers/{answer_id}", dependencies=MEMBERS)

_COMMENT_LENGTH = 4000


async def own_answer(answer_id: UUID, web: Here, visitor: Looking) -> Answer:
    """Return an answer of the visitor's own. Raises NotFoundError for anybody else's."""
    answer = await web.services.record.answer(answer_id)
    if answer.place.platform != "web" or answer.person_id != visitor.me.person_id:
        raise NotFoundError(f"There is no answer {answer_id}.")
    return answer


Own = Annotated[Answer, Depends(own_answer)]


# ── growing ──


@router.get("/live")
async def live(answer: Own, web: Here, visitor: Looking) -> StreamingResponse:
    """Send an answer as it grows, from its beginning whenever one joins, to its end."""
    return StreamingResponse(events(web, visitor, answer), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get("")
async def turn(answer: Own, web: Here, visitor: Looking) -> HTMLResponse:
    """Show one answer as it is now."""
    return HTMLResponse((await turns_html(web, visitor, [answer]))[0])


# ── what its asker can do ──


async def _foot(web: Web, visitor: Visitor, answer: Answer, *, is_thanked: bool = False, asks_why: bool = False) -> HTMLResponse:
    side = (await beside(web.services.engine, [answer], visitor.me.person_id))[answer.answer_id]
    waiting = await reviews_waiting(web.services.engine) if visitor.me.may_review else None
    return web.page(
        "chat/foot.html", visitor, answer=answer, side=side, is_thanked=is_thanked, asks_why=asks_why, now_waiting=waiting, reasons=REASONS
    )


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
