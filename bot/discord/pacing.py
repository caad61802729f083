"""How many calls a channel takes: shared by all answers of this process, so that 429s do not happen and nothing final waits for a growth.

Discord takes five posts and edits of a channel in five seconds, and fifty calls of a bot in a second. Each answer needs one of them
at its end; what is left over is for growing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

CHANNEL_CALLS, CHANNEL_SECONDS = 5, 5.2  # Discord's five seconds, and what two clocks may differ by
ALL_CALLS, ALL_SECONDS = 46, 1.05
GROWTHS_KEEP, SIGNS_KEEP = 10, 20  # of all calls, left to what is more urgent
FORGET_SECONDS = 30.0  # an answer that asked for nothing for so long needs no call any more
MOST_CHANNELS = 2_000


@dataclass(slots=True)
class _Channel:
    """One channel: its last calls, the answers that are being shown in it, and how many wait with final words."""

    calls: "deque[float]" = field(default_factory=deque[float])
    answers: dict[Hashable, float] = field(default_factory=dict[Hashable, float])
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Pace:
    """The calls of the last seconds, by channel and in all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: deque[float] = deque()
        self._channels: dict[str, _Channel] = {}

    def take(self, name: str, answer: Hashable, *, is_sign: bool = False, is_urgent: bool = False) -> float:
        """Count a call that shows some more of an answer if it may go now, and return 0; else return in how many seconds to ask again.

        `is_sign`: it shows no word yet, and yields to all that do. `is_urgent`: it leaves no call to those who need one for an end.
        """
        channel, now = self._channel(name), self._clock()
        channel.answers[answer] = now
        channel.answers = {known: at for known, at in channel.answers.items() if now - at < FORGET_SECONDS}
        if channel.waiting:
            return CHANNEL_SECONDS / CHANNEL_CALLS
        kept = 0 if is_urgent else len(channel.answers) + is_sign
        return self._take(channel, min(kept, CHANNEL_CALLS - 1 + is_sign), SIGNS_KEEP if is_sign else GROWTHS_KEEP)

    async def turn(self, name: str, answer: Hashable) -> None:
        """Wait until a call that must be made may go, in the order of asking, and count it."""
        channel = self._channel(name)
        channel.answers.pop(answer, None)
        channel.waiting += 1
        try:
            async with channel.lock:
                while wait_seconds := self._take(channel, 0, 0):  # noqa: ASYNC110  # time passes, nobody tells us that it did
                    await asyncio.sleep(wait_seconds)
        finally:
            channel.waiting -= 1

    def _take(self, channel: _Channel, kept: int, all_kept: int) -> float:
        now = self._clock()
        wait_seconds = max(
            _wait(channel.calls, CHANNEL_CALLS - kept, CHANNEL_SECONDS, now), _wait(self._all, ALL_CALLS - all_kept, ALL_SECONDS, now)
        )
        if not wait_seconds:
            channel.calls.append(now)
            self._all.append(now)
        return wait_seconds

    def _channel(self, name: str) -> _Channel:
        if name not in self._channels and len(self._channels) >= MOST_CHANNELS:
            end = self._clock() - FORGET_SECONDS
            self._channels = {known: it for known, it in self._channels.items() if it.waiting or (it.calls and it.calls[-1] > end)}
        return self._channels.setdefault(name, _Channel())


def _wait(calls: "deque[float]", most: int, seconds: float, now: float) -> float:
    """Return in how many seconds fewer than `most` calls will lie within the last `seconds`."""
    while calls and now - calls[0] >= seconds:
        calls.popleft()
    if most <= 0:
        return seconds / CHANNEL_CALLS
    return 0.0 if len(calls) < most else calls[len(calls) - most] + seconds - now
