"""What delivery knows of one answer, kept up to date by its reply stream and by the look."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from bot.reading import Seen, attempt_of
from nod.contracts import Answer, AnswerEvent
from nod.process import STORE_ERRORS, Services
from nod.stream import reply_key

_LOOKED = AnswerEvent(kind="started")  # put in the queue by the look, so that whoever waits for events looks up


class Watch:
    """One answer: `answer` is its row, `seen` what is being said; `changed` is set by either, `ended` once the row is final."""

    def __init__(self, services: Services, answer: Answer, on_request: Callable[[str, dict[str, Any]], None]) -> None:
        self._services = services
        self._on_request = on_request
        self._events: asyncio.Queue[AnswerEvent] | None = None
        self.answer = answer
        self.seen = Seen(attempt=attempt_of(answer))
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()
        self.look(answer)

    def look(self, answer: Answer) -> None:
        """Take in the answer's row as it is now; an older one than known is ignored."""
        if self.answer.is_terminal or answer.is_terminal:
            self.answer = self.answer if self.answer.is_terminal else answer
            self.ended.set()
            self.changed.set()
        elif attempt_of(answer) >= attempt_of(self.answer):
            self.answer = answer
        if self._events and (self.ended.is_set() or attempt_of(self.answer) != self.seen.attempt):
            self._events.put_nowait(_LOOKED)

    async def run(self) -> None:
        """Follow the stream of the attempt that speaks, and of each that takes over, until the answer is final."""
        while not self.ended.is_set():
            async with self._services.follower.follow(reply_key(self.answer.answer_id, self.seen.attempt)) as self._events:
                while not self.ended.is_set() and attempt_of(self.answer) == self.seen.attempt:
                    await self._hear(await self._events.get())
            if not self.ended.is_set():
                self.seen = self.seen.on(attempt_of(self.answer))
                self.changed.set()

    async def _hear(self, event: AnswerEvent) -> None:
        if event.kind == "request":
            self._on_request(event.name, event.data)
        elif event.kind in ("done", "failed"):
            with contextlib.suppress(*STORE_ERRORS):
                self.look(await self._services.record.answer(self.answer.answer_id))
        elif (seen := self.seen.after(event)) is not self.seen:
            self.seen = seen
            self.changed.set()
