"""Documents read beside the answers: two at a time, on an event loop and connections of their own, so that none delays an answer."""

import asyncio
import contextlib
import threading
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.ingest import read_waiting
from knowledge.removal import forget_removed
from nod.connect import Servers, engine_from
from nod.files import Files
from nod.logs import log
from nod.process import STORE_ERRORS, look

READERS = 2
LOOK_SECONDS = 5.0  # a lost wake-up strands no document
STOP_SECONDS = 2.0

_log = log(__name__)


class Reading:
    """A thread that reads documents which wait. Entering thousands of passages into the index is work which would stop the answers."""

    def __init__(self, servers: Servers, files: Files, process_id: UUID) -> None:
        self._servers = servers
        self._files = files
        self._process_id = process_id
        self._loop = asyncio.new_event_loop()
        self._bells = [asyncio.Event() for _ in range(READERS)]
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="read documents", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def ring(self) -> None:
        """Say that a document waits; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: this process ends
            self._loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        """Break off what is being read, waiting two seconds at most: it waits again, and another worker reads it."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(STOP_SECONDS)

    def _wake(self) -> None:
        for bell in self._bells:
            bell.set()

    def _cancel(self) -> None:
        self._ending.set()
        if self._task:
            self._task.cancel()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner, contextlib.suppress(asyncio.CancelledError):
            runner.run(self._read_for_ever())

    async def _read_for_ever(self) -> None:
        self._task = asyncio.current_task()
        engine = engine_from(self._servers.database_url, pool_size=READERS)
        try:
            async with asyncio.TaskGroup() as readers:
                for bell in self._bells:
                    readers.create_task(look(self._ending, bell, lambda: self._read(engine), LOOK_SECONDS))
        finally:
            await engine.dispose()

    async def _read(self, engine: AsyncEngine) -> None:
        try:
            await read_waiting(engine, self._files, self._process_id)
            await forget_removed(engine)
        except STORE_ERRORS:
            raise
        except Exception:  # noqa: BLE001  # the task edge: logged; the next look tries again
            _log.exception("documents not read")
