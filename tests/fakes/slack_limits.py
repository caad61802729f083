"""When the fake says no for reasons of its own: rate limits as documented, and faults which a test asked for."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack_arguments import TIERS

Json = dict[str, Any]

POSTS_AT_ONCE = 4  # chat.postMessage: one a second per channel, "short bursts" above it


@dataclass(slots=True)
class Limits:
    """Sliding windows per method, and a bucket per channel for chat.postMessage."""

    on: bool = False
    window_seconds: float = 60.0
    tiers: dict[str, int] = field(default_factory=lambda: dict(TIERS))
    calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    posts: dict[str, tuple[float, float]] = field(default_factory=dict)  # channel: tokens left, at what time

    def wait_for(self, method: str, channel: str) -> int | None:
        """The Retry-After for this call, or nothing when it may pass; only calls that pass are counted."""
        if not self.on:
            return None
        if method == "chat.postMessage":
            return self._post(channel)
        if method not in self.tiers:
            return None
        now, calls = time.monotonic(), self.calls[method]
        while calls and now - calls[0] >= self.window_seconds:
            calls.popleft()
        if len(calls) >= self.tiers[method]:
            return max(1, math.ceil(self.window_seconds - (now - calls[0])))
        calls.append(now)
        return None

    def _post(self, channel: str) -> int | None:
        now = time.monotonic()
        left, since = self.posts.get(channel, (float(POSTS_AT_ONCE), now))
        left = min(float(POSTS_AT_ONCE), left + (now - since) * 60 / self.window_seconds)
        self.posts[channel] = (left - 1 if left >= 1 else left, now)
        return None if left >= 1 else max(1, math.ceil((1 - left) * self.window_seconds / 60))


ACTING = ("lost_reply", "no_reply", "late_reply")  # these act, and then say nothing, or late
KINDS = ("429", "500", "503", "timeout", "reset", "error", *ACTING)


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong with the next calls of a method."""

    method: str
    kind: str
    times: int = 1
    after: int = 0
    retry_after: int = 1
    seconds: float = 30.0
    error: str = "fatal_error"
    match: Json = field(default_factory=dict)
    met: int = 0

    def hits(self, method: str, args: Json) -> bool:
        """Whether this call meets the fault; each hit uses it up by one."""
        if self.method not in ("*", method) or self.times <= 0 or any(args.get(key) != value for key, value in self.match.items()):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        self.met += 1
        return True
