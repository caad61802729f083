"""What is being said: each attempt's text and steps, written to the reply streams of this process by one writer.

The first text of an answer goes out at once, before any growth; growths go out together, of all answers that are shown equally often.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Self

from redis.asyncio import Redis

from nod.contracts import AnswerEvent, EventKind, PlatformName
from nod.stream import tell_all

# Between two growths: a page and a terminal show each, a message in a chat changes twice a second at most.
GROW_SECONDS: Mapping[PlatformName, float] = {"slack": 0.3, "discord": 0.3, "web": 0.1, "cli": 0.1}
MOST_AT_ONCE = 64  # streams in one round trip: a first text never waits behind 200 growths
UNKNOWN_MARK = "⟦unknown⟧"  # what the model ends with when it does not know; people never see it


class Voice:
    """Writes the reply streams of this process. Start it with `async with`; what is left is written at the end."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._urgent: dict[Saying, None] = {}
        self._growing: dict[float, dict[Saying, None]] = {}  # by how often they are written; one timer runs for each
        self._due: dict[Saying, None] = {}
        self._wanted = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._is_ending = False

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_for_ever(), name="write replies")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_ending = True
        self._wanted.set()
        if self._writer:
            await self._writer

    def now(self, saying: "Saying") -> None:
        """Write what an attempt has to say as soon as the event loop comes round."""
        self._growing.get(saying.grow_seconds, {}).pop(saying, None)
        self._due.pop(saying, None)
        self._urgent[saying] = None
        self._wanted.set()

    def soon(self, saying: "Saying") -> None:
        """Write what an attempt has to say with the next growths."""
        if saying not in self._urgent and saying not in self._due:
            if saying.grow_seconds not in self._growing:
                self._growing[saying.grow_seconds] = {}
                asyncio.get_running_loop().call_later(saying.grow_seconds, self._ring, saying.grow_seconds)
            self._growing[saying.grow_seconds][saying] = None

    def _ring(self, seconds: float) -> None:
        self._due |= self._growing.pop(seconds, {})
        self._wanted.set()

    async def _write_for_ever(self) -> None:
        while not self._is_ending or self._urgent or self._due or self._growing:
            await self._wanted.wait()
            self._wanted.clear()
            if self._is_ending:
                for seconds in list(self._growing):
                    self._ring(seconds)
            await self._write_urgent()
            await self._write_growths()

    async def _write_urgent(self) -> None:
        while self._urgent:
            await self._write_some(self._urgent)

    async def _write_growths(self) -> None:
        while self._due:
            await self._write_some(self._due)
            await self._write_urgent()

    async def _write_some(self, waiting: dict["Saying", None]) -> None:
        batch = list(waiting)[:MOST_AT_ONCE]
        for saying in batch:
            del waiting[saying]
        await tell_all(self._redis, [(saying.key, saying.take()) for saying in batch])
        for saying in batch:
            saying.written.set()


class Saying:
    """What one attempt says, in order. `text` is all of it; the same text goes into the record."""

    def __init__(self, voice: Voice, key: str, grow_seconds: float) -> None:
        self.key = key
        self.grow_seconds = grow_seconds
        self.text = ""
        self.is_unknown = False
        self.written = asyncio.Event()
        self._voice = voice
        self._held = ""
        self._is_new_paragraph = False
        self._offset = 0  # how much of the text stands in events already
        self._events: list[AnswerEvent] = []

    def tell(self, kind: EventKind, name: str = "", /, **data: Any) -> None:
        """Tell what happens besides the text, after all that was said before it."""
        self._catch_up()
        self._events.append(AnswerEvent(kind=kind, name=name, data=data))
        self._voice.now(self)

    def grow(self, piece: str) -> None:
        """Say more. White space never begins an answer, and a mark for programs is kept back."""
        if self._held or "⟦" in piece:
            piece = self._without_mark(self._held + piece)
        if not self.text or self._is_new_paragraph:
            piece = piece.lstrip()
        if not piece:
            return
        if not self.text:
            self._voice.now(self)
        elif self._is_new_paragraph:
            piece = "\n\n" + piece
        self._is_new_paragraph = False
        self.text += piece
        self._voice.soon(self)

    def new_paragraph(self) -> None:
        """Begin a new paragraph with what is said next, if anything is (between two steps of the agent)."""
        self.close()
        self._is_new_paragraph = True

    def close(self) -> None:
        """Say what was held back: no mark has come of it."""
        held, self._held = self._held, ""
        if held:
            self.text += held
            self._voice.soon(self)

    def forget_held(self) -> None:
        """Forget what was held back of a call that failed before its first word."""
        self._held = ""

    def take(self) -> list[AnswerEvent]:
        """Return the events to write now; they are not returned again."""
        self._catch_up()
        events, self._events = self._events, []
        return events

    async def until_written(self) -> None:
        """Wait until all that was said so far has been handed to Redis (or Redis refused it)."""
        while self._events or self._offset < len(self.text):
            self.written.clear()
            self._voice.now(self)
            await self.written.wait()

    def _catch_up(self) -> None:
        if self._offset < len(self.text):
            self._events.append(AnswerEvent(kind="grew", offset=self._offset, text=self.text[self._offset :]))
            self._offset = len(self.text)

    def _without_mark(self, piece: str) -> str:
        """Return what may be said of a piece that holds (the beginning of) a mark; keep the rest back."""
        if UNKNOWN_MARK in piece:
            self.is_unknown = True
            piece = piece.replace(UNKNOWN_MARK, "")
        at = piece.rfind("⟦")
        if at >= 0 and UNKNOWN_MARK.startswith(piece[at:]):
            piece, self._held = piece[:at], piece[at:]
        else:
            self._held = ""
        return piece
