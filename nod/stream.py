"""What is being said now: one Redis stream per attempt, `reply:{answer}:{attempt}`. Losing it loses speed, never an answer."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Self
from uuid import UUID, uuid4

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from nod.contracts import AnswerEvent
from nod.errors import first_line
from nod.logs import log
from nod.tasks import end_tasks

KEEP_SECONDS = 900
LOOK_MILLISECONDS = 500  # how long one XREAD waits; a new follower ends the wait at once
BREATH_SECONDS, LONGEST_BREATH_SECONDS = 0.0002, 0.05  # between two XREADs, a stream: each names them all, so its cost grows with them

_log = log(__name__)


def reply_key(answer_id: UUID, attempt: int) -> str:
    """Return the name of the stream that an attempt writes; readers of an older attempt read another one."""
    return f"reply:{answer_id.hex}:{attempt}"


def request_key(request_id: UUID) -> str:
    """Return the name of the stream on which the answer to a request is announced."""
    return f"request:{request_id.hex}"


async def tell(redis: "Redis", key: str, *events: AnswerEvent, keep_seconds: int = KEEP_SECONDS) -> bool:
    """Append events to a stream in one round trip; return whether Redis took them. Never raises: the record is what counts."""
    return await tell_all(redis, [(key, events)], keep_seconds)


async def tell_all(redis: "Redis", said: Sequence[tuple[str, Sequence[AnswerEvent]]], keep_seconds: int = KEEP_SECONDS) -> bool:
    """Append events to several streams in one round trip, as `tell` does. Growths alone do not put off a stream's end: they are many."""
    try:
        async with redis.pipeline(transaction=False) as pipe:
            for key, events in said:
                for event in events:
                    pipe.xadd(key, {"e": event.model_dump_json(exclude_defaults=True)}, maxlen=10_000, approximate=True)
                if any(event.kind != "grew" for event in events):
                    pipe.expire(key, keep_seconds)
            await pipe.execute()
    except (TimeoutError, RedisError, OSError) as error:
        _log.warning("reply stream not written", keys=[key for key, _ in said][:3], error=first_line(error))
        return False
    return True


class Follower:
    """Reads any number of streams with one `XREAD BLOCK` per process. Start it with `async with`."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._knock = f"knock:{uuid4().hex}"
        self._knocked = "0-0"
        self._followers: dict[str, set[_Subscription]] = {}
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read_for_ever(), name="follow replies")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            await end_tasks([self._task])

    @contextlib.asynccontextmanager
    async def follow(self, key: str) -> AsyncGenerator[asyncio.Queue[AnswerEvent]]:
        """Give a queue that receives all events of a stream, from its beginning, whether it exists yet or not."""
        subscription = _Subscription()
        self._followers.setdefault(key, set()).add(subscription)
        await self._interrupt()
        try:
            yield subscription.events
        finally:
            self._followers[key].discard(subscription)
            if not self._followers[key]:
                del self._followers[key]

    async def _interrupt(self) -> None:
        if self._wanted.is_set():
            return  # the reader has not seen the last newcomer yet: it will see both
        self._wanted.set()
        with contextlib.suppress(RedisError, OSError, asyncio.TimeoutError):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.xadd(self._knock, {"k": "1"}, maxlen=1)
                pipe.expire(self._knock, KEEP_SECONDS)
                await pipe.execute()

    async def _read_for_ever(self) -> None:
        while True:
            if not self._followers:
                await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._read_once()
                await asyncio.sleep(min(BREATH_SECONDS * len(self._followers), LONGEST_BREATH_SECONDS))
            except (TimeoutError, RedisError, OSError) as error:
                _log.warning("reply streams not readable", error=first_line(error))
                await asyncio.sleep(0.5)

    async def _read_once(self) -> None:
        wanted = {key: min((s.last for s in subscriptions), key=_order) for key, subscriptions in self._followers.items()}
        answer: Any = await self._redis.xread({**wanted, self._knock: self._knocked}, count=500, block=LOOK_MILLISECONDS)
        for key, entries in answer or []:
            if key == self._knock:
                self._knocked = entries[-1][0]
                continue
            for entry_id, fields in entries:
                self._hand_out(key, entry_id, fields)

    def _hand_out(self, key: str, entry_id: str, fields: dict[str, str]) -> None:
        for subscription in self._followers.get(key, ()):
            if _order(entry_id) > _order(subscription.last):
                subscription.last = entry_id
                if event := _event_from(fields):
                    subscription.events.put_nowait(event)


class _Subscription:
    def __init__(self) -> None:
        self.last = "0-0"
        self.events: asyncio.Queue[AnswerEvent] = asyncio.Queue()


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _event_from(fields: dict[str, str]) -> AnswerEvent | None:
    """Return the event of an entry; None for a kind that only a newer nod knows."""
    try:
        return AnswerEvent.model_validate_json(fields.get("e", ""))
    except ValidationError:
        return None
