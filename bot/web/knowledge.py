"""The knowledge page: which documents nod has read, who may see them, how much they are used; and the ways to add some."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, HTTPException, Query, UploadFile
from fastapi.responses import HTMLResponse

from bot.web.checks import ADMINS, MEMBERS
from bot.web.documents import Listed, Wish, documents, may_teach, scopes_seen, team_scopes, uploads_of
from bot.web.files import keep, scope_of
from bot.web.page import Here, Looking, Visitor, Web
from bot.web.waiting import reviews_waiting
from knowledge.following import in_trouble
from knowledge.gaps import open_gaps
from knowledge.ingest import queue_upload, shared_file
from knowledge.keyless import find_whole, notes
from knowledge.removal import forget_failed
from knowledge.search import Search
from nod.contracts import EVERYONE
from nod.language import clean
from nod.wake import READ

router = APIRouter(prefix="/knowledge", dependencies=MEMBERS)

# The tabs of the page, in order: the last part of the address, which is also the phrase (`knowledge.tab_…`). A tab is a module of its own.
TABS = ("", "sources", "gaps")
FOUND = 5  # passages that a search tried on the page shows


async def tab(web: Web, visitor: Visitor, template: str, here: str, **values: Any) -> HTMLResponse:
    """Return one tab of the page, with the bar of all tabs and what they hold."""
    engine = web.services.engine
    waiting = await reviews_waiting(engine) if visitor.me.may_review else 0
    gaps = len(await open_gaps(engine, await scopes_seen(web, visitor.me), visitor.me.person_id))
    troubled = await in_trouble(engine) if visitor.me.is_admin else 0
    counts = {"gaps": gaps, "sources": troubled}
    return web.page(template, visitor, here="knowledge", tabs=TABS, tab=here, counts=counts, waiting=waiting, **values)


async def _may_teach(web: Web, visitor: Visitor) -> tuple[str, ...]:
    return may_teach(visitor.me, await scopes_seen(web, visitor.me))


async def _listed(web: Web, visitor: Visitor, wish: Wish) -> Listed:
    return await documents(web.services.engine, visitor.me, await scopes_seen(web, visitor.me), wish)


@router.get("")
async def show(web: Here, visitor: Looking, wish: Annotated[Wish, Query()]) -> HTMLResponse:
    """Show the documents which the visitor may see."""
    listed = await _listed(web, visitor, wish)
    return await tab(web, visitor, "knowledge/page.html", "", table=listed, wish=wish, scopes=await _may_teach(web, visitor))


@router.get("/table")
async def look(web: Here, visitor: Looking, wish: Annotated[Wish, Query()]) -> HTMLResponse:
    """Show the table alone, as it is now."""
    return web.page("knowledge/table.html", visitor, table=await _listed(web, visitor, wish), wish=wish)


@router.get("/try")
async def attempt(web: Here, visitor: Looking, q: Annotated[str, "what to search"] = "", *, whole: bool = False) -> HTMLResponse:
    """Show what a search finds here, why it ranks as it does, and who sees it. Unless it is the `whole` question no model is asked."""
    words = clean(q).strip()[:500]
    services, scopes = web.services, await team_scopes(web, visitor.me)
    found = await (find_whole(services, words, scopes, k=FOUND) if whole else Search(services.engine).find(words, scopes, k=FOUND))
    seen_by = await _seen_by(web, [passage.document_id for passage in found.passages])
    said = notes(words, found, visitor.language) if whole else []
    return web.page("knowledge/try.html", visitor, words=words, found=found, seen_by=seen_by, notes=said)


async def _seen_by(web: Web, document_ids: list[int]) -> dict[int, str]:
    return {each.document_id: each.scope for each in await uploads_of(web.services.engine, document_ids)}


# ── uploads ──


@router.post("/files", dependencies=ADMINS)
async def learn(
    files: Annotated[list[UploadFile], File()], web: Here, visitor: Looking, scope: Annotated[str, Form()] = EVERYONE
) -> HTMLResponse:
    """Take files for those who may see them, and have them read."""
    if scope not in await _may_teach(web, visitor):
        raise HTTPException(400, "error.wrong_request")
    ids = [await keep(web, file, scope, visitor.me.person_id) for file in files]
    for document_id in ids:
        await forget_failed(web.services.engine, document_id)
    return web.page("knowledge/uploads.html", visitor, uploads=await uploads_of(web.services.engine, ids))


@router.get("/uploads", dependencies=ADMINS)
async def uploads(web: Here, visitor: Looking, document: Annotated[list[int], Query()]) -> HTMLResponse:
    """Show how far uploaded files are, and at the end how many were learnt."""
    return web.page("knowledge/uploads.html", visitor, uploads=await uploads_of(web.services.engine, document, visitor.me.person_id))


@router.post("/shared", dependencies=ADMINS)
async def share(conversation: Annotated[UUID, Form()], name: Annotated[str, Form()], web: Here, visitor: Looking) -> HTMLResponse:
    """Teach everyone a file that was given in one's own conversation: it was read for that conversation alone until now."""
    services, me = web.services, visitor.me.person_id
    sha256 = await shared_file(services.engine, scope_of(conversation), name, me)
    document_id = await queue_upload(services.engine, services.files, name=name, sha256=sha256, scope=EVERYONE, taught_by=me)
    services.waker.wake(READ)
    return web.page("knowledge/uploads.html", visitor, uploads=await uploads_of(services.engine, [document_id]))
