"""Whether the page lives, nod is ready and how it fares, for whoever watches over it. Strangers learn one word, admins every part."""

import secrets

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from bot.web.metrics import Metrics
from bot.web.page import Here, Web, visitor_of
from nod.health import Check, checks, is_ready
from nod.process import STORE_ERRORS

router = APIRouter()


@router.get("/healthz")
async def lives() -> JSONResponse:
    """Say that the event loop answers; nothing else is looked at, or an outage of Redis would restart everything."""
    return JSONResponse({"alive": True})


@router.get("/readyz")
async def ready(request: Request, web: Here) -> JSONResponse:
    """Say whether questions can be answered; 503 when not."""
    settings = web.services.settings
    found = await checks(web.services.engine, web.services.redis, settings.daily_limit_usd, settings.embedding_model)
    said: dict[str, object] = {"ready": is_ready(found)}
    if await _may_know(request, web):
        said["parts"] = {check.name: _part(check) for check in found}
    return JSONResponse(said, 200 if said["ready"] else 503)


@router.get("/metrics")
async def measured(request: Request, web: Here) -> Response:
    """Say how nod fares, to Prometheus and whoever else sends NOD_METRICS_TOKEN."""
    if not _has_token(request, web):
        return PlainTextResponse("Send NOD_METRICS_TOKEN as a bearer token.\n", 401, {"WWW-Authenticate": "Bearer"})
    metrics: Metrics = request.app.state.metrics
    content, media_type = await metrics.exposition()
    return Response(content, media_type=media_type)


def _part(check: Check) -> dict[str, object]:
    return {"well": check.is_well, "needed": check.is_needed, "detail": check.detail}


async def _may_know(request: Request, web: Web) -> bool:
    """Return whether an admin's session or NOD_METRICS_TOKEN asks."""
    if _has_token(request, web):
        return True
    try:
        visitor = await visitor_of(request)
    except STORE_ERRORS:
        return False
    return visitor.session is not None and visitor.session.is_admin


def _has_token(request: Request, web: Web) -> bool:
    token = web.services.settings.metrics_token
    given = request.headers.get("authorization", "")
    return token is not None and secrets.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode())
