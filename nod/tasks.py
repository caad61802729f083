"""How asyncio tasks are ended, and how two run beside each other."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from nod.logs import log

MOST_CANCELS = 5

_log = log(__name__)

A = TypeVar("A")
B = TypeVar("B")


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


async def together(one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Return what two coroutines give. When one fails the other is ended, and what went wrong is raised as it is, not as a group."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = group.create_task(one), group.create_task(other)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed.exceptions[0].__cause__
    return tasks[0].result(), tasks[1].result()
