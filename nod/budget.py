"""What answers and searches cost today (UTC), and what the admins were told of it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from nod.connect import Alone

NEAR_PERCENT = 80
AGAIN_MINUTES = 10  # after which another try is made when nobody could be told

# What was accepted long ago can cost today; two days more than bound it, and there is an index on that time.
_TODAY = """
    SELECT date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS start, (now() AT TIME ZONE 'UTC')::date AS day"""
_SPENT = f"""
    WITH today AS ({_TODAY})
    SELECT (coalesce(sum(cost_usd), 0) + coalesce((SELECT s.usd FROM search_costs s, today t WHERE s.day = t.day), 0))::float8 AS usd,
           EXISTS (SELECT 1 FROM budget_alerts b, today t WHERE b.day = t.day AND b.percent = 100 AND b.told_at IS NOT NULL) AS is_told
      FROM answers, today WHERE accepted_at >= today.start - interval '2 days' AND answered_at >= today.start"""  # noqa: S608  # our own
_COUNT = f"""
    INSERT INTO search_costs AS s (day, usd) SELECT day, :usd FROM ({_TODAY}) today
    ON CONFLICT (day) DO UPDATE SET usd = s.usd + excluded.usd"""  # noqa: S608  # our own
_BEGIN = f"""
    INSERT INTO budget_alerts (day, percent, platform)
    SELECT day, :percent, :platform FROM ({_TODAY}) today
    ON CONFLICT (day, percent, platform) DO UPDATE SET begun_at = now()
     WHERE budget_alerts.told_at IS NULL AND budget_alerts.begun_at < now() - make_interval(mins => {AGAIN_MINUTES})
    RETURNING day"""  # noqa: S608  # our own
_TOLD = "UPDATE budget_alerts SET told_at = now() WHERE day = :day AND percent = :percent AND platform = :platform"


@dataclass(frozen=True, slots=True)
class Spent:
    """What all answers and searches of today cost together; `is_told`: admins were told that the limit is reached."""

    usd: float
    is_told: bool

    def percent(self, limit_usd: float) -> int:
        """Return which of the two marks is passed: 100, 80, or 0 for none. A limit of 0 is none."""
        if not limit_usd or self.usd < limit_usd * NEAR_PERCENT / 100:
            return 0
        return 100 if self.usd >= limit_usd else NEAR_PERCENT


async def spent_today(engine: AsyncEngine) -> Spent:
    """Return what today cost so far."""
    return Spent(*await Alone(engine).row(_SPENT))


async def count_search(engine: AsyncEngine, usd: float) -> None:
    """Count what a model cost for a search: nothing else is kept of it."""
    await Alone(engine).run(_COUNT, usd=usd)


async def begin_alert(engine: AsyncEngine, platform: str, percent: int) -> date | None:
    """Take it on to tell a platform's admins that a mark is passed; return the day. None: they were told, or another process is at it."""
    row = await Alone(engine).row(_BEGIN, platform=platform, percent=percent)
    return row.day if row else None


async def end_alert(engine: AsyncEngine, platform: str, percent: int, day: date) -> None:
    """Write down that somebody was told."""
    await Alone(engine).run(_TOLD, platform=platform, percent=percent, day=day)
