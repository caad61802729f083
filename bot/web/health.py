"""Whether the page lives and is ready, for whoever watches over it."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

router = APIRouter()


@router.get("/healthz")
async def lives() -> JSONResponse:
    """Say that the event loop answers; nothing else is looked at, or an outage of Redis would restart everything."""
    return JSONResponse({"alive": True})
