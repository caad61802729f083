"""The sources that stay in step, as people look at them: what there is, how it goes, sync now, follow no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.documents import remove_documents
from nod.errors import NotFoundError

MOST_FAILURES = 3  # in a row: then it is shown as a trouble that does not pass by itself


@dataclass(frozen=True, slots=True)
class Followed:
    """A source that stays in step. `is_syncing`: somebody is at it now, `done` of `total` items so far; `failed`: unreadable documents."""

    source_id: int
    kind: str
    location: str
    scope: str
    every_seconds: int
    due_at: datetime
    synced_at: datetime | None
    is_syncing: bool
    done: int
    total: int
    documents: int
    passages: int
    failed: int
    failures: int
    error: str | None
    error_kind: str | None
    note: str | None

    @property
    def is_in_trouble(self) -> bool:
        """Whether it failed so often in a row that somebody should look, or never worked."""
        return self.failures >= MOST_FAILURES or bool(self.failures and not self.synced_at)


async def followed(engine: AsyncEngine, scopes: Sequence[str] | None = None) -> list[Followed]:
    """Return the sources that stay in step (of some scopes, or all), those in trouble first."""
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT s.source_id, s.kind, s.location, c.name AS scope, s.every_seconds, s.due_at, s.synced_at, s.done, s.total,
                       coalesce(s.claimed_until > now(), FALSE) AND s.total > 0 AS is_syncing,
                       count(d.document_id) FILTER (WHERE d.state = 'ready') AS documents,
                       coalesce(sum(d.passage_count), 0)::int AS passages, count(d.document_id) FILTER (WHERE d.state = 'failed') AS failed,
                       s.failures, s.error, s.error_kind, s.note
                  FROM sources s JOIN scopes c ON c.scope_id = s.scope_id
                  LEFT JOIN documents d ON d.source_id = s.source_id AND d.removed_at IS NULL
                 WHERE s.every_seconds IS NOT NULL AND (CAST(:scopes AS text[]) IS NULL OR c.name = ANY(:scopes))
                 GROUP BY s.source_id, c.name ORDER BY s.failures >= :most DESC, s.location, c.name"""),
            {"scopes": None if scopes is None else list(scopes), "most": MOST_FAILURES},
        )
        return [Followed(**row) for row in rows.mappings()]


async def sync_soon(engine: AsyncEngine, source_id: int) -> None:
    """Have a source looked at as soon as somebody is free. Raises NotFoundError."""
    async with engine.begin() as db:
        asked = text("UPDATE sources SET due_at = now(), stamp = NULL WHERE source_id = :id AND every_seconds IS NOT NULL")
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
