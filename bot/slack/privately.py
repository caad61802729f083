"""Answers to a command that only its giver sees: by the response URL, and by direct message when that is used up."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.platform import Face, LaterError, PlaceGoneError, UnknownOutcomeError
from bot.slack.calls import called, error_named
from bot.slack.render import blocks_from, fallback_from
from nod.contracts import Answer
from nod.counting import count

NO_PREVIEWS: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}


async def answer_privately(session: aiohttp.ClientSession, client: AsyncWebClient, answer: Answer, face: Face) -> None:
    """Answer by the command's response URL, which only its giver sees; when it is used up, by direct message."""
    body = {"text": fallback_from(face), "blocks": blocks_from(face, answer)}
    try:
        await respond(session, _response_url(answer), body)
    except PlaceGoneError:
        await called(client.api_call("chat.postMessage", json={"channel": answer.person.external_id, **body, **NO_PREVIEWS}))


async def respond(session: aiohttp.ClientSession, response_url: str, body: dict[str, Any], *, is_replacing: bool = False) -> None:
    """Say something by the response URL of a command or a press, for whoever gave it alone; or in the place of what they pressed."""
    body = {"response_type": "ephemeral", "replace_original": is_replacing, **body}
    try:
        async with session.post(response_url, json=body) as response:
            await _accepted(response)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise UnknownOutcomeError(f"Slack did not answer: {error}") from error


def _response_url(answer: Answer) -> str:
    if not answer.route.token or (answer.route.expires_at and answer.route.expires_at <= datetime.now(UTC)):
        raise PlaceGoneError("the response URL is too old")
    return answer.route.token


async def _accepted(response: aiohttp.ClientResponse) -> None:
    if response.status >= 500:
        raise UnknownOutcomeError(f"Slack: {response.status}")
    if response.status == 429:
        count("rate_limited")
        raise LaterError("Slack: ratelimited", float(response.headers.get("Retry-After") or 1))
    if response.status == 404:
        raise PlaceGoneError("Slack: the response URL is used up")
    if response.status >= 400:
        raise error_named((await response.text())[:60])
