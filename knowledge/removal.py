"""Takes documents and sources away with a way back. What is taken away stops answering with the transaction; later it is gone for good.

Meanwhile its passages stand in a scope that no place has and nobody can name: search reads by scope, so nothing else has to know of it.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge import index
from knowledge.documents import leave_out, remove_documents
from nod.connect import Alone
from nod.errors import NotFoundError

KEEP_MINUTES = 10
_NAMED = ["folder", "file", "url", "site", "git"]  # the kinds of sources that are named by where they are
_AT = """
    s.kind = ANY(:kinds) AND s.removed_at IS NULL
    AND (s.location = :location OR s.location || '/' || d.location = :location OR d.location = :location
         OR starts_with(s.location || '/' || d.location, :location || '/'))"""
_THEIRS = "removed_by IS NOT DISTINCT FROM :person AND removed_at > now() - make_interval(mins => :minutes)"


async def remove_document(engine: AsyncEngine, document_id: int, person_id: int | None = None) -> str:
    """Take one document away for somebody; return its title. Raises NotFoundError."""
    async with engine.begin() as db:
        return await take_away(db, document_id, person_id)


async def remove_source(engine: AsyncEngine, location: str) -> list[str]:
    """Take away what came from a path or address, or the documents below a path; return their titles. Raises NotFoundError."""
    values = {"location": location, "kinds": _NAMED}
    async with engine.begin() as db:
        rows = await db.execute(
            text(f"SELECT document_id FROM documents d JOIN sources s USING (source_id) WHERE {_AT} AND d.removed_at IS NULL"),  # noqa: S608  # our own words
            values,
        )
        titles = await _take(db, "document_id = ANY(:id)", [row.document_id for row in rows], None)
        sources = await db.execute(
            text("""
                DELETE FROM sources s WHERE kind = ANY(:kinds) AND location = :location AND removed_at IS NULL
                   AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.source_id = s.source_id)"""),
            values,
        )
    if not titles and not sources.rowcount:
        raise NotFoundError(f"Nothing was learnt from {location}.")
    return titles


async def take_away(db: AsyncConnection, document_id: int, person_id: int | None = None) -> str:
    """Take a document away for somebody, in the transaction that is open; return its title. Raises NotFoundError."""
    titles = await _take(db, "document_id = :id", document_id, person_id)
    if not titles:
        raise NotFoundError(f"There is no document {document_id}.")
    return titles[0]


async def _take(db: AsyncConnection, where: str, which: int | list[int], person_id: int | None) -> list[str]:
    scope = "INSERT INTO scopes (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING scope_id"
    scope_id = int((await db.execute(text(scope), {"name": index.REMOVED})).scalar_one())
    rows = await db.execute(
        text(f"""
            UPDATE documents SET removed_at = now(), removed_by = :person, removed_scope_id = scope_id, scope_id = :scope, process_id = NULL
             WHERE {where} AND removed_at IS NULL RETURNING document_id, title"""),  # noqa: S608  # our own words
        {"id": which, "scope": scope_id, "person": person_id},
    )
    taken = rows.all()
    await index.follow_removal(db, [row.document_id for row in taken])
    return [row.title for row in taken]


async def documents_removed(engine: AsyncEngine, which: int | str, person_id: int | None = None) -> list[int]:
    """Return the documents at or below a path, at an address or of a number that somebody took away alone and can bring back."""
    where = "d.document_id = :id" if isinstance(which, int) else _AT
    theirs = _THEIRS.replace("removed_", "d.removed_")
    rows = await Alone(engine).rows(
        f"SELECT document_id FROM documents d JOIN sources s USING (source_id) WHERE {where} AND {theirs} AND s.removed_at IS NULL",  # noqa: S608  # our own words
        id=which, location=which, kinds=_NAMED, person=person_id, minutes=KEEP_MINUTES,
    )  # fmt: skip
    return [row.document_id for row in rows]


async def bring_back(engine: AsyncEngine, document_id: int, person_id: int | None = None) -> str:
    """Bring back a document that somebody took away; return its title. Raises NotFoundError when it is gone for good, or not theirs.

    Its source, if it stays in step, is looked at again: meanwhile the document may have changed.
    """
    async with engine.begin() as db:
        row = (
            await db.execute(
                text("""
                    UPDATE documents SET scope_id = removed_scope_id, removed_scope_id = NULL, removed_by = NULL, removed_at = NULL,
                           process_id = NULL
                     WHERE document_id = :id AND removed_at IS NOT NULL AND removed_by IS NOT DISTINCT FROM :person
                       AND NOT EXISTS (SELECT 1 FROM sources s WHERE s.source_id = documents.source_id AND s.removed_at IS NOT NULL)
                    RETURNING title, source_id"""),
                {"id": document_id, "person": person_id},
            )
        ).first()
        if not row:
            raise NotFoundError(f"The document {document_id} is gone for good.")
        await index.follow_removal(db, [document_id])
        again = text("UPDATE sources SET due_at = now(), stamp = NULL WHERE source_id = :id AND every_seconds IS NOT NULL")
        await db.execute(again, {"id": row.source_id})
    return row.title


async def take_source_away(engine: AsyncEngine, source_id: int, person_id: int | None = None) -> list[str]:
    """Take a source that stays in step away for somebody, with all that was learnt from it; return the titles. Raises NotFoundError.

    Whoever brings it in step just then has lost it, and what they are reading is not kept.
    """
    async with engine.begin() as db:
        taken = await db.execute(
            text("""
                UPDATE sources SET removed_at = now(), removed_by = :person, attempt = attempt + 1, claimed_until = NULL, due_at = NULL
                 WHERE source_id = (SELECT source_id FROM sources WHERE source_id = :id AND every_seconds IS NOT NULL
                                       AND removed_at IS NULL FOR UPDATE)"""),
            {"id": source_id, "person": person_id},
        )
        if not taken.rowcount:
            raise NotFoundError(f"There is no source {source_id}.")
        return await _take(db, "source_id = :id", source_id, person_id)


async def sources_removed(engine: AsyncEngine, location: str, person_id: int | None = None) -> list[int]:
    """Return the sources at a path or address that somebody took away and can bring back."""
    async with engine.connect() as db:
        rows = await db.execute(
            text(f"SELECT source_id FROM sources WHERE location = :location AND {_THEIRS} ORDER BY source_id"),  # noqa: S608  # our own words
            {"location": location, "person": person_id, "minutes": KEEP_MINUTES},
        )
        return [row.source_id for row in rows]


async def bring_source_back(engine: AsyncEngine, source_id: int, person_id: int | None = None) -> list[str]:
    """Bring back a source that somebody took away, without reading anything again; return the titles of its documents.

    Raises NotFoundError when it is gone for good, or not theirs.
    """
    async with engine.begin() as db:
        found = text(f"SELECT 1 FROM sources WHERE source_id = :id AND {_THEIRS}")  # noqa: S608  # our own words
        if not (await db.execute(found, {"id": source_id, "person": person_id, "minutes": KEEP_MINUTES})).first():
            raise NotFoundError(f"The source {source_id} is gone for good.")
        return await revive(db, source_id)


async def revive(db: AsyncConnection, source_id: int) -> list[str]:
    """Have a source stay in step again that was taken away, with what is left of it; return the titles. Any other stays as it is."""
    rows = await db.execute(
        text("""
            WITH old AS (SELECT source_id, removed_at FROM sources WHERE source_id = :id AND removed_at IS NOT NULL FOR UPDATE),
                 back AS (UPDATE sources s SET removed_at = NULL, removed_by = NULL, due_at = now(), stamp = NULL
                            FROM old WHERE s.source_id = old.source_id)
            UPDATE documents d SET scope_id = removed_scope_id, removed_scope_id = NULL, removed_by = NULL, removed_at = NULL
              FROM old WHERE d.source_id = old.source_id AND d.removed_at = old.removed_at
            RETURNING document_id, title"""),
        {"id": source_id},
    )
    back = rows.all()
    await index.follow_removal(db, [row.document_id for row in back])
    return [row.title for row in back]


async def forget_removed(engine: AsyncEngine, after_minutes: float = KEEP_MINUTES) -> int:
    """Forget for good what was taken away so long ago; return how many documents that were. Any number of processes may."""
    async with engine.begin() as db:
        rows = await db.execute(
            text("""
                SELECT document_id, source_id FROM documents WHERE removed_at < now() - make_interval(secs => :seconds)
                 ORDER BY document_id LIMIT 100 FOR UPDATE SKIP LOCKED"""),
            {"seconds": after_minutes * 60},
        )
        found = rows.all()
        if ids := [row.document_id for row in found]:
            await leave_out(db, ids)
            await remove_documents(db, ids)
        await db.execute(
            text("""
                DELETE FROM sources s
                 WHERE (removed_at < now() - make_interval(secs => :seconds)
                        OR (source_id = ANY(:emptied) AND every_seconds IS NULL AND kind = ANY(:kinds)))
                   AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.source_id = s.source_id)"""),
            {"seconds": after_minutes * 60, "emptied": [row.source_id for row in found], "kinds": _NAMED},
        )
    return len(ids)


async def forget_failed(engine: AsyncEngine, document_id: int) -> None:
    """Forget a person's earlier uploads of this document's name that could not be read, whoever was to see them: this is the next try."""
    async with engine.begin() as db:
        rows = await db.execute(
            text("""
                SELECT old.document_id FROM documents new JOIN documents old USING (location, taught_by)
                  JOIN sources o ON o.source_id = old.source_id JOIN scopes s ON s.scope_id = old.scope_id
                 WHERE new.document_id = :id AND old.document_id <> :id AND old.state = 'failed' AND old.removed_at IS NULL
                   AND o.kind = 'upload' AND s.name NOT LIKE 'thread:%' FOR UPDATE OF old"""),
            {"id": document_id},
        )
        await remove_documents(db, list(rows.scalars()))
