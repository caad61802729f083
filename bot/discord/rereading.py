"""Reactions that came or went while nod was away: those below recent answers are read again and compared with what is known.

Discord tells no time of a reaction, so what is known already is left as it is: a thumb pressed since then still counts.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from discord.http import Route

from bot.discord.calls import Json, call
from bot.discord.thumbs import Thumbs
from bot.platform import MessageGoneError, PlatformError
from bot.votes import reaction_vote, value_of
from feedback.votes import Standing, cast, reactions_on
from nod.contracts import Person, ShownMessage
from nod.logs import log

HOURS = 7 * 24
MOST_MESSAGES = 500  # of all channels
MOST_PEOPLE = 100  # per message and emoji
PAGE = 100  # messages in a call, as many as Discord gives
AT_ONCE = 3

_REACTED = "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}"
_Thumb = tuple[str, str]  # whose, by Discord's id, and which emoji

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Rereading:
    """What reading reactions again works with."""

    thumbs: Thumbs

    async def read(self) -> None:
        """Bring the thumbs below recent answers up to date."""
        by_channel: dict[str, list[ShownMessage]] = defaultdict(list)
        for message in await self.thumbs.listeners.services.record.recent_messages("discord", HOURS, MOST_MESSAGES):
            by_channel[message.channel].append(message)
        turns = asyncio.Semaphore(AT_ONCE)

        async def read(channel: str, messages: Sequence[ShownMessage]) -> None:
            async with turns:
                try:
                    await self._read(channel, messages)
                except PlatformError as error:
                    _log.info("reactions not read again", channel=channel, error=str(error))

        await asyncio.gather(*(read(channel, messages) for channel, messages in by_channel.items()))

    async def _read(self, channel: str, messages: Sequence[ShownMessage]) -> None:
        wanted = {message.message_id: message for message in messages}
        known: dict[str, dict[_Thumb, Standing]] = {message_id: {} for message_id in wanted}
        for standing in await reactions_on(self.thumbs.listeners.services.engine, "discord", channel, list(wanted)):
            known[standing.message_id][standing.person.external_id, standing.token] = standing
        async for found in self._found(channel, {int(message_id) for message_id in wanted}):  # after what is known: see `_compare`
            with contextlib.suppress(MessageGoneError):
                await self._compare(wanted[found["id"]], found, known[found["id"]])

    async def _found(self, channel: str, wanted: set[int]) -> AsyncGenerator[Json]:
        """Give those of a channel's messages that are wanted and still there, the newest first; no call is made for what lies between."""
        http = self.thumbs.listeners.client.http
        while wanted:
            route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel)
            page: list[Json] = await call(http, route, query={"limit": PAGE, "before": max(wanted) + 1})
            for message in page:
                if int(message["id"]) in wanted:
                    yield message
            oldest = int(page[-1]["id"]) if len(page) == PAGE else 0
            wanted = {message_id for message_id in wanted if message_id < oldest}

    async def _compare(self, message: ShownMessage, found: Json, known: Mapping[_Thumb, Standing]) -> None:
        """Count what is there and was not known, and take back what is gone.

        What was known was read before Discord was asked: what comes meanwhile is then found twice rather than taken back.
        """
        services = self.thumbs.listeners.services
        there, is_whole = await self._there(message, found)
        for key in there.keys() - known.keys():
            vote = reaction_vote(
                there[key], key[1], is_set=True, channel=message.channel, message_id=message.message_id, at=datetime.now(UTC),
                event_id=f"discord:{uuid4()}",
            )  # fmt: skip
            if vote:
                await cast(services.engine, services.record, vote)
        for key in known.keys() - there.keys() if is_whole else ():
            await self.thumbs.take_back(message.channel, message.message_id, known[key].person, known[key].token, known[key].value)

    async def _there(self, message: ShownMessage, found: Json) -> tuple[dict[_Thumb, Person], bool]:
        """Return who has a thumb below a message now, by person and emoji, and whether that is everybody."""
        ids = {"channel_id": message.channel, "message_id": message.message_id}
        there: dict[_Thumb, Person] = {}
        is_whole = True
        for reaction in found.get("reactions") or ():
            token = _token(reaction["emoji"])
            if not value_of(token):
                continue
            users: list[Json] = await call(
                self.thumbs.listeners.client.http, Route("GET", _REACTED, emoji=token, **ids), query={"limit": MOST_PEOPLE}
            )
            is_whole = is_whole and len(users) < MOST_PEOPLE
            there |= {(str(user["id"]), token): await self._person(user, message) for user in users if not user.get("bot")}
        return there, is_whole

    async def _person(self, user: Json, message: ShownMessage) -> Person:
        workspace = message.workspace or await self.thumbs.listeners.places.home(int(user["id"]))
        name = str(user.get("global_name") or user.get("username") or "")
        return Person(platform="discord", workspace=workspace, external_id=str(user["id"]), name=name)


def _token(emoji: dict[str, Any]) -> str:
    return f"{emoji['name']}:{emoji['id']}" if emoji.get("id") else str(emoji.get("name") or "")
