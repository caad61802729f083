"""Calls of Discord's REST API by the official client, whose failures become the few kinds that delivery knows."""

import asyncio
import contextlib
from collections.abc import Generator, Mapping
from typing import Any

import aiohttp
from discord import HTTPException, RateLimited
from discord.http import HTTPClient, Route

from bot.platform import LaterError, MessageGoneError, PlaceGoneError, PlatformError, UnknownOutcomeError
from nod.counting import count
from nod.logs import log

_log = log(__name__)

Json = dict[str, Any]

CALL_SECONDS = 40.0  # the client repeats a call after 1, 3, 5, 7 and 9 s when Discord has an error of its own
OPERATOR_WAIT_SECONDS = 30.0

# Codes: discord-api-docs, topics/opcodes-and-status-codes.mdx
_PLACE_GONE = {10003, 10004, 50001, 50007, 50013, 50024, 50083, 340013}
_MESSAGE_GONE = {10008, 50005, 30046}  # 30046: an old message that has been edited too often is as good as gone
_TOKEN_GONE = {10015, 10062, 50027}


class TokenGoneError(PlatformError):
    """The token of an interaction is too old, or the interaction was never acknowledged: it answers nothing any more."""

    kind = "token_gone"


class AlreadyAcknowledgedError(PlatformError):
    """The interaction has its first answer already."""

    kind = "already_acknowledged"


class RefusedError(PlatformError):
    """Discord does not take this."""

    kind = "refused"


async def call(http: HTTPClient, route: Route, *, json: Any = None, query: Mapping[str, Any] | None = None) -> Any:
    """Return what Discord answers. Raises the errors of `bot.platform`, or those above."""
    more: Any = {name: value for name, value in (("json", json), ("params", query)) if value is not None}
    with translated():
        async with asyncio.timeout(CALL_SECONDS):
            return await http.request(route, **more)


@contextlib.contextmanager
def translated() -> Generator[None]:
    """Turn what the official client raises into the errors that delivery knows."""
    try:
        yield
    except RateLimited as error:
        count("rate_limited")
        raise LaterError(f"Discord: {error}", error.retry_after) from error
    except HTTPException as error:
        raise _error_from(error) from error
    except aiohttp.ClientConnectorError as error:
        raise LaterError(f"Discord cannot be reached: {error}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise UnknownOutcomeError(f"Discord did not answer: {type(error).__name__} {error}") from error


def _error_from(error: HTTPException) -> PlatformError:
    said = f"Discord: {error.status} {error.code} {' '.join(error.text.split())[:200]}".rstrip()
    for kind, codes in ((PlaceGoneError, _PLACE_GONE), (MessageGoneError, _MESSAGE_GONE), (TokenGoneError, _TOKEN_GONE)):
        if error.code in codes:
            return kind(said)
    if error.code == 50035 and "message_reference" in error.text:
        return PlaceGoneError(f"{said}: the question was deleted")
    if error.code == 40060:
        return AlreadyAcknowledgedError(said)
    return _error_by_status(error, said)


def _error_by_status(error: HTTPException, said: str) -> PlatformError:
    if error.status == 429:
        count("rate_limited")
        return LaterError(said, _retry_after(error))
    if error.status == 401:
        _log.error("Discord refuses the token", help="nod doctor says what to do")
        return LaterError(said, OPERATOR_WAIT_SECONDS)
    return UnknownOutcomeError(said) if error.status >= 500 else RefusedError(said)


def _retry_after(error: HTTPException) -> float:
    try:
        return float(error.response.headers.get("Retry-After") or 1)
    except ValueError:
        return 1.0
