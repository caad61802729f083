"""What happened while nod was away. Discord sends nothing twice: after a new session messages and reactions are read again.

Mentions are read from the last message heard in each channel. A question that is known already is the record's business.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import discord
from discord.http import Route

from bot.discord.calls import call, translated
from bot.discord.cursors import Cursors
from bot.discord.heard import replied_to
from bot.platform import PlatformError
from nod.logs import log

BACK_MINUTES = 15  # older questions have been answered by somebody else, or given up
MOST_MESSAGES = 500  # per channel
MOST_CHANNELS = 100
AT_ONCE = 4

Channel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread | discord.PartialMessageable

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class _News:
    """A channel in which something was said after a message."""

    channel: Channel
    after: int


class Missed:
    """Reads what was missed; `hear` takes each message as if it had just come."""

    def __init__(self, client: discord.Client, cursors: Cursors, hear: Callable[[discord.Message], Awaitable[None]]) -> None:
        self._client = client
        self._cursors = cursors
        self._hear = hear

    async def catch_up(self) -> None:
        """Hear what was said since the last message heard, fifteen minutes back at most."""
        back = discord.utils.time_snowflake(datetime.now(UTC) - timedelta(minutes=BACK_MINUTES))
        heard = self._cursors.positions()
        turns = asyncio.Semaphore(AT_ONCE)

        async def read(news: _News) -> None:
            async with turns:
                await self._read(news)

        news = [*self._in_guilds(heard, back), *await self._elsewhere(heard, back)]
        await asyncio.gather(*(read(each) for each in news))
        _log.info("read what was missed", channels=len(news))

    def _in_guilds(self, heard: dict[str, int], back: int) -> list[_News]:
        """Return the guilds' channels with something new, the busiest first; the gateway told of them."""
        found: list[tuple[int, Channel, int]] = []
        for guild in self._client.guilds:
            for channel in (*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads):
                after = max(heard.get(str(channel.id), 0), back)
                if (last := channel.last_message_id or 0) > after:
                    found.append((last, channel, after))
        return [_News(channel, after) for _, channel, after in sorted(found, key=itemgetter(0), reverse=True)[:MOST_CHANNELS]]

    async def _elsewhere(self, heard: dict[str, int], back: int) -> list[_News]:
        """Return direct messages, and threads that the gateway did not tell of, with something new: each has to be asked for."""
        known = {channel.id for guild in self._client.guilds for channel in (*guild.channels, *guild.threads)}
        others = sorted((int(channel) for channel in heard if int(channel) not in known), key=lambda id_: heard[str(id_)], reverse=True)
        turns = asyncio.Semaphore(AT_ONCE)

        async def look(channel_id: int) -> _News | None:
            async with turns:
                return await self._news(channel_id, max(heard[str(channel_id)], back))

        found = await asyncio.gather(*(look(channel_id) for channel_id in others[:MOST_CHANNELS]))
        return [news for news in found if news]

    async def _news(self, channel_id: int, after: int) -> _News | None:
        try:
            found = await call(self._client.http, Route("GET", "/channels/{channel_id}", channel_id=channel_id))
        except PlatformError:
            return None
        if int(found.get("last_message_id") or 0) <= after:
            return None
        guild_id = int(found["guild_id"]) if found.get("guild_id") else None
        return _News(self._client.get_partial_messageable(channel_id, guild_id=guild_id), after)

    async def _read(self, news: _News) -> None:
        try:
            messages = [message async for message in _history(news.channel, news.after)]
        except PlatformError as error:
            _log.info("a channel cannot be read", channel=news.channel.id, error=str(error))
            return
        us = self._client.user.id if self._client.user else 0
        answered = {replied_to(message) for message in messages if message.author.id == us}
        for message in messages:
            if message.author.id != us and str(message.id) not in answered:
                await self._hear(message)


async def _history(channel: Channel, after: int) -> AsyncGenerator[discord.Message]:
    with translated():
        async for message in channel.history(limit=MOST_MESSAGES, after=discord.Object(after), oldest_first=True):
            yield message
