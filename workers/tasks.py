"""The tasks that others send: doorways. Each only rings a bell on the event loop; what is to be done stands in the record."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from nod.wake import READ, WAKE


def register(app: Celery, wake: Callable[[], None], read: Callable[[], None]) -> None:
    """Add the tasks to a Celery application. Both functions may be called from any thread and return at once."""
    task: Any = app.task  # Celery's decorator is untyped

    @task(name=WAKE, ignore_result=True, shared=False)
    def wake_up() -> None:
        """Look for waiting questions now; lost, doubled or late, it changes only when."""
        wake()

    @task(name=READ, ignore_result=True, shared=False)
    def read_documents() -> None:
        """Look for waiting documents and sources now; lost, doubled or late, it changes only when."""
        read()
