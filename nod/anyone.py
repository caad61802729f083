"""Asks whoever of another role is there now: published in Redis, answered on a stream made for it. The first answer counts.

Nothing is kept: while nobody is there, or nobody answers in time, whoever asks goes on without an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

from pydantic import Field, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from nod.contracts import AnswerEvent, Contract
from nod.errors import first_line
from nod.logs import log
from nod.stream import Follower, request_key, tell

KEEP_SECONDS = 10  # an answer; whoever asked waits for less
QUIET_SECONDS = 30.0  # without a question, after which the connection is tried
AGAIN_SECONDS = 0.5

_log = log(__name__)


class Inquiry(Contract):
    """What is asked; each kind of question adds what it is about."""

    request_id: UUID = Field(default_factory=uuid4)


A = TypeVar("A", bound=Inquiry)
Act = Callable[[A], Awaitable[dict[str, Any] | None]]


async def ask_anyone(redis: "Redis", follower: Follower, channel: str, asked: Inquiry, wait_seconds: float) -> dict[str, Any] | None:
    """Return the first answer; None when nobody is there, or nobody answers in time. Never raises for a server that is away."""
    end = asyncio.get_running_loop().time() + wait_seconds
    try:
        async with asyncio.timeout_at(end), follower.follow(request_key(asked.request_id)) as events:
            if not await redis.publish(_name(redis, channel), asked.model_dump_json()):
                return None  # nobody is there
            async with asyncio.timeout_at(end):  # again: Redis's client may lose the first (`wait_for` of Python 3.11)
                return (await events.get()).data
    except (TimeoutError, RedisError, OSError) as error:
        _log.warning("nobody answered", channel=channel, error=first_line(error))
        return None


async def answer_anyone(redis: "Redis", channel: str, kind: type[A], act: "Act[A]") -> None:
    """Answer what is asked, until cancelled. `act` returns None for what it leaves to others."""
    helping: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                await _hear(redis, channel, lambda text: _answer(redis, text, kind, act), helping)
            except (TimeoutError, RedisError, OSError) as error:
                _log.warning("nobody can ask here", channel=channel, error=first_line(error))
                await asyncio.sleep(AGAIN_SECONDS)
    finally:
        for task in helping:
            task.cancel()


async def _hear(redis: "Redis", channel: str, answer: Callable[[str], Any], helping: set[asyncio.Task[None]]) -> None:
    async with redis.pubsub() as heard:
        await heard.subscribe(_name(redis, channel))
        while True:
            message: Any = await heard.get_message(ignore_subscribe_messages=True, timeout=QUIET_SECONDS)
            if message is None:
                await heard.ping()
            elif isinstance(text := message.get("data"), str) and text:
                task = asyncio.create_task(answer(text), name=f"answer {channel}")
                helping.add(task)
                task.add_done_callback(helping.discard)


async def _answer(redis: "Redis", text: str, kind: type[A], act: "Act[A]") -> None:
    try:
        asked = kind.model_validate_json(text)
        if (data := await act(asked)) is not None:
            await tell(redis, request_key(asked.request_id), AnswerEvent(kind="done", data=data), keep_seconds=KEEP_SECONDS)
    except ValidationError as error:
        _log.warning("a question of another nod is not understood", error=first_line(error))
    except Exception:  # noqa: BLE001  # the task edge: logged; whoever asked goes on without
        _log.exception("a question of another process is not answered")


def _name(redis: "Redis", channel: str) -> str:
    """Return a channel's name in Redis: names are shared by all its databases, so it holds the number."""
    pool: Any = redis.connection_pool
    return f"{channel}:{pool.connection_kwargs.get('db') or 0}"
