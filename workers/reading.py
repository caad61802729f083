"""Documents read and embedded, sources kept in step, beside the answers: on an event loop and connections of their own, delaying none."""

import asyncio
import contextlib
import threading
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.embedding import Embedder
from knowledge.index import merge
from knowledge.ingest import read_waiting
from knowledge.reading import Reader
from knowledge.removal import forget_removed
from knowledge.sources.followed import EVERY_SECONDS, Means
from knowledge.sync import Claim, Syncing, claim, put_off
from knowledge.vectors import embed_waiting
from nod.connect import engine_from
from nod.errors import LoadError
from nod.logs import log
from nod.process import STORE_ERRORS, Services, look

READERS = 2
LOOK_SECONDS = 5.0  # a lost wake-up strands no document
SYNC_LOOK_SECONDS = 2.0
STOP_SECONDS = 2.0

_log = log(__name__)


class Reading:
    """A thread that reads documents which wait, and brings sources in step which are due, each kind in its turn.

    Entering thousands of passages into the index is work which would stop the answers. With an embedding model passages are embedded
    here, too, also those that a command has taught.
    """

    def __init__(self, services: Services, means: Means) -> None:
        self._services = services
        self._means = means
        self._loop = asyncio.new_event_loop()
        self._bells = [asyncio.Event() for _ in range(READERS)]
        self._sync_bells = {kind: asyncio.Event() for kind in EVERY_SECONDS}
        self._has_passages = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="read documents", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def ring(self) -> None:
        """Say that a document waits, or a source; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: this process ends
            self._loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        """Break off what is being read, waiting two seconds at most: it waits again, and another worker reads it."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(STOP_SECONDS)

    def _wake(self) -> None:
        for bell in (*self._bells, *self._sync_bells.values()):
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
        engine = engine_from(self._services.servers.database_url, pool_size=READERS + len(self._sync_bells) + 1)
        try:
            async with Embedder(self._services.settings) as embedder, asyncio.TaskGroup() as helpers:
                for bell in self._bells:
                    helpers.create_task(look(self._ending, bell, lambda: self._read(engine), LOOK_SECONDS))
                for kind, bell in self._sync_bells.items():
                    helpers.create_task(look(self._ending, bell, partial(self._sync, engine, kind), SYNC_LOOK_SECONDS))
                if embedder.wanted:
                    helpers.create_task(look(self._ending, self._has_passages, lambda: self._embed(engine, embedder), LOOK_SECONDS))
        finally:
            await engine.dispose()

    async def _read(self, engine: AsyncEngine) -> None:
        try:
            if await read_waiting(engine, self._services.files, self._services.claims.process_id):
                self._has_passages.set()
            await forget_removed(engine)
            await merge(engine)  # what was taught meanwhile: whoever teaches waits for no merge
        except STORE_ERRORS:
            raise
        except Exception:  # noqa: BLE001  # the task edge: logged; the next look tries again
            _log.exception("documents not read")

    async def _sync(self, engine: AsyncEngine, kind: str) -> None:
        async with Reader() as reader:
            while claimed := await claim(engine, kind):
                await self._sync_one(Syncing(engine, reader, self._means), claimed)

    async def _sync_one(self, syncing: Syncing, claimed: Claim) -> None:
        try:
            synced = await syncing.run(claimed)
        except STORE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001  # the task edge: logged, and tried again later
            _log.exception("a source was not brought in step", source_id=claimed.source_id)
            await put_off(
                syncing.engine, claimed, LoadError(f"{claimed.location} was not read to its end ({type(error).__name__}).", "crashed")
            )
            return
        if synced and synced.error:
            _log.info("a source was not brought in step", source_id=claimed.source_id, kind=synced.error.kind)

    async def _embed(self, engine: AsyncEngine, embedder: Embedder) -> None:
        try:
            await embed_waiting(engine, embedder, self._services.claims.process_id)
        except STORE_ERRORS:
            raise
        except Exception:  # noqa: BLE001  # the task edge: logged; the next look tries again
            _log.exception("passages not embedded")
