"""Keeps sources in step with where they come from: whose turn it is, one process at a time for each, and what became of it.

A source's row is its state. Whoever holds it moves `claimed_until` on; when that has passed, its holder is dead and anybody goes on,
with what is learnt already. What cannot be reached changes nothing: only what is certainly gone is forgotten.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge.documents import remove_documents
from knowledge.following import MOST_NAMED, sync_soon, unfollow
from knowledge.ingest import Learnt, learn, open_source
from knowledge.reading import Reader
from knowledge.removal import revive
from knowledge.sources import Item, Origin, Walked
from knowledge.sources.followed import EVERY_SECONDS, Means, opened
from nod.errors import LoadError, NotFoundError
from nod.logs import log

LEASE_SECONDS = 6.0
BEAT_SECONDS = 2.0
WAIT_SECONDS = 0.5
RETRY_SECONDS = 60  # after a first failure, then four times as long each time, up to the source's own interval
SHARE = 20  # looking costs at most a twentieth of the time, however large the folder and slow its disk

_AWAY = (DBAPIError, OSError, PoolTimeoutError)  # PostgreSQL is away, or slow
_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A source that this process holds. `attempt` fences; `stamp` is what it was as a whole when it was last in step."""

    source_id: int
    scope_id: int
    kind: str
    location: str
    attempt: int
    stamp: str | None
    is_asked: bool = False  # somebody waits for it


@dataclass(slots=True)
class Synced:
    """What a sync did. `error` is why it could not be done, `note` the limit at which it stopped."""

    documents: list[Learnt] = field(default_factory=list[Learnt])
    removed: list[str] = field(default_factory=list[str])
    skipped: int = 0
    total: int = 0
    note: str | None = None
    error: LoadError | None = None


async def follow(engine: AsyncEngine, kind: str, location: str, scope: str) -> int:
    """Let a source stay in step from now on; return its number. What was taken out of it may come back. Raises ConfigError for a scope."""
    source_id, _ = await open_source(engine, Origin(kind, location, ()), scope)
    async with engine.begin() as db:
        await revive(db, source_id)
        await db.execute(
            text("UPDATE sources SET every_seconds = :every, due_at = now() WHERE source_id = :id"),
            {"id": source_id, "every": EVERY_SECONDS[kind]},
        )
        await db.execute(text("DELETE FROM left_out WHERE source_id = :id"), {"id": source_id})
        removed = text("SELECT document_id FROM documents WHERE source_id = :id AND removed_at IS NOT NULL")
        ids = (await db.execute(removed, {"id": source_id})).scalars().all()
        await remove_documents(db, ids)  # what still lies there is learnt anew
    return source_id


# ── whose turn ──

_CLAIM = text("""
    UPDATE sources SET attempt = attempt + 1, claimed_until = now() + make_interval(secs => :lease), done = 0, total = 0
     WHERE source_id = (
           SELECT source_id FROM sources
            WHERE kind = :kind AND due_at <= now() AND (claimed_until IS NULL OR claimed_until < now())
              AND (CAST(:source AS bigint) IS NULL OR source_id = :source)
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING source_id, scope_id, kind, location, attempt, stamp, is_asked""").bindparams(lease=LEASE_SECONDS)

_BEAT = text("""
    UPDATE sources SET claimed_until = now() + make_interval(secs => :lease), done = :done, total = :total
     WHERE source_id = :id AND attempt = :attempt""").bindparams(lease=LEASE_SECONDS)

_END = "UPDATE sources SET claimed_until = NULL, {what} WHERE source_id = :id AND attempt = :attempt"
_IN_STEP = text(
    _END.format(
        what="""synced_at = now(), error = NULL, error_kind = NULL, failures = 0, stamp = :stamp, note = :note, done = :done,
                total = :total, missed = CAST(:missed AS jsonb), is_asked = FALSE,
                due_at = now() + make_interval(secs => greatest(every_seconds, :wait))"""
    )
)
_FAILED = text(
    _END.format(
        what="""error = :error, error_kind = :kind, failures = failures + 1, stamp = NULL,
                due_at = now() + make_interval(secs => least(every_seconds, :retry * power(4, least(failures, 8))))"""
    )
).bindparams(retry=RETRY_SECONDS)
_RELEASE = text(_END.format(what="done = 0, total = 0") + " AND claimed_until IS NOT NULL")


async def claim(engine: AsyncEngine, kind: str, source_id: int | None = None) -> Claim | None:
    """Return the source of a kind that is due for longest (or this one), held by this process; None when none is, or others hold it."""
    async with engine.begin() as db:
        row = (await db.execute(_CLAIM, {"kind": kind, "source": source_id})).mappings().first()
    return Claim(**row) if row else None


async def claim_now(engine: AsyncEngine, kind: str, source_id: int) -> Claim:
    """Return this source, as soon as nobody else holds it. Raises NotFoundError when somebody removed it."""
    while True:
        await sync_soon(engine, source_id)
        if claimed := await claim(engine, kind, source_id):
            return claimed
        await asyncio.sleep(WAIT_SECONDS)


async def put_off(engine: AsyncEngine, claimed: Claim, error: LoadError) -> None:
    """Write down why a sync failed, and try again later."""
    await _execute(engine, _FAILED, claimed, error=str(error), kind=error.kind)


# ── one sync ──


@dataclass(frozen=True, slots=True)
class Syncing:
    """Brings sources in step, one after the other. `tell` hears of each item that was looked at, and how many there are.

    Somebody who asked for it has what could not be read tried again; who named it (`is_asked`) also means it when a folder is empty.
    """

    engine: AsyncEngine
    reader: Reader
    means: Means
    is_asked: bool = False
    tell: Callable[[Learnt, int], None] = lambda _, __: None

    async def run(self, claimed: Claim) -> Synced | None:
        """Bring a claimed source in step and let go of it; return what was done, None when the claim was lost on the way."""
        synced = Synced()
        working = asyncio.create_task(self._work(claimed, synced))
        beating = asyncio.create_task(_beat(self.engine, claimed, synced))
        try:
            await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                _log.warning("a source was lost to another process", source_id=claimed.source_id)
                return None
            await working
        except (IntegrityError, NotFoundError):  # somebody removed the source
            return None
        else:
            return synced
        finally:
            for task in (working, beating):
                task.cancel()
            await asyncio.gather(working, beating, return_exceptions=True)
            with contextlib.suppress(*_AWAY):
                await _execute(self.engine, _RELEASE, claimed)

    async def _work(self, claimed: Claim, synced: Synced) -> None:
        since = time.monotonic()
        try:
            walked = await opened(claimed.kind, claimed.location, self.means)
            wait = SHARE * (time.monotonic() - since)
            if self.is_asked or walked.stamp is None or walked.stamp != claimed.stamp:
                await self._walk(claimed, walked, synced)
        except LoadError as error:
            synced.error = error
            return await put_off(self.engine, claimed, error)
        synced.skipped, synced.note = walked.skipped, walked.note
        is_sure = all(one.document_id is not None for one in synced.documents)  # what could not be fetched is tried again
        values = {
            "stamp": walked.stamp if is_sure else None,
            "note": walked.note,
            "total": walked.total,
            "done": walked.total,
            "missed": _missed(synced),
        }
        await _execute(self.engine, _IN_STEP, claimed, wait=wait, **values)
        return None

    async def _walk(self, claimed: Claim, walked: Walked, synced: Synced) -> None:
        known, left_out = await _known(self.engine, claimed.source_id)
        if claimed.kind == "folder" and known and not walked.total and not self.is_asked:
            raise LoadError(f"{claimed.location} is empty now, as if its disk were gone; what nod learnt from it is kept.", "folder_empty")
        stamps = {place: one.stamp if claimed.stamp and one.state == "ready" else None for place, one in known.items()}
        async with contextlib.aclosing(walked.walk(stamps)) as items:
            async for item in items:
                synced.total = walked.total
                if item.location not in left_out:
                    learnt = await self._learn(claimed, item, known.get(item.location))
                    synced.documents.append(learnt)
                    self.tell(learnt, walked.total)
        gone = [known[location].document_id for location in walked.gone(known)]
        synced.removed += await _drop(self.engine, claimed, gone)
        if synced.removed or any(one.state == "learnt" for one in synced.documents):
            await index.tend(self.engine)

    async def _learn(self, claimed: Claim, item: Item, known: "_Document | None") -> Learnt:
        if known and item.stamp and known.stamp == item.stamp and (known.state == "ready" or not (self.is_asked or claimed.is_asked)):
            return Learnt(item.location, "unchanged", known.document_id, known.passages)
        return await learn(self.engine, self.reader, (claimed.source_id, claimed.scope_id), item)


async def follow_now(syncing: Syncing, kind: str, location: str, scope: str) -> Synced:
    """Let a source stay in step and bring it there now; return what was done. One that is new and cannot be had is not kept."""
    return await sync_now(syncing, kind, await follow(syncing.engine, kind, location, scope))


async def sync_now(syncing: Syncing, kind: str, source_id: int) -> Synced:
    """Bring a source in step now, but for what somebody took out of it; return what was done. One that never could be had is not kept."""
    while True:
        claimed = await claim_now(syncing.engine, kind, source_id)
        if synced := await syncing.run(claimed):
            break
    if synced.error and claimed.attempt == 1 and not synced.documents:
        await unfollow(syncing.engine, source_id)
    return synced


def _missed(synced: Synced) -> str:
    """Return what could not be fetched, the first of it, as JSON: nothing else in the record tells of it."""
    missed = [one for one in synced.documents if one.state == "failed" and one.document_id is None]
    return json.dumps([{"name": one.location, "kind": one.error_kind, "sentence": one.error} for one in missed[:MOST_NAMED]])


@dataclass(frozen=True, slots=True)
class _Document:
    document_id: int
    passages: int
    state: str
    stamp: str | None


async def _known(engine: AsyncEngine, source_id: int) -> tuple[dict[str, _Document], set[str]]:
    """Return the documents of a source by their place in it, and the places that somebody took out."""
    async with engine.connect() as db:
        documents = await db.execute(
            text("SELECT location, document_id, passage_count, state, stamp FROM documents WHERE source_id = :id AND removed_at IS NULL"),
            {"id": source_id},
        )
        known = {row.location: _Document(row.document_id, row.passage_count, row.state, row.stamp) for row in documents}
        left_out = await db.execute(
            text("""
                SELECT location FROM left_out WHERE source_id = :id
                 UNION SELECT location FROM documents WHERE source_id = :id AND removed_at IS NOT NULL"""),
            {"id": source_id},
        )
        return known, {row.location for row in left_out}


async def _drop(engine: AsyncEngine, claimed: Claim, document_ids: Sequence[int]) -> list[str]:
    """Forget documents while the source is still ours; return where they stood."""
    if not document_ids:
        return []
    async with engine.begin() as db:
        mine = text("SELECT 1 FROM sources WHERE source_id = :id AND attempt = :attempt FOR UPDATE")
        if not (await db.execute(mine, _mine(claimed))).first():
            return []
        rows = await db.execute(
            text("SELECT location FROM documents WHERE document_id = ANY(:ids) ORDER BY 1"), {"ids": list(document_ids)}
        )
        locations = [row.location for row in rows]
        await remove_documents(db, document_ids)
    return locations


async def _beat(engine: AsyncEngine, claimed: Claim, synced: Synced) -> None:
    """Move the claim on, with how far the sync is; end when it is lost."""
    heard = time.monotonic()
    while time.monotonic() - heard < LEASE_SECONDS:
        await asyncio.sleep(BEAT_SECONDS)
        with contextlib.suppress(*_AWAY):
            if not await _execute(engine, _BEAT, claimed, done=len(synced.documents), total=synced.total):
                return
            heard = time.monotonic()


async def _execute(engine: AsyncEngine, statement: TextClause, claimed: Claim, **values: object) -> bool:
    """Write to a source that is ours; return whether it still is."""
    async with engine.begin() as db:
        return bool((await db.execute(statement, _mine(claimed) | values)).rowcount)


def _mine(claimed: Claim) -> dict[str, object]:
    return {"id": claimed.source_id, "attempt": claimed.attempt}
