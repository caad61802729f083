"""The rows of scopes, sources and documents, each written in the transaction that is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge import index
from knowledge.about_nod import HANDBOOKS
from knowledge.loaded import visible
from knowledge.phrases import PHRASES
from knowledge.reading import Read
from knowledge.sources import Content, Item
from nod.errors import ConfigError, LoadError, NotFoundError
from nod.language import Language, language_of, terminal_language

_TELLING = 10  # passages by which a document's language is told
SCOPE_KINDS = ("everyone", "handbook", "workspace", "channel", "thread", "person")
ALL_WORKSPACES = "workspace:*"  # among the scopes that an admin looks through


@dataclass(frozen=True, slots=True)
class Known:
    """A document that was learnt from the same bytes."""

    document_id: int
    passages: int


async def first_headings(engine: AsyncEngine, scopes: Sequence[str], most: int) -> list[tuple[str, str]]:
    """Return title and first heading of the newest documents in these scopes that have headings, the handbook left out: to ask about."""
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT d.title, first.heading FROM documents d JOIN scopes s USING (scope_id)
                  CROSS JOIN LATERAL (SELECT heading FROM passages p WHERE p.document_id = d.document_id AND p.heading <> ''
                                       ORDER BY p.ordinal LIMIT 1) first
                 WHERE d.state = 'ready' AND d.passage_count > 0 AND s.name = ANY(:scopes) AND s.name <> ALL(:handbooks)
                 ORDER BY d.updated_at DESC LIMIT :most"""),
            {"scopes": list(scopes), "handbooks": list(HANDBOOKS), "most": most},
        )
        return [(row.title, row.heading.rpartition(" › ")[2]) for row in rows]


async def unchanged(engine: AsyncEngine, source_id: int, item: Item, content_hash: bytes) -> Known | None:
    """Return the document of an item if it is learnt already, and from these very bytes."""
    values = {"source": source_id, "location": item.location, "hash": content_hash, "stamp": item.stamp}
    async with engine.begin() as db:
        row = (
            await db.execute(
                text("""
                    SELECT document_id, passage_count AS passages, stamp FROM documents
                     WHERE source_id = :source AND location = :location AND content_hash = :hash AND state = 'ready'
                       AND removed_at IS NULL"""),
                values,
            )
        ).first()
        if row and item.stamp and row.stamp != item.stamp:
            await db.execute(
                text("UPDATE documents SET stamp = :stamp WHERE document_id = :id"), {"stamp": item.stamp, "id": row.document_id}
            )
    return Known(row.document_id, row.passages) if row else None


async def enter_document(
    db: AsyncConnection, source_id: int, scope_id: int, location: str, given: Content, stamp: str | None = None
) -> int:
    """Return the number of a document, locked until the transaction ends. One that was taken away is there again.

    Raises NotFoundError when its source was taken away meanwhile: whoever was reading it then brings nothing back.
    """
    await db.execute(
        text("DELETE FROM left_out WHERE source_id = :source AND location = :location"), {"source": source_id, "location": location}
    )
    row = await db.execute(
        text("""
            INSERT INTO documents (source_id, scope_id, location, title, url, media_type, content_hash, size_bytes, stamp)
                 SELECT source_id, :scope, :location, :title, :url, :media_type, :hash, :size, :stamp
                   FROM sources WHERE source_id = :source AND removed_at IS NULL FOR KEY SHARE
            ON CONFLICT (source_id, location) DO UPDATE
               SET url = excluded.url, media_type = excluded.media_type, content_hash = excluded.content_hash,
                   size_bytes = excluded.size_bytes, stamp = excluded.stamp, process_id = NULL, updated_at = now(),
                   scope_id = excluded.scope_id, removed_at = NULL, removed_scope_id = NULL
            RETURNING document_id"""),
        {
            "source": source_id, "scope": scope_id, "location": location, "title": title_from(given.name), "url": given.url,
            "media_type": given.media_type, "hash": given.content_hash, "size": len(given.content), "stamp": stamp,
        },
    )  # fmt: skip
    if (document_id := row.scalar_one_or_none()) is None:
        raise NotFoundError(f"The source of {location} was removed.")
    return int(document_id)


async def keep_passages(
    db: AsyncConnection, document_id: int, scope_id: int, read: Read, *, name: str, date: datetime | None = None
) -> None:
    """Put what was read in the place of what was there. A document that does not name itself is called as its file."""
    title = read.title or title_from(name)
    await index.delete(db, [document_id])
    await index.add(db, document_id, scope_id, title, read.pieces)
    await db.execute(
        text("""
            UPDATE documents SET state = 'ready', title = :title, language = :language, pages = :pages, passage_count = :passages,
                   document_date = :date, error = :left_out, error_kind = :partly, process_id = NULL, updated_at = now()
             WHERE document_id = :id"""),
        {
            "id": document_id, "title": title, "pages": read.pages, "passages": len(read.pieces), "date": read.date or date,
            "left_out": left_out_of(name, read), "partly": "partly" if read.left_out else None, "language": _language_of(read),
        },
    )  # fmt: skip


def left_out_of(name: str, read: Read) -> str | None:
    """Return what of a document could not be read, as one line."""
    return " ".join(f"{name}/{left.name} {left.sentence}." for left in read.left_out) or None


def _language_of(read: Read) -> Language:
    """Return the language of a document by its text: what it declares is often that of the program that wrote it."""
    return language_of(" ".join(piece.text for piece in read.pieces[:_TELLING]), "ko" if read.language == "ko" else "en")


async def mark_failed(db: AsyncConnection, document_id: int, error: LoadError) -> None:
    """Write down why a document cannot be read. What it said before is not what it says now: that stops answering."""
    await index.delete(db, [document_id])
    await db.execute(
        text("""
            UPDATE documents SET state = 'failed', error = :error, error_kind = :kind, passage_count = 0, process_id = NULL,
                   updated_at = now()
             WHERE document_id = :id"""),
        {"id": document_id, "error": str(error), "kind": error.kind},
    )


async def remove_documents(db: AsyncConnection, document_ids: Sequence[int]) -> None:
    """Forget documents with their passages."""
    await index.delete(db, document_ids)
    await db.execute(text("DELETE FROM documents WHERE document_id = ANY(:ids)"), {"ids": list(document_ids)})


async def leave_out(db: AsyncConnection, document_ids: Sequence[int]) -> None:
    """Note that somebody took documents out, so that a source which stays in step does not bring them back."""
    await db.execute(
        text("""
            INSERT INTO left_out (source_id, location)
                 SELECT source_id, d.location FROM documents d JOIN sources s USING (source_id)
                  WHERE d.document_id = ANY(:ids) AND s.every_seconds IS NOT NULL AND s.removed_at IS NULL
            ON CONFLICT DO NOTHING"""),
        {"ids": list(document_ids)},
    )


def is_in_scopes(name: str) -> str:
    """Return SQL for whether the scope that a column names is one of `:scopes`, where ALL_WORKSPACES stands for each workspace's."""
    return f"({name} = ANY(:scopes) OR ('{ALL_WORKSPACES}' = ANY(:scopes) AND {name} LIKE 'workspace:%'))"


def check_scope(scope: str) -> None:
    """Raise ConfigError for a scope's name that means nothing."""
    kind, _, rest = scope.partition(":")
    if kind not in SCOPE_KINDS or (kind == "everyone") == bool(rest) or (kind == "handbook" and rest not in ("en", "ko")):
        raise ConfigError(PHRASES.say("ingest.no_scope", terminal_language(), scope=scope))


async def scope_id_of(db: AsyncConnection, scope: str) -> int:
    """Return the number of a scope, made if it is new. Raises ConfigError for a name that means nothing."""
    check_scope(scope)
    row = await db.execute(
        text("INSERT INTO scopes (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING scope_id"),
        {"name": scope},
    )
    return int(row.scalar_one())


async def source_id_of(db: AsyncConnection, kind: str, location: str, scope_id: int) -> int:
    """Return the number of a source, made if it is new."""
    row = await db.execute(
        text("""
            INSERT INTO sources (kind, location, scope_id) VALUES (:kind, :location, :scope)
            ON CONFLICT (kind, location, scope_id) DO UPDATE SET kind = excluded.kind RETURNING source_id"""),
        {"kind": kind, "location": location, "scope": scope_id},
    )
    return int(row.scalar_one())


def title_from(name: str) -> str:
    """Return what a document is called that does not name itself."""
    return visible(PurePosixPath(name).name)
