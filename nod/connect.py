"""The one way to PostgreSQL and the one way to Redis. Nothing connects before its first use."""

import contextlib
import functools
import json
import math
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from redis.asyncio import BlockingConnectionPool, Redis
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import greenlet_spawn

from nod.errors import ConfigError
from nod.saying import say
from nod.settings import Settings

POOL_SIZE = 8  # connections per process (DESIGN.md: 40 connections cost 97 MiB of PSS)
POOL_SECONDS = 10.0  # to wait for one of them
INTAKE_POOL_SIZE = 4  # of a bot, for nothing but accepting what is asked: a crowd is not kept waiting by what is shown to it
INTAKE_POOL_SECONDS = 300.0  # whoever gave up would have to be sent again by the platform, and add to the crowd
IDLE_SECONDS = 1.0  # after which a connection is asked whether it still lives
REDIS_POOL = 16
REDIS_TIMEOUT_SECONDS = 1.0
_NAME = re.compile(r"(?<![:\w]):(\w+)(?!:)")  # of a value in a statement, as SQLAlchemy's text() has it


@dataclass(frozen=True, slots=True)
class Servers:
    """Where PostgreSQL and Redis are."""

    database_url: str
    redis_url: str


def servers_from(settings: Settings) -> Servers:
    """Return the servers that were named, else those of the `nod up` which runs on this data folder.

    Raises ConfigError when there are neither.
    """
    running = _running(settings.data_dir)
    database, redis = settings.database_url or running.get("database_url"), settings.redis_url or running.get("redis_url")
    if not database or not redis:
        raise ConfigError(say("error.no_nod", data=settings.data_dir))
    return Servers(database, redis)


def _running(data_dir: Path) -> dict[str, str]:
    try:
        return json.loads((data_dir / "run" / "services.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def sqlalchemy_url(database_url: str) -> str:
    """Return a PostgreSQL address as SQLAlchemy wants it (`postgres://` and `postgresql://` are psycopg's)."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", database_url)


def engine_from(database_url: str, *, pool_size: int = POOL_SIZE, pool_seconds: float = POOL_SECONDS) -> AsyncEngine:
    """Return an engine. A session keeps nothing but prepared statements: a pooler in between must keep those too (PgBouncer 1.21)."""
    engine = create_async_engine(
        sqlalchemy_url(database_url),
        isolation_level="AUTOCOMMIT",  # of a connection in the pool, as `Alone` needs it
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_seconds,
        pool_use_lifo=True,  # few are used when few are needed: they need no test and have their statements prepared
        connect_args={"connect_timeout": 5, "application_name": "nod", "prepare_threshold": 1},
    )
    _test_idle_connections(engine.sync_engine)
    return engine.execution_options(isolation_level="READ COMMITTED")


class Alone:
    r"""Statements that are transactions of their own: no BEGIN and no COMMIT to wait for, and less than half the CPU of SQLAlchemy's.

    They run by psycopg's own cursor on a connection of the engine's pool. Values are named `:name`, as in `text()` (without its `\:`).
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rows(self, statement: str, /, **values: object) -> list[Any]:
        """Return the rows that a statement gives, as named tuples."""
        async with self._executed(statement, values) as cursor:
            return await cursor.fetchall()

    async def row(self, statement: str, /, **values: object) -> Any:
        """Return the first row that a statement gives; None when it gives none."""
        async with self._executed(statement, values) as cursor:
            return await cursor.fetchone()

    async def run(self, statement: str, /, **values: object) -> int:
        """Return how many rows a statement changed."""
        async with self._executed(statement, values) as cursor:
            return cursor.rowcount

    @contextlib.asynccontextmanager
    async def _executed(self, statement: str, values: dict[str, object]) -> AsyncGenerator[Any]:
        async with pooled(self._engine) as connection, connection.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(_for_psycopg(statement), values)
            yield cursor


@contextlib.asynccontextmanager
async def pooled(engine: AsyncEngine) -> AsyncGenerator[Any]:
    """Give psycopg's own connection, in autocommit mode, from the engine's pool. What goes wrong is raised as SQLAlchemy raises it."""
    try:
        taken = await engine.raw_connection()
        try:
            yield taken.driver_connection
        finally:
            await greenlet_spawn(taken.close)
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error) from error


@functools.lru_cache(maxsize=512)
def _for_psycopg(statement: str) -> str:
    return _NAME.sub(r"%(\1)s", statement.replace("%", "%%"))


def _test_idle_connections(engine: Engine) -> None:
    """Ask a connection whether it still lives that lay idle, or since another was found dead.

    SQLAlchemy's pre-ping asks each time: a fifth of all round trips.
    """
    lost_at = -math.inf

    @event.listens_for(engine, "invalidate")
    def _lost(_connection: object, _record: object, _error: object) -> None:
        nonlocal lost_at
        lost_at = time.monotonic()

    @event.listens_for(engine, "checkin")
    def _left(_: object, record: ConnectionPoolEntry) -> None:
        record.info["left_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if record.info.get("left_at", math.inf) < max(lost_at, time.monotonic() - IDLE_SECONDS):
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as error:
                raise DisconnectionError from error  # the pool opens another


def redis_from(redis_url: str) -> "Redis":
    """Return a Redis client that waits for a free connection instead of failing, and never waits for Redis longer than a second."""
    pool: Any = BlockingConnectionPool.from_url(
        redis_url,
        max_connections=REDIS_POOL,
        timeout=REDIS_TIMEOUT_SECONDS,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        decode_responses=True,
        protocol=2,  # Redis 6.2 speaks both; 2 saves the HELLO exchange
    )
    return Redis(connection_pool=pool)


def celery_broker(redis_url: str) -> str:
    """Return a Redis address as Celery wants it (`redis+socket://` for a Unix socket)."""
    if redis_url.startswith("unix://"):
        path, _, query = redis_url.removeprefix("unix://").partition("?")
        database = re.search(r"db=(\d+)", query)
        return f"redis+socket://{path}?virtual_host={database[1] if database else 0}"
    return redis_url
