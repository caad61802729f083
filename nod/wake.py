"""Wake-ups by Celery. A wake-up carries nothing: lost, doubled or late it only changes when somebody looks (each second anyway)."""

import asyncio
import contextlib
from typing import Any

from celery import Celery

from nod.connect import REDIS_TIMEOUT_SECONDS, celery_broker
from nod.errors import first_line
from nod.logs import log

WAKE = "nod.wake"  # a question waits
READ = "nod.read"  # a document waits, or a source
QUEUES = {WAKE: "wake", READ: "work"}

_log = log(__name__)


def celery_from(redis_url: str) -> Celery:
    """Return the Celery application, as senders and workers share it. Its broker waits a second at most."""
    app = Celery("nod", broker=celery_broker(redis_url), set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_default_queue="wake",
        task_routes={name: {"queue": queue} for name, queue in QUEUES.items()},
        task_acks_late=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": REDIS_TIMEOUT_SECONDS, "socket_connect_timeout": REDIS_TIMEOUT_SECONDS, "visibility_timeout": 3600,
        },
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_pool_limit=2,
        event_queue_expires=60,
    )  # fmt: skip
    return app


class Waker:
    """Sends wake-ups off the event loop, never waiting longer than a second; while one is under way, more become one more."""

    def __init__(self, redis_url: str) -> None:
        self._app = celery_from(redis_url)
        self._sending: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed = 0

    def wake(self, name: str = WAKE) -> None:
        """Send a wake-up soon; return at once. A failure is counted, nothing else: every worker looks by itself."""
        if name in self._sending:
            self._sending[name] = True
            return
        self._sending[name] = False
        task = asyncio.get_running_loop().create_task(self._send(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, name: str) -> None:
        try:
            again = True
            while again:
                self._sending[name] = False
                await asyncio.wait_for(asyncio.to_thread(self._send_now, name), REDIS_TIMEOUT_SECONDS * 2)
                again = self._sending[name]
        except Exception as error:  # noqa: BLE001  # kombu raises what its transport raises; a wake-up is never worth more than a line
            self.failed += 1
            _log.warning("wake-up not sent", task=name, error=first_line(error))
        finally:
            self._sending.pop(name, None)

    def _send_now(self, name: str) -> None:
        self._app.send_task(name, retry=False, ignore_result=True)

    async def close(self) -> None:
        """Let what is being sent end."""
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(task, 1)
        closing: Any = self._app.close
        closing()
