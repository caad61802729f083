"""The one way to PostgreSQL and the one way to Redis. Nothing connects before its first use."""

import json
import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from redis.asyncio import BlockingConnectionPool, Redis
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

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
    """Return an engine. A session keeps no state, so a pooler such as pgbouncer may stand in between."""
    engine = create_async_engine(
        sqlalchemy_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_seconds,
        connect_args={"connect_timeout": 5, "application_name": "nod"},
    )
    _test_idle_connections(engine.sync_engine)
    return engine


def alone(engine: AsyncEngine) -> AsyncEngine:
    """Return the engine, on the same pool, for transactions of one statement: no BEGIN and no COMMIT to wait for."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _test_idle_connections(engine: Engine) -> None:
    """Ask a connection that lay idle whether it still lives (SQLAlchemy's pre-ping asks each time: a fifth of all round trips)."""

    @event.listens_for(engine, "checkin")
    def _left(_: object, record: ConnectionPoolEntry) -> None:
        record.info["left_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - record.info.get("left_at", math.inf) > IDLE_SECONDS:
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
