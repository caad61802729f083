"""Takes documents away with a way back. What is taken away stops answering with the transaction; after a while it is gone for good.

Meanwhile its passages stand in a scope that no place has and nobody can name: search reads by scope, so nothing else has to know of it.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge import index
from knowledge.documents import leave_out, remove_documents
from nod.errors import NotFoundError

REMOVED = "removed"
KEEP_MINUTES = 10


async def take_away(db: AsyncConnection, document_id: int, person_id: int | None = None) -> str:
    """Take a document away for somebody, in the transaction that is open; return its title. Raises NotFoundError."""
    scope = "INSERT INTO scopes (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING scope_id"
    scope_id = int((await db.execute(text(scope), {"name": REMOVED})).scalar_one())
    row = await db.execute(
        text("""
            UPDATE documents SET removed_at = now(), removed_by = :person, removed_scope_id = scope_id, scope_id = :scope, process_id = NULL
             WHERE document_id = :id AND removed_at IS NULL RETURNING title"""),
        {"id": document_id, "scope": scope_id, "person": person_id},
    )
    title = row.scalar_one_or_none()
    if title is None:
        raise NotFoundError(f"There is no document {document_id}.")
    await index.move(db, document_id, scope_id)
    return title


async def bring_back(engine: AsyncEngine, document_id: int, person_id: int | None = None) -> str:
    """Bring back a document that somebody took away; return its title. Raises NotFoundError when it is gone for good, or not theirs."""
    async with engine.begin() as db:
        row = (
            await db.execute(
                text("""
                    UPDATE documents SET scope_id = removed_scope_id, removed_scope_id = NULL, removed_by = NULL, removed_at = NULL,
                           process_id = NULL
                     WHERE document_id = :id AND removed_at IS NOT NULL AND removed_by IS NOT DISTINCT FROM :person
                    RETURNING title, scope_id"""),
                {"id": document_id, "person": person_id},
            )
        ).first()
        if not row:
            raise NotFoundError(f"The document {document_id} is gone for good.")
        await index.move(db, document_id, row.scope_id)
    return row.title


async def forget_removed(engine: AsyncEngine, after_minutes: float = KEEP_MINUTES) -> int:
    """Forget for good what was taken away so long ago; return how many documents that were. Any number of processes may."""
    async with engine.begin() as db:
        rows = await db.execute(
            text("""
                SELECT document_id FROM documents WHERE removed_at < now() - make_interval(secs => :seconds)
                 ORDER BY document_id LIMIT 100 FOR UPDATE SKIP LOCKED"""),
            {"seconds": after_minutes * 60},
        )
        if ids := [row.document_id for row in rows]:
            await leave_out(db, ids)
            await remove_documents(db, ids)
    return len(ids)
