"""An answer as one reader watches it: what is being said now, then what the record says. The page and the terminal read so.

A reader owns nothing: any number may watch the same answer, join late, leave and come back. The reply stream is read from its
beginning and the record is asked every second, so a lost connection, a lost `done` and an emptied Redis are one case.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from uuid import UUID

from nod.contracts import Answer, AnswerEvent
from nod.process import LOOK_SECONDS, STORE_ERRORS
from nod.record import Record
from nod.stream import Follower, reply_key


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader sees of an answer at one moment. `answer` is set at the end, and then it alone counts."""

    attempt: int = 0
    text: str = ""
    step: AnswerEvent | None = None
    steps: int = 0
    is_continuing: bool = False  # `text` is what an earlier attempt said; the new one has not begun to speak
    has_gap: bool = False  # Redis lost a part: nothing grows any more, the end brings the whole text
    answer: Answer | None = None

    def after(self, event: AnswerEvent) -> "Seen":
        """Return what is seen after one more event of the same attempt."""
        if event.kind == "step":
            return replace(self, step=event, steps=self.steps + 1)
        if event.kind != "grew" or self.has_gap:
            return self
        said = "" if self.is_continuing else self.text
        if event.offset > len(said):
            return replace(self, has_gap=True)
        return replace(self, text=said[: event.offset] + event.text, is_continuing=False)

    def on(self, attempt: int) -> "Seen":
        """Return what is seen when another attempt goes on: its text replaces the old one as a whole, once it speaks."""
        return Seen(attempt=attempt, text=self.text, is_continuing=bool(self.text), steps=self.steps)


async def read(record: Record, follower: Follower, answer_id: UUID, pace_seconds: float = 0.0) -> AsyncGenerator[Seen]:
    """Give what is seen of an answer each time it changes (at most once per `pace_seconds`), last with the committed answer.

    Raises NotFoundError for an unknown answer; an outage of PostgreSQL is waited out.
    """
    answer = await record.answer(answer_id)
    seen = Seen(attempt=attempt_of(answer))
    while not answer.is_terminal:
        async with follower.follow(reply_key(answer_id, seen.attempt)) as events:
            while not answer.is_terminal and attempt_of(answer) == seen.attempt:
                later, is_over = await _grown(events, seen)
                is_quiet = later is seen
                if later != seen:
                    seen = later
                    yield seen
                if is_over or is_quiet:
                    answer = await _asked(record, answer)
                elif pace_seconds:
                    await asyncio.sleep(pace_seconds)
        if not answer.is_terminal:
            seen = seen.on(attempt_of(answer))
            yield seen
    yield replace(seen, answer=answer)


def attempt_of(answer: Answer) -> int:
    """Return the attempt to follow: the one that speaks, or the next one of an answer that waits."""
    return answer.attempt + (answer.status == "waiting")


async def _grown(events: asyncio.Queue[AnswerEvent], seen: Seen) -> tuple[Seen, bool]:
    """Wait a second for events and take all that are there; return what is seen then, and whether the end was announced."""
    is_over = False
    with contextlib.suppress(asyncio.TimeoutError):
        event = await asyncio.wait_for(events.get(), LOOK_SECONDS)
        while True:
            seen, is_over = seen.after(event), is_over or event.kind in ("done", "failed")
            if events.empty():
                break
            event = events.get_nowait()
    return seen, is_over


async def _asked(record: Record, known: Answer) -> Answer:
    with contextlib.suppress(*STORE_ERRORS):
        return await record.answer(known.answer_id)
    return known
