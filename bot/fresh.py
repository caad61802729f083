"""What a platform told a moment ago. Who may see what depends on it, so it is never kept for longer than most of a minute."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

KEEP_SECONDS = 45.0  # with the 10 s for which a worker keeps an answer to it, less than the minute that nod promises
MOST_KEPT = 5_000

T = TypeVar("T")


class Fresh(Generic[T]):
    """The last answers by key. Who asks for what is just being asked waits for the same answer; a failure is not kept."""

    def __init__(self, keep_seconds: float = KEEP_SECONDS) -> None:
        self._keep_seconds = keep_seconds
        self._asked: dict[str, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what was answered, or ask. Raises what `ask` raises; whoever waits no longer leaves the question to the next."""
        asked_at, task = self._asked.get(key, (0.0, None))
        if task is None or time.monotonic() - asked_at > self._keep_seconds or _has_failed(task):
            task = asyncio.create_task(_asked(ask), name=f"ask {key}")
            task.add_done_callback(_has_failed)  # looked at, so that nobody warns of an error which nobody waited for
            self._asked.pop(key, None)
            if len(self._asked) >= MOST_KEPT:
                self._asked.pop(next(iter(self._asked)))
            self._asked[key] = (time.monotonic(), task)
        return await asyncio.shield(task)

    def forget(self, key: str) -> None:
        """Ask anew the next time: it has changed."""
        self._asked.pop(key, None)


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _has_failed(task: "asyncio.Task[T]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
