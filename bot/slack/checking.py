"""Whether Slack works: tokens, permissions, events. For `nod doctor` and `nod setup slack`."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nod.doctor import Finding
from nod.errors import UnavailableError, first_line
from nod.language import Language, Phrases
from nod.program import typed
from nod.settings import Settings
from nod.setup import Step, WrongValueError

_PHRASES = Phrases(Path(__file__).parent / "phrases")


async def check(settings: Settings, language: Language) -> Finding:
    """Return whether both tokens work and every permission of the manifest was granted."""
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if not bot and not app:
        return Finding("slack", "off", _say("off", language), f"{typed()} setup slack")
    if not bot or not app:
        return Finding("slack", "broken", _say("no_app_token" if bot else "no_bot_token", language), f"{typed()} setup slack")
    try:
        answer = await _call(settings, bot.get_secret_value(), "auth.test")
        if missing := _missing_scopes(answer):
            return await _scopes_missing(settings, answer, missing, language)
        await _call(settings, app.get_secret_value(), "apps.connections.open")
    except _RefusedError as error:
        key = "refused_app" if error.method == "apps.connections.open" else "refused"
        return Finding("slack", "broken", _say(key, language, error=error.code), f"{typed()} setup slack")
    except UnavailableError as error:
        return Finding("slack", "broken", _say("away", language, error=error), f"{typed()} doctor")
    return Finding("slack", "ok", _say("ok", language, team=answer["team"], bot=answer["user"]))


async def _scopes_missing(settings: Settings, answer: dict[str, Any], missing: list[str], language: Language) -> Finding:
    """Return the finding with the click to make: the app's own OAuth page, when Slack says which app it is."""
    sentence = _say("missing", language, count=len(missing), scopes=", ".join(missing))
    return Finding("slack", "broken", sentence, _say("missing_todo", language, link=await _app_page(settings, answer["bot_id"])))


async def _app_page(settings: Settings, bot_id: str) -> str:
    """Return the page on which the app is installed again; without users:read nobody says which app it is."""
    try:
        answer = await _call(settings, _bot_token(settings), "bots.info", bot=bot_id)
    except _RefusedError:
        return "https://api.slack.com/apps"
    return f"https://api.slack.com/apps/{answer['bot']['app_id']}/oauth"


def _missing_scopes(answer: dict[str, Any]) -> list[str]:
    from bot.slack.manifest import SCOPES

    granted = {scope.strip() for scope in answer["_scopes"].split(",")}
    return [scope for scope in SCOPES if scope not in granted]


class _RefusedError(Exception):
    def __init__(self, method: str, code: str) -> None:
        super().__init__(code)
        self.method, self.code = method, code


async def _call(settings: Settings, token: str, method: str, **values: str) -> dict[str, Any]:
    """Return Slack's answer, with the granted scopes as `_scopes`. Raises _RefusedError and UnavailableError."""
    from aiohttp import ClientError
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

    client = AsyncWebClient(token=token, base_url=settings.slack_api_url, timeout=10)
    try:
        answer: Any = await client.api_call(method, params=values)
    except SlackApiError as error:
        raise _RefusedError(method, str(error.response.get("error", "unknown"))) from error
    except (TimeoutError, ClientError, OSError) as error:
        raise UnavailableError(first_line(error)) from error
    return {**answer.data, "_scopes": answer.headers.get("x-oauth-scopes", "")}


def _bot_token(settings: Settings) -> str:
    return settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""


def steps(settings: Settings, language: Language) -> Sequence[Step]:
    """Return how to connect Slack: make the app, paste both tokens, invite the bot."""

    async def bot_token(settings: Settings, value: str) -> str:
        _refuse_other_token(value, "xoxb-", language)
        answer = await _tested(settings, value, "auth.test", "refused", language)
        return _say("ok", language, team=answer["team"], bot=answer["user"])

    async def app_token(settings: Settings, value: str) -> str:
        _refuse_other_token(value, "xapp-", language)
        await _tested(settings, value, "apps.connections.open", "refused_app", language)
        return _say("events", language)

    async def invited(settings: Settings, _: str) -> str:
        while not (names := await _channels(settings)):  # noqa: ASYNC110  # Slack is asked: nobody tells us
            await asyncio.sleep(2)
        return _say("seen", language, channels=", ".join(f"#{name}" for name in names))

    return (
        Step(_say("step_create", language, link=_create_link()), is_done=settings.slack_bot_token is not None),
        Step(_say("step_bot", language), bot_token, "SLACK_BOT_TOKEN"),
        Step(_say("step_app", language), app_token, "SLACK_APP_TOKEN"),
        Step(_say("step_invite", language, bot="nod"), invited),
    )


def _create_link() -> str:
    from bot.slack.manifest import manifest

    return f"https://api.slack.com/apps?new_app=1&manifest_json={quote(json.dumps(manifest(), ensure_ascii=False, separators=(',', ':')))}"


async def _tested(settings: Settings, token: str, method: str, refused: str, language: Language) -> dict[str, Any]:
    try:
        return await _call(settings, token, method)
    except _RefusedError as error:
        raise WrongValueError(_say(refused, language, error=error.code)) from error
    except UnavailableError as error:
        raise WrongValueError(_say("away", language, error=error)) from error


async def _channels(settings: Settings) -> list[str]:
    answer = await _call(settings, _bot_token(settings), "users.conversations", types="public_channel,private_channel")
    return [channel["name"] for channel in answer["channels"]]


def _refuse_other_token(value: str, prefix: str, language: Language) -> None:
    """Raise WrongValueError when a token is of another kind, naming which it is and where the right one stands."""
    if value.startswith(prefix):
        return
    kinds = {"xoxp-": "wrong_user", "xapp-": "wrong_app"} if prefix == "xoxb-" else {"xoxb-": "wrong_bot"}
    for other, key in kinds.items():
        if value.startswith(other):
            raise WrongValueError(_say(key, language))
    raise WrongValueError(_say("wrong_any", language, expected=_say("step_bot" if prefix == "xoxb-" else "step_app", language)))


def _say(key: str, language: Language, **values: object) -> str:
    return _PHRASES.say(key, language, **values)
