"""Rate limits (off unless asked for) and faults on order for the fake Discord's REST side."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from typing import Any

from tests.fakes.discord_rules import Json, Refusal

BUCKETS: dict[str, tuple[int, float]] = {
    "post": (5, 5.0),  # posts and edits of one channel (a thread is a channel of its own)
    "typing": (5, 5.0),
    "delete": (5, 1.0),
    "reaction": (1, 0.25),
    "thread": (50, 300.0),
    "webhook": (5, 2.0),  # per interaction token
    "read": (50, 1.0),
    "other": (50, 1.0),
}
GLOBAL = (50, 1.0)
EVERYTHING_IS_FINE = 1000


@dataclass(slots=True)
class Window:
    """A fixed window: it opens with its first call."""

    opened_at: float = -1e9
    used: int = 0

    def take(self, most: int, seconds: float, now: float) -> tuple[bool, int, float]:
        """Whether the call fits, how many more would, and in how many seconds the window ends."""
        if now - self.opened_at >= seconds:
            self.opened_at, self.used = now, 0
        left = self.opened_at + seconds - now
        if self.used >= most:
            return False, 0, left
        self.used += 1
        return True, most - self.used, left


class Limits:
    """Every bucket of the one bot."""

    def __init__(self) -> None:
        self.windows: dict[tuple[str, str], Window] = {}
        self.everything = Window()
        self.hits = 0

    def headers(self, bucket: str, major: str, is_on: bool, counts_globally: bool) -> dict[str, str]:
        """Take one call out of its bucket: the headers to send, or a 429."""
        now = time.monotonic()
        if not is_on:
            return _headers(bucket, major, EVERYTHING_IS_FINE, EVERYTHING_IS_FINE - 1, 1.0)
        if counts_globally:
            fits, _, left = self.everything.take(*GLOBAL, now)
            if not fits:
                self.hits += 1
                raise too_many(left, is_global=True)
        most, seconds = BUCKETS[bucket]
        fits, remaining, left = self.windows.setdefault((bucket, major), Window()).take(most, seconds, now)
        headers = _headers(bucket, major, most, remaining, left)
        if not fits:
            self.hits += 1
            raise too_many(left, headers=headers)
        return headers


def too_many(retry_after: float, is_global: bool = False, headers: dict[str, str] | None = None, via: bool = True) -> Refusal:
    """429 as Discord says it; without `Via` it looks as if Cloudflare had spoken."""
    refusal = Refusal(429, 0, "You are being rate limited.", headers=headers)
    refusal.extra = {"retry_after": round(max(retry_after, 0.001), 3), "global": is_global}
    refusal.headers |= {"Retry-After": str(math.ceil(retry_after)), "X-RateLimit-Scope": "global" if is_global else "user"}
    if via:
        refusal.headers["Via"] = "1.1 google"
    if is_global:
        refusal.headers["X-RateLimit-Global"] = "true"
    return refusal


def _headers(bucket: str, major: str, limit: int, remaining: int, left: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": f"{time.time() + left:.3f}",
        "X-RateLimit-Reset-After": f"{left:.3f}", "X-RateLimit-Bucket": f"{bucket:x<20}", "Via": "1.1 google",
    }  # fmt: skip


@dataclass(slots=True)
class Fault:
    """Something that goes wrong on order: on the routes named, after `after` calls, `times` times (None: for ever).

    kinds: `429` (retry_after, is_global, via) · `500` `502` `503` … · `error` (status, code, message) · `timeout` (hangs for
    `seconds`, then cuts) · `reset` (cut before acting) · `lost_reply` (acts, then cuts) · `delay` (acts after `seconds`).
    `acts=True` lets 429, 5xx, error and timeout act first as well.
    """

    route: str
    kind: str
    after: int = 0
    times: int | None = 1
    channel: str | None = None
    retry_after: float = 1.0
    is_global: bool = False
    via: bool = True
    seconds: float = 30.0
    status: int = 400
    code: int = 0
    message: str = "A fault on order"
    acts: bool = False
    seen: int = 0
    hits: int = 0

    def sees(self, route: str, major: str) -> bool:
        """Count a call that is its business; whether it would strike it."""
        if not fnmatch(route, self.route) or (self.channel is not None and self.channel != major):
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.hits < self.times)

    @property
    def is_before(self) -> bool:
        """Whether it strikes before the call has an effect."""
        return not self.acts and self.kind != "lost_reply"

    @property
    def refusal(self) -> Refusal | None:
        """The answer it gives, or none when it cuts, hangs or waits."""
        if self.kind == "429":
            return too_many(self.retry_after, self.is_global, via=self.via)
        if self.kind.isdigit():
            return Refusal(int(self.kind), 0, f"{self.kind}: Server Error")
        return Refusal(self.status, self.code, self.message) if self.kind == "error" else None

    @property
    def told(self) -> Json:
        """Its fields, for a test."""
        return asdict(self)


def striking(faults: list[Fault], route: str, major: str) -> Fault | None:
    """The fault that strikes this call: the first that is due; every one counts the call."""
    due = [fault for fault in faults if fault.sees(route, major)]
    if not due:
        return None
    due[0].hits += 1
    return due[0]


def fault_from(asked: dict[str, Any]) -> Fault:
    """A fault as a test ordered it."""
    fault = Fault(**asked)
    if not (fault.kind.isdigit() or fault.kind in ("error", "timeout", "reset", "lost_reply", "delay")):
        raise ValueError(f"no fault is called {fault.kind!r}")
    return fault
