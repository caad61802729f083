"""How asyncio tasks are ended."""

import asyncio
from collections.abc import Iterable
from typing import Any

from nod.logs import log

MOST_CANCELS = 5

_log = log(__name__)


async def end_tasks(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until all have ended: one that was just woken may lose a cancellation (`wait_for` of Python 3.11)."""
    left = set(tasks)
    for _ in range(MOST_CANCELS):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1.0)
    if left:
        _log.error("tasks that do not end", names=sorted(task.get_name() for task in left))
