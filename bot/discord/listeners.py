"""What nod does when Discord tells something: decide what it is, then act. One small function per kind of thing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import discord
from discord.http import Route

from bot.commands import Asker, asker_from, given_from, reply_to, stop
from bot.delivery import Delivery
from bot.discord.calls import call
from bot.discord.cursors import Cursors
from bot.discord.heard import (
    asks_to_stop,
    heard_from,
    is_by_person,
    is_to_us,
    language_of_locale,
    options_of,
    question_from_command,
    text_from,
)
from bot.discord.places import Places
from bot.discord.platform import DiscordPlatform, respond
from bot.discord.render import EPHEMERAL, command_text, nonce, plain_message
from bot.faces import PHRASES
from bot.hearing import change, hear, withdraw
from bot.intake import Blank, question_from
from bot.platform import PlatformError
from nod.contracts import Accepted, Question
from nod.errors import NodError, first_line
from nod.language import Language, language_from, language_of
from nod.logs import log
from nod.process import STORE_ERRORS, Services

COMMAND_SECONDS = 2.5  # Discord waits three for the first answer to an interaction
KEEP_TRYING_SECONDS = 900.0  # a message whose question could not be committed: nobody sends it again
RETRY_SECONDS = 1.0
OLD_SECONDS = 3_600.0

_log = log(__name__)


def form(word: str) -> str:
    """Return how a command is written in Discord."""
    return f"/{word}"


@dataclass(frozen=True, slots=True)
class Listeners:
    """What hearing messages and commands works with."""

    services: Services
    delivery: Delivery
    client: discord.Client
    platform: DiscordPlatform
    places: Places
    cursors: Cursors
    _hearing: set[int] = field(default_factory=set[int])

    # ── messages ──

    async def on_message(self, message: discord.Message) -> None:
        """Answer a mention, a reply to us or a direct message; anything else that is said is not ours.

        Discord never sends a message again, so it is tried until the record has taken it.
        """
        us = self.client.user
        if not us or message.id in self._hearing:
            return
        is_ours = is_to_us(message, us.id, has_content=self.client.intents.message_content)
        act = self._stop if asks_to_stop(message, us.id) else self._hear if is_ours else None
        if not act:
            return
        self._hearing.add(message.id)
        try:
            await self.until_kept(lambda: act(message, us.id))
        finally:
            self._hearing.discard(message.id)

    async def until_kept(self, act: Callable[[], Awaitable[None]]) -> None:
        """Try until the record has taken what was heard: Discord tells nothing twice."""
        end = asyncio.get_running_loop().time() + KEEP_TRYING_SECONDS
        while not self.services.ending.is_set():
            try:
                return await act()
            except STORE_ERRORS as error:
                _log.warning("what was heard is not committed yet", error=first_line(error))
            if asyncio.get_running_loop().time() > end:
                break
            await asyncio.sleep(RETRY_SECONDS)
        return None

    async def _hear(self, message: discord.Message, us: int) -> None:
        guild_id = message.guild.id if message.guild else getattr(message.channel, "guild_id", None)
        spot = await self.places.spot(message.channel, message.channel.id, guild_id)
        await self.cursors.begin(spot.workspace, spot.posted_in, message.id)
        place = self.places.place(spot, await self.places.thread_of(message, spot))
        heard = heard_from(message, spot, place, us, await self.places.person(message.author, guild_id))
        question = question_from(heard, self._default)

        async def acknowledge() -> None:
            await self.cursors.done(spot.workspace, spot.posted_in, message.id)

        if isinstance(question, Question):
            accepted = await hear(self.services, self.delivery, question, acknowledge)
            if accepted.is_new and spot.is_direct:
                await self._greet(accepted, question)
            return
        if isinstance(question, Blank):
            await self._say(spot.posted_in, PHRASES.say("blank", question.language, example="@nod"), "blank", reply_to=str(message.id))
        await acknowledge()

    # ── what becomes of a question ──

    async def _stop(self, message: discord.Message, us: int) -> None:
        """End what somebody is being answered in this thread or reply chain; said to us outside both, or alone, what they asked here."""
        guild_id = message.guild.id if message.guild else getattr(message.channel, "guild_id", None)
        spot = await self.places.spot(message.channel, message.channel.id, guild_id)
        thread = await self.places.spoken_in(message, spot)
        is_ours = is_to_us(message, us, has_content=self.client.intents.message_content)
        if not thread and not is_ours:
            return
        await self.cursors.begin(spot.workspace, spot.posted_in, message.id)
        person = await self.places.person(message.author, guild_id)
        count = await stop(self.services, person, spot.parent, thread=thread, at=message.created_at)
        if not count and is_ours:
            text = PHRASES.say("command.nothing_to_stop", language_of(text_from(message, us), self._default))
            await self._say(spot.posted_in, text, "nothing to stop", reply_to=str(message.id))
        await self.cursors.done(spot.workspace, spot.posted_in, message.id)

    async def on_edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Answer a question anew that its asker edits while it is answered. A preview that Discord adds is no edit of theirs."""
        us, message = self.client.user, payload.message
        if not us or not is_by_person(message) or not message.edited_at or _is_old(message.id):
            return
        if not (text := text_from(message, us.id)):  # without the intent, an edit that does not mention us cannot be read
            return
        guild_id = _guild_of(payload.data.get("guild_id"))
        spot = await self.places.spot(message.channel, payload.channel_id, guild_id)
        await self.until_kept(lambda: change(self.services, self.places.place(spot, ""), str(message.id), text))

    async def on_deleted(self, channel_id: int, guild_id: int | None, message_ids: Iterable[int]) -> None:
        """Withdraw the answers to questions that are deleted while they are answered."""
        if young := [str(message_id) for message_id in message_ids if not _is_old(message_id)]:
            spot = await self.places.spot(None, channel_id, guild_id)
            await self.until_kept(lambda: withdraw(self.services, self.places.place(spot, ""), young))

    # ── by the way ──

    async def _greet(self, accepted: Accepted, question: Question) -> None:
        """Say once, in somebody's first direct message, who can read it."""
        if await self.services.record.is_first_direct(accepted.question_id):
            privacy = form("privacy" if question.language == "en" else "개인정보")
            text = PHRASES.say("first_dm", question.language, privacy=f"`{privacy}`")
            await self._say(question.route.channel, text, "first_dm")

    async def _say(self, channel: str, text: str, what: str, reply_to: str = "") -> None:
        """Say something of nod's own in a channel; nothing depends on it."""
        reference = {"message_reference": {"message_id": reply_to, "fail_if_not_exists": True}} if reply_to else {}
        body = {**plain_message(text), **reference, "nonce": nonce(what, channel, reply_to), "enforce_nonce": True}
        await self._tried(what, call(self.client.http, Route("POST", "/channels/{channel_id}/messages", channel_id=channel), json=body))

    # ── commands ──

    async def on_command(self, interaction: discord.Interaction, data: dict[str, Any]) -> None:
        """Answer a command: a question where it was asked, everything else for its giver alone."""
        options = options_of(data)
        text, is_private = str(options.get("question") or options.get("text") or ""), bool(options.get("private"))
        guild_id, channel_id = interaction.guild_id, interaction.channel_id or 0
        person = await self.places.person(interaction.user, guild_id, language_of_locale(interaction.locale))
        spot = await self.places.spot(interaction.channel, channel_id, guild_id)
        name = str(data["name"])
        asker = asker_from(person, self.places.place(spot, ""), f"{name} {text}", self._default)
        if name != "ask":
            await self.whisper(interaction, await self._reply(f"{name} {text}", asker))
            return
        thread = "" if spot.is_direct else spot.posted_in if spot.is_thread and not is_private else str(interaction.id)
        place = self.places.place(spot, thread, is_private=is_private)
        question = question_from_command(interaction, spot, place, person, text, asker.language, is_private=is_private)
        await self._ask(interaction, question)

    async def _ask(self, interaction: discord.Interaction, question: Question) -> None:
        """Commit the question, then acknowledge it; in time for Discord if that cannot be, and then answer or refuse it later."""

        async def acknowledge() -> None:
            await self.platform.acknowledge(str(interaction.id), interaction.token, is_private=question.route.private)

        hearing = asyncio.create_task(hear(self.services, self.delivery, question, acknowledge))
        done, _ = await asyncio.wait({hearing}, timeout=COMMAND_SECONDS)
        if not done:
            await acknowledge()
        try:
            await hearing
        except STORE_ERRORS as error:
            _log.warning("a command is not committed", error=first_line(error))
            await acknowledge()
            body = plain_message(PHRASES.say("command.failed", question.language))
            path = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
            route = Route("PATCH", path, webhook_id=self.client.application_id, webhook_token=interaction.token)
            await self._tried("refusal", call(self.client.http, route, json=body))

    async def _reply(self, typed: str, asker: Asker) -> str:
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                return command_text(await reply_to(self.services, given_from(typed), asker, form, self.platform.readers))
        except (*STORE_ERRORS, TimeoutError, NodError) as error:
            _log.warning("command failed", command=typed.split(maxsplit=1)[0], error=str(error))
            return PHRASES.say("command.failed", asker.language)

    # ── answers to interactions ──

    async def whisper(self, interaction: discord.Interaction, text: str) -> None:
        """Answer an interaction for whoever caused it alone."""
        await self.answer(interaction, 4, {**plain_message(text), "flags": plain_message("")["flags"] | EPHEMERAL})

    async def answer(self, interaction: discord.Interaction, kind: int, data: dict[str, Any] | None = None) -> None:
        """Give an interaction its first answer (`kind`: discord-api-docs, interaction callback types)."""
        body = {"type": kind, **({"data": data} if data is not None else {})}
        await self._tried("interaction", respond(self.client, interaction.id, interaction.token, body))

    def language(self, interaction: discord.Interaction) -> Language:
        """Return the language in which somebody uses Discord, as far as we speak it."""
        return language_of_locale(interaction.locale) or self._default

    @property
    def _default(self) -> Language:
        return language_from(self.services.settings.language)

    async def _tried(self, what: str, acting: Awaitable[Any]) -> None:
        try:
            await acting
        except PlatformError as error:
            _log.info("not shown", what=what, error=str(error))


def _is_old(message_id: int) -> bool:
    """Return whether a message was written so long ago that nobody can be answering it."""
    return (datetime.now(UTC) - discord.utils.snowflake_time(message_id)).total_seconds() > OLD_SECONDS


def _guild_of(told: Any) -> int | None:
    return int(told) if told else None
