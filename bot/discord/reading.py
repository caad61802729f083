"""What was said in the conversation of a question, for the worker that answers it: the thread, or the chain of replies."""

from typing import Any

import discord

from bot.discord.calls import RefusedError, translated
from bot.discord.heard import replied_to, text_from
from bot.discord.places import Places
from bot.platform import MessageGoneError, PlaceGoneError
from nod.contracts import Answer

THREAD_MESSAGES = 200
DIRECT_MESSAGES = 50
CHAIN_MESSAGES = 20
HIDDEN = "(Discord shows this message only to bots with the message-content intent)"

Channel = discord.abc.Messageable


class Reader:
    """Reads conversations, never further than their asker may read."""

    def __init__(self, client: discord.Client, places: Places) -> None:
        self._client = client
        self._places = places

    async def read(self, answer: Answer) -> dict[str, Any]:
        """Return the messages of a conversation, oldest first, as `author` and `text`, or {"error": why not}."""
        if not await self._may_read(answer):
            return {"error": "The asker may not read what was said there before."}
        channel_id = int(answer.route.channel)
        found = self._client.get_channel(channel_id)
        channel = found if isinstance(found, Channel) else self._client.get_partial_messageable(channel_id)
        if answer.place.workspace and answer.route.channel == answer.place.channel:
            messages = await self._chain(channel, answer.route.reply_to)
        else:
            messages = await self._thread(channel, THREAD_MESSAGES if answer.place.workspace else DIRECT_MESSAGES)
        return {"messages": [self._told(message) for message in messages]}

    async def _may_read(self, answer: Answer) -> bool:
        if not answer.place.workspace:
            return True
        guild = self._client.get_guild(int(answer.place.workspace))
        channel = guild and guild.get_channel_or_thread(int(answer.route.channel))
        member = guild and await self._places.member(guild, int(answer.person.external_id))
        if not channel or not member:
            return False
        may = channel.permissions_for(member)
        return may.view_channel and may.read_message_history

    async def _thread(self, channel: Channel, limit: int) -> list[discord.Message]:
        """Return the last messages of a thread or direct message, after the message on which a thread was opened."""
        with translated():
            messages = [message async for message in channel.history(limit=limit)][::-1]
        if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.TextChannel):
            messages = [*await self._chain(channel.parent, str(channel.id), 1), *messages]
        return [message for message in messages if message.type is not discord.MessageType.thread_starter_message]

    async def _chain(self, channel: Channel, message_id: str, most: int = CHAIN_MESSAGES) -> list[discord.Message]:
        """Return a message with all that it replies to, oldest first."""
        chain: list[discord.Message] = []
        while message_id and len(chain) < most:
            try:
                with translated():
                    chain.append(await channel.fetch_message(int(message_id)))
            except (MessageGoneError, PlaceGoneError, RefusedError):
                break
            message_id = replied_to(chain[-1])
        return chain[::-1]

    def _told(self, message: discord.Message) -> dict[str, str]:
        is_us = self._client.user is not None and message.author.id == self._client.user.id
        text = text_from(message, self._client.user.id if self._client.user else None)
        return {
            "author": "nod" if is_us else message.author.display_name,
            "text": text or (HIDDEN if not message.attachments else "(a file)"),
        }
