"""The record for one command: an engine of two connections, gone when the command ends. Imports nothing heavy until it is used."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from nod.errors import UnavailableError, first_line
from nod.saying import say
from nod.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")


def with_engine(act: "Callable[[AsyncEngine, Settings], Awaitable[T]]") -> T:
    """Return what `act` returns. Raises ConfigError when no nod runs here, UnavailableError when PostgreSQL does not answer."""
    from sqlalchemy.exc import OperationalError

    from nod.connect import engine_from, servers_from
    from nod.logs import start_logs

    start_logs("error")  # what goes wrong is said in a sentence

    settings = load_settings()

    async def run() -> T:
        engine = engine_from(servers_from(settings).database_url, pool_size=2)
        try:
            return await act(engine, settings)
        except OperationalError as error:
            raise UnavailableError(say("error.database_away", why=first_line(error.orig or error))) from None
        finally:
            await engine.dispose()

    return asyncio.run(run())
