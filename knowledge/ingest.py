"""Teaches nod documents: reads them in a limited process, keeps their passages and indexes them, one transaction a document.

A document's row is its state. The same bytes again change nothing; other bytes replace all its passages at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge import index
from knowledge.reading import Read, Reader
from knowledge.sources import Content, Item, Origin
from nod.errors import ConfigError, LoadError, NotFoundError
from nod.files import Files
from nod.language import language_of
from nod.logs import log

SCOPE_KINDS = ("everyone", "handbook", "workspace", "channel", "thread", "person")
_DEAD_SECONDS = 6  # a process that is silent for so long is dead: what it was reading is read again

_LONGEST_SECONDS = 300  # nothing takes so long to read: whoever was reading it came to grief, and lives

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class DocumentState:
    """How far a document is: `waiting`, `reading`, `ready` or `failed` (then why)."""

    document_id: int
    title: str
    state: str
    passages: int
    pages: int | None
    error: str | None
    error_kind: str | None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What became of one item of a source: `learnt`, `unchanged` or `failed` (then why, the name first)."""

    location: str
    state: str
    document_id: int | None = None
    passages: int = 0
    error: str | None = None
    error_kind: str | None = None


# ── a source, now ──


async def settled(engine: AsyncEngine, origin: Origin, scope: str) -> Origin:
    """Return a source as it is already known: what lies below a folder that was learnt are documents of that folder."""
    if origin.kind not in ("file", "folder"):
        return origin
    async with engine.connect() as db:
        known = (
            await db.execute(
                text("""
                    SELECT location FROM sources JOIN scopes USING (scope_id)
                     WHERE kind = 'folder' AND name = :scope AND starts_with(:path, location || '/')
                     ORDER BY length(location) LIMIT 1"""),
                {"scope": scope, "path": origin.location},
            )
        ).scalar_one_or_none()
    if not known:
        return origin
    below = PurePosixPath(origin.location).relative_to(known)
    inside = below if origin.kind == "folder" else below.parent
    items = tuple(replace(item, location=(inside / item.location).as_posix()) for item in origin.items)
    return replace(origin, kind="folder", location=known, items=items, is_whole=False)


async def open_source(engine: AsyncEngine, origin: Origin, scope: str) -> tuple[int, int]:
    """Return the numbers of a source and its scope, made if they are new. Raises ConfigError for a scope that does not exist."""
    async with engine.begin() as db:
        scope_id = await _scope_id(db, scope)
        return await _source_id(db, origin.kind, origin.location, scope_id), scope_id


async def learn(engine: AsyncEngine, reader: Reader, source: tuple[int, int], item: Item) -> Learnt:
    """Learn one item of a source: nothing when its bytes are those already learnt, else its passages replace the old ones.

    What cannot be fetched at all changes nothing; what was fetched and cannot be read does not answer any more.
    """
    source_id, scope_id = source
    try:
        given = await item.fetch()
    except LoadError as error:
        return Learnt(item.location, "failed", error=str(error), error_kind=error.kind)
    if known := await _unchanged(engine, source_id, item.location, sha256(given.content).digest()):
        return Learnt(item.location, "unchanged", known.document_id, known.passages)
    outcome = await _outcome(reader, given)
    async with engine.begin() as db:
        document_id = await _document_id(db, source_id, scope_id, item.location, given)
        if isinstance(outcome, LoadError):
            await _fail(db, document_id, outcome)
            return Learnt(item.location, "failed", document_id, error=str(outcome), error_kind=outcome.kind)
        await _keep(db, document_id, scope_id, outcome, fallback=_title(given.name), date=given.date)
    await index.merge(engine)
    return Learnt(item.location, "learnt", document_id, len(outcome.pieces))


async def _outcome(reader: Reader, given: Content) -> Read | LoadError:
    try:
        return await reader.read(given.name, given.content, given.media_type)
    except LoadError as error:
        return error


async def drop_missing(engine: AsyncEngine, source_id: int, locations: Sequence[str]) -> list[str]:
    """Forget the documents of a source that are not among these; return where they stood."""
    async with engine.begin() as db:
        rows = (
            await db.execute(
                text("SELECT document_id, location FROM documents WHERE source_id = :source AND location <> ALL(:locations) FOR UPDATE"),
                {"source": source_id, "locations": list(locations)},
            )
        ).all()
        await _remove(db, [row.document_id for row in rows])
    return [row.location for row in rows]


async def remove_document(engine: AsyncEngine, document_id: int) -> str:
    """Forget one document, which stops answering at once; return its title. Raises NotFoundError."""
    async with engine.begin() as db:
        title = (
            await db.execute(text("SELECT title FROM documents WHERE document_id = :id FOR UPDATE"), {"id": document_id})
        ).scalar_one_or_none()
        if title is None:
            raise NotFoundError(f"There is no document {document_id}.")
        await _remove(db, [document_id])
    return title


async def remove_source(engine: AsyncEngine, location: str) -> list[str]:
    """Forget what came from a path or address, or the documents below a path; return their titles. Raises NotFoundError."""
    async with engine.begin() as db:
        rows = (
            await db.execute(
                text("""
                    SELECT document_id, title FROM documents d JOIN sources s USING (source_id)
                     WHERE s.kind IN ('folder', 'file', 'url')
                       AND (s.location = :location OR s.location || '/' || d.location = :location
                            OR starts_with(s.location || '/' || d.location, :location || '/')) FOR UPDATE OF d"""),
                {"location": location},
            )
        ).all()
        await _remove(db, [row.document_id for row in rows])
        sources = await db.execute(
            text("DELETE FROM sources WHERE kind IN ('folder', 'file', 'url') AND location = :location"), {"location": location}
        )
    if not rows and not sources.rowcount:
        raise NotFoundError(f"Nothing was learnt from {location}.")
    return [row.title for row in rows]


# ── an upload, later ──


async def queue_upload(engine: AsyncEngine, files: Files, *, name: str, sha256: str, scope: str, taught_by: int | None = None) -> int:
    """Enter a kept file as a document that waits to be read; return its number. The same bytes again, already learnt, change nothing.

    A file of the same name in the same scope takes the place of the earlier one. Raises NotFoundError when the bytes are not kept.
    """
    size = files.path(sha256).stat().st_size
    async with engine.begin() as db:
        scope_id = await _scope_id(db, scope)
        source_id = await _source_id(db, "upload", "", scope_id)
        row = await db.execute(
            text("""
                INSERT INTO documents AS d (source_id, scope_id, location, title, content_hash, size_bytes, taught_by)
                     VALUES (:source, :scope, :name, :name, :hash, :size, :taught_by)
                ON CONFLICT (source_id, location) DO UPDATE
                   SET content_hash = excluded.content_hash, size_bytes = excluded.size_bytes, process_id = NULL, claimed_at = NULL,
                       taught_by = excluded.taught_by, updated_at = now(), error = NULL, error_kind = NULL,
                       state = CASE WHEN d.state = 'ready' AND d.content_hash = excluded.content_hash THEN 'ready' ELSE 'waiting' END
                RETURNING document_id"""),
            {"source": source_id, "scope": scope_id, "name": name, "hash": bytes.fromhex(sha256), "size": size, "taught_by": taught_by},
        )
        return int(row.scalar_one())


async def read_waiting(engine: AsyncEngine, files: Files, process_id: UUID, limit: int | None = None) -> int:
    """Read and index the documents that wait, until none does or `limit` were read; return how many. Any number of processes may."""
    read = 0
    async with Reader() as reader:
        while (limit is None or read < limit) and (waiting := await _claim(engine, process_id)):
            await _read_claimed(engine, files, reader, process_id, waiting)
            read += 1
    if read:
        await index.tend(engine)
    return read


async def document_state(engine: AsyncEngine, document_id: int) -> DocumentState:
    """Return how far a document is. Raises NotFoundError."""
    async with engine.connect() as db:
        row = (
            await db.execute(
                text("""
                    SELECT document_id, title, state, passage_count AS passages, pages, error, error_kind
                      FROM documents WHERE document_id = :id"""),
                {"id": document_id},
            )
        ).mappings().first()  # fmt: skip
    if not row:
        raise NotFoundError(f"There is no document {document_id}.")
    return DocumentState(**row)


@dataclass(frozen=True, slots=True)
class _Waiting:
    document_id: int
    scope_id: int
    name: str
    content_hash: bytes


async def _claim(engine: AsyncEngine, process_id: UUID) -> _Waiting | None:
    async with engine.begin() as db:
        row = (
            await db.execute(
                text("""
                    UPDATE documents SET state = 'reading', process_id = :me, claimed_at = now() WHERE document_id = (
                        SELECT document_id FROM documents d
                         WHERE state = 'waiting' OR (state = 'reading' AND (claimed_at < now() - make_interval(secs => :longest)
                               OR process_id IS DISTINCT FROM :me AND NOT EXISTS (
                                  SELECT 1 FROM processes p
                                   WHERE p.process_id = d.process_id AND p.seen_at > now() - make_interval(secs => :dead))))
                         ORDER BY document_id LIMIT 1 FOR UPDATE SKIP LOCKED)
                    RETURNING document_id, scope_id, location AS name, content_hash"""),
                {"me": process_id, "dead": _DEAD_SECONDS, "longest": _LONGEST_SECONDS},
            )
        ).mappings().first()  # fmt: skip
    return _Waiting(**row) if row else None


async def _read_claimed(engine: AsyncEngine, files: Files, reader: Reader, process_id: UUID, waiting: _Waiting) -> None:
    """Read one claimed document; what came of it counts only if nobody put other bytes in its place meanwhile."""
    outcome: Read | LoadError
    try:
        outcome = await reader.read(waiting.name, files.path(waiting.content_hash.hex()).read_bytes())
    except NotFoundError:
        outcome = LoadError(f"{waiting.name} is not kept any more; upload it again.", "lost")
    except LoadError as error:
        outcome = error
    async with engine.begin() as db:
        mine = await db.execute(
            text("""
                SELECT 1 FROM documents WHERE document_id = :id AND state = 'reading' AND process_id = :me AND content_hash = :hash
                   FOR UPDATE"""),
            {"id": waiting.document_id, "me": process_id, "hash": waiting.content_hash},
        )
        if not mine.first():
            return
        if isinstance(outcome, LoadError):
            await _fail(db, waiting.document_id, outcome)
            _log.info("document not read", document_id=waiting.document_id, kind=outcome.kind)
        else:
            await _keep(db, waiting.document_id, waiting.scope_id, outcome, fallback=_title(waiting.name))


# ── rows ──


@dataclass(frozen=True, slots=True)
class _Known:
    document_id: int
    passages: int


async def _unchanged(engine: AsyncEngine, source_id: int, location: str, content_hash: bytes) -> _Known | None:
    async with engine.connect() as db:
        row = (
            await db.execute(
                text("""
                    SELECT document_id, passage_count AS passages FROM documents
                     WHERE source_id = :source AND location = :location AND content_hash = :hash AND state = 'ready'"""),
                {"source": source_id, "location": location, "hash": content_hash},
            )
        ).mappings().first()  # fmt: skip
    return _Known(**row) if row else None


async def _document_id(db: AsyncConnection, source_id: int, scope_id: int, location: str, given: Content) -> int:
    """Return the number of a document, locked until the transaction ends."""
    row = await db.execute(
        text("""
            INSERT INTO documents (source_id, scope_id, location, title, url, media_type, content_hash, size_bytes)
                 VALUES (:source, :scope, :location, :title, :url, :media_type, :hash, :size)
            ON CONFLICT (source_id, location) DO UPDATE
               SET url = excluded.url, media_type = excluded.media_type, content_hash = excluded.content_hash,
                   size_bytes = excluded.size_bytes, process_id = NULL, updated_at = now()
            RETURNING document_id"""),
        {
            "source": source_id, "scope": scope_id, "location": location, "title": _title(given.name), "url": given.url,
            "media_type": given.media_type, "hash": sha256(given.content).digest(), "size": len(given.content),
        },
    )  # fmt: skip
    return int(row.scalar_one())


async def _keep(db: AsyncConnection, document_id: int, scope_id: int, read: Read, *, fallback: str, date: datetime | None = None) -> None:
    """Put what was read in the place of what was there."""
    title = read.title or fallback
    await index.delete(db, [document_id])
    await index.add(db, document_id, scope_id, title, read.pieces)
    await db.execute(
        text("""
            UPDATE documents SET state = 'ready', title = :title, language = :language, pages = :pages, passage_count = :passages,
                   document_date = :date, error = NULL, error_kind = NULL, process_id = NULL, updated_at = now()
             WHERE document_id = :id"""),
        {
            "id": document_id, "title": title, "pages": read.pages, "passages": len(read.pieces), "date": read.date or date,
            "language": read.language or language_of(" ".join(piece.text for piece in read.pieces[:3])),
        },
    )  # fmt: skip


async def _fail(db: AsyncConnection, document_id: int, error: LoadError) -> None:
    """Write down why a document cannot be read. What it said before is not what it says now: that stops answering."""
    await index.delete(db, [document_id])
    await db.execute(
        text("""
            UPDATE documents SET state = 'failed', error = :error, error_kind = :kind, passage_count = 0, process_id = NULL,
                   updated_at = now()
             WHERE document_id = :id"""),
        {"id": document_id, "error": str(error), "kind": error.kind},
    )


async def _remove(db: AsyncConnection, document_ids: Sequence[int]) -> None:
    await index.delete(db, document_ids)
    await db.execute(text("DELETE FROM documents WHERE document_id = ANY(:ids)"), {"ids": list(document_ids)})


async def _scope_id(db: AsyncConnection, scope: str) -> int:
    kind, _, rest = scope.partition(":")
    if kind not in SCOPE_KINDS or (kind in ("everyone", "handbook")) == bool(rest):
        raise ConfigError(
            f"There is no scope {scope!r}; use everyone, workspace:slack:T1, channel:slack:C1, person:discord:42 or the like."
        )
    row = await db.execute(
        text("INSERT INTO scopes (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING scope_id"),
        {"name": scope},
    )
    return int(row.scalar_one())


async def _source_id(db: AsyncConnection, kind: str, location: str, scope_id: int) -> int:
    row = await db.execute(
        text("""
            INSERT INTO sources (kind, location, scope_id) VALUES (:kind, :location, :scope)
            ON CONFLICT (kind, location, scope_id) DO UPDATE SET synced_at = now() RETURNING source_id"""),
        {"kind": kind, "location": location, "scope": scope_id},
    )
    return int(row.scalar_one())


def _title(name: str) -> str:
    return PurePosixPath(name).name
