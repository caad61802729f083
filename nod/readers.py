"""Who can read a place now: only the bots of a platform know, so whoever searches asks them.

The question is published, every bot of the platform that hears it answers on a stream made for it, and the first answer counts. Nothing
is kept: while no bot is there, or its platform does not answer in time, the narrowest holds (`Readers()`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from nod.contracts import AnswerEvent, Contract, Person, Place, Readers
from nod.errors import first_line
from nod.logs import log
from nod.stream import Follower, request_key, tell

WAIT_SECONDS = 2.0  # for a bot; it waits less for its platform
QUIET_SECONDS = 30.0  # without a question, after which the connection is tried
AGAIN_SECONDS = 0.5
_OWN = ("web", "cli")  # where everybody reads alone, with an account of nod's own or of a chat

_log = log(__name__)
_Known = Callable[[Place, Person], Awaitable[Readers]]


class _Asked(Contract):
    request_id: UUID
    place: Place
    person: Person


def person_alone(person: Person) -> Place:
    """Return a place which one person alone reads, outside any conversation: its audience is what they may see."""
    return Place(platform=person.platform, workspace=person.workspace, channel="", visibility="direct")


async def readers_of(redis: "Redis", follower: Follower, place: Place, person: Person) -> Readers:
    """Return who can read a place now, within 2 s; `person` is who alone reads a direct one. Never raises for a server that is away.

    On the page and in the terminal everybody belongs to the workspace of their own account; a Slack person's page is asked of Slack.
    """
    platform = person.platform if place.platform in _OWN else place.platform
    if platform in _OWN:
        return Readers(are_members=True)
    asked = _Asked(request_id=uuid4(), place=place, person=person)
    try:
        async with asyncio.timeout(WAIT_SECONDS), follower.follow(request_key(asked.request_id)) as events:
            if not await redis.publish(_channel(redis, platform), asked.model_dump_json()):
                return Readers()  # no bot is there
            return Readers.model_validate((await events.get()).data)
    except (TimeoutError, RedisError, OSError, ValidationError) as error:
        _log.warning("who can read a place is not known, the narrowest holds", platform=platform, error=str(error) or "too slow")
        return Readers()


async def tell_readers(redis: "Redis", platform: str, known: _Known) -> None:
    """Answer what is asked about a platform's places, until cancelled. `known` never raises."""
    helping: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                await _hear(redis, platform, known, helping)
            except (TimeoutError, RedisError, OSError) as error:
                _log.warning("nobody can ask who can read a place", error=str(error))
                await asyncio.sleep(AGAIN_SECONDS)
    finally:
        for task in helping:
            task.cancel()


async def _hear(redis: "Redis", platform: str, known: _Known, helping: set[asyncio.Task[None]]) -> None:
    async with redis.pubsub() as heard:
        await heard.subscribe(_channel(redis, platform))
        while True:
            message: Any = await heard.get_message(ignore_subscribe_messages=True, timeout=QUIET_SECONDS)
            if message is None:
                await heard.ping()
            elif isinstance(text := message.get("data"), str) and text:
                task = asyncio.create_task(_answer(redis, text, known), name="readers")
                helping.add(task)
                task.add_done_callback(helping.discard)


async def _answer(redis: "Redis", text: str, known: _Known) -> None:
    try:
        asked = _Asked.model_validate_json(text)
    except ValidationError as error:
        _log.warning("a question of another nod is not understood", error=first_line(error))
        return
    readers = await known(asked.place, asked.person)
    await tell(redis, request_key(asked.request_id), AnswerEvent(kind="done", data=readers.model_dump()))


def _channel(redis: "Redis", platform: str) -> str:
    """Return the name under which the bots of a platform listen; names are shared by all databases of a Redis, so it holds the number."""
    pool: Any = redis.connection_pool
    return f"readers:{pool.connection_kwargs.get('db') or 0}:{platform}"
