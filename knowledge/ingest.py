"""Teaches nod documents: reads them in a limited process, keeps their passages and indexes them, one transaction a document.

A document's row is its state. The same bytes again change nothing; other bytes replace all its passages at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge.documents import (
    enter_document,
    keep_passages,
    mark_failed,
    remove_documents,
    scope_id_of,
    source_id_of,
    unchanged,
)
from knowledge.loaded import LeftOut
from knowledge.reading import Read, Reader
from knowledge.sources import Content, Item, Origin
from nod.connect import Alone
from nod.errors import LoadError, NotFoundError
from nod.files import Files
from nod.heartbeat import DEAD_SECONDS
from nod.logs import log

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
    left_out: tuple[LeftOut, ...] = ()


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
                     WHERE kind = 'folder' AND name = :scope AND removed_at IS NULL AND starts_with(:path, location || '/')
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
        scope_id = await scope_id_of(db, scope)
        return await source_id_of(db, origin.kind, origin.location, scope_id), scope_id


async def known_of(engine: AsyncEngine, source_id: int, locations: Sequence[str]) -> int:
    """Return how many of these documents of a source were learnt before, by a run that ended or one that was killed."""
    async with engine.connect() as db:
        row = await db.execute(
            text("SELECT count(*) FROM documents WHERE source_id = :source AND state = 'ready' AND location = ANY(:locations)"),
            {"source": source_id, "locations": list(locations)},
        )
        return int(row.scalar_one())


async def learn(engine: AsyncEngine, reader: Reader, source: tuple[int, int], item: Item) -> Learnt:
    """Learn one item of a source: nothing when its bytes are those already learnt, else its passages replace the old ones.

    What cannot be fetched at all changes nothing; what was fetched and cannot be read does not answer any more.
    """
    source_id, scope_id = source
    try:
        given = await item.fetch()
    except LoadError as error:
        return Learnt(item.location, "failed", error=str(error), error_kind=error.kind)
    if known := await unchanged(engine, source_id, item, given.content_hash):
        return Learnt(item.location, "unchanged", known.document_id, known.passages)
    outcome = await _outcome(reader, given)
    if given.asked and not isinstance(outcome, LoadError):
        pieces = tuple(replace(piece, asked="\n".join(given.asked.get(piece.heading, ()))) for piece in outcome.pieces)
        outcome = replace(outcome, pieces=pieces)
    async with engine.begin() as db:
        document_id = await enter_document(db, source_id, scope_id, item.location, given, item.stamp)
        if isinstance(outcome, LoadError):
            await mark_failed(db, document_id, outcome)
            return Learnt(item.location, "failed", document_id, error=str(outcome), error_kind=outcome.kind)
        await keep_passages(db, document_id, scope_id, outcome, name=given.name, date=given.date)
    await index.merge(engine)
    return Learnt(item.location, "learnt", document_id, len(outcome.pieces), left_out=outcome.left_out)


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
        await remove_documents(db, [row.document_id for row in rows])
    return [row.location for row in rows]


# ── an upload, later ──


async def queue_upload(engine: AsyncEngine, files: Files, *, name: str, sha256: str, scope: str, taught_by: int | None = None) -> int:
    """Enter a kept file as a document that waits to be read; return its number. The same bytes again, already learnt, change nothing.

    A file of the same name in the same scope takes the place of the earlier one. Raises NotFoundError when the bytes are not kept.
    """
    size = files.path(sha256).stat().st_size
    async with engine.begin() as db:
        scope_id = await scope_id_of(db, scope)
        source_id = await source_id_of(db, "upload", "", scope_id)
        row = await db.execute(
            text("""
                INSERT INTO documents AS d (source_id, scope_id, location, title, content_hash, size_bytes, taught_by)
                     VALUES (:source, :scope, :name, :name, :hash, :size, :taught_by)
                ON CONFLICT (source_id, location) DO UPDATE
                   SET content_hash = excluded.content_hash, size_bytes = excluded.size_bytes, process_id = NULL, claimed_at = NULL,
                       taught_by = excluded.taught_by, updated_at = now(), error = NULL, error_kind = NULL,
                       scope_id = excluded.scope_id, removed_at = NULL, removed_scope_id = NULL,
                       state = CASE WHEN d.state = 'ready' AND d.content_hash = excluded.content_hash AND d.removed_at IS NULL
                                    THEN 'ready' ELSE 'waiting' END
                RETURNING document_id"""),
            {"source": source_id, "scope": scope_id, "name": name, "hash": bytes.fromhex(sha256), "size": size, "taught_by": taught_by},
        )
        return int(row.scalar_one())


async def read_again(engine: AsyncEngine, document_id: int) -> None:
    """Let an uploaded file that could not be read wait once more: what failed it, such as a missing program, may be mended by now."""
    await Alone(engine).run(
        """
        UPDATE documents d SET state = 'waiting', process_id = NULL, claimed_at = NULL, error = NULL, error_kind = NULL, updated_at = now()
          FROM sources o WHERE o.source_id = d.source_id AND o.kind = 'upload' AND d.document_id = :id
           AND d.state = 'failed' AND d.removed_at IS NULL""",
        id=document_id,
    )


async def shared_file(engine: AsyncEngine, scope: str, name: str, person_id: int) -> str:
    """Return the hash of a file that somebody gave to a conversation. Raises NotFoundError for one that is not theirs."""
    async with engine.connect() as db:
        row = await db.execute(
            text("""
                SELECT encode(content_hash, 'hex') FROM documents JOIN scopes USING (scope_id)
                 WHERE scopes.name = :scope AND location = :name AND taught_by = :person"""),
            {"scope": scope, "name": name, "person": person_id},
        )
        if sha256 := row.scalar_one_or_none():
            return str(sha256)
    raise NotFoundError(f"There is no file {name} in this conversation.")


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
                {"me": process_id, "dead": DEAD_SECONDS, "longest": _LONGEST_SECONDS},
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
            await mark_failed(db, waiting.document_id, outcome)
            _log.info("document not read", document_id=waiting.document_id, kind=outcome.kind)
        else:
            await keep_passages(db, waiting.document_id, waiting.scope_id, outcome, name=waiting.name)
