"""The web page's process: listens, serves, and on SIGTERM lets what is under way end; open streams are told to come back."""

import asyncio
import contextlib
from collections.abc import Generator

import uvicorn

from bot.web.app import app_from
from nod.address import check_openness, free_port
from nod.logs import log
from nod.process import Services, running
from nod.settings import Settings

DRAIN_SECONDS = 10

_log = log(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its own signals: `Services.ending` says when to go."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(settings: Settings) -> None:
    """Serve the page until the process is told to end.

    Raises ConfigError when the address is open to a network without NOD_WEB_URL, or the port is taken.
    """
    check_openness(settings)
    port = free_port(settings.web_host, settings.web_port)
    settings = settings.model_copy(update={"web_port": port})
    async with running("web", settings) as services:
        _log.info("page is up", url=settings.public_url)
        await _serve(services, port)


async def _serve(services: Services, port: int) -> None:
    server = _Server(
        uvicorn.Config(
            app_from(services), host=services.settings.web_host, port=port, log_config=None, access_log=False, server_header=False,
            proxy_headers=False, lifespan="off", timeout_graceful_shutdown=DRAIN_SECONDS, timeout_keep_alive=75,
        )
    )  # fmt: skip
    ending = asyncio.create_task(_end_with(services, server))
    try:
        await server.serve()
    finally:
        services.ending.set()  # also when uvicorn ends by itself
        await ending


async def _end_with(services: Services, server: uvicorn.Server) -> None:
    await services.ending.wait()
    server.should_exit = True
