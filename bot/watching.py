"""What is known of one answer while it is shown, kept up to date by its reply stream and by the look."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from nod.contracts import Answer, AnswerEvent
from nod.process import STORE_ERRORS
from nod.record import Record
from nod.stream import Follower, reply_key

_LOOKED = AnswerEvent(kind="started")  # put in the queue by the look, so that whoever waits for events looks up
_BEGUN = AnswerEvent(kind="step", name="searching")  # what an attempt does first, when Redis did not tell of it


@dataclass(frozen=True, slots=True)
class Seen:
    """What is being said of an answer at one moment."""

    attempt: int = 0
    text: str = ""
    step: AnswerEvent | None = None
    is_continuing: bool = False  # `text` is what an earlier attempt said; the new one has not begun to speak
    has_gap: bool = False  # Redis lost a part: nothing grows any more, the end brings the whole text

    @property
    def is_queued(self) -> bool:
        """Whether the last that was seen is its place in the queue."""
        return self.step is not None and self.step.name.startswith("queued")

    def after(self, event: AnswerEvent) -> "Seen":
        """Return what is seen after one more event of the same attempt."""
        if event.kind == "step":
            return replace(self, step=event)
        if event.kind != "grew" or self.has_gap:
            return self
        said = "" if self.is_continuing else self.text
        if event.offset > len(said):
            return replace(self, has_gap=True)
        return replace(self, text=said[: event.offset] + event.text, is_continuing=False)

    def on(self, attempt: int) -> "Seen":
        """Return what is seen when another attempt goes on: its text replaces the old one as a whole, once it speaks."""
        return Seen(attempt=attempt, text=self.text, is_continuing=bool(self.text))


class Watch:
    """One answer: `answer` is its row, `seen` what is being said; `changed` is set by either, `ended` once the row is final."""

    def __init__(self, record: Record, follower: Follower, answer: Answer, on_request: Callable[[str, dict[str, Any]], None]) -> None:
        self._record = record
        self._follower = follower
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
            if answer.status == "running" and self.seen.is_queued:
                self._step(_BEGUN)
        if self._events and (self.ended.is_set() or attempt_of(self.answer) != self.seen.attempt):
            self._events.put_nowait(_LOOKED)

    def wait(self, step: AnswerEvent) -> None:
        """Take in the place of an answer that waits, until its attempt says anything itself."""
        if self.answer.status == "waiting" and (self.seen.step is None or self.seen.is_queued) and self.seen.step != step:
            self._step(step)

    def _step(self, step: AnswerEvent) -> None:
        self.seen = replace(self.seen, step=step)
        self.changed.set()

    async def run(self) -> None:
        """Follow the stream of the attempt that speaks, and of each that takes over, until the answer is final."""
        while not self.ended.is_set():
            async with self._follower.follow(reply_key(self.answer.answer_id, self.seen.attempt)) as self._events:
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
                self.look(await self._record.answer(self.answer.answer_id))
        elif (seen := self.seen.after(event)) is not self.seen:
            self.seen = seen
            self.changed.set()


def attempt_of(answer: Answer) -> int:
    """Return the attempt to follow: the one that speaks, or the next one of an answer that waits."""
    return answer.attempt + (answer.status == "waiting")
