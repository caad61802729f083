"""A web site on loopback: pages that a test puts there, takes away or breaks, and a note of who asked for what."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Page:
    """What a path answers."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class FakeSite:
    """Answers a path with the page that lies there; one with an ETag answers 304 to whoever has it."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.visits: list[tuple[str, int]] = []
        self.agents: set[str] = set()
        self.address = ""

    def holds(self, path: str, body: str | bytes = "", status: int = 200, media_type: str = "text/html", **headers: str) -> None:
        """Put a page there, or another in its place; `etag`, `location` and the like become headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Page(body.encode() if isinstance(body, str) else body, status, {"Content-Type": media_type, **named})

    def links(self, path: str, *targets: str, head: str = "", text: str = "", **headers: str) -> None:
        """Put a page there with links, and a line by which it is found."""
        links = "".join(f'<a href="{target}">다음</a>' for target in targets)
        self.holds(
            path, f"<html><head><title>{path}</title>{head}</head><body><p>{text or path} 쪽이에요.</p>{links}</body></html>", **headers
        )

    async def answer(self, request: web.Request) -> web.Response:
        page = self.pages.get(request.path_qs, Page(b"", 404))
        if (etag := page.headers.get("etag")) and request.headers.get("If-None-Match") == etag:
            page = Page(b"", 304, {"etag": etag})
        self.visits.append((request.path_qs, page.status))
        self.agents.add(request.headers.get("User-Agent", ""))
        return web.Response(body=page.body, status=page.status, headers=page.headers)

    def paths(self) -> list[str]:
        """Which pages were asked for since the last time, robots.txt and sitemaps aside."""
        seen, self.visits = [path for path, _ in self.visits if not path.endswith((".txt", ".xml", ".gz"))], []
        return seen


@asynccontextmanager
async def standing() -> AsyncGenerator[FakeSite]:
    """Give a site that answers."""
    site = FakeSite()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()
