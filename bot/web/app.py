"""The web application: its pages, what stands before them, and what a visitor sees when something goes wrong."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException as StarletteHTTPException

from bot.web import chat, dead, documents, files, gaps, health, knowledge, origins, review, signin, sources, turns
from bot.web.guard import PROBES, Guard
from bot.web.metrics import Metrics
from bot.web.page import FOLDER, PHRASES, Visitor, Web, is_fragment, language_for, visitor_of, web_of
from nod.errors import NodError, NotFoundError, first_line
from nod.logs import log
from nod.process import STORE_ERRORS, Services

_log = log(__name__)
Answering = Callable[[Request, Exception], Awaitable[Response]]


def app_from(services: Services) -> FastAPI:
    """Return the application on these services."""
    app = FastAPI(title="nod", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.web = Web(services)
    app.state.metrics = Metrics(services.engine)
    for page in (health, signin, sources, turns, files, chat, review, knowledge, documents, gaps, origins, dead):
        app.include_router(page.router)
    app.mount("/static/{version}", StaticFiles(directory=FOLDER / "static"), name="static")
    for kind in (StarletteHTTPException, HTTPException):
        app.add_exception_handler(kind, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_wrong_words)
    app.add_exception_handler(NotFoundError, _on_missing)
    app.add_exception_handler(NodError, _on_clear_error)
    for kind in (*STORE_ERRORS, RedisError):
        app.add_exception_handler(kind, _on_outage)
    app.add_exception_handler(Exception, _on_bug)
    app.add_middleware(Guard, settings=services.settings)
    return app


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException), "registered for it"
    key = error.detail if PHRASES.has(str(error.detail)) else _KEYS.get(error.status_code, "error.wrong_request")
    return await _say(request, error.status_code, key)


_KEYS = {404: "error.not_found", 405: "error.wrong_request", 413: "error.too_large"}


async def _on_wrong_words(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for it"
    is_too_long = any(wrong.get("type") == "string_too_long" for wrong in error.errors())
    is_address = any(wrong.get("loc", ("",))[0] == "path" for wrong in error.errors())
    if is_address:
        return await _say(request, 404, "error.not_found")
    return await _say(request, 400, "error.too_long" if is_too_long else "error.wrong_request")


async def _on_missing(request: Request, error: Exception) -> Response:
    del error  # what exactly is missing is nobody's business who may not see it
    return await _say(request, 404, "error.not_found")


async def _on_clear_error(request: Request, error: Exception) -> Response:
    _log.warning("request failed", path=request.scope.get("route", "") and request.scope["route"].path, error=str(error))
    return await _say(request, 503, "error.unavailable")


async def _on_outage(request: Request, error: Exception) -> Response:
    _log.warning("the record does not answer", error=first_line(error))
    return await _say(request, 503, "error.unavailable")


async def _on_bug(request: Request, error: Exception) -> Response:
    _log.error("request broke", error=repr(error), exc_info=error)
    return await _say(request, 500, "error.internal")


async def _say(request: Request, status: int, key: str) -> Response:
    """Return a sentence: as a page to a person who opened an address, as plain text to a script of ours."""
    language = language_for(request)
    headers = {"Retry-After": "2"} if status == 503 else None
    if request.url.path in PROBES:
        return JSONResponse({"ready": False}, status)
    if is_fragment(request) or request.method != "GET":
        return PlainTextResponse(PHRASES.say(key, language), status, headers)
    template = "signin/stranger.html" if status == 401 else "error.html"
    visitor = await _visitor(request)
    page = web_of(request).page(template, visitor, status=status, sentence=PHRASES.say(key, visitor.language))
    page.headers.update(headers or {})
    return page


async def _visitor(request: Request) -> Visitor:
    """Return who sees the error; when even that cannot be asked, a stranger with the browser's language."""
    try:
        return await visitor_of(request)
    except (*STORE_ERRORS, NodError):
        return Visitor.stranger(language_for(request))
