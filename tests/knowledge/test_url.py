"""No address of the own network is ever reached: not by its spelling, not by a redirect, not by a name server that changes its mind."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from knowledge.sources import url as fetching
from knowledge.sources.url import Address, fetch, is_public
from nod.errors import LoadError

PAGE = "<html><head><title>공지</title></head><body><p>연차 규정이 바뀌었어요.</p></body></html>"


def loopback(address: Address) -> bool:
    """Stands for "public" in tests: nothing leaves this machine."""
    return address.is_loopback


class Site:
    """A web server on loopback that counts who came."""

    def __init__(self) -> None:
        self.visits: list[tuple[str, str]] = []
        self.address = ""
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.visits.append((request.host, request.path))
        return await getattr(self, f"_{request.path.strip('/').partition('/')[0]}")(request)

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html", headers={"Last-Modified": "Mon, 02 Mar 2026 09:00:00 GMT"})

    async def _to(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(request.query["where"])

    async def _round(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(f"/round/{len(self.visits)}")

    async def _gone(self, _: web.Request) -> web.Response:
        return web.Response(status=410)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    made.port = runner.addresses[0][1]
    made.address = f"http://127.0.0.1:{made.port}"
    yield made
    await runner.cleanup()


async def refusal(address: str, is_allowed: Callable[[Address], bool] = is_public) -> tuple[str, str]:
    with pytest.raises(LoadError) as refused:
        await fetch(address, is_allowed)
    return refused.value.kind, str(refused.value)


SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "localhost", "LOCALHOST.",
    "１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "127｡0｡0｡1", "169.254.169.254", "2852039166", "0xa9fea9fe",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]",
    "[2001:0:a9fe:a9fe::]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "user:password@127.0.0.1", "127.0.0.1%00.example.com",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_of_an_inner_address_is_fetched(spelling: str, site: Site):
    kind, _ = await refusal(f"http://{spelling}:{site.port}/page")
    assert kind in ("forbidden_address", "unreachable")  # unreachable: no address at all by this system's name service
    assert not site.visits


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.com/a", "gopher://127.0.0.1", "http:///x", "javascript:alert(1)"])
async def test_only_web_addresses_are_fetched(address: str):
    assert (await refusal(address))[0] in ("forbidden_address", "unreachable")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True), ("223.130.195.200", True), ("2606:4700::1111", True), ("::ffff:1.1.1.1", True), ("64:ff9b::101:101", True),
        ("10.1.2.3", False), ("64:ff9b::a00:1", False), ("2002:a00:1::", False), ("::ffff:10.0.0.1", False), ("224.0.0.1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool):
    assert is_public(ipaddress.ip_address(address)) is public


async def test_a_page_comes_with_its_name_date_and_address(site: Site):
    content = await fetch(f"{site.address}/page/notice.html", loopback)
    assert (content.name, content.url, content.content.decode()) == ("notice.html", f"{site.address}/page/notice.html", PAGE)
    assert content.date is not None
    assert content.date.isoformat() == "2026-03-02T09:00:00+00:00"
    assert site.visits == [(f"127.0.0.1:{site.port}", "/page/notice.html")]


async def test_a_page_whose_address_ends_like_another_kind_of_file_is_still_a_page(site: Site):
    content = await fetch(f"{site.address}/page/v1.2", loopback)
    assert (content.name, content.media_type.partition(";")[0]) == ("v1", "text/html")


async def test_every_redirect_is_looked_at(site: Site):
    def only_this(address: Address) -> bool:
        return str(address) == "127.0.0.1"

    kind, sentence = await refusal(f"{site.address}/to?where=http://127.0.0.2:{site.port}/page", only_this)
    assert (kind, sentence) == ("forbidden_address", "127.0.0.2 is not an address of the open internet; nod does not fetch from there.")
    assert [path for _, path in site.visits] == ["/to"]
    assert (await refusal(f"{site.address}/to?where=file:///etc/passwd", loopback))[0] == "forbidden_address"
    assert (await fetch(f"{site.address}/to?where=/page", loopback)).content.decode() == PAGE


async def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(site: Site, monkeypatch: pytest.MonkeyPatch):
    """A name server that says one thing to whoever checks and another to whoever connects is asked one time only."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def changing(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "rebinding.example":
            return resolve(host, *args, **kwargs)
        asked.append(host)
        return resolve("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    await fetch(f"http://rebinding.example:{site.port}/page", lambda address: str(address) == "127.0.0.1")
    assert asked == ["rebinding.example"]
    assert site.visits == [(f"rebinding.example:{site.port}", "/page")]


async def test_a_name_with_one_inner_address_among_public_ones_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, site.port)) for address in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert (await refusal(f"http://mixed.example:{site.port}/page"))[0] == "forbidden_address"
    assert not site.visits


async def test_a_certificate_is_checked_for_the_name_and_not_for_the_address(monkeypatch: pytest.MonkeyPatch):
    names: list[str] = []
    wrap = ssl.SSLContext.wrap_bio

    def noted(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
        names.append(kwargs["server_hostname"])
        return wrap(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", noted)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await refusal(f"https://localhost:{port}/", loopback))[0] == "unreachable"
    assert names in (["localhost"], [b"localhost"])


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("round", "redirects more than 5 times."), ("gone", "answers 410 Gone."), ("endless", "is larger than 1 MB.")],
)
async def test_what_does_not_end_well_says_how(site: Site, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str):
    monkeypatch.setattr(fetching, "MOST_BYTES", 2**20)
    assert (await refusal(f"{site.address}/{path}", loopback))[1] == f"{site.address}/{path} {sentence}"


async def test_no_proxy_of_the_environment_is_used(site: Site, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await fetch(f"{site.address}/page", loopback)).content.decode() == PAGE
