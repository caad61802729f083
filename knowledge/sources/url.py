"""A page of the web, fetched so that no address of the own network is ever reached, whatever its spelling, redirect or name server."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePosixPath

import httpx

from knowledge.sources import Content, Item, Origin
from nod.errors import LoadError

MOST_BYTES = 25 * 2**20
MOST_SECONDS = 30
MOST_REDIRECTS = 5
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


async def fetch(address: str, is_allowed: IsAllowed = is_public) -> Content:
    """Return what an address holds. Raises LoadError when it is not public, too large, too slow, or says no."""
    try:
        async with asyncio.timeout(MOST_SECONDS), httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=10) as client:
            return await _follow(client, address, is_allowed)
    except TimeoutError:
        raise LoadError(f"{address} took longer than {MOST_SECONDS} s.", "unreachable") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LoadError(f"{address} cannot be fetched: {str(error) or type(error).__name__}.", "unreachable") from None


async def _follow(client: httpx.AsyncClient, address: str, is_allowed: IsAllowed) -> Content:
    """Fetch, going along with redirects; each hop is looked at as if it were the first."""
    here = httpx.URL(address)
    for _ in range(MOST_REDIRECTS + 1):
        if here.scheme not in ("http", "https") or not here.host:
            raise LoadError(f"{address} is not a web address that can be fetched.", "forbidden_address")
        request = await _request(client, here, is_allowed)
        response = await client.send(request, stream=True)
        try:
            if not response.is_redirect:
                return await _content(response, address, here)
            here = here.join(response.headers["location"])
        finally:
            await response.aclose()
    raise LoadError(f"{address} redirects more than {MOST_REDIRECTS} times.", "unreachable")


async def _request(client: httpx.AsyncClient, here: httpx.URL, is_allowed: IsAllowed) -> httpx.Request:
    """Return the request to the very address that was checked: the name is not resolved a second time."""
    host, port = here.raw_host.decode("ascii"), here.port or (443 if here.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise LoadError(f"{here.host} is not known to the name servers.", "unreachable") from None
    addresses = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in found]
    if not addresses or not all(map(is_allowed, addresses)):
        raise LoadError(f"{here.host} is not an address of the open internet; nod does not fetch from there.", "forbidden_address")
    return client.build_request(
        "GET",
        here.copy_with(host=str(addresses[0])),
        headers={"Host": here.netloc.decode("ascii").rpartition("@")[2], "User-Agent": "nod", "Accept-Encoding": "identity"},
        extensions={"sni_hostname": host},
    )


async def _content(response: httpx.Response, address: str, here: httpx.URL) -> Content:
    if response.status_code != 200:
        raise LoadError(f"{address} answers {response.status_code} {response.reason_phrase}.", "unreachable")
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > MOST_BYTES:
            raise LoadError(f"{address} is larger than {MOST_BYTES // 2**20} MB.", "too_large")
        parts.append(part)
    name = PurePosixPath(here.path).name or here.host
    media_type = response.headers.get("content-type", "")
    return Content(b"".join(parts), _named(name, media_type), media_type, _date(response.headers.get("last-modified", "")), address)


def _named(name: str, media_type: str) -> str:
    """Return a name which does not contradict the media type: what an address ends in says little about what it holds."""
    return PurePosixPath(name).stem if "html" in media_type and not name.endswith((".html", ".htm")) else name


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except (TypeError, ValueError):
        return None
