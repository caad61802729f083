"""Where documents come from, on the knowledge page: how each source goes, sync now, one more, another address, taken away and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from bot.web.checks import ADMINS, MEMBERS
from bot.web.documents import may_teach, scopes_seen, team_scopes
from bot.web.knowledge import tab
from bot.web.page import Here, Looking, Visitor, Web
from knowledge.changing import add, checked, readdress
from knowledge.following import Followed, Gathered, Trouble, followed, gathered, source_of, sync_soon, troubles
from knowledge.phrases import span
from knowledge.removal import bring_source_back, take_source_away
from nod.address import is_loopback
from nod.contracts import EVERYONE
from nod.errors import LoadError, NotFoundError
from nod.settings import Settings
from nod.wake import READ

router = APIRouter(prefix="/knowledge/sources", dependencies=MEMBERS)

KINDS = ("site", "git", "folder")


class Wanted(BaseModel):
    """A source that somebody wants to add."""

    kind: Literal["site", "git", "folder"] = "site"
    location: Annotated[str, Field(max_length=2000)] = ""
    scope: str = EVERYONE


@dataclass(frozen=True, slots=True)
class Shown:
    """A source as one visitor sees it: where it is, how it goes in a sentence each, what of it they may know was not read."""

    source: Followed
    name: str
    error: str
    unread: list[str]
    synced: str
    due: str

    @property
    def is_busy(self) -> bool:
        """Whether it changes by itself soon."""
        return self.source.is_syncing or self.source.is_waiting or not (self.source.synced_at or self.source.error)

    @property
    def not_read(self) -> int:
        """How many items could not be read; the first of them are named."""
        return max(self.source.failed, len(self.unread))


@dataclass(frozen=True, slots=True)
class Listing:
    """All that a visitor sees on the tab."""

    sources: list[Shown]
    gathered: list[tuple[Gathered, list[str]]]


def _shown(visitor: Visitor, source: Followed, unread: Sequence[Trouble]) -> Shown:
    """Return a source for a visitor. Where a folder lies on the machine, and what its errors say of that, is for admins."""
    is_told = visitor.me.is_admin or source.kind != "folder"
    name = source.location if is_told else source.location.rpartition("/")[2]
    now = datetime.now(UTC)
    return Shown(
        source,
        name,
        visitor.load_error(name, source.error_kind or "", source.error if is_told else "") if source.error else "",
        _sentences(visitor, unread),
        span((now - source.synced_at).total_seconds(), visitor.language) if source.synced_at else "",
        span((source.due_at - now).total_seconds(), visitor.language),
    )


async def _listing(web: Web, visitor: Visitor) -> Listing:
    engine = web.services.engine
    seen = await team_scopes(web, visitor.me)
    unread = await troubles(engine, seen)
    sources = await followed(engine, None if visitor.me.is_admin else seen)
    rest = [
        (one, [line for id_ in one.source_ids for line in _sentences(visitor, unread.get(id_, []))]) for one in await gathered(engine, seen)
    ]
    return Listing([_shown(visitor, source, unread.get(source.source_id, [])) for source in sources], rest)


def _sentences(visitor: Visitor, unread: Sequence[Trouble]) -> list[str]:
    return [visitor.load_error(one.name, one.kind, one.sentence) for one in unread]


async def _one(web: Web, visitor: Visitor, source_id: int) -> Shown:
    seen = await team_scopes(web, visitor.me)
    for source in await followed(web.services.engine, None if visitor.me.is_admin else seen, source_id):
        return _shown(visitor, source, (await troubles(web.services.engine, seen, source_id)).get(source_id, []))
    raise NotFoundError(f"There is no source {source_id}.")


def may_name_folders(settings: Settings) -> bool:
    """Return whether a folder may be named on the page: only while nobody but this machine's own people can open it.

    Who may name a folder may read every file in it (docs/decisions/0013).
    """
    return not settings.web_url or is_loopback(urlsplit(settings.web_url).hostname or "")


async def _form(web: Web, visitor: Visitor, wanted: Wanted, *, problem: str = "", status: int = 200) -> HTMLResponse:
    values = await _form_values(web, visitor, wanted)
    headers = None if problem else {"HX-Trigger": "nod-learnt"}
    said = "" if problem else visitor.t("sources.added")
    return web.page("knowledge/add_source.html", visitor, status=status, headers=headers, problem=problem, said=said, **values)


async def _form_values(web: Web, visitor: Visitor, wanted: Wanted) -> dict[str, object]:
    kinds = KINDS if may_name_folders(web.services.settings) else KINDS[:2]
    return {"wanted": wanted, "kinds": kinds, "scopes": may_teach(visitor.me, await scopes_seen(web, visitor.me))}


# ── looking ──


@router.get("")
async def show(web: Here, visitor: Looking) -> HTMLResponse:
    """Show the sources which the visitor may see; an admin sees all that stay in step."""
    form = await _form_values(web, visitor, Wanted())
    listing = await _listing(web, visitor)
    return await tab(web, visitor, "knowledge/sources.html", "sources", listing=listing, problem="", said="", **form)


@router.get("/list")
async def look(web: Here, visitor: Looking) -> HTMLResponse:
    """Show the list alone, as it is now."""
    return web.page("knowledge/source_list.html", visitor, listing=await _listing(web, visitor))


@router.get("/{source_id}")
async def look_at(source_id: int, web: Here, visitor: Looking) -> HTMLResponse:
    """Show how one source goes now."""
    return web.page("knowledge/source_now.html", visitor, shown=await _one(web, visitor, source_id))


# ── changing ──


@router.post("", dependencies=ADMINS)
async def add_one(wanted: Annotated[Wanted, Form()], web: Here, visitor: Looking) -> HTMLResponse:
    """Let one more source stay in step; what cannot be followed is said beside what was typed."""
    if wanted.scope not in may_teach(visitor.me, await scopes_seen(web, visitor.me)):
        raise HTTPException(400, "error.wrong_request")
    try:
        location = await checked(wanted.kind, wanted.location, may_be_local=may_name_folders(web.services.settings))
        await add(web.services.engine, wanted.kind, location, wanted.scope)
    except LoadError as error:
        return await _form(web, visitor, wanted, problem=visitor.load_error(wanted.location, error.kind, str(error)), status=422)
    web.services.waker.wake(READ)
    return await _form(web, visitor, Wanted(scope=wanted.scope))


@router.post("/{source_id}/sync", dependencies=ADMINS)
async def sync(source_id: int, web: Here, visitor: Looking) -> HTMLResponse:
    """Have a source looked at now."""
    await sync_soon(web.services.engine, source_id)
    web.services.waker.wake(READ)
    return web.page("knowledge/source.html", visitor, shown=await _one(web, visitor, source_id))


@router.post("/{source_id}/move", dependencies=ADMINS)
async def move(source_id: int, location: Annotated[str, Form(max_length=2000)], web: Here, visitor: Looking) -> HTMLResponse:
    """Give a source another path or address."""
    kind = (await source_of(web.services.engine, source_id)).kind
    try:
        found = await checked(kind, location, may_be_local=may_name_folders(web.services.settings))
        await readdress(web.services.engine, source_id, found)
    except LoadError as error:
        problem = visitor.load_error(location, error.kind, str(error))
        shown = await _one(web, visitor, source_id)
        return web.page("knowledge/source.html", visitor, status=422, shown=shown, move_problem=problem, typed=location)
    web.services.waker.wake(READ)
    return web.page("knowledge/source.html", visitor, shown=await _one(web, visitor, source_id))


@router.post("/{source_id}/remove", dependencies=ADMINS, status_code=204)
async def remove(source_id: int, web: Here, visitor: Looking) -> None:
    """Take a source away: what was learnt from it stops answering at once, and can be brought back for a while."""
    await take_source_away(web.services.engine, source_id, visitor.me.person_id)


@router.post("/{source_id}/restore", dependencies=ADMINS, status_code=204)
async def restore(source_id: int, web: Here, visitor: Looking) -> None:
    """Bring back what the visitor took away."""
    await bring_source_back(web.services.engine, source_id, visitor.me.person_id)
