"""Who and where in Slack: our own ids, who can read a channel, what people are called, what was said in a thread. Caches are bounded."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.platform import PlatformError
from bot.slack.calls import called
from bot.slack.text import text_from
from nod.contracts import Visibility
from nod.logs import log

KEEP_SECONDS = 900.0
MOST_KEPT = 5_000
WAIT_SECONDS = 1.0  # a question waits no longer for what is only good to know

_KINDS: dict[str, Visibility] = {"im": "direct", "channel": "public", "group": "private", "mpim": "private"}
_log = log(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Us:
    """As whom Slack knows this bot."""

    user: str
    bot: str
    team: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a person."""

    name: str
    locale: str = ""
    is_bot: bool = False


class _Kept(Generic[T]):
    """The last values by key, each for a while."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, T]] = {}

    def get(self, key: str) -> T | None:
        found = self._values.get(key)
        return found[1] if found and time.monotonic() - found[0] < KEEP_SECONDS else None

    def put(self, key: str, value: T) -> T:
        if len(self._values) >= MOST_KEPT:
            self._values.pop(next(iter(self._values)))
        self._values.pop(key, None)
        self._values[key] = (time.monotonic(), value)
        return value


class People:
    """What has to be asked of Slack beside an event."""

    def __init__(self, client: AsyncWebClient, us: Us) -> None:
        self._client = client
        self.us = us
        self._places: _Kept[Visibility] = _Kept()
        self._profiles: _Kept[Profile] = _Kept()

    def is_us(self, message: dict[str, Any]) -> bool:
        """Return whether a message is one of ours."""
        return message.get("bot_id") == self.us.bot or message.get("user") == self.us.user

    async def visibility(self, channel: str, channel_type: str | None) -> Visibility:
        """Return who can read a channel. Without an answer in time it is private: the narrower is never wrong."""
        if channel_type in _KINDS:
            return self._places.put(channel, _KINDS[channel_type])
        if channel.startswith("D"):
            return "direct"
        if known := self._places.get(channel):
            return known
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                found = (await called(self._client.conversations_info(channel=channel))).get("channel", {})
        except (PlatformError, TimeoutError) as error:
            _log.warning("who can read a channel is not known, it counts as private", channel=channel, error=str(error))
            return "private"
        kind = "im" if found.get("is_im") else "group" if found.get("is_private") or found.get("is_mpim") else "channel"
        return self._places.put(channel, _KINDS[kind])

    async def profile(self, user: str) -> Profile:
        """Return what is known of a person; only the id when Slack does not say in time."""
        if known := self._profiles.get(user):
            return known
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                found = (await called(self._client.users_info(user=user, include_locale=True))).get("user", {})
        except (PlatformError, TimeoutError):
            return Profile(user)
        shown = found.get("profile", {}).get("display_name") or found.get("real_name") or found.get("name") or user
        return self._profiles.put(user, Profile(shown, found.get("locale") or "", bool(found.get("is_bot"))))

    async def thread(self, channel: str, thread: str, limit: int, pages: int) -> list[dict[str, str]]:
        """Return what was said in a thread, oldest first, as `author` and `text`."""
        messages: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(pages):
            more = {"cursor": cursor} if cursor else {}
            page = await called(self._client.conversations_replies(channel=channel, ts=thread, limit=limit, **more))
            messages += page.get("messages", [])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return [
            {"author": await self._author(m), "text": text_from(m.get("text") or "", self.us.user)} for m in messages if not m.get("hidden")
        ]

    async def _author(self, message: dict[str, Any]) -> str:
        if self.is_us(message):
            return "nod"
        if bot := message.get("bot_profile") or message.get("username"):
            return str(bot.get("name") if isinstance(bot, dict) else bot)
        return (await self.profile(str(message.get("user", "?")))).name
