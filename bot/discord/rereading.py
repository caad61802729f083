"""Reactions that came or went while nod was away: those below recent answers are read again and compared with what is known.

Discord tells no time of a reaction, so what is known already is left as it is: a thumb pressed since then still counts.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from discord.http import Route

from bot.discord.calls import Json, call
from bot.discord.thumbs import Thumbs
from bot.platform import PlatformError
from bot.votes import reaction_vote, value_of
from feedback.votes import cast, reactions_on
from nod.contracts import Person, ShownMessage
from nod.logs import log

HOURS = 7 * 24
MOST_MESSAGES = 50
MOST_PEOPLE = 100  # per message and emoji
AT_ONCE = 3

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Rereading:
    """What reading reactions again works with."""

    thumbs: Thumbs

    async def read(self) -> None:
        """Bring the thumbs below recent answers up to date."""
        listeners = self.thumbs.listeners
        messages = await listeners.services.record.recent_messages("discord", HOURS, MOST_MESSAGES)
        turns = asyncio.Semaphore(AT_ONCE)

        async def compare(message: ShownMessage) -> None:
            async with turns:
                try:
                    await self._compare(message)
                except PlatformError as error:
                    _log.info("reactions not read again", error=str(error))

        await asyncio.gather(*(compare(message) for message in messages))

    async def _compare(self, message: ShownMessage) -> None:
        services = self.thumbs.listeners.services
        known = {  # before asking Discord: what comes meanwhile is then found twice rather than taken back
            (standing.person.external_id, standing.token): standing
            for standing in await reactions_on(services.engine, "discord", message.channel, message.message_id)
        }
        there, is_whole = await self._there(message)
        for key in there.keys() - known.keys():
            at = datetime.now(UTC)
            vote = reaction_vote(
                there[key],
                key[1],
                is_set=True,
                channel=message.channel,
                message_id=message.message_id,
                at=at,
                event_id=f"discord:{uuid4()}",
            )
            if vote:
                await cast(services.engine, services.record, vote)
        for key in known.keys() - there.keys() if is_whole else ():
            await self.thumbs.take_back(message.channel, message.message_id, known[key].person, known[key].token, known[key].value)

    async def _there(self, message: ShownMessage) -> tuple[dict[tuple[str, str], Person], bool]:
        """Return who has a thumb below a message now, by person and emoji, and whether that is everybody."""
        ids = {"channel_id": message.channel, "message_id": message.message_id}
        http = self.thumbs.listeners.client.http
        path = "/channels/{channel_id}/messages/{message_id}"
        found: Json = await call(http, Route("GET", path, **ids))
        there: dict[tuple[str, str], Person] = {}
        is_whole = True
        for reaction in found.get("reactions") or ():
            token = _token(reaction["emoji"])
            if not value_of(token):
                continue
            users: list[Json] = await call(
                http, Route("GET", path + "/reactions/{emoji}", emoji=token, **ids), query={"limit": MOST_PEOPLE}
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
