"""Who can read where in Slack now: guests, channels shared with other workspaces, and the channels somebody is in."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.fresh import Fresh
from bot.platform import LaterError, PlatformError
from bot.slack.calls import called
from bot.slack.people import Us
from nod.contracts import Person, Place, Readers
from nod.errors import first_line
from nod.logs import log

WAIT_SECONDS = 1.5
PAGE = 999  # the most that users.conversations gives; users.list wants less than 1,000
MOST_PAGES = 15  # in 45 s: Slack takes users.list 20 times a minute
CHANNELS = "public_channel,private_channel,mpim"

_log = log(__name__)


class Members:
    """What Slack says of its members. What it does not say in time counts as the narrowest; it goes on being asked, for the next."""

    def __init__(self, client: AsyncWebClient, us: Us) -> None:
        self._client = client
        self._us = us
        self._ours: Fresh[dict[str, bool]] = Fresh()
        self._shared: Fresh[bool] = Fresh()
        self._in_channel: Fresh[frozenset[str]] = Fresh()
        self._guests: Fresh[frozenset[str]] = Fresh()
        self._whole: Fresh[bool] = Fresh()
        self._channels: Fresh[tuple[str, ...]] = Fresh()

    async def readers(self, place: Place, person: Person) -> Readers:
        """Return who can read a place now; of a direct one, what the person can read who alone reads it."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                if place.visibility == "direct":
                    return await self._alone(place, person)
                return Readers(are_members=await self._are_members(place.channel))
        except (PlatformError, TimeoutError) as error:
            _log.warning("who can read a place is not known, the narrowest holds", channel=place.channel, error=first_line(error))
            return Readers()

    def forget(self, channel: str, user: str) -> None:
        """Ask anew: somebody joined a channel, or left it."""
        self._in_channel.forget(channel)
        self._channels.forget(user)

    async def _alone(self, place: Place, person: Person) -> Readers:
        user = person.external_id
        if person.workspace != self._us.team:
            return Readers()
        is_whole, channels = await asyncio.gather(
            self._whole.get(user, lambda: self._ask_whole(user)), self._channels.get(user, lambda: self._ask_channels(user))
        )
        own = (place.channel,) if place.platform == "slack" and place.channel.startswith("D") else ()
        return Readers(are_members=is_whole, channels=(*channels, *own))

    async def _are_members(self, channel: str) -> bool:
        is_shared = (await self._ours.get("", self._ask_ours)).get(channel)
        if is_shared is None:  # nod is not in it, or not for long
            is_shared = await self._shared.get(channel, lambda: self._ask_shared(channel))
        if is_shared:
            return False
        guests = await self._guests.get("", self._ask_guests)
        return not guests or guests.isdisjoint(await self._in_channel.get(channel, lambda: self._ask_members(channel)))

    # ── asking ──

    async def _ask_ours(self) -> dict[str, bool]:
        """Return of each channel that nod is in whether it is shared: one call for all, where `conversations.info` takes 50 a minute."""
        found = await _pages("channels", lambda cursor: self._client.users_conversations(types=CHANNELS, limit=PAGE, cursor=cursor))
        return {str(channel["id"]): _is_shared(channel) for channel in found}

    async def _ask_shared(self, channel: str) -> bool:
        return _is_shared((await called(self._client.conversations_info(channel=channel))).get("channel", {}))

    async def _ask_guests(self) -> frozenset[str]:
        people = await _pages("members", lambda cursor: self._client.users_list(limit=PAGE, cursor=cursor))
        return frozenset(str(user["id"]) for user in people if not (user.get("deleted") or user.get("is_bot") or self._is_whole(user)))

    async def _ask_members(self, channel: str) -> frozenset[str]:
        return frozenset(
            await _pages("members", lambda cursor: self._client.conversations_members(channel=channel, limit=PAGE, cursor=cursor))
        )

    async def _ask_whole(self, user: str) -> bool:
        return self._is_whole((await called(self._client.users_info(user=user))).get("user", {}))

    async def _ask_channels(self, user: str) -> tuple[str, ...]:
        """Return the channels which somebody is in; of private ones, those in which nod is, too."""
        found = await _pages(
            "channels", lambda cursor: self._client.users_conversations(user=user, types=CHANNELS, limit=PAGE, cursor=cursor)
        )
        return tuple(str(channel["id"]) for channel in found)

    def _is_whole(self, user: dict[str, Any]) -> bool:
        """Return whether somebody belongs to the whole workspace: no guest, nobody who left, nobody of another workspace."""
        if any(user.get(name) for name in ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger")):
            return False
        teams = (user.get("enterprise_user") or {}).get("teams") or ()
        return self._us.team in (user.get("team_id"), *teams)


def _is_shared(channel: dict[str, Any]) -> bool:
    """Return whether people of another workspace are in a channel."""
    return any(channel.get(name) for name in ("is_shared", "is_ext_shared", "is_org_shared"))


async def _pages(name: str, page: Callable[[str | None], Awaitable[AsyncSlackResponse]]) -> list[Any]:
    """Return all that a method lists under a name. Raises LaterError when that is too much to be read in time."""
    found: list[Any] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        answer = await called(page(cursor))
        found += answer.get(name, [])
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if not cursor:
            return found
    raise LaterError(f"Slack lists more {name} than can be read in time")
