"""How many calls a channel takes: shared by all answers of this process, so that 429s do not happen and nothing final waits for a growth.

Discord takes five posts and edits of a channel in five seconds, and fifty calls of a bot in a second.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

CHANNEL_CALLS, CHANNEL_SECONDS = 5, 5.2  # Discord's five seconds, and what two clocks may differ by
ALL_CALLS, ALL_SECONDS = 46, 1.05
MOST_CHANNELS = 2_000

# How many calls of a channel, and of all, each kind leaves to what is more urgent.
Kind = tuple[int, int]
SIGN: Kind = (2, 20)  # a first sign without words
GROWTH: Kind = (1, 10)  # some more words
WORD: Kind = (0, 0)  # what will not change any more


@dataclass(slots=True)
class _Queue:
    """Those who wait for a channel with something final."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Pace:
    """The calls of the last seconds, by channel and in all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: deque[float] = deque()
        self._channels: dict[str, deque[float]] = {}
        self._queues: dict[str, _Queue] = {}

    def take(self, channel: str, kind: Kind) -> float:
        """Count a call if it may go now, and return 0; else return in how many seconds to ask again."""
        if kind is not WORD and channel in self._queues:
            return CHANNEL_SECONDS / CHANNEL_CALLS  # final words wait for this channel
        return self._take(channel, kind)

    async def turn(self, channel: str) -> None:
        """Wait until a call that must be made may go, in the order of asking, and count it."""
        queue = self._queues.setdefault(channel, _Queue())
        queue.length += 1
        try:
            async with queue.lock:
                while wait_seconds := self._take(channel, WORD):  # noqa: ASYNC110  # time passes, nobody tells us that it did
                    await asyncio.sleep(wait_seconds)
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[channel]

    def _take(self, channel: str, kind: Kind) -> float:
        now = self._clock()
        calls = self._channels.setdefault(channel, deque())
        wait_seconds = max(
            _wait(calls, CHANNEL_CALLS - kind[0], CHANNEL_SECONDS, now), _wait(self._all, ALL_CALLS - kind[1], ALL_SECONDS, now)
        )
        if not wait_seconds:
            calls.append(now)
            self._all.append(now)
            self._forget(now)
        return wait_seconds

    def _forget(self, now: float) -> None:
        if len(self._channels) > MOST_CHANNELS:
            self._channels = {name: calls for name, calls in self._channels.items() if calls and now - calls[-1] < CHANNEL_SECONDS}


def _wait(calls: "deque[float]", most: int, seconds: float, now: float) -> float:
    """Return in how many seconds fewer than `most` calls will lie within the last `seconds`."""
    while calls and now - calls[0] >= seconds:
        calls.popleft()
    return 0.0 if len(calls) < most else calls[len(calls) - most] + seconds - now
