"""A page of the web, fetched so that no address of the own network is ever reached, whatever its spelling, redirect or name server."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePosixPath

import httpx

from knowledge.sources import Content, Item, Origin
from nod import __version__
from nod.errors import LoadError, first_line

MOST_BYTES = 25 * 2**20
MOST_SECONDS = 30
MOST_REDIRECTS = 5
USER_AGENT = f"nod/{__version__}"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "100.64.0.0/10", "198.18.0.0/15", "64:ff9b:1::/48", "2001::/23")))

Address = IPv4Address | IPv6Address
IsAllowed = Callable[[Address], bool]


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open internet, also when another stands inside it (mapped, 6to4, NAT64, Teredo)."""
    if isinstance(address, IPv6Address) and (inner := _inner(address)):
        return all(is_public(one) for one in inner)
    is_special = any(address.version == network.version and address in network for network in _SPECIAL)
    return address.is_global and not address.is_multicast and not address.is_reserved and not is_special


def _inner(address: IPv6Address) -> tuple[IPv4Address, ...]:
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.teredo:
        return address.teredo
    return tuple(inner for inner in (address.ipv4_mapped, address.sixtofour) if inner)


def url(address: str, is_allowed: IsAllowed = is_public) -> Origin:
    """Return one page."""
    return Origin("url", address, (Item(address, partial(fetch, address, is_allowed)),))


@dataclass(frozen=True, slots=True)
class Response:
    """What an address answered, and from where in the end. `is_moved`: it was sent on there for good. Only a 200 has content."""

    address: str
    status: int
    reason: str
    headers: httpx.Headers
    content: bytes = b""
    is_moved: bool = False

    @property
    def media_type(self) -> str:
        """What the server calls it."""
        return self.headers.get("content-type", "")


async def fetch(address: str, is_allowed: IsAllowed = is_public) -> Content:
    """Return what an address holds. Raises LoadError when it is not public, too large, too slow, or says no."""
    async with client() as http:
        response = await get(http, address, is_allowed)
    if response.status != 200:
        raise LoadError(f"{address} answers {response.status} {response.reason}.", refusal_kind(response.status))
    return content_from(response, address)


def client() -> httpx.AsyncClient:
    """Return a client that goes nowhere by itself: no proxy of the environment, no redirect."""
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=10)


async def get(
    http: httpx.AsyncClient, address: str, is_allowed: IsAllowed = is_public, headers: Mapping[str, str] | None = None
) -> Response:
    """Return what an address answers, going along with redirects. Raises LoadError when it is not public, too large or too slow."""
    try:
        async with asyncio.timeout(MOST_SECONDS):
            return await _follow(http, address, is_allowed, headers or {})
    except TimeoutError:
        raise LoadError(f"{address} took longer than {MOST_SECONDS} s.", "unreachable") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LoadError(f"{address} cannot be fetched: {first_line(error)}.", "unreachable") from None


def refusal_kind(status: int) -> str:
    """Return the kind of LoadError that an answer other than 200 is."""
    return {401: "refused", 403: "refused", 404: "missing", 410: "missing"}.get(status, "unreachable")


async def _follow(http: httpx.AsyncClient, address: str, is_allowed: IsAllowed, headers: Mapping[str, str]) -> Response:
    """Fetch, going along with redirects; each hop is looked at as if it were the first."""
    here, moves = httpx.URL(address), list[bool]()
    for _ in range(MOST_REDIRECTS + 1):
        if here.scheme not in ("http", "https") or not here.host:
            raise LoadError(f"{address} is not a web address that can be fetched.", "forbidden_address")
        request = await _request(http, here, is_allowed, headers)
        response = await http.send(request, stream=True)
        try:
            if not response.has_redirect_location:
                content = await _content(response, address) if response.status_code == 200 else b""
                is_moved = bool(moves) and all(moves)
                return Response(str(here), response.status_code, response.reason_phrase, response.headers, content, is_moved)
            moves.append(response.status_code in (301, 308))
            here = here.join(response.headers["location"])
        finally:
            await response.aclose()
    raise LoadError(f"{address} redirects more than {MOST_REDIRECTS} times.", "unreachable")


async def _request(http: httpx.AsyncClient, here: httpx.URL, is_allowed: IsAllowed, headers: Mapping[str, str]) -> httpx.Request:
    """Return the request to the very address that was checked: the name is not resolved a second time."""
    address = await checked_address(here, is_allowed)
    own = {"Host": here.netloc.decode("ascii").rpartition("@")[2], "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    return http.build_request(
        "GET", here.copy_with(host=str(address)), headers={**headers, **own}, extensions={"sni_hostname": here.raw_host.decode("ascii")}
    )


async def checked_address(here: httpx.URL, is_allowed: IsAllowed = is_public) -> Address:
    """Return the one address to connect to for a URL. Raises LoadError when its host has none, or any that is not allowed."""
    host, port = here.raw_host.decode("ascii"), here.port or (443 if here.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise LoadError(f"{here.host} is not known to the name servers.", "unreachable") from None
    addresses = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in found]
    if not addresses or not all(map(is_allowed, addresses)):
        raise LoadError(f"{here.host} is not an address of the open internet; nod does not fetch from there.", "forbidden_address")
    return addresses[0]


async def _content(response: httpx.Response, address: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > MOST_BYTES:
            raise LoadError(f"{address} is larger than {MOST_BYTES // 2**20} MB.", "too_large")
        parts.append(part)
    return b"".join(parts)


def content_from(response: Response, address: str) -> Content:
    """Return a page as a document that opens at an address."""
    here = httpx.URL(response.address)
    name = _named(PurePosixPath(here.path).name or here.host, response.media_type)
    return Content(response.content, name, response.media_type, _date(response.headers.get("last-modified", "")), address)


def _named(name: str, media_type: str) -> str:
    """Return a name which does not contradict the media type: what an address ends in says little about what it holds."""
    return PurePosixPath(name).stem if "html" in media_type and not name.endswith((".html", ".htm")) else name


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except (TypeError, ValueError):
        return None
