"""The chat page: a person's conversations, one of them open, and the box to ask in."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.teaching import AGAIN_SECONDS, news_text
from bot.web.checks import MEMBERS
from bot.web.conversations import Conversation, conversations, delete, find, place_of, rename, restore
from bot.web.files import files_of
from bot.web.page import Here, Looking, Visitor, Web
from bot.web.render import turns_html
from bot.web.waiting import reviews_waiting
from knowledge.about_nod import HANDBOOKS
from knowledge.documents import first_headings
from knowledge.gaps import take_news, tell_later
from nod.accounts import Session
from nod.contracts import Question, Route
from nod.language import clean, language_of
from nod.readers import person_alone
from nod.settings import Settings

router = APIRouter(prefix="/chat", dependencies=MEMBERS)

MOST_CHARACTERS = 20_000
_TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the list of first things to do."""

    name: str
    is_done: bool
    href: str = ""


class Asking(BaseModel):
    """A question as the page sends it. `message_id` is the browser's name for it, `file` the documents dropped with it."""

    text: str = Field(max_length=MOST_CHARACTERS)
    message_id: UUID
    file: list[int] = []


@router.get("")
async def begin(web: Here, visitor: Looking) -> HTMLResponse:
    """Show the page ready for a new conversation."""
    return await _page(web, visitor, uuid4(), None, "")


@router.get("/list")
async def found(web: Here, visitor: Looking, q: Annotated[str, "words to find"] = "") -> HTMLResponse:
    """Show the conversations in which words occur."""
    rows = await conversations(web.services.engine, visitor.me.person_id, clean(q).strip()[:200])
    return web.page("chat/list.html", visitor, conversations=_days(visitor, rows), current=None, words=q)


@router.get("/tasks")
async def first_steps(web: Here, visitor: Looking) -> HTMLResponse:
    """Show the first things to do, as far as they are done now; nothing once all are."""
    open_tasks = await tasks(web.services.engine, visitor.me, web.services.settings)
    return web.page("chat/tasks.html", visitor, tasks=open_tasks) if open_tasks else HTMLResponse("")


@router.get("/{conversation}")
async def show(conversation: UUID, web: Here, visitor: Looking) -> HTMLResponse:
    """Show a conversation."""
    known = await find(web.services.engine, conversation, visitor.me.person_id)
    return await _page(web, visitor, conversation, *(known or (None, "")))


async def _page(web: Web, visitor: Visitor, conversation: UUID, record_id: UUID | None, title: str) -> HTMLResponse:
    engine, session = web.services.engine, visitor.me
    rows = await conversations(engine, session.person_id)
    answers = await web.services.record.answers_in(record_id) if record_id else []
    scopes = await web.audience(place_of(conversation), session.person)
    return web.page(
        "chat/page.html", visitor, here="chat", conversation=conversation, turns=await turns_html(web, visitor, answers),
        title=title or (answers[0].question if answers else ""), conversations=_days(visitor, rows), current=conversation, words="",
        suggestions=[] if answers else await suggestions(engine, visitor, scopes),
        tasks=await tasks(engine, session, web.services.settings), most_characters=MOST_CHARACTERS,
        waiting=await reviews_waiting(engine) if session.may_review else 0,
        news=await _news(web, session),
    )  # fmt: skip


async def _news(web: Web, session: Session) -> list[str]:
    """Return what somebody is told once who asked in vain and may see what was taught since."""
    if not (news := await take_news(web.services.engine, "web", person_id=session.person_id)):
        return []
    seen = await web.audience(person_alone(session.person), session.person)
    for each in news:
        if each.scope not in seen:  # or nobody said so in time
            await tell_later(web.services.engine, each.gap_id, AGAIN_SECONDS)
    return [news_text(each) for each in news if each.scope in seen]


def _days(visitor: Visitor, rows: list[Conversation]) -> list[tuple[str, list[Conversation]]]:
    """Return conversations by day, as headings and lines."""
    days: dict[str, list[Conversation]] = {}
    for row in rows:
        days.setdefault(visitor.day(row.last_at), []).append(row)
    return list(days.items())


@router.post("/{conversation}/ask")
async def ask(conversation: UUID, asking: Annotated[Asking, Form()], web: Here, visitor: Looking) -> HTMLResponse:
    """Commit a question and show it. The browser names it, so a second click or a second try is the same question."""
    asked = clean(asking.text).strip()
    if not asked:
        raise HTTPException(400, "error.empty_question")
    services = web.services
    await find(services.engine, conversation, visitor.me.person_id)
    question = Question(
        person=visitor.me.person,
        place=place_of(conversation),
        message_id=str(asking.message_id),
        text=asked,
        route=Route(channel="chat", thread=str(conversation)),
        language=language_of(asked, visitor.language),
        asked_at=datetime.now(UTC),
        files=await files_of(services.engine, conversation, asking.file),
    )
    accepted = await services.record.accept(question)
    services.waker.wake()
    answer = await services.record.answer(accepted.answer_id)
    if answer.person_id != visitor.me.person_id:
        raise HTTPException(404, "error.not_found")
    return HTMLResponse(Markup("").join(await turns_html(web, visitor, [answer])))


@router.post("/{conversation}/rename")
async def name(conversation: UUID, title: Annotated[str, Form(max_length=_TITLE_LENGTH)], web: Here, visitor: Looking) -> HTMLResponse:
    """Give a conversation a title."""
    await rename(web.services.engine, conversation, visitor.me.person_id, clean(title).strip())
    return await _list(web, visitor, conversation)


@router.post("/{conversation}/delete")
async def remove(conversation: UUID, web: Here, visitor: Looking) -> HTMLResponse:
    """Take a conversation away; its list offers the way back."""
    await delete(web.services.engine, conversation, visitor.me.person_id)
    return await _list(web, visitor, None)


@router.post("/{conversation}/restore")
async def bring_back(conversation: UUID, web: Here, visitor: Looking) -> HTMLResponse:
    """Bring a deleted conversation back."""
    await restore(web.services.engine, conversation, visitor.me.person_id)
    return await _list(web, visitor, conversation)


async def _list(web: Web, visitor: Visitor, current: UUID | None) -> HTMLResponse:
    rows = await conversations(web.services.engine, visitor.me.person_id)
    return web.page("chat/list.html", visitor, conversations=_days(visitor, rows), current=current, words="")


async def suggestions(engine: AsyncEngine, visitor: Visitor, scopes: tuple[str, ...]) -> list[str]:
    """Return three questions to begin with: about headings of the newest documents one may read, else about nod itself."""
    headings = await first_headings(engine, scopes, 3)
    own = [visitor.t("suggest.document", title=title, heading=heading) for title, heading in headings]
    return (own + [visitor.t(f"suggest.handbook_{n}") for n in (1, 2, 3)])[:3]


async def tasks(engine: AsyncEngine, session: Session, settings: Settings) -> list[Task]:
    """Return the first things to do, with those that are done; an empty list once all are.

    To an admin what the terminal did is done: whoever is there is an admin, too.
    """
    async with engine.connect() as db:
        done = (
            await db.execute(
                text("""
                    SELECT EXISTS (SELECT 1 FROM questions WHERE person_id = :me OR (:is_admin AND platform = 'cli')) AS ask,
                           EXISTS (SELECT 1 FROM votes WHERE person_id = :me) AS vote,
                           EXISTS (SELECT 1 FROM reviews WHERE reviewer_id = :me OR (:is_admin AND reviewer_id IS NULL)) AS correct,
                           EXISTS (SELECT 1 FROM documents d JOIN scopes s USING (scope_id)
                                    WHERE s.name <> ALL(:handbooks) AND d.passage_count > 0 AND d.removed_at IS NULL) AS documents"""),
                {"me": session.person_id, "is_admin": session.is_admin, "handbooks": list(HANDBOOKS)},
            )
        ).one()
    found = [Task("ask", done.ask), Task("vote", done.vote)]
    if session.may_review:
        found.append(Task("correct", done.correct, "/review"))
    if session.is_admin:
        found += [Task("documents", done.documents, "/knowledge"), Task("connect", settings.has_slack or settings.has_discord)]
    return [] if all(task.is_done for task in found) else found
