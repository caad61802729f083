"""A worker as the page and the terminal see one: it claims, speaks on the reply stream and commits, each when a test says so."""

import asyncio
import time
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from nod.claims import Claims
from nod.contracts import AnswerEvent, Outcome
from nod.record import Record
from nod.stream import reply_key, tell


class Speaker:
    """A worker as the page sees one: it claims, speaks on the reply stream and commits."""

    def __init__(self, record: Record, redis: Redis) -> None:
        self.record = record
        self.redis = redis
        self.claims = Claims(record.engine, uuid4())
        self.said = ""

    async def claim(self, within: float = 20.0):
        """Wait for a question, and take it."""
        await self.claims.register("worker")
        end = time.monotonic() + within
        while not (tasks := await self.claims.claim(1)):
            assert time.monotonic() < end, f"nobody asked within {within} s"
            await asyncio.sleep(0.02)
        (self.task,) = tasks
        self.said = ""
        await self._tell(AnswerEvent(kind="started"))

    async def steps(self, name: str, **data: Any):
        await self._tell(AnswerEvent(kind="step", name=name, data=data))

    async def says(self, text: str, offset: int | None = None):
        await self._tell(AnswerEvent(kind="grew", offset=len(self.said) if offset is None else offset, text=text))
        self.said += text

    async def commits(self, text: str = "", *, announced: bool = True, **outcome: Any):
        outcome = Outcome(**{"status": "answered", "text": text or self.said, **outcome})
        assert await self.record.finish(self.task.answer_id, self.task.attempt, outcome)
        if announced:
            await self._tell(AnswerEvent(kind="done"))

    async def _tell(self, event: AnswerEvent):
        await tell(self.redis, reply_key(self.task.answer_id, self.task.attempt), event)
