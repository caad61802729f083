"""What every page works with: the services, who visits, in which language, and how a template becomes an answer."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.faces import PHRASES as SHARED
from bot.faces import marked, source_line
from knowledge.loaders import SUFFIXES
from knowledge.phrases import why_not
from nod.accounts import Session, session_of
from nod.contracts import Person, Place, Source
from nod.language import Language, Phrases, language_from
from nod.process import Services
from nod.program import typed
from nod.readers import readers_of

FOLDER = Path(__file__).parent
SESSION_COOKIE = "nod_session"
LANGUAGE_COOKIE = "nod_language"
ZONE_COOKIE = "nod_zone"

PHRASES = Phrases(FOLDER / "phrases")


class Web:
    """The page's services and templates; one per process, kept in `app.state.web`."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update(
            {"static": self.static, "icon": icon, "marked": marked, "nod": typed, "accepted": ",".join(sorted(SUFFIXES))}  # pyright: ignore[reportCallIssue,reportArgumentType]  # Jinja names only its own globals' types
        )

    async def audience(self, place: Place, person: Person) -> tuple[str, ...]:
        """Return the scopes which may be shown to somebody who reads a place now."""
        return place.audience(person, await readers_of(self.services.redis, self.services.follower, place, person))

    @cached_property
    def _version(self) -> str:
        content = b"".join(file.read_bytes() for file in sorted((FOLDER / "static").iterdir()) if file.is_file())
        return hashlib.sha256(content).hexdigest()[:10]

    def static(self, name: str) -> str:
        """Return the address of a static file. The version stands in the folder, so that modules find each other in the same one."""
        return f"/static/{self._version}/{name}"

    def html(self, template: str, visitor: "Visitor", **values: object) -> Markup:
        """Return a template filled in, in the visitor's language."""
        filled = self._templates.get_template(template).render(
            {"here": "", "waiting": 0, **values}, t=visitor.t, visitor=visitor, session=visitor.session, language=visitor.language
        )
        return Markup(filled)  # noqa: S704  # made by our templates, which escape what they are given

    def page(
        self, template: str, visitor: "Visitor", /, *, status: int = 200, headers: dict[str, str] | None = None, **values: object
    ) -> HTMLResponse:
        """Return a template as an answer to the browser."""
        return HTMLResponse(self.html(template, visitor, **values), status, headers)


_ICONS = {
    "chat": "M4 5h16v11H9l-5 4z",
    "review": "M5 12l4 4 10-10",
    "book": "M5 4h9a4 4 0 0 1 4 4v12H9a4 4 0 0 1-4-4zM5 16a4 4 0 0 1 4-4h9",
    "pen": "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
    "list": "M4 6h16M4 12h16M4 18h10",
    "clip": "M8 12l6-6a3.5 3.5 0 0 1 5 5l-8 8a5 5 0 0 1-7-7l8-8",
    "up": "M12 19V6M6 11l6-6 6 6",
    "good": "M7 11v9H4v-9zM7 11l4-8a2.5 2.5 0 0 1 2.5 2.5V9H19a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.8 20H7",
    "bad": "M17 13V4h3v9zM17 13l-4 8a2.5 2.5 0 0 1-2.5-2.5V15H5a2 2 0 0 1-2-2.3l1.2-7A2 2 0 0 1 6.2 4H17",
}


def icon(name: str) -> Markup:
    """Return a small drawing for beside a word."""
    return Markup('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>').format(_ICONS[name])


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks: a session, or None for a stranger, with language and time zone."""

    session: Session | None
    language: Language
    zone: ZoneInfo

    @property
    def me(self) -> Session:
        """The visitor's session, on pages that only a signed-in person reaches."""
        assert self.session is not None, "the page's router asks for a session"
        return self.session

    @classmethod
    def stranger(cls, language: Language) -> "Visitor":
        """Return a visitor of whom nothing is known but the language."""
        return cls(None, language, ZoneInfo("UTC"))

    def t(self, key: str, **values: object) -> str:
        """Return a phrase of the page, else one that all platforms share."""
        return (PHRASES if PHRASES.has(key) else SHARED).say(key, self.language, **values)

    def count(self, key: str, n: int, **values: object) -> str:
        """Return a phrase with a number in it; where a language has a singular, its phrase is `<key>_one`."""
        one = f"{key}_one"
        return self.t(one if n == 1 and (PHRASES.has(one) or SHARED.has(one)) else key, n=n, **values)

    def source_line(self, source: Source) -> str:
        """Return a source as people read it, without its number."""
        return source_line(source, self.language)

    def load_error(self, name: str, kind: str, sentence: str) -> str:
        """Return why a document could not be read."""
        return why_not(name, kind, self.language, sentence)

    def clock(self, at: datetime) -> str:
        """Return a time of day as the visitor's clock shows it; with the date when that is not today."""
        here, now = at.astimezone(self.zone), datetime.now(self.zone)
        if here.date() == now.date():
            return f"{here:%H:%M}"
        return f"{here:%Y-%m-%d %H:%M}"

    def day(self, at: datetime) -> str:
        """Return the day of a time: today, yesterday, or its date."""
        days = (datetime.now(self.zone).date() - at.astimezone(self.zone).date()).days
        if days <= 0:
            return self.t("day.today")
        return self.t("day.yesterday") if days == 1 else f"{at.astimezone(self.zone):%Y-%m-%d}"


def web_of(request: Request) -> Web:
    """Return the page's services."""
    web: Web = request.app.state.web
    return web


async def visitor_of(request: Request) -> Visitor:
    """Return who asks for a page: a stranger is one too."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known:
        return known
    services = web_of(request).services
    session = await session_of(services.engine, services.settings, request.cookies.get(SESSION_COOKIE, ""))
    visitor = Visitor(session, language_for(request, session), _zone(request.cookies.get(ZONE_COOKIE, "")))
    request.state.visitor = visitor
    return visitor


def language_for(request: Request, session: Session | None = None) -> Language:
    """Return a visitor's language: chosen on the page, else the account's, else the browser's, else NOD_LANGUAGE."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    accepted = request.headers.get("accept-language", "").split(",")
    return language_from(chosen, session.language if session else None, *_spoken(accepted), web_of(request).services.settings.language)


def _spoken(accepted: list[str]) -> list[str]:
    return [tag.strip() for tag in accepted if tag.strip()[:2].lower() in ("ko", "en")]


_ZONES = available_timezones()


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name) if name in _ZONES else ZoneInfo("UTC")


Looking = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Web, Depends(web_of)]


def is_fragment(request: Request) -> bool:
    """Return whether a script asks, which wants a sentence or a piece, not a page."""
    return "hx-request" in request.headers or request.headers.get("sec-fetch-dest") == "empty"
