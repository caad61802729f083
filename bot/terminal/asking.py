"""Asks as the local admin and watches the answer to its end. Ctrl-C asks the worker to stop; what was said is kept."""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click
from sqlalchemy import text

from bot.faces import marked
from bot.messages import Messages
from bot.reading import show
from bot.terminal.platform import TerminalPlatform
from nod.connect import engine_from, redis_from, servers_from
from nod.contracts import Accepted, Answer, Person, Place, Question, Route, code_from
from nod.errors import UnavailableError, first_line
from nod.language import language_of
from nod.process import STORE_ERRORS
from nod.record import Record
from nod.secret import secret_key
from nod.settings import Settings
from nod.stream import Follower
from nod.wake import Waker

LOCAL_ADMIN = Person(platform="cli", workspace="", external_id="admin")
NOBODY_SECONDS = 15  # a worker that `nod up` starts again is back by then


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed."""

    text: str
    conversation: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer that was shown to its end."""

    answer: Answer
    was_interrupted: bool

    def json(self) -> dict[str, Any]:
        """Return the object of `nod ask --json`."""
        answer = self.answer
        ended = answer.answered_at or answer.accepted_at
        kept = {"n", "document_id", "title", "heading", "page", "date", "url", "passage"}
        return {
            "question_id": str(answer.question_id), "answer_id": str(answer.answer_id), "conversation": answer.place.thread,
            "status": answer.status, "answer": marked(answer.text, answer.citations), "language": answer.language,
            "sources": [source.model_dump(include=kept) for source in answer.sources], "verified": None, "similar": [],
            "citations": [
                {"text": answer.text[c.start : c.end].strip(), "sources": list(c.sources), "verdict": c.verdict, "why": c.why}
                for c in answer.citations
            ],
            "model": answer.model, "seconds": round((ended - answer.accepted_at).total_seconds(), 3),
            "notices": list(answer.notices), "error": answer.error, "code": answer.code,
        }  # fmt: skip


async def ask_and_show(settings: Settings, wish: Wish, terminal: TerminalPlatform) -> Shown:
    """Commit the question, wake a worker, show the answer to its end.

    Raises ConfigError when no nod is running, UnavailableError when PostgreSQL is away or nobody answers.
    """
    servers = servers_from(settings)
    engine, redis, waker = engine_from(servers.database_url, pool_size=2), redis_from(servers.redis_url), Waker(servers.redis_url)
    record = Record(engine, secret_key(settings))
    try:
        accepted = await record.accept(question_from(wish))
        waker.wake()
        async with Follower(redis) as follower:
            return await _watched(record, follower, accepted, terminal)
    except BrokenPipeError:
        raise  # whoever read our output went away: no server's fault
    except STORE_ERRORS as error:
        raise UnavailableError(f"PostgreSQL does not answer: {first_line(error)}") from None
    finally:
        await waker.close()
        await redis.aclose()
        await engine.dispose()


def question_from(wish: Wish) -> Question:
    """Return the question of the local admin, in the named conversation or a new one."""
    conversation = wish.conversation or str(uuid4())
    return Question(
        person=LOCAL_ADMIN,
        place=Place(platform="cli", workspace="", channel="terminal", thread=conversation, visibility="direct"),
        message_id=str(uuid4()),
        text=wish.text,
        route=Route(channel="terminal", thread=conversation),
        language=language_of(wish.text),
        asked_at=datetime.now(UTC),
        scopes=wish.scopes,
    )


async def _watched(record: Record, follower: Follower, accepted: Accepted, terminal: TerminalPlatform) -> Shown:
    """Show the answer until it is committed, somebody presses Ctrl-C twice, or no worker is there to answer."""
    interrupted = asyncio.Event()
    messages = Messages(terminal, await record.answer(accepted.answer_id))
    watching = asyncio.create_task(show(record, follower, messages, terminal.language))
    nobody = asyncio.create_task(_until_nobody_works(record))
    stopping = asyncio.create_task(_stop_when(interrupted, record, accepted, terminal))
    _on_ctrl_c(interrupted, watching)
    try:
        await asyncio.wait([watching, nobody], return_when=asyncio.FIRST_COMPLETED)
        if watching.cancelled():
            raise click.Abort
        if watching.done():
            return Shown(watching.result(), interrupted.is_set())
        raise UnavailableError(terminal.phrase("no_worker", code=code_from(accepted.question_id)))
    finally:
        for task in (watching, nobody, stopping):
            task.cancel()
        await asyncio.gather(watching, nobody, stopping, return_exceptions=True)


async def _stop_when(interrupted: asyncio.Event, record: Record, accepted: Accepted, terminal: TerminalPlatform) -> None:
    await interrupted.wait()
    terminal.note(terminal.phrase("stopping"))
    with contextlib.suppress(*STORE_ERRORS):
        await record.stop(accepted.answer_id)


def _on_ctrl_c(interrupted: asyncio.Event, watching: asyncio.Task[Answer]) -> None:
    """Once: stop the answer. Twice: leave at once."""

    def pressed() -> None:
        if interrupted.is_set():
            watching.cancel()
        interrupted.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, pressed)


async def _until_nobody_works(record: Record) -> None:
    """Return once no worker has been heard of for a while."""
    while True:
        await asyncio.sleep(NOBODY_SECONDS)
        with contextlib.suppress(*STORE_ERRORS):
            async with record.engine.connect() as db:
                found = await db.execute(
                    text("SELECT 1 FROM processes WHERE role = 'worker' AND seen_at > now() - make_interval(secs => :s) LIMIT 1"),
                    {"s": NOBODY_SECONDS},
                )
                if not found.first():
                    return
