"""One process of nod: its connections, its heartbeat, its look each second, and how it ends."""

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from redis.asyncio import Redis
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from nod import children
from nod.claims import Claims, process_id_from_environment
from nod.connect import INTAKE_POOL_SECONDS, INTAKE_POOL_SIZE, Servers, engine_from, redis_from, servers_from
from nod.errors import UnavailableError, first_line
from nod.files import Files
from nod.heartbeat import Heartbeat
from nod.logs import log, start_logs
from nod.record import Record
from nod.requests import Requests
from nod.saying import say
from nod.secret import secret_key
from nod.settings import Settings
from nod.stream import Follower
from nod.wake import Waker

LOOK_SECONDS = 1.0
START_SECONDS = 20.0  # for PostgreSQL at the start; longer than it takes to count as dead at once (nod.supervisor), so nobody is given up
STORE_ERRORS = (DBAPIError, OperationalError, PoolTimeoutError, OSError)  # PostgreSQL is away; trying again later is right

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """What every role works with. Made once per process and handed down; nothing connects at import."""

    settings: Settings
    servers: Servers
    engine: AsyncEngine
    intake: AsyncEngine
    redis: "Redis"
    record: Record
    claims: Claims
    heartbeat: Heartbeat
    follower: Follower
    requests: Requests
    waker: Waker
    files: Files
    ending: asyncio.Event = field(default_factory=asyncio.Event)  # set by SIGTERM and Ctrl-C


@contextlib.asynccontextmanager
async def running(role: str, settings: Settings) -> AsyncGenerator[Services]:
    """Give the services of a process of this role, registered and beating; end them in order.

    Raises UnavailableError when PostgreSQL does not answer at the start.
    """
    start_logs(settings.log_level, settings.log_format, role)
    servers = servers_from(settings)
    engine, redis = engine_from(servers.database_url), redis_from(servers.redis_url)
    intake = engine_from(servers.database_url, pool_size=INTAKE_POOL_SIZE, pool_seconds=INTAKE_POOL_SECONDS)
    claims = Claims(engine, process_id_from_environment(), settings.quotas)
    heartbeat = Heartbeat(servers.database_url, claims.process_id)
    services = Services(
        settings=settings, servers=servers, engine=engine, intake=intake, redis=redis,
        record=Record(engine, secret_key(settings), intake), claims=claims, heartbeat=heartbeat, follower=Follower(redis),
        requests=Requests(engine, redis), waker=Waker(servers.redis_url), files=Files(settings.data_dir),
    )  # fmt: skip
    _end_on_signal(services.ending)
    await _register(services, role)
    heartbeat.start()
    gc.freeze()  # what a start has made stays: collections need not look at it
    try:
        async with services.follower, ticking(heartbeat):
            yield services
    finally:
        await _leave(services)


async def _register(services: Services, role: str) -> None:
    """Enter this process in the record, waiting a while for a PostgreSQL that is away. Raises UnavailableError, or ends when told to."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return await services.claims.register(role)
        except STORE_ERRORS as error:
            why = first_line(error)
            if time.monotonic() > end or services.ending.is_set():
                await services.engine.dispose()
                raise UnavailableError(say("error.database_away", why=why)) from error
            _log.warning("the record does not answer yet", error=why)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(services.ending.wait(), LOOK_SECONDS)


async def _leave(services: Services) -> None:
    services.heartbeat.stop()
    with contextlib.suppress(*STORE_ERRORS):
        await services.claims.leave()
    await services.waker.close()
    await services.redis.aclose()
    await services.redis.connection_pool.disconnect()
    await services.intake.dispose()
    await services.engine.dispose()


def _end_on_signal(ending: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread: whoever runs us sets `ending`
            loop.add_signal_handler(name, ending.set)


@contextlib.asynccontextmanager
async def ticking(heartbeat: Heartbeat) -> AsyncGenerator[None]:
    """Tell the heartbeat, and `nod up`, once a second that the event loop is alive."""

    async def tick() -> None:
        while True:
            heartbeat.tick()
            children.say_alive()
            await asyncio.sleep(LOOK_SECONDS)

    task = asyncio.create_task(tick(), name="tick")
    try:
        yield
    finally:
        task.cancel()


async def look(
    ending: asyncio.Event, woken: asyncio.Event, act: Callable[[], Awaitable[None]], every_seconds: float = LOOK_SECONDS
) -> None:
    """Call `act` when woken, and every second without being woken, until the process ends. An outage of a server is only logged."""
    while not ending.is_set():
        woken.clear()
        try:
            await act()
        except STORE_ERRORS as error:
            _log.warning("the record does not answer", error=first_line(error))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(woken.wait(), every_seconds)
