"""Files dropped on the page: kept by their hash, queued for reading, shown with how far that is."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, HTTPException, UploadFile
from fastapi.responses import HTMLResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.web.checks import MEMBERS
from bot.web.conversations import CHANNEL, find
from bot.web.guard import MOST_FILE_BYTES
from bot.web.page import Here, Looking, Web
from knowledge.ingest import queue_upload
from nod.contracts import FileRef
from nod.errors import NotFoundError
from nod.language import clean
from nod.wake import READ

router = APIRouter(prefix="/chat/{conversation}/files", dependencies=MEMBERS)


@dataclass(frozen=True, slots=True)
class Chip:
    """A file beside the question box: how far reading it is, and why it failed."""

    document_id: int
    name: str
    state: str
    error_kind: str = ""
    error: str = ""
    passages: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("ready", "failed")


def scope_of(conversation: UUID) -> str:
    """Return the scope of files dropped into a conversation: it alone reads them."""
    return f"thread:web:{CHANNEL}:{conversation}"


@router.post("")
async def drop(conversation: UUID, file: Annotated[UploadFile, File()], web: Here, visitor: Looking) -> HTMLResponse:
    """Take a file for this conversation only, and have it read."""
    await find(web.services.engine, conversation, visitor.me.person_id)
    document_id = await keep(web, file, scope_of(conversation), visitor.me.person_id)
    (chip,) = await _chips(web.services.engine, scope_of(conversation), [document_id])
    return web.page("chat/chip.html", visitor, chip=chip, conversation=conversation)


@router.get("/{document_id}")
async def look(conversation: UUID, document_id: int, web: Here, visitor: Looking) -> HTMLResponse:
    """Show how far a file is."""
    await find(web.services.engine, conversation, visitor.me.person_id)
    chips = await _chips(web.services.engine, scope_of(conversation), [document_id])
    if not chips:
        raise NotFoundError(f"There is no file {document_id} here.")
    return web.page("chat/chip.html", visitor, chip=chips[0], conversation=conversation)


async def keep(web: Web, file: UploadFile, scope: str, person_id: int) -> int:
    """Keep an uploaded file's bytes and queue it for reading; return its document. Raises HTTPException when it is too large or empty."""
    content = await file.read(MOST_FILE_BYTES + 1)
    if len(content) > MOST_FILE_BYTES:
        raise HTTPException(413, "error.too_large")
    if not content:
        raise HTTPException(400, "error.empty_file")
    services = web.services
    name = clean(file.filename or "").replace("\\", "/").rpartition("/")[2].strip()[:200] or "file"
    sha256 = services.files.keep(content)
    document_id = await queue_upload(services.engine, services.files, name=name, sha256=sha256, scope=scope, taught_by=person_id)
    services.waker.wake(READ)
    return document_id


async def files_of(engine: AsyncEngine, conversation: UUID, document_ids: list[int]) -> tuple[FileRef, ...]:
    """Return the files given with a question, as far as they were dropped into this very conversation."""
    if not document_ids:
        return ()
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT d.location, d.media_type, d.size_bytes, encode(d.content_hash, 'hex') AS sha256
                  FROM documents d JOIN scopes s USING (scope_id)
                 WHERE d.document_id = ANY(:ids) AND s.name = :scope ORDER BY d.document_id"""),
            {"ids": document_ids, "scope": scope_of(conversation)},
        )
        return tuple(
            FileRef(
                name=row.location, media_type=row.media_type or "application/octet-stream", size_bytes=row.size_bytes, sha256=row.sha256
            )
            for row in rows
        )


async def _chips(engine: AsyncEngine, scope: str, document_ids: list[int]) -> list[Chip]:
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT d.document_id, d.location, d.state, coalesce(d.error_kind, '') AS error_kind,
                       coalesce(d.error, '') AS error, d.passage_count
                  FROM documents d JOIN scopes s USING (scope_id) WHERE d.document_id = ANY(:ids) AND s.name = :scope
                 ORDER BY d.document_id"""),
            {"ids": document_ids, "scope": scope},
        )
        return [Chip(row.document_id, row.location, row.state, row.error_kind, row.error, row.passage_count) for row in rows]
