"""What every request passes before a page sees it: the right host, our own origin, a session's CSRF token, a bounded body.

Behind a proxy set NOD_WEB_URL to the address that people open: cookies, links and the checks here follow it. The proxy must
hand on the Host header (nginx: `proxy_set_header Host $host`) and must not buffer event streams (`X-Accel-Buffering: no` is sent).
No forwarded header is believed.
"""

from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nod.settings import Settings

MOST_BODY_BYTES = 1_000_000
MOST_FILE_BYTES = 25 * 1024 * 1024
_ENVELOPE_BYTES = 64 * 1024  # what multipart adds to a file
_SAFE = {"GET", "HEAD", "OPTIONS"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PROBES = {"/healthz", "/readyz", "/metrics"}  # asked by address, from anywhere
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # not `no-referrer`: with it browsers send `Origin: null` with our own forms
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Refuses what no page of ours can have sent, and adds the headers that bind the browser."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = _LOOPBACK | ({urlsplit(settings.web_url).hostname or ""} if settings.web_url else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refusal:
            await refusal(scope, receive, _bound(send, scope["path"]))
            return
        await self._app(scope, _limited(receive, _most_bytes(scope["path"])), _bound(send, scope["path"]))

    def _refusal(self, method: str, path: str, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if path not in PROBES and _hostname(host) not in self._hosts:
            return PlainTextResponse("This address is not nod's. Open the one of NOD_WEB_URL.", 421)
        if method in _SAFE:
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return PlainTextResponse("This was sent from another page.", 403)
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("This was sent from another page.", 403)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _most_bytes(path):
            return PlainTextResponse("Too large.", 413)
        return None


def _hostname(host: str) -> str:
    return urlsplit(f"//{host}").hostname or "" if host.isascii() and "@" not in host and "/" not in host else ""


def _most_bytes(path: str) -> int:
    return MOST_FILE_BYTES + _ENVELOPE_BYTES if path.endswith("/files") else MOST_BODY_BYTES


def _limited(receive: Receive, most: int) -> Receive:
    """Return a `receive` that refuses a body longer than it may be, also one that named no length."""
    seen = 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413)
        return message

    return receiving


def _bound(send: Send, path: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "public, max-age=31536000, immutable" if path.startswith("/static/") else "no-store")
        await send(message)

    return sending
