"""The one way to PostgreSQL and the one way to Redis. Nothing connects before its first use."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from nod.errors import ConfigError
from nod.saying import say
from nod.settings import Settings

POOL_SIZE = 8  # connections per process (DESIGN.md: 40 connections cost 97 MiB of PSS)
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


def engine_from(database_url: str, *, pool_size: int = POOL_SIZE) -> AsyncEngine:
    """Return an engine. A session keeps no state, so a pooler such as pgbouncer may stand in between."""
    return create_async_engine(
        sqlalchemy_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": "nod"},
    )


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
