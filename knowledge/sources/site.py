"""The pages of a web site below one address, found from page to page and by its sitemap, as its robots.txt allows.

One page at a time, at least a second apart. A page is gone when the site says so (404, 410, moved for good, not for robots any more);
trouble of any other kind changes nothing. Addresses with a query are followed only from the sitemap: calendars and filters have no end.
"""

import asyncio
import mimetypes
import time
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import httpx
from protego import Protego

from knowledge.loaders import SUFFIXES, named
from knowledge.sources import Content, Item
from knowledge.sources.links import links_from, locations_from
from knowledge.sources.url import USER_AGENT, IsAllowed, Response, client, content_from, get, is_public, refusal_kind
from nod.errors import LoadError
from nod.logs import redact

PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 120.0
MOST_PAGES = 2000
MOST_BYTES = 500 * 2**20
MOST_DEPTH = 10  # links from the first page
MOST_SECONDS = 6 * 3600
MOST_SITEMAPS = 20
MOST_FAILURES = 5  # pages in a row that cannot be had: the site is down
MOST_ROBOTS_BYTES = 500 * 2**10
_LONGEST = 2000
rest = asyncio.sleep


class Site:
    """One walk through a site. What was met on the way (`note`, `skipped`, what is gone) is right after the walk."""

    def __init__(self, location: str, is_allowed: IsAllowed = is_public) -> None:
        self._base = _Base.of(location)
        self.location = self._base.location
        self._is_allowed = is_allowed
        self._queue: deque[tuple[str, int]] = deque([(self._base.location, 0)])
        self._found = {self._base.location}
        self._pointing: set[str] = set()  # pages that want to be known by another address
        self._gone: set[str] = set()
        self._rules = Protego.parse("")
        self._known: Mapping[str, str | None] = {}
        self._is_first = True
        self._bytes = self._failures = self.skipped = self._given = 0
        self.note: str | None = None
        self.stamp: str | None = None

    @property
    def total(self) -> int:
        """How many pages are known so far."""
        return self._given + len(self._queue)

    def gone(self, known: Collection[str]) -> list[str]:
        """Return which pages the site says are no more, and those of another address that it had before."""
        return sorted(address for address in known if address in self._gone or not self._is_ours(address))

    async def walk(self, known: Mapping[str, str | None]) -> AsyncGenerator[Item]:
        """Give page after page. Raises LoadError when the site as a whole cannot be had now."""
        self._known = known
        begun = time.monotonic()
        async with client() as http:
            await self._read_robots(http)
            self._find(sorted(known), 1, may_query=True)
            await self._read_sitemaps(http)
            while self._queue and not self._is_over(begun):
                address, depth = self._queue.popleft()
                if item := await self._item(http, address, depth):
                    self._given += 1
                    yield item
        self.stamp = "walked to its end"

    def _is_over(self, begun: float) -> bool:
        for note, is_met in (
            ("pages", self._given >= MOST_PAGES), ("bytes", self._bytes >= MOST_BYTES), ("time", time.monotonic() - begun > MOST_SECONDS),
        ):  # fmt: skip
            if is_met:
                self.note = note
        return self.note in ("pages", "bytes", "time")

    # ── what the site asks of robots ──

    async def _read_robots(self, http: httpx.AsyncClient) -> None:
        response = await self._get(http, self._base.at("/robots.txt"))
        if response.status >= 500 or response.status == 429:
            raise LoadError(f"{self._base.host} does not give its robots.txt ({response.status}); nod leaves it alone for now.", "robots")
        if response.status == 200:
            self._rules = Protego.parse(response.content[:MOST_ROBOTS_BYTES].decode("utf-8", "replace"))
        if self._pause > LONGEST_PAUSE_SECONDS:
            words = f"{self._base.host} wants {self._pause:.0f} s between two pages (robots.txt), too long to keep it in step."
            raise LoadError(words, "robots_refuse")
        if not self._may(self._base.location):
            raise LoadError(f"{self._base.host} does not want robots to read {self._base.location} (robots.txt).", "robots_refuse")

    async def _read_sitemaps(self, http: httpx.AsyncClient) -> None:
        listed = [address for address in self._rules.sitemaps if self._base.is_same_host(address)] or [self._base.at("/sitemap.xml")]
        waiting, seen = deque(listed), set(listed)
        for _ in range(MOST_SITEMAPS):
            if not waiting:
                return
            try:
                response = await self._get(http, waiting.popleft())
            except LoadError:
                continue  # a sitemap is a help, no more
            locations, is_index = locations_from(response.content)
            if is_index:
                more = [one for one in locations if self._base.is_same_host(one) and one not in seen]
                waiting.extend(more)
                seen.update(more)
            else:
                self._find(locations, 1, may_query=True)

    @property
    def _pause(self) -> float:
        return max(PAUSE_SECONDS, float(self._rules.crawl_delay(USER_AGENT) or 0))

    def _is_ours(self, address: str) -> bool:
        return address in self._found or (self._base.holds(address) and self._base.normal(address, address) == address)

    def _may(self, address: str) -> bool:
        return bool(self._rules.can_fetch(address, USER_AGENT))

    # ── one page ──

    async def _item(self, http: httpx.AsyncClient, address: str, depth: int) -> Item | None:
        """Return what is to be learnt of a page: None when it is none of ours, gone, or not for robots."""
        if not self._may(address):
            self._gone.add(address)
            return None
        stamp = self._known.get(address)
        try:
            response = await self._get(http, address, stamp)
        except LoadError as error:
            return self._failed(address, depth, error)
        if response.status == 304:
            self._failures = 0
            return Item(address, _never, stamp)
        if response.status in (404, 410) and depth:
            self._gone.add(address)
            return None
        if response.status in (429, 503):
            raise LoadError(f"{self._base.host} asks for a pause ({response.status}); nod goes on later.", "pause")
        if response.status != 200:
            words = f"{address} answers {response.status} {response.reason}."
            return self._failed(address, depth, LoadError(words, refusal_kind(response.status)))
        self._failures = 0
        self._bytes += len(response.content)
        return self._page(address, depth, response)

    def _failed(self, address: str, depth: int, error: LoadError) -> Item:
        """Return a page that cannot be had now. Raises LoadError when it is the first one, or one of many in a row."""
        self._failures += error.kind == "unreachable"
        if not depth or self._failures >= MOST_FAILURES:
            raise error

        async def fail() -> Content:
            raise error

        return Item(address, fail)

    def _page(self, address: str, depth: int, response: Response) -> Item | None:
        here = self._base.normal(response.address, response.address) or ""
        if not self._base.holds(here):
            if not depth:
                raise LoadError(f"{address} leads to {here or response.address}; give that address instead.", "leads_elsewhere")
            return self._drop(address, is_gone=response.is_moved)
        if here != address:
            self._drop(address, is_gone=response.is_moved)
            if here in self._found and here not in self._pointing:
                return None
            self._found.add(here)
        if "html" in response.media_type and not self._is_kept(here, depth, response):
            return self._drop(here, is_gone=True)
        if not named(PurePosixPath(here).name if "html" not in response.media_type else "", response.media_type):
            self.skipped += 1
            return None
        content = content_from(response, here)

        async def given() -> Content:
            return content

        return Item(here, given, _stamp(response))

    def _drop(self, address: str, *, is_gone: bool) -> None:
        if is_gone:
            self._gone.add(address)

    def _is_kept(self, here: str, depth: int, response: Response) -> bool:
        """Follow the links of a page; return whether the page itself is to be learnt, and here."""
        links = links_from(response.content)
        base = (self._base.normal(here, links.base) if links.base else None) or here
        self._find((self._base.normal(base, target) for target in links.targets), depth + 1)
        canonical = self._base.normal(here, links.canonical) if links.canonical else None
        if canonical and canonical != here and self._base.holds(canonical) and canonical not in self._pointing:
            self._pointing.add(here)
            self._find([canonical], depth, may_query=True)
            return False
        return links.is_kept and "noindex" not in response.headers.get("x-robots-tag", "").lower()

    def _find(self, addresses: Iterable[str | None], depth: int, *, may_query: bool = False) -> None:
        """Queue what is ours and new."""
        for address in addresses:
            found = self._base.normal(address, address) if address else None
            if not found or found in self._found or not self._base.holds(found) or not _may_hold_text(found):
                continue
            if "?" in found and not may_query:
                continue
            if depth > MOST_DEPTH:
                self.note = "depth"
            elif len(self._queue) < 2 * MOST_PAGES:
                self._found.add(found)
                self._queue.append((found, depth))

    async def _get(self, http: httpx.AsyncClient, address: str, stamp: str | None = None) -> Response:
        """Return an answer, after a pause since the last one."""
        if not self._is_first:
            await rest(self._pause)
        self._is_first = False
        kind, _, value = (stamp or "").partition(":")
        headers = {{"etag": "If-None-Match", "date": "If-Modified-Since"}[kind]: value} if stamp else {}
        return await get(http, address, self._is_allowed, headers)


@dataclass(frozen=True, slots=True)
class _Base:
    """The address below which a site's pages stand."""

    location: str
    url: httpx.URL
    folder: str

    @classmethod
    def of(cls, location: str) -> "_Base":
        try:
            url = httpx.URL(location)
        except httpx.InvalidURL as error:
            raise LoadError(f"{location} is not a web address ({error}).", "forbidden_address") from None
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise LoadError(f"{redact(location)} is not a web address that can be fetched.", "forbidden_address")
        head, _, last = url.path.rpartition("/")
        return cls(str(url.copy_with(fragment=None)), url, f"{head}/" if "." in last or not last else f"{url.path}/")

    @property
    def host(self) -> str:
        return self.url.host

    def at(self, path: str) -> str:
        return str(self.url.copy_with(raw_path=path.encode(), fragment=None))

    def normal(self, here: str, target: str) -> str | None:
        """Return a link as one address for one page; None when it is no page of the web."""
        try:
            url = httpx.URL(here).join(target.strip())
            if url.scheme not in ("http", "https") or url.userinfo or len(target) > _LONGEST:
                return None
            scheme = self.url.scheme if url.port is None and self.url.port is None else url.scheme
            return str(url.copy_with(scheme=scheme, fragment=None))
        except (httpx.InvalidURL, ValueError, TypeError):
            return None

    def is_same_host(self, address: str) -> bool:
        return bool(found := self.normal(self.location, address)) and httpx.URL(found).netloc == self.url.netloc

    def holds(self, address: str) -> bool:
        url = httpx.URL(address)
        return url.netloc == self.url.netloc and (url.path.startswith(self.folder) or f"{url.path}/" == self.folder)


def _may_hold_text(address: str) -> bool:
    """Return whether an address may be that of a document, as far as its ending tells."""
    path = httpx.URL(address).path
    return PurePosixPath(path).suffix.lower() in SUFFIXES or mimetypes.guess_type(path)[0] in (None, "text/html")


def _stamp(response: Response) -> str | None:
    for name, header in (("etag", "etag"), ("date", "last-modified")):
        if (value := response.headers.get(header)) and value.isascii():  # else it could not be sent back
            return f"{name}:{value}"
    return None


async def _never() -> Content:
    raise AssertionError("what did not change is not fetched")
