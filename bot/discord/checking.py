"""Whether Discord works: token, servers, intent. For `nod doctor` and `nod setup discord`."""

import asyncio
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nod.doctor import Finding
from nod.errors import UnavailableError, first_line
from nod.language import Language, Phrases
from nod.program import typed
from nod.settings import Settings
from nod.setup import Step, WrongValueError

_PHRASES = Phrases(Path(__file__).parent / "phrases")
_CONTENT_FLAGS = (1 << 18) | (1 << 19)  # GATEWAY_MESSAGE_CONTENT, and _LIMITED below the review threshold (resources/application.mdx)


class _RefusedError(Exception):
    """The token was refused."""


async def check(settings: Settings, language: Language) -> Finding:
    """Return whether the token works, and where the bot is."""
    if not settings.discord_token:
        return Finding("discord", "off", _say("off", language), f"{typed()} setup discord")
    token = _token(settings)
    try:
        me, guilds = await asyncio.gather(_get(settings, token, "/users/@me"), _get(settings, token, "/users/@me/guilds"))
    except _RefusedError:
        return Finding("discord", "broken", _say("refused", language), f"{typed()} setup discord")
    except UnavailableError as error:
        return Finding("discord", "broken", _say("away", language, error=error), f"{typed()} doctor")
    if not guilds:
        return Finding("discord", "ok", _say("nowhere", language, bot=me["username"]), f"{typed()} discord invite")
    names = ", ".join(guild["name"] for guild in guilds[:3]) + (" …" if len(guilds) > 3 else "")
    return Finding("discord", "ok", _say("ok", language, bot=me["username"], guilds=names))


async def _get(settings: Settings, token: str, path: str) -> Any:
    """Return the API's answer. Raises _RefusedError and UnavailableError."""
    import httpx

    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(settings.discord_api_url.rstrip("/") + path, headers={"Authorization": f"Bot {token}"})
    except httpx.HTTPError as error:
        raise UnavailableError(first_line(error)) from error
    if answer.status_code in (401, 403):
        raise _RefusedError
    if answer.status_code >= 400:
        raise UnavailableError(f"HTTP {answer.status_code}")
    return answer.json()


def steps(settings: Settings, language: Language) -> Sequence[Step]:
    """Return how to connect Discord: make the application, paste the token, invite the bot."""

    async def token(settings: Settings, value: str) -> str:
        if value.count(".") != 2 or not value.isascii():
            raise WrongValueError(_say("wrong", language))
        try:
            me = await _get(settings, value, "/users/@me")
        except _RefusedError:
            raise WrongValueError(_say("refused", language)) from None
        except UnavailableError as error:
            raise WrongValueError(_say("away", language, error=error)) from None
        return str(me["username"])

    async def joined(settings: Settings, _: str) -> str:
        value = _token(settings)
        application = await _get(settings, value, "/applications/@me")
        while not (guilds := await _get(settings, value, "/users/@me/guilds")):  # noqa: ASYNC110  # Discord is asked: nobody tells us
            await asyncio.sleep(2)
        channels = await _get(settings, value, f"/guilds/{guilds[0]['id']}/channels")
        intent = "intent_on" if int(application.get("flags", 0)) & _CONTENT_FLAGS else "intent_off"
        return _say("joined", language, guild=guilds[0]["name"], channels=len(channels), intent=_say(intent, language))

    return (
        Step(_say("step_portal", language), is_done=settings.discord_token is not None),
        Step(_say("step_token", language), token, "DISCORD_TOKEN"),
        Step(_say("step_invite", language, link=_invite_link(_token(settings))), joined),
    )


def _token(settings: Settings) -> str:
    return settings.discord_token.get_secret_value() if settings.discord_token else ""


def _invite_link(token: str) -> str:
    """Return the link that brings the bot into a server; the first part of a bot token is its application's id in base64."""
    from bot.discord.invite import invite_link

    first = token.partition(".")[0]
    return invite_link(b64decode(first + "=" * (-len(first) % 4), altchars=b"-_").decode("ascii", "replace"))


def _say(key: str, language: Language, **values: object) -> str:
    return _PHRASES.say(key, language, **values)
