"""The knowledge page: which documents nod has read, who may see them, and a way to add some."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from fastapi.responses import HTMLResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.web.checks import ADMINS, MEMBERS
from bot.web.files import keep
from bot.web.page import Here, Looking, Web
from bot.web.waiting import reviews_waiting
from knowledge.search import HANDBOOKS
from nod.accounts import Session
from nod.contracts import EVERYONE
from nod.readers import person_alone

router = APIRouter(prefix="/knowledge", dependencies=MEMBERS)

SHOWN = 300


@dataclass(frozen=True, slots=True)
class Document:
    """One line of the table."""

    document_id: int
    title: str
    scope: str
    state: str
    error_kind: str
    error: str
    passages: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Table:
    """The documents that are no handbook, how many that has, and whether anything is still being read."""

    documents: list[Document]
    handbook: int
    is_reading: bool


@router.get("")
async def show(web: Here, visitor: Looking) -> HTMLResponse:
    """Show the documents which the visitor may see."""
    return web.page(
        "knowledge/page.html", visitor, here="knowledge", table=await _table(web, visitor.me),
        waiting=await reviews_waiting(web.services.engine) if visitor.me.may_review else 0,
    )  # fmt: skip


@router.get("/table")
async def look(web: Here, visitor: Looking) -> HTMLResponse:
    """Show the table alone, as it is now."""
    return web.page("knowledge/table.html", visitor, table=await _table(web, visitor.me))


@router.post("/files", dependencies=ADMINS)
async def learn(files: Annotated[list[UploadFile], File()], web: Here, visitor: Looking) -> HTMLResponse:
    """Take files that everyone may see, and have them read."""
    for file in files:
        await keep(web, file, EVERYONE, visitor.me.person_id)
    return web.page("knowledge/table.html", visitor, table=await _table(web, visitor.me))


async def _table(web: Web, session: Session) -> Table:
    scopes = await web.audience(person_alone(session.person), session.person)
    rows = await documents(web.services.engine, (*scopes, *HANDBOOKS))
    own = [row for row in rows if row.scope not in HANDBOOKS]
    return Table(own, len(rows) - len(own), any(row.state in ("waiting", "reading") for row in rows))


async def documents(engine: AsyncEngine, scopes: tuple[str, ...]) -> list[Document]:
    """Return the documents of some scopes, the last changed first."""
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT d.document_id, d.title, s.name AS scope, d.state, coalesce(d.error_kind, '') AS error_kind,
                       coalesce(d.error, '') AS error, d.passage_count AS passages, d.updated_at
                  FROM documents d JOIN scopes s USING (scope_id) WHERE s.name = ANY(:scopes)
                 ORDER BY s.name = ANY(:handbooks), d.updated_at DESC LIMIT :limit"""),
            {"scopes": list(scopes), "handbooks": list(HANDBOOKS), "limit": SHOWN},
        )
        return [Document(**row) for row in rows.mappings()]
