"""Starts and stops the Discord bot: one client, one gateway connection, one delivery."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.delivery import Delivery
from bot.discord.cursors import Cursors
from bot.discord.listeners import Listeners
from bot.discord.members import Members
from bot.discord.missed import Missed
from bot.discord.pacing import Pace
from bot.discord.places import Places
from bot.discord.platform import DiscordPlatform
from bot.discord.reading import Reader
from bot.discord.registering import register
from bot.discord.rereading import Rereading
from bot.discord.teaching import Teaching
from bot.discord.thumbs import Thumbs
from bot.platform import PlatformError
from nod.errors import ConfigError, UnavailableError, first_line
from nod.language import Phrases, terminal_language
from nod.logs import log
from nod.process import STORE_ERRORS, Services, running
from nod.settings import Settings

PHRASES = Phrases(Path(__file__).parent / "phrases")
LONGEST_WAIT_SECONDS = 60.0
CLOSE_SECONDS = 3.0

_COMMAND, _COMPONENT, _DIALOG = 2, 3, 5  # discord-api-docs, interaction types
_log = log(__name__)


async def run(settings: Settings) -> None:
    """Run the Discord bot until the process is told to end. Raises ConfigError for a token or intent that Discord refuses."""
    if not settings.discord_token:
        raise ConfigError(_say("no_token"))
    async with running("discord", settings) as services:
        client = Bot(settings)
        client.join(services)
        try:
            await _serve(services, client, settings.discord_token.get_secret_value())
        finally:
            with contextlib.suppress(TimeoutError, PlatformError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()


async def _serve(services: Services, client: "Bot", token: str) -> None:
    if not await _until_it_works(services, lambda: _sign_in(client, token)):
        return
    if not await _until_it_works(services, client.cursors.load):
        return
    delivering = asyncio.create_task(client.delivery.run(), name="deliver")
    connecting = asyncio.create_task(_connect(services, client), name="connect")
    try:
        await asyncio.wait({delivering, connecting}, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            connecting.result()
        services.ending.set()
        await delivering
    finally:
        await client.stop(connecting, delivering)


async def _sign_in(client: "Bot", token: str) -> None:
    try:
        await client.login(token)
    except discord.LoginFailure as error:
        raise ConfigError(_say("refused")) from error
    except (discord.DiscordException, aiohttp.ClientError, OSError):
        await client.http.close()  # the next try opens a session of its own
        raise
    await point_at_gateway(client)
    _log.info("signed in to Discord", bot=str(client.user))


def point_at_api(api_url: str) -> None:
    """Send every REST call of discord.py to an address: it has no setting for that, only this constant."""
    Route.BASE = api_url.rstrip("/")


async def point_at_gateway(client: discord.Client) -> None:
    """Take the gateway's address from the API's answer: a plain Client never asks for it, it uses this constant."""
    found = await client.http.request(Route("GET", "/gateway"))
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(found["url"])


async def _connect(services: Services, client: "Bot") -> None:
    """Keep the gateway connected; discord.py comes back by itself, except from a first connection that fails."""

    async def connect() -> None:
        try:
            await client.connect()
        except AttributeError as error:
            if client.ws:
                raise
            # discord.py 2.7.1 trips over a gateway that was never reached (client.py, connect: self.ws is None)
            raise UnavailableError("Discord's gateway does not answer") from error

    try:
        await _until_it_works(services, connect)
    except discord.PrivilegedIntentsRequired as error:
        raise ConfigError(_say("intent_refused")) from error
    except discord.ConnectionClosed as error:
        if error.code == 4004:
            raise ConfigError(_say("refused")) from error
        raise ConfigError(_say("refused_later", code=error.code, reason=error.reason or "?")) from error


async def _until_it_works(services: Services, act: Callable[[], Awaitable[None]]) -> bool:
    """Do something that needs Discord or PostgreSQL, again and again while they are away; False when the process is to end before."""
    wait_seconds = 1.0
    while not services.ending.is_set():
        try:
            await act()
        except (discord.ConnectionClosed, discord.PrivilegedIntentsRequired, ConfigError):
            raise
        except (discord.DiscordException, aiohttp.ClientError, UnavailableError, *STORE_ERRORS) as error:
            _log.warning("Discord or PostgreSQL does not answer yet", error=first_line(error))
        else:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(services.ending.wait(), wait_seconds)
        wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
    return False


class Bot(discord.Client):
    """The official client with our listeners. It caches no messages and no members: the record knows what counts."""

    delivery: Delivery
    cursors: Cursors

    def __init__(self, settings: Settings) -> None:
        point_at_api(settings.discord_api_url)
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nod does not speak: nothing is missing
        super().__init__(
            intents=discord.Intents(
                guilds=True, guild_messages=True, dm_messages=True, guild_reactions=True, dm_reactions=True,
                message_content=settings.discord_message_content,
            ),
            allowed_mentions=discord.AllowedMentions.none(), max_messages=None, chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(), max_ratelimit_timeout=30.0, guild_ready_timeout=1.0,
        )  # fmt: skip
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None

    def join(self, services: Services) -> None:
        """Make what listens and shows."""
        self._services = services
        places = Places(self, services.record)
        self._members = Members(self, places)
        platform = DiscordPlatform(self, services.record, Reader(self, places), self._members, Pace())
        self.delivery = Delivery(services, platform)
        self.cursors = Cursors(services.record)
        self._ears = Listeners(services, self.delivery, self, platform, places, self.cursors)
        self._teaching = Teaching(self._ears)
        self._thumbs = Thumbs(self._ears, self._teaching.acts)
        self._missed = Missed(self, self.cursors, self._ears.on_message)
        self._rereading = Rereading(self._thumbs)

    # ── what Discord tells ──

    async def on_message(self, message: discord.Message) -> None:
        """Hear a message."""
        await self._ears.on_message(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Hear that a message was edited; nothing has to be known of it from before."""
        await self._ears.on_edited(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Hear that a message was deleted."""
        await self._ears.on_deleted(payload.channel_id, payload.guild_id, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Hear that a moderator deleted many messages at once."""
        await self._ears.on_deleted(payload.channel_id, payload.guild_id, payload.message_ids)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Hear a command, a button, a choice or a dialog."""
        data: Any = interaction.data or {}
        if interaction.type.value == _COMMAND and self._teaching.is_for_us(data):
            await self._teaching.on_command(interaction, data)
        elif interaction.type.value == _COMMAND:
            await self._ears.on_command(interaction, data)
        elif interaction.type.value in (_COMPONENT, _DIALOG):
            await self._thumbs.on_component(interaction, data)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Hear a reaction."""
        await self._thumbs.on_reaction(payload, is_set=True)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        """Hear that a reaction was taken back."""
        await self._thumbs.on_reaction(payload, is_set=False)

    async def on_raw_reaction_clear(self, payload: discord.RawReactionClearEvent) -> None:
        """Hear that all reactions were cleared."""
        await self._thumbs.on_cleared(payload.channel_id, payload.message_id)

    async def on_raw_reaction_clear_emoji(self, payload: discord.RawReactionClearEmojiEvent) -> None:
        """Hear that one emoji's reactions were cleared."""
        await self._thumbs.on_cleared(payload.channel_id, payload.message_id, payload.emoji)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  # discord.py's signature
        """Log what a listener raised: one event must not end the others."""
        _log.exception("listener failed", listener=event_method)

    # ── coming and going ──

    async def on_disconnect(self) -> None:
        """Remember from where on something may be missed; who can read what is not known until then."""
        self._members.is_told = False
        self.cursors.freeze()

    async def on_resumed(self) -> None:
        """Go on: Discord has sent again what was missed. What an earlier session missed may still be being read."""
        self._members.is_told = True
        if not self._reading or self._reading.done():
            self._help(self._again_and_again(self.cursors.thaw))

    async def on_ready(self) -> None:
        """Read what was missed: a new session tells nothing of it."""
        self._members.is_told = True
        if self._reading and not self._reading.done():
            self._reading.cancel()
        self._reading = self._help(self._again_and_again(self._read_missed))
        self._help(self._again_and_again(self._register))

    async def _read_missed(self) -> None:
        await self._missed.catch_up()
        await self.cursors.thaw()
        await self._rereading.read()

    async def _register(self) -> None:
        await register(self)

    async def _again_and_again(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do something until it works, or the process ends."""
        wait_seconds = 1.0
        while not self._services.ending.is_set():
            try:
                return await act()
            except (PlatformError, *STORE_ERRORS) as error:
                _log.warning("tried again later", what=getattr(act, "__name__", ""), error=first_line(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._services.ending.wait(), wait_seconds)
            wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
        return None

    def _help(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self, *tasks: "asyncio.Task[None]") -> None:
        """End what runs beside the listeners."""
        ending = [*tasks, *self._tasks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


def _say(key: str, **values: object) -> str:
    return PHRASES.say(key, terminal_language(), **values)
