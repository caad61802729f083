"""One list of checks: what must be well for nod to answer. The web page's /readyz, `nod status`, `nod health` and `nod doctor` read it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from nod import revisions
from nod.budget import spent_today
from nod.connect import engine_from, redis_from, servers_from
from nod.embeddings import embeddings, standing
from nod.heartbeat import DEAD_SECONDS
from nod.saying import say
from nod.settings import Settings

CHECK_SECONDS = 3.0
_WANTED = {"appendonly": "yes", "maxmemory-policy": "noeviction"}

_VECTORS_WELL = {f"vectors_{how}" for how in ("well", "waiting", "first", "replacing", "not_begun")}

_PROCESSES = text("""
    SELECT role, pid, host, started_at, detail, extract(epoch FROM now() - seen_at) AS silent_seconds
      FROM processes WHERE seen_at > now() - interval '1 minute' ORDER BY role, started_at""")


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found. `is_needed`: nod is not ready without it. `key` is its phrase in nod/phrases (`health.<key>`)."""

    name: str
    is_well: bool
    is_needed: bool
    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of nod that was heard within the last minute."""

    role: str
    pid: int
    host: str
    since: datetime
    silent_seconds: float
    is_connected: bool = True  # a bot says in `processes.detail` when its platform is away

    @property
    def is_alive(self) -> bool:
        """Whether it is not yet taken for dead."""
        return self.silent_seconds <= DEAD_SECONDS


async def checks(engine: AsyncEngine, redis: "Redis", daily_limit_usd: float = 0.0, embedding_model: str | None = None) -> list[Check]:
    """Return what every check found, in a fixed order, within a few seconds whatever hangs.

    Without a limit there is no budget to check, without an embedding model there are no vectors.
    """
    budget = [_within("budget", lambda: _budget(engine, daily_limit_usd), is_needed=False)] if daily_limit_usd else []
    vectors = [_within("vectors", lambda: _vectors(engine, embedding_model), is_needed=False)] if embedding_model else []
    return list(
        await asyncio.gather(
            _within("database", lambda: _database(engine)),
            _within("redis", lambda: _redis(redis)),
            _within("redis_settings", lambda: _redis_settings(redis), is_needed=False),
            _within("worker", lambda: _worker(engine)),
            *budget,
            *vectors,
        )
    )


async def look_over(settings: Settings) -> tuple[list[Check], list[Process]]:
    """Return what every check found and which processes run. Raises ConfigError when no nod runs here."""
    servers = servers_from(settings)
    engine, redis = engine_from(servers.database_url), redis_from(servers.redis_url)
    try:
        found = await checks(engine, redis, settings.daily_limit_usd, settings.embedding_model)
        running: list[Process] = []
        with contextlib.suppress(SQLAlchemyError, OSError):
            running = await processes(engine)
        return found, running
    finally:
        await redis.aclose()
        await redis.connection_pool.disconnect()
        await engine.dispose()


def sentence(check: Check) -> str:
    """Return what a check found, in the terminal's language."""
    return say(f"health.{check.key}", detail=check.detail)


def is_ready(found: Sequence[Check]) -> bool:
    """Return whether everything that is needed is well."""
    return all(check.is_well for check in found if check.is_needed)


async def processes(engine: AsyncEngine) -> list[Process]:
    """Return the processes of this installation, on whatever machine."""
    async with engine.connect() as db:
        rows = (await db.execute(_PROCESSES)).mappings().all()
    return [
        Process(
            row["role"],
            row["pid"],
            row["host"],
            row["started_at"],
            float(row["silent_seconds"]),
            bool(row["detail"].get("connected", True)),
        )
        for row in rows
    ]


async def _within(name: str, check: Callable[[], Awaitable[Check]], *, is_needed: bool = True) -> Check:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except TimeoutError:
        return Check(name, is_well=False, is_needed=is_needed, key="slow", detail=f"{CHECK_SECONDS:.0f}")
    except (SQLAlchemyError, RedisError, OSError) as error:
        return Check(name, is_well=False, is_needed=is_needed, key="away", detail=(str(error).splitlines() or [type(error).__name__])[0])


async def _database(engine: AsyncEngine) -> Check:
    async with engine.connect() as db:
        if (await db.execute(text("SELECT to_regclass('alembic_version')"))).scalar_one() is None:
            return Check("database", is_well=False, is_needed=True, key="no_tables")
        have = str((await db.execute(text("SELECT version_num FROM alembic_version"))).scalar_one())
    is_current = have == revisions.head()
    return Check("database", is_well=is_current, is_needed=True, key="well" if is_current else "old_tables", detail=have)


async def _redis(redis: "Redis") -> Check:
    await redis.execute_command("PING")
    return Check("redis", is_well=True, is_needed=True, key="well")


async def _redis_settings(redis: "Redis") -> Check:
    """Whether Redis keeps what it is told. The record does not depend on it; wake-ups and what is being said do."""
    try:
        have = {name: str((await redis.config_get(name)).get(name, want)) for name, want in _WANTED.items()}  # 6.2 takes one at a time
    except ResponseError as error:
        if "unknown command" not in str(error) and "NOPERM" not in str(error) and "no permissions" not in str(error):
            raise
        return Check("redis_settings", is_well=True, is_needed=False, key="not_told")  # a hosted Redis keeps its settings to itself
    wrong = [f"{name} {value}" for name, value in have.items() if value != _WANTED[name]]
    return Check("redis_settings", is_well=not wrong, is_needed=False, key="redis_settings" if wrong else "well", detail=", ".join(wrong))


async def _budget(engine: AsyncEngine, limit_usd: float) -> Check:
    """How much of what a day may cost is spent."""
    spent = await spent_today(engine)
    percent = spent.percent(limit_usd)
    key = {0: "budget_well", 100: "budget_reached"}.get(percent, "budget_near")
    return Check("budget", is_well=not percent, is_needed=False, key=key, detail=f"${spent.usd:.2f} / ${limit_usd:.2f}")


async def _vectors(engine: AsyncEngine, wanted: str) -> Check:
    """How far passages have vectors of the model that is wanted."""
    key, detail = standing(await embeddings(engine), wanted)
    return Check("vectors", is_well=key in _VECTORS_WELL, is_needed=False, key=key, detail=detail)


async def _worker(engine: AsyncEngine) -> Check:
    alive = [process for process in await processes(engine) if process.role == "worker" and process.is_alive]
    return Check("worker", is_well=bool(alive), is_needed=True, key="well" if alive else "no_worker", detail=str(len(alive)))
