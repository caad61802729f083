"""Where and who in Discord: the thread's channel, who can read it, the guild somebody belongs to. What the gateway told is used first."""

import asyncio
import time
from typing import Any

import discord
from discord.http import Route

from bot.discord.calls import call, translated
from bot.discord.heard import Spot, replied_to
from bot.platform import PlatformError
from nod.contracts import Person, Place, Visibility
from nod.language import Language
from nod.logs import log
from nod.record import Record

KEEP_SECONDS = 900.0
MOST_KEPT = 5_000
_PRIVATE = discord.ChannelType.private_thread.value
_THREADS = (discord.ChannelType.news_thread.value, discord.ChannelType.public_thread.value, _PRIVATE)
WAIT_SECONDS = 1.0  # a question waits no longer for what is only good to know

_log = log(__name__)


class Places:
    """What has to be known of a place beside what was said in it."""

    def __init__(self, client: discord.Client, record: Record) -> None:
        self._client = client
        self._record = record
        self._homes: dict[int, tuple[float, str]] = {}

    # ── where ──

    async def spot(self, channel: Any, channel_id: int, guild_id: int | None) -> Spot:
        """Return where something was said. A thread the gateway did not tell of is asked for."""
        if guild_id is None:
            return Spot("", str(channel_id), str(channel_id), is_thread=False, is_direct=True)
        known = channel if isinstance(channel, discord.Thread | discord.abc.GuildChannel) else self._client.get_channel(channel_id)
        parent_id, is_private = (known.parent_id, known.is_private()) if isinstance(known, discord.Thread) else (None, False)
        if known is None:
            parent_id, is_private = await self._parent(channel_id)
        is_thread = parent_id is not None
        return Spot(str(guild_id), str(channel_id), str(parent_id or channel_id), is_thread, is_direct=False, is_private_thread=is_private)

    async def _parent(self, channel_id: int) -> tuple[int | None, bool]:
        """Return of which channel something is a thread, and whether it is a private one."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                found = await call(self._client.http, Route("GET", "/channels/{channel_id}", channel_id=channel_id))
        except (PlatformError, TimeoutError) as error:
            _log.warning("a channel is not known", channel=channel_id, error=str(error))
            return None, False
        return (int(found["parent_id"]), found["type"] == _PRIVATE) if found["type"] in _THREADS else (None, False)

    def visibility(self, spot: Spot) -> Visibility:
        """Return who can read a place; one that is not known counts as private: the narrower is never wrong."""
        if spot.is_direct:
            return "direct"
        parent = self._client.get_channel(int(spot.parent))
        if spot.is_private_thread:
            return "private"
        if not isinstance(parent, discord.abc.GuildChannel):
            return "private"
        return "public" if parent.permissions_for(parent.guild.default_role).view_channel else "private"

    def place(self, spot: Spot, thread: str, *, is_private: bool = False) -> Place:
        """Return a place; what only one person sees is theirs and nod's alone."""
        return Place(
            platform="discord", workspace=spot.workspace, channel=spot.parent, thread=thread,
            visibility="direct" if is_private else self.visibility(spot),
        )  # fmt: skip

    async def thread_of(self, message: discord.Message, spot: Spot) -> str:
        """Return what names the conversation of a mention: the thread, else the first mention of the reply chain it goes on.

        A thread has the id of the message it was opened on; opened on an answer of ours it goes on with that conversation.
        """
        if spot.is_direct:
            return ""
        if spot.is_thread:
            return await self._conversation(spot.parent, spot.posted_in) or spot.posted_in
        before = replied_to(message)
        return (await self._conversation(spot.posted_in, before) if before else None) or str(message.id)

    async def spoken_in(self, message: discord.Message, spot: Spot) -> str:
        """Return the conversation in which something was said to somebody, or the question it replies to; "" for neither."""
        if spot.is_direct:
            return ""
        before = spot.posted_in if spot.is_thread else replied_to(message)
        return (await self._conversation(spot.parent, before) or before) if before else ""

    async def _conversation(self, channel: str, message_id: str) -> str | None:
        answer_id = await self._record.shown_by("discord", channel, message_id)
        if answer_id is None:
            return None
        place = (await self._record.answer(answer_id)).place
        return place.thread if place.visibility != "direct" else None

    # ── who ──

    async def person(self, user: discord.User | discord.Member, guild_id: int | None, language: Language | None = None) -> Person:
        """Return somebody as the record knows them: a person of a guild, in direct messages of the only guild nod is in."""
        workspace = str(guild_id) if guild_id else await self.home(user.id)
        return Person(platform="discord", workspace=workspace, external_id=str(user.id), name=user.display_name, language=language)

    async def home(self, user_id: int) -> str:
        """Return the guild to which somebody belongs who writes a direct message; "" when it cannot be told."""
        if len(self._client.guilds) != 1:
            return ""
        kept_at, kept = self._homes.get(user_id, (0.0, ""))
        if kept_at and time.monotonic() - kept_at < KEEP_SECONDS:
            return kept
        guild = self._client.guilds[0]
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                is_member = guild.get_member(user_id) is not None or await self.member(guild, user_id) is not None
        except (PlatformError, TimeoutError):
            return ""
        if len(self._homes) >= MOST_KEPT:
            self._homes.pop(next(iter(self._homes)))
        self._homes[user_id] = (time.monotonic(), str(guild.id) if is_member else "")
        return self._homes[user_id][1]

    async def member(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        """Return a member with their roles as they are now; None for somebody who is not there."""
        with translated():
            try:
                return await guild.fetch_member(user_id)
            except discord.NotFound:
                return None
