"""Who answers what: the claim and the look for the dead. One statement each, so any number of processes may try.

A process that is silent for 6 s is dead; any other process takes its claims. `attempt` fences: whoever lost a claim can commit
nothing more. Three strikes end an answer (a crash, an exception, a time-out; a deploy or an outage is none).

A crash strikes all that its process held, so what was in one is only a suspect. Suspects are answered in cells, processes of their own
(workers/nursery.py): those of one crash in a few, evenly, those of two each alone. So a crash never hits who was in none, the third
is an answer's own, and whoever was struck together with one that is given up begins again with one strike.
"""

import math
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from nod.attempts import ending
from nod.connect import Alone
from nod.contracts import FileRef, Person, Place, Task
from nod.heartbeat import DEAD_SECONDS
from nod.logs import log
from nod.quotas import ONE_AT_A_TIME, STALLED_SECONDS, WITHIN_ALL, WITHIN_PERSON, Quotas

MOST_STRIKES = 3
MOST_CELLS = 4  # of one worker

_log = log(__name__)

_CLAIM = """
    WITH open AS MATERIALIZED (
           SELECT DISTINCT ON (conversation_id) answer_id, conversation_id, person_id, accepted_at, status, due_at
             FROM answers WHERE status IN ('waiting', 'running') ORDER BY conversation_id, position),
         busy AS (SELECT person_id, count(*) AS n FROM answers WHERE status = 'running' GROUP BY 1),
         ranked AS (
           SELECT o.answer_id, o.accepted_at, row_number() OVER (PARTITION BY o.person_id ORDER BY o.accepted_at) + coalesce(b.n, 0) AS turn
             FROM open o LEFT JOIN busy b USING (person_id) WHERE o.status = 'waiting' AND o.due_at <= now()){held_back},
         pick AS (
           SELECT a.answer_id FROM answers a JOIN {fair} r USING (answer_id)
            WHERE a.status = 'waiting' AND {whose} LIMIT :room FOR UPDATE OF a SKIP LOCKED),
         claimed AS (
           UPDATE answers a SET status = 'running', attempt = a.attempt + 1, process_id = :me, claimed_at = clock_timestamp()
             FROM pick WHERE a.answer_id = pick.answer_id
           RETURNING a.answer_id, a.question_id, a.conversation_id, a.attempt, a.strikes, a.version, a.position, a.person_id,
                     a.claimed_at),
         kept AS (
           INSERT INTO attempts (answer_id, attempt, process_id, role, host, pid, claimed_at)
           SELECT c.answer_id, c.attempt, :me, p.role, p.host, p.pid, c.claimed_at
             FROM claimed c LEFT JOIN processes p ON p.process_id = :me)
    SELECT c.*, q.text, q.language, q.files, q.scopes, q.platform, q.workspace, q.channel, q.thread, q.visibility,
           p.platform AS p_platform, p.workspace AS p_workspace, coalesce(p.external_id, '') AS p_external_id, p.name AS p_name
      FROM claimed c JOIN questions q USING (question_id) JOIN persons p ON p.person_id = c.person_id"""


# Exceptions and time-outs strike, too, but crash nobody.
_IS_SUSPECT = "(a.strikes > 0 AND EXISTS (SELECT FROM attempts t WHERE t.answer_id = a.answer_id AND t.outcome = 'taken'))"
_INNOCENT = f"NOT {_IS_SUSPECT} ORDER BY r.turn, r.accepted_at"
# What crashes does so early more often than not: who ran for the shortest time until crashes came goes first.
_SUSPECT = f"""{_IS_SUSPECT} AND (a.strikes > 1) = :is_alone
            ORDER BY (SELECT avg(t.ended_at - t.claimed_at) FROM attempts t WHERE t.answer_id = a.answer_id AND t.outcome = 'taken'),
                     a.accepted_at"""  # noqa: S608  # our own words
_SUSPECTS = f"""
    SELECT count(*) FILTER (WHERE a.status = 'waiting' AND a.due_at <= now()) AS waiting, count(*) AS together FROM answers a
     WHERE a.status IN ('waiting', 'running') AND {_IS_SUSPECT}"""  # noqa: S608


def _claims(fair: str, held_back: str = "") -> dict[bool, str]:
    """Return how suspects are claimed (True), and how all others are."""
    whose = {False: _INNOCENT, True: _SUSPECT}
    return {is_of: _CLAIM.format(held_back=held_back, fair=fair, whose=words) for is_of, words in whose.items()}


_CLAIM_FREELY = _claims("ranked")
_CLAIM_WITHIN_PERSON, _CLAIM_WITHIN_ALL = (_claims("allowed", part) for part in (WITHIN_PERSON, WITHIN_ALL))

# A crash strikes every answer its process held; who would be given up for it must have been alone.
_TAKE_FROM_THE_DEAD = """
    WITH lost AS (
           SELECT answer_id, process_id, strikes FROM answers a WHERE status = 'running' AND {whose} FOR UPDATE SKIP LOCKED),
         guilty AS (
           SELECT answer_id, strikes < 2 OR count(*) OVER (PARTITION BY process_id) = 1 AS is_struck FROM lost)
    UPDATE answers a SET strikes = a.strikes + g.is_struck::int, process_id = NULL, due_at = now(),
           status = CASE WHEN a.strikes + g.is_struck::int >= {most} THEN 'failed' ELSE 'waiting' END,
           error = CASE WHEN a.strikes + g.is_struck::int >= {most} THEN 'strikes' ELSE a.error END,
           answered_at = CASE WHEN a.strikes + g.is_struck::int >= {most} THEN now() END,
           shown_at = CASE WHEN a.strikes + g.is_struck::int >= {most} AND a.platform IN ('web', 'cli') THEN now() END
      FROM guilty g WHERE a.answer_id = g.answer_id"""
_SILENT = """(a.process_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM processes p WHERE p.process_id = a.process_id AND p.seen_at > now() - make_interval(secs => :dead)))"""


def _take(whose: str) -> str:
    return ending(_TAKE_FROM_THE_DEAD.format(most=MOST_STRIKES, whose=whose), "'taken'")


_FROM_SILENT = _take(_SILENT)
_FROM_PREDECESSOR = _take("a.process_id = :me")

_CLEAR = """
    UPDATE answers a SET strikes = 1 FROM attempts t JOIN attempts g USING (process_id, ended_at, outcome)
     WHERE g.answer_id = ANY(:guilty) AND t.outcome = 'taken' AND a.answer_id = t.answer_id AND a.answer_id <> ALL(:guilty)
       AND a.strikes > 1 AND a.status IN ('waiting', 'running')"""

_STRIKE = ending(
    """
    UPDATE answers a SET strikes = strikes + 1, process_id = NULL, due_at = now() + make_interval(secs => :wait),
           status = CASE WHEN strikes + 1 >= :most THEN 'failed' ELSE 'waiting' END,
           error = CASE WHEN strikes + 1 >= :most THEN 'strikes' ELSE CAST(:error AS text) END,
           answered_at = CASE WHEN strikes + 1 >= :most THEN now() END,
           shown_at = CASE WHEN strikes + 1 >= :most AND platform IN ('web', 'cli') THEN now() END
     WHERE answer_id = :id AND attempt = :attempt AND status = 'running'""",
    "'strike'",
    "CAST(:error AS text)",
)
_RELEASE = ending(
    "UPDATE answers a SET status = 'waiting', process_id = NULL, due_at = now() WHERE status = 'running' AND process_id = :me",
    "'released'",
)
_GIVE_BACK = ending(
    """
    UPDATE answers a SET status = 'waiting', process_id = NULL, due_at = now() + interval '1 second'
     WHERE answer_id = :id AND attempt = :attempt AND status = 'running'""",
    "'released'",
)

_REGISTER = """
    INSERT INTO processes (process_id, role, pid, host) VALUES (:me, :role, :pid, :host)
    ON CONFLICT (process_id) DO UPDATE
       SET role = excluded.role, pid = excluded.pid, host = excluded.host, started_at = now(), seen_at = now(), detail = '{}'"""


class Claims:
    """What one process holds. `heartbeat` must be running while it holds anything."""

    def __init__(self, engine: AsyncEngine, process_id: UUID, quotas: Quotas | None = None) -> None:
        self._engine = engine
        self._alone = Alone(engine)
        self._quotas = quotas or Quotas()
        self.process_id = process_id

    async def register(self, role: str) -> None:
        """Enter this process, and free what its predecessor of the same id held when it crashed."""
        async with self._engine.begin() as db:
            taken = (await db.execute(text(_FROM_PREDECESSOR), {"me": self.process_id})).all()
            await db.execute(text(_CLEAR), {"guilty": _given_up(taken)})
            await db.execute(text(_REGISTER), {"me": self.process_id, "role": role, "pid": os.getpid(), "host": socket.gethostname()})

    async def leave(self) -> None:
        """Take this process off the list: what it still holds is free at once, without a strike."""
        await self.release()
        await self._alone.run("DELETE FROM processes WHERE process_id = :me", me=self.process_id)

    async def claim(self, room: int) -> list[Task]:
        """Claim up to `room` answers: the oldest of each conversation, the person with the fewest running first, within the quotas.

        Suspects are passed over.
        """
        return [_task_from(row) for row in await self._claimed(is_of_suspects=False, room=room)]

    async def claim_suspects(self) -> list[Task]:
        """Claim one that was in two crashes, alone; without one, a cell's share of those that were in one."""
        rows = await self._claimed(is_of_suspects=True, is_alone=True, room=1)
        share = math.ceil((await self.suspects())[1] / MOST_CELLS)
        return [_task_from(row) for row in rows or await self._claimed(is_of_suspects=True, is_alone=False, room=share)]

    async def suspects(self) -> tuple[int, int]:
        """Return how many suspects wait for a cell, and how many there are."""
        row = await self._alone.row(_SUSPECTS)
        return row.waiting, row.together

    async def _claimed(self, *, is_of_suspects: bool, **values: object) -> list[Mapping[str, Any]]:
        values["me"] = self.process_id
        if not self._quotas.is_set:
            return [row._asdict() for row in await self._alone.rows(_CLAIM_FREELY[is_of_suspects], **values)]
        claims = _CLAIM_WITHIN_ALL if self._quotas.has_places else _CLAIM_WITHIN_PERSON
        async with self._engine.begin() as db:
            await db.execute(text(ONE_AT_A_TIME), {"stalled": STALLED_SECONDS})
            claimed = await db.execute(text(claims[is_of_suspects]), {**values, **self._quotas.values})
            return [dict(row) for row in claimed.mappings()]

    async def take_from_the_dead(self) -> int:
        """Set the claims of silent processes waiting again, with a strike; return how many. Ask `Heartbeat.may_judge` first."""
        taken = await self._alone.rows(_FROM_SILENT, dead=DEAD_SECONDS)
        if guilty := _given_up(taken):
            await self._alone.run(_CLEAR, guilty=guilty)
        for row in taken:
            _log.warning("claim taken from a silent process", answer_id=str(row.answer_id), status=row.status)
        return len(taken)

    async def strike(self, answer_id: UUID, attempt: int, error: str, wait_seconds: float = 1.0) -> bool:
        """Give an answer back after an exception or a time-out, with a strike; return whether that was its last."""
        row = await self._alone.row(_STRIKE, id=answer_id, attempt=attempt, error=error, wait=wait_seconds, most=MOST_STRIKES)
        return row is not None and row.status == "failed"

    async def release(self) -> int:
        """Give back everything without a strike (a deploy); return how many answers wait again."""
        return len(await self._alone.rows(_RELEASE, me=self.process_id))

    async def give_back(self, answer_id: UUID, attempt: int) -> None:
        """Give one answer back without a strike: a server was away, which is nobody's fault."""
        await self._alone.run(_GIVE_BACK, id=answer_id, attempt=attempt)

    async def to_stop(self) -> set[UUID]:
        """Return which answers running here somebody asked to stop."""
        rows = await self._alone.rows(
            "SELECT answer_id FROM answers WHERE status = 'running' AND process_id = :me AND stop_requested_at IS NOT NULL",
            me=self.process_id,
        )
        return {row.answer_id for row in rows}

    async def held(self) -> set[tuple[UUID, int]]:
        """Return the answers which this process holds, each with its attempt."""
        rows = await self._alone.rows(
            "SELECT answer_id, attempt FROM answers WHERE status = 'running' AND process_id = :me", me=self.process_id
        )
        return {(row.answer_id, row.attempt) for row in rows}


def _given_up(taken: Sequence[Any]) -> list[UUID]:
    """Return those of what was taken that have just been given up: nobody else is suspected any more of their crashes."""
    return [row.answer_id for row in taken if row.status == "failed"]


def _task_from(row: Mapping[str, Any]) -> Task:
    return Task(
        **{name: row[name] for name in Task.model_fields if name in row and name != "files"},
        person=Person(platform=row["p_platform"], workspace=row["p_workspace"], external_id=row["p_external_id"], name=row["p_name"]),
        place=Place(**{name: row[name] for name in ("platform", "workspace", "channel", "thread", "visibility")}),
        files=tuple(FileRef.model_validate(file) for file in row["files"]),
        started_before=row["attempt"] > 1,
    )


def process_id_from_environment() -> UUID:
    """Return the id under which this process claims: the one `nod up` handed down (NOD_PROCESS_ID), else a new one."""
    handed = os.environ.get("NOD_PROCESS_ID")
    return UUID(handed) if handed else uuid4()
