"""The sources as people look at them: what there is, how those go that stay in step, what could not be read; sync now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.documents import is_in_scopes, remove_documents
from nod.errors import NotFoundError

MOST_NAMED = 20  # of what could not be fetched, and of what could not be read, in one source
MOST_FAILURES = 3  # in a row: then it is shown as a trouble that does not pass by itself


@dataclass(frozen=True, slots=True)
class Followed:
    """A source that stays in step. `is_syncing`: somebody is at it now, `done` of `total` items so far (0: not known yet).

    `is_waiting`: somebody waits for its next sync, which nobody has begun. `failed`: unreadable documents; `taken_out`: those that
    somebody removed, which do not come back by themselves.
    """

    source_id: int
    kind: str
    location: str
    scope: str
    every_seconds: int
    due_at: datetime
    synced_at: datetime | None
    is_syncing: bool
    is_waiting: bool
    done: int
    total: int
    documents: int
    passages: int
    failed: int
    taken_out: int
    failures: int
    error: str | None
    error_kind: str | None
    note: str | None

    @property
    def is_in_trouble(self) -> bool:
        """Whether it failed so often in a row that somebody should look, or never worked."""
        return self.failures >= MOST_FAILURES or bool(self.failures and not self.synced_at)


async def followed(engine: AsyncEngine, scopes: Sequence[str] | None = None, source_id: int | None = None) -> list[Followed]:
    """Return the sources that stay in step (of some scopes, or all; or one alone), those in trouble first."""
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT s.source_id, s.kind, s.location, c.name AS scope, s.every_seconds, s.due_at, s.synced_at, s.done, s.total,
                       coalesce(s.claimed_until > now(), FALSE) AND (s.total > 0 OR s.is_asked) AS is_syncing,
                       coalesce(s.claimed_until < now(), TRUE) AND s.due_at <= now() AND s.is_asked AS is_waiting,
                       count(d.document_id) FILTER (WHERE d.state = 'ready') AS documents,
                       coalesce(sum(d.passage_count), 0)::int AS passages, count(d.document_id) FILTER (WHERE d.state = 'failed') AS failed,
                       (SELECT count(*) FROM left_out l WHERE l.source_id = s.source_id)
                       + (SELECT count(*) FROM documents o WHERE o.source_id = s.source_id AND o.removed_at IS NOT NULL) AS taken_out,
                       s.failures, s.error, s.error_kind, s.note
                  FROM sources s JOIN scopes c ON c.scope_id = s.scope_id
                  LEFT JOIN documents d ON d.source_id = s.source_id AND d.removed_at IS NULL
                 WHERE s.every_seconds IS NOT NULL AND s.removed_at IS NULL AND (CAST(:scopes AS text[]) IS NULL OR c.name = ANY(:scopes))
                   AND (CAST(:id AS bigint) IS NULL OR s.source_id = :id)
                 GROUP BY s.source_id, c.name ORDER BY s.failures >= :most DESC, s.location, c.name"""),
            {"scopes": None if scopes is None else list(scopes), "id": source_id, "most": MOST_FAILURES},
        )
        return [Followed(**row) for row in rows.mappings()]


async def in_trouble(engine: AsyncEngine) -> int:
    """Return how many sources failed so often in a row that somebody should look, or never worked."""
    async with engine.connect() as db:
        found = await db.execute(
            text("""
                SELECT count(*) FROM sources WHERE every_seconds IS NOT NULL AND removed_at IS NULL
                   AND (failures >= :most OR failures > 0 AND synced_at IS NULL)"""),
            {"most": MOST_FAILURES},
        )
        return int(found.scalar_one())


async def source_of(engine: AsyncEngine, source_id: int) -> Followed:
    """Return one source that stays in step. Raises NotFoundError."""
    for source in await followed(engine, source_id=source_id):
        return source
    raise NotFoundError(f"There is no source {source_id}.")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What came in another way and stays as it is: `upload`, `teach`, `file` or `url`, all of one scope together."""

    kind: str
    scope: str
    documents: int
    passages: int
    failed: int
    updated_at: datetime
    source_ids: list[int]


async def gathered(engine: AsyncEngine, scopes: Sequence[str]) -> list[Gathered]:
    """Return what was uploaded, taught, or learnt once in these scopes, or in all workspaces."""
    async with engine.connect() as db:
        rows = await db.execute(
            text(f"""
                SELECT s.kind, c.name AS scope, count(*) FILTER (WHERE d.state <> 'failed') AS documents,
                       sum(d.passage_count)::int AS passages, count(*) FILTER (WHERE d.state = 'failed') AS failed,
                       max(d.updated_at) AS updated_at, array_agg(DISTINCT s.source_id) AS source_ids
                  FROM sources s JOIN documents d USING (source_id) JOIN scopes c ON c.scope_id = d.scope_id
                 WHERE s.every_seconds IS NULL AND s.kind <> 'handbook' AND d.removed_at IS NULL AND {is_in_scopes("c.name")}
                 GROUP BY s.kind, c.name ORDER BY s.kind, c.name"""),  # noqa: S608  # our own words
            {"scopes": list(scopes)},
        )
        return [Gathered(**row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something in a source that was not read, or not all of it: what it is called, and why."""

    name: str
    kind: str
    sentence: str


async def troubles(engine: AsyncEngine, scopes: Sequence[str] | None = None, source_id: int | None = None) -> dict[int, list[Trouble]]:
    """Return what could not be read or fetched in each source (or one), by its number, 20 of each kind at most; of some scopes, or all."""
    async with engine.connect() as db:
        rows = await db.execute(
            text(f"""
                WITH unread AS (
                    SELECT d.source_id, d.title AS name, coalesce(d.error_kind, '') AS kind, coalesce(d.error, '') AS sentence, d.scope_id,
                           row_number() OVER (PARTITION BY d.source_id ORDER BY d.document_id) AS n
                      FROM documents d WHERE d.removed_at IS NULL AND (d.state = 'failed' OR d.error_kind IS NOT NULL)
                       AND (CAST(:id AS bigint) IS NULL OR d.source_id = :id)
                     UNION ALL
                    SELECT s.source_id, one->>'name', coalesce(one->>'kind', ''), coalesce(one->>'sentence', ''), s.scope_id, n
                      FROM sources s, jsonb_array_elements(s.missed) WITH ORDINALITY AS listed (one, n)
                     WHERE s.removed_at IS NULL AND (CAST(:id AS bigint) IS NULL OR s.source_id = :id))
                SELECT source_id, unread.name, kind, sentence FROM unread JOIN scopes c USING (scope_id)
                 WHERE n <= :most AND (:is_all OR {is_in_scopes("c.name")}) ORDER BY source_id, unread.name"""),  # noqa: S608  # our own words
            {"scopes": list(scopes or ()), "is_all": scopes is None, "id": source_id, "most": MOST_NAMED},
        )
        found: dict[int, list[Trouble]] = {}
        for row in rows:
            found.setdefault(row.source_id, []).append(Trouble(row.name, row.kind, row.sentence))
    return found


async def sync_soon(engine: AsyncEngine, source_id: int) -> None:
    """Have a source looked at as soon as somebody is free. Raises NotFoundError."""
    async with engine.begin() as db:
        asked = text("""
            UPDATE sources SET due_at = now(), stamp = NULL, is_asked = TRUE
             WHERE source_id = :id AND every_seconds IS NOT NULL AND removed_at IS NULL""")
        if not (await db.execute(asked, {"id": source_id})).rowcount:
            raise NotFoundError(f"There is no source {source_id}.")


async def unfollow(engine: AsyncEngine, source_id: int) -> int:
    """Forget a source with all that was learnt from it, which stops answering at once; return how many documents. Raises NotFoundError."""
    async with engine.begin() as db:
        lock = text("SELECT 1 FROM sources WHERE source_id = :id AND every_seconds IS NOT NULL FOR UPDATE")
        if not (await db.execute(lock, {"id": source_id})).first():
            raise NotFoundError(f"There is no source {source_id}.")
        rows = await db.execute(text("SELECT document_id FROM documents WHERE source_id = :id"), {"id": source_id})
        document_ids = [row.document_id for row in rows]
        await remove_documents(db, document_ids)
        await db.execute(text("DELETE FROM sources WHERE source_id = :id"), {"id": source_id})
    return len(document_ids)
