"""The documents of the knowledge page: the list, one of them with its versions, taking one away and bringing it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.web.checks import MEMBERS
from bot.web.markdown import visible
from bot.web.page import Here, Looking, Web
from bot.web.passages import Told, parts_from
from knowledge.about_nod import HANDBOOKS
from knowledge.documents import ALL_WORKSPACES, is_in_scopes
from knowledge.ingest import read_again
from knowledge.removal import bring_back, take_away
from knowledge.teaching import document_taught, undo, versions
from nod.accounts import Session
from nod.contracts import EVERYONE
from nod.errors import NotFoundError
from nod.readers import person_alone
from nod.wake import READ

router = APIRouter(prefix="/knowledge", dependencies=MEMBERS)

SHOWN = 300
PASSAGES_SHOWN = 100
_SORTS = {
    "title": "lower(title)", "scope": "scope", "passages": "passages", "used": "used", "updated": "updated_at", "state": "state",
}  # fmt: skip
_REMOVABLE = ("upload", "teach", "file", "url")  # what a source keeps in step would come back with its next look

_LISTED = """
    SELECT d.document_id, d.title, d.location, s.name AS scope, o.kind, d.url, d.state, coalesce(d.error_kind, '') AS error_kind,
           coalesce(d.error, '') AS error, d.passage_count AS passages, d.updated_at, d.taught_by, coalesce(p.name, '') AS teacher
      FROM documents d JOIN scopes s USING (scope_id) JOIN sources o USING (source_id) LEFT JOIN persons p ON p.person_id = d.taught_by
     WHERE d.removed_at IS NULL"""
_SEEN = f"({is_in_scopes('s.name')} OR (d.taught_by = :me AND s.name NOT LIKE 'thread:%'))"
_USED = """
    SELECT (source->>'document_id')::bigint AS document_id, count(DISTINCT answer_id) AS used
      FROM answers CROSS JOIN LATERAL jsonb_array_elements(sources) AS source
     WHERE accepted_at > now() - interval '30 days' AND sources <> '[]' GROUP BY 1"""


class Wish(BaseModel):
    """How the list is wanted: which words in titles, in which order."""

    find: str = Field("", max_length=200)
    sort: Literal["title", "scope", "passages", "used", "updated", "state"] = "updated"
    down: bool = True

    def query(self, **changes: object) -> str:
        """Return the query of the address that shows it so, with changes."""
        return urlencode(self.model_copy(update=changes).model_dump(exclude_defaults=True))


@dataclass(frozen=True, slots=True)
class Document:
    """One line of the table. `used`: in how many answers of the last 30 days it is a source."""

    document_id: int
    title: str
    location: str
    scope: str
    kind: str
    url: str | None
    state: str
    error_kind: str
    error: str
    passages: int
    updated_at: datetime
    taught_by: int | None
    teacher: str
    used: int = 0

    @property
    def where(self) -> str:
        """Its name or path in its source, as far as the title does not say it."""
        return "" if self.kind == "teach" or self.location == self.title else visible(self.location)

    def may_be_read_again_by(self, session: Session) -> bool:
        """Return whether somebody may have it read once more: an upload that could not be read. Sources try again by themselves."""
        return self.kind == "upload" and self.state == "failed" and self.may_be_removed_by(session)

    def may_be_removed_by(self, session: Session) -> bool:
        """Return whether somebody may take it away: whoever gave it, or an admin."""
        return self.kind in _REMOVABLE and (session.is_admin or self.taught_by == session.person_id)


@dataclass(frozen=True, slots=True)
class Listed:
    """The documents that are no handbook, how many more there are, how many the handbook has, and whether any is being read."""

    documents: list[Document]
    more: int
    handbook: int
    is_reading: bool


async def scopes_seen(web: Web, session: Session) -> tuple[str, ...]:
    """Return the scopes whose documents and gaps somebody sees now, outside any conversation; an admin those of all workspaces too."""
    own = await web.audience(person_alone(session.person), session.person)
    return (*own, *HANDBOOKS, *((ALL_WORKSPACES,) if session.is_admin else ()))


async def team_scopes(web: Web, session: Session) -> list[str]:
    """Return those of the scopes somebody sees in which the team's own knowledge stands: all but the handbook's."""
    return [scope for scope in await scopes_seen(web, session) if scope not in HANDBOOKS]


def may_teach(session: Session, seen: Sequence[str]) -> tuple[str, ...]:
    """Return the scopes to which somebody who sees these may teach on the page, the widest first."""
    person = session.person
    wanted = (EVERYONE if session.is_admin else "", f"workspace:{person.platform}:{person.workspace}" if person.workspace else "")
    return (*(scope for scope in wanted if scope in seen), f"person:{person.platform}:{person.external_id}")


def _seen(session: Session, scopes: Sequence[str]) -> dict[str, Any]:
    return {"scopes": list(scopes), "me": session.person_id}


async def documents(engine: AsyncEngine, session: Session, scopes: Sequence[str], wish: Wish) -> Listed:
    """Return the documents that somebody may see, as they wish."""
    values = {
        **_seen(session, scopes), "handbooks": list(HANDBOOKS), "find": wish.find.strip().lower(), "most": SHOWN + 1,
    }  # fmt: skip
    order = f"{_SORTS[wish.sort]} {'DESC' if wish.down else 'ASC'}, document_id DESC"
    async with engine.connect() as db:
        rows = await db.execute(
            text(f"""
                WITH used AS ({_USED}), listed AS ({_LISTED} AND {_SEEN} AND s.name <> ALL(:handbooks)
                         AND (:find = '' OR strpos(lower(d.title), :find) > 0))
                SELECT listed.*, coalesce(used.used, 0) AS used, count(*) OVER () AS found FROM listed LEFT JOIN used USING (document_id)
                 ORDER BY {order} LIMIT :most"""),  # noqa: S608  # our own words
            values,
        )
        found = [dict(row) for row in rows.mappings()]
        counts = (
            await db.execute(
                text(f"""
                    SELECT count(*) FILTER (WHERE s.name = ANY(:handbooks)) AS handbook,
                           coalesce(bool_or(d.state IN ('waiting', 'reading')), FALSE) AS is_reading
                      FROM documents d JOIN scopes s USING (scope_id) WHERE d.removed_at IS NULL AND {_SEEN}"""),  # noqa: S608  # our own
                values,
            )
        ).one()
    total = found[0]["found"] if found else 0
    shown = [Document(**{name: value for name, value in row.items() if name != "found"}) for row in found[:SHOWN]]
    return Listed(shown, total - len(shown), counts.handbook, counts.is_reading)


async def uploads_of(engine: AsyncEngine, document_ids: list[int], person_id: int | None = None) -> list[Document]:
    """Return documents by their numbers, in the order of these; with `person_id` those only which this person gave."""
    async with engine.connect() as db:
        rows = await db.execute(
            text(f"""{_LISTED} AND d.document_id = ANY(:ids) AND (CAST(:me AS bigint) IS NULL OR d.taught_by = :me)
                      ORDER BY array_position(:ids, d.document_id)"""),
            {"ids": document_ids, "me": person_id},
        )
        return [Document(**row) for row in rows.mappings()]


async def document_seen(web: Web, session: Session, document_id: int) -> Document:
    """Return a document that somebody may see. Raises NotFoundError."""
    seen = _seen(session, await scopes_seen(web, session))
    async with web.services.engine.connect() as db:
        row = (
            await db.execute(
                text(f"{_LISTED} AND {_SEEN} AND d.document_id = :id"), {**seen, "id": document_id}
            )
        ).mappings().first()  # fmt: skip
    if not row:
        raise NotFoundError(f"There is no document {document_id}.")
    return Document(**row)


# ── one document ──


@router.get("/documents/{document_id}")
async def show(document_id: int, web: Here, visitor: Looking) -> HTMLResponse:
    """Show what a document says, who taught it what and when."""
    engine = web.services.engine
    document = await document_seen(web, visitor.me, document_id)
    async with engine.connect() as db:
        rows = await db.execute(
            text("SELECT heading, page, text FROM passages WHERE document_id = :id ORDER BY ordinal LIMIT :most"),
            {"id": document_id, "most": PASSAGES_SHOWN},
        )
        parts = list(parts_from([Told(row.text, row.heading, row.page) for row in rows], document.title))
    url = document.url if document.url and urlsplit(document.url).scheme in ("http", "https") else None
    return web.page(
        "knowledge/document.html", visitor, here="knowledge", document=document, parts=parts, url=url,
        versions=await versions(engine, document_id),
    )  # fmt: skip


@router.post("/documents/{document_id}/remove", status_code=204)
async def remove(document_id: int, web: Here, visitor: Looking) -> None:
    """Take a document away: it stops answering at once, and can be brought back for a while."""
    document = await document_seen(web, visitor.me, document_id)
    if not document.may_be_removed_by(visitor.me):
        raise HTTPException(403, "error.admins_only")
    async with web.services.engine.begin() as db:
        await take_away(db, document_id, visitor.me.person_id)


@router.post("/documents/{document_id}/read", status_code=204)
async def read_once_more(document_id: int, web: Here, visitor: Looking) -> Response:
    """Have an upload that could not be read read once more; pressed twice, once."""
    document = await document_seen(web, visitor.me, document_id)
    if not document.may_be_removed_by(visitor.me):
        raise HTTPException(403, "error.admins_only")
    await read_again(web.services.engine, document_id)
    web.services.waker.wake(READ)
    return Response(status_code=204, headers={"HX-Trigger": "nod-learnt"})


@router.post("/documents/{document_id}/restore", status_code=204)
async def restore(document_id: int, web: Here, visitor: Looking) -> None:
    """Bring back what the visitor took away."""
    await bring_back(web.services.engine, document_id, visitor.me.person_id)


@router.post("/lessons/{lesson_id}/undo")
async def take_back(lesson_id: int, web: Here, visitor: Looking) -> HTMLResponse:
    """Undo what was taught last, as its teacher or an admin who sees it."""
    engine = web.services.engine
    await document_seen(web, visitor.me, await document_taught(engine, lesson_id))
    undone = await undo(engine, lesson_id, visitor.me.person, is_admin=visitor.me.is_admin)
    said = visitor.t("teach.undone" if undone.is_gone else "teach.undone_before", title=visible(undone.title))
    return web.page("knowledge/taught.html", visitor, said=said, lesson_id=None, headers={"HX-Trigger": "nod-learnt"})
