"""How many calls Slack takes: shared by all answers of this process, so that 429s do not happen and nothing final waits for a growth.

Slack promises each method 20, 50 or 100 calls a minute in a workspace (tiers 2, 3 and 4) and a message a second in each channel. It
lets bursts pass, and does not say which: a last edit may go beyond what is promised, until Slack refuses one. Everything else keeps
within it, and leaves each answer that is being shown the call for its end.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable
from dataclasses import dataclass, field

MINUTE_SECONDS = 61.0  # Slack's minute, and what two clocks may differ by
BEYOND_AT_ONCE = 4  # calls under way beyond what is promised: as many may be refused before we know
STRICT_SECONDS = 600.0  # for how long a refused call is a lesson
FORGET_SECONDS = 60.0  # an answer that grew for the last time so long ago is shown by somebody else, or by nobody
MOST_CHANNELS = 2_000
START, APPEND, STOP, UPDATE, POST = "chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage"
STATUS, SESSION = "assistant.threads.setStatus", "agents.sessions.setStatus"


@dataclass(frozen=True, slots=True)
class Rule:
    """So many calls in so many seconds. Spread: what may be dropped goes evenly once half of them are used. Bursts: last calls may."""

    most: int
    seconds: float = MINUTE_SECONDS
    is_spread: bool = False
    may_burst: bool = False


# A little less than promised: what was sent late may arrive with what is sent now. Of a status only the steps count; its limit is not told.
RULES = {
    START: Rule(18), STOP: Rule(20), APPEND: Rule(95, is_spread=True), UPDATE: Rule(48, is_spread=True, may_burst=True),
    POST: Rule(4, 4.2), STATUS: Rule(100), SESSION: Rule(48),
}  # fmt: skip


@dataclass(slots=True)
class _Line:
    """One method (of posts: in one channel): its last calls, and who will need one more for an end."""

    rule: Rule
    calls: "deque[float]" = field(default_factory=deque[float])
    owed: dict[Hashable, float] = field(default_factory=dict[Hashable, float])
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    beyond: int = 0
    closed_until: float = 0.0
    refused_at: float = -STRICT_SECONDS

    def wait(self, now: float, kept: int = 0) -> float:
        """Return in how many seconds a call fits that leaves `kept` others their room."""
        while self.calls and now - self.calls[0] >= self.rule.seconds:
            self.calls.popleft()
        most, closed = self.rule.most - kept, max(0.0, self.closed_until - now)
        if len(self.calls) < most:
            return closed
        return max(closed, self.calls[len(self.calls) - most] + self.rule.seconds - now if most > 0 else self.rule.seconds / self.rule.most)

    def spread(self, now: float) -> float:
        """Return in how many seconds the next call is due that may be dropped, so that the second half lasts for the whole time."""
        if not self.rule.is_spread or len(self.calls) < self.rule.most / 2:
            return 0.0
        return max(0.0, self.calls[-1] + 2 * self.rule.seconds / self.rule.most - now)

    def is_strict(self, now: float) -> bool:
        """Whether what Slack promises is all there is: always for most, for others while a refusal is young."""
        return not self.rule.may_burst or now - self.refused_at < STRICT_SECONDS


class Pace:
    """The calls of the last minute, by method."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: dict[tuple[str, str], _Line] = {}

    def take(self, method: str, where: str = "", *, is_urgent: bool = False) -> float:
        """Count a call that can be done without if it may go now, and return 0; else return in how many seconds to ask again.

        `is_urgent`: it goes as long as Slack promises it, whoever else needs a call for an end.
        """
        line, now = self._line(method, where), self._clock()
        if line.waiting:
            return line.rule.seconds / line.rule.most
        wait_seconds = line.wait(now) if is_urgent else max(line.wait(now, self._owed(line, now)), line.spread(now))
        if not wait_seconds:
            line.calls.append(now)
        return wait_seconds

    def has_room(self, method: str, where: str = "") -> bool:
        """Return whether one more answer can have its last call in time, as far as Slack promises."""
        line, now = self._line(method, where), self._clock()
        return not line.wait(now, self._owed(line, now))

    def may_begin(self, method: str) -> bool:
        """Return whether to begin what will need a last call: while there is room, and beyond it while Slack has refused none."""
        line = self._line(method)
        return not line.is_strict(self._clock()) or self.has_room(method)

    def closed(self, method: str) -> float:
        """Return for how many seconds Slack wants no such call."""
        return max(0.0, self._line(method).closed_until - self._clock())

    def owe(self, method: str, answer: Hashable) -> None:
        """Keep a call for the end of an answer; say so again whenever it grows."""
        self._line(method).owed[answer] = self._clock()

    @contextlib.asynccontextmanager
    async def turn(self, method: str, answer: Hashable = None, where: str = "") -> AsyncGenerator[None]:
        """Make a call that must be made: wait until it may go, in the order of asking, and count it."""
        line = self._line(method, where)
        line.owed.pop(answer, None)
        line.waiting += 1
        try:
            async with line.lock:
                while wait_seconds := self._wait(line):  # noqa: ASYNC110  # time passes, nobody tells us that it did
                    await asyncio.sleep(min(wait_seconds, 0.5))
                is_beyond = line.wait(self._clock()) > 0
                line.calls.append(self._clock())
        finally:
            line.waiting -= 1
        line.beyond += is_beyond
        try:
            yield
        finally:
            line.beyond -= is_beyond

    def refused(self, method: str, wait_seconds: float, where: str = "") -> None:
        """Say that Slack refused a call as one too many: nobody tries again before it is time."""
        line, now = self._line(method, where), self._clock()
        line.refused_at, line.closed_until = now, max(line.closed_until, now + wait_seconds)

    def _wait(self, line: _Line) -> float:
        now = self._clock()
        wait_seconds = line.wait(now)
        if not wait_seconds or line.closed_until > now or line.is_strict(now):
            return wait_seconds
        return 0.0 if line.beyond < BEYOND_AT_ONCE else 0.05

    def _owed(self, line: _Line, now: float) -> int:
        line.owed = {answer: at for answer, at in line.owed.items() if now - at < FORGET_SECONDS}
        return len(line.owed)

    def _line(self, method: str, where: str = "") -> _Line:
        if (method, where) not in self._lines and len(self._lines) >= MOST_CHANNELS:
            end = self._clock() - MINUTE_SECONDS
            self._lines = {
                name: line for name, line in self._lines.items()
                if not name[1] or line.waiting or line.closed_until > end or (line.calls and line.calls[-1] > end)
            }  # fmt: skip
        return self._lines.setdefault((method, where), _Line(RULES[method]))
