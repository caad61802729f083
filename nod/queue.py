"""What waits to be claimed: in which place, for about how long, and until when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from nod.connect import Alone
from nod.contracts import Answer
from nod.logs import log

TELL_SECONDS = 10.0  # a wait that is longer is told
PLACES_EVERY_LOOKS = 5  # whoever shows what waits tells its place at every fifth look
EXPIRE_SECONDS = 600.0  # what nobody claimed for so long ends with an apology

_log = log(__name__)

# The order of the claim (nod/claims.py), over all that waits. Who asked less goes first, so a place can rise; the one that is told
# does not: it is written down, told anew when a quarter of it is gone, and another process goes on from there.
_WAITS = """
    WITH busy AS (SELECT person_id, count(*) AS n FROM answers WHERE status = 'running' GROUP BY 1),
         ranked AS (
           SELECT answer_id, accepted_at, row_number() OVER (PARTITION BY person_id ORDER BY accepted_at) + coalesce(b.n, 0) AS turn
             FROM answers LEFT JOIN busy b USING (person_id) WHERE status = 'waiting'),
         placed AS (SELECT answer_id, row_number() OVER (ORDER BY turn, accepted_at) AS place FROM ranked),
         asked AS (
           SELECT a.answer_id, a.queue_place AS told, p.place, a.queue_place IS NULL OR p.place <= a.queue_place * 0.75 AS is_news
             FROM answers a JOIN placed p USING (answer_id) WHERE a.answer_id = ANY(:ids)),
         kept AS (
           UPDATE answers a SET queue_place = k.place FROM asked k
            WHERE a.answer_id = k.answer_id AND k.is_news AND (a.queue_place IS NULL OR k.place < a.queue_place)),
         pace AS (
           SELECT extract(epoch FROM now() - min(claimed_at)) / nullif(count(*), 0) AS seconds FROM answers
            WHERE accepted_at > now() - interval '20 minutes' AND answered_at > now() - interval '1 minute' AND status = 'answered')
    SELECT answer_id, CASE WHEN is_news THEN place ELSE told END AS place, place * seconds AS seconds FROM asked, pace"""

# Waiting is asked again under the row's lock: what somebody has just claimed is passed over, as a claim passes over what ends here.
_EXPIRE = """
    UPDATE answers SET status = 'failed', error = 'expired', answered_at = now(),
           shown_at = CASE WHEN platform IN ('web', 'cli') THEN now() END
     WHERE answer_id IN (
           SELECT answer_id FROM answers WHERE status = 'waiting' AND due_at < now() - make_interval(secs => :most) FOR UPDATE SKIP LOCKED)
    RETURNING answer_id"""


@dataclass(frozen=True, slots=True)
class Wait:
    """The place of an answer in the queue, and in about how many seconds it is claimed; None when nothing was answered lately."""

    place: int
    seconds: float | None


async def waits(engine: AsyncEngine, answer_ids: Collection[UUID]) -> dict[UUID, Wait]:
    """Return what to tell of the answers that still wait among these. The place of one answer never rises."""
    rows = await Alone(engine).rows(_WAITS, ids=list(answer_ids))
    return {row.answer_id: Wait(row.place, None if row.seconds is None else float(row.seconds)) for row in rows}


async def expire(engine: AsyncEngine) -> int:
    """End what has waited for ten minutes without being claimed, each once, whoever calls; return how many."""
    expired = await Alone(engine).rows(_EXPIRE, most=EXPIRE_SECONDS)
    if expired:
        _log.warning("answers expired: nobody claimed them in time", count=len(expired))
    return len(expired)


def waited_seconds(answer: Answer) -> float:
    """Return for how long an answer that waits has been waiting since it was accepted, by this machine's clock; 0 for any other."""
    return (datetime.now(UTC) - answer.accepted_at).total_seconds() if answer.status == "waiting" else 0.0
