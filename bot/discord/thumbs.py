"""Votes in Discord: thumbs below an answer, as buttons and as reactions, the reasons for a 👎, and the ways to stop and to try again."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import discord

from bot.discord.heard import THUMB, token_of, typed_in, vote_from_button, vote_from_reaction
from bot.discord.listeners import Listeners
from bot.discord.render import (
    ALONE,
    DOWN,
    EPHEMERAL,
    FIELD,
    RETRY,
    RIGHT,
    STOP,
    UP,
    WHY,
    WRITE,
    dialog_from,
    offer_message,
    parsed,
    plain_message,
    reasons_from,
    reasons_message,
)
from bot.faces import PHRASES
from bot.hearing import hear
from bot.intake import question_alone
from bot.votes import value_of
from feedback.votes import REASONS, cast, explain, reactions_on, signal_of
from nod.contracts import Person, Place, Route, Vote, VoteValue
from nod.errors import NotFoundError, first_line
from nod.logs import log
from nod.pause import pause
from nod.process import STORE_ERRORS

REPLY, LATER, CHANGE, DIALOG = 4, 6, 7, 9  # discord-api-docs, interaction callback types
FRESH_SECONDS = 60.0  # a message so young may be an answer whose id is not stored yet

Act = Callable[[discord.Interaction, dict[str, Any], UUID, str], Awaitable[None]]

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Thumbs:
    """What hearing votes works with. `others` are the buttons and dialogs that are no votes, by the name in their ids."""

    listeners: Listeners
    others: Mapping[str, Act] = field(default_factory=dict[str, Act])

    # ── buttons ──

    async def on_component(self, interaction: discord.Interaction, data: dict[str, Any]) -> None:
        """Act on a button, a choice or a dialog of ours; those of an older or newer nod are told to be too old."""
        acts: dict[str, Act] = {
            UP: self._on_thumb, DOWN: self._on_thumb, WHY: self._on_reasons, WRITE: self._on_write, RIGHT: self._on_right,
            RETRY: self._on_retry, STOP: self._on_stop, ALONE: self._on_alone, **self.others,
        }  # fmt: skip
        language = self.listeners.language(interaction)
        try:
            name, answer_id, more = parsed(str(data.get("custom_id")))
            await acts[name](interaction, data, answer_id, more)
        except (KeyError, ValueError, NotFoundError):
            await self.listeners.whisper(interaction, PHRASES.say("command.expired", language))
        except STORE_ERRORS as error:
            _log.warning("a button was not kept", error=first_line(error))
            await self.listeners.whisper(interaction, PHRASES.say("command.failed", language))

    async def _on_thumb(self, interaction: discord.Interaction, data: dict[str, Any], answer_id: UUID, _: str) -> None:
        """Count a thumb; the same one again takes it back. A thumb down asks why."""
        value: VoteValue = "up" if str(data["custom_id"]).startswith(UP) else "down"
        services, person = self.listeners.services, await self._person(interaction)
        await services.record.answer(answer_id)  # a vote on what was erased is told to be too old
        before = await signal_of(services.engine, services.record, answer_id, person, "button", THUMB)
        is_set = before != value
        await self._cast(vote_from_button(interaction, answer_id, value, person, is_set=is_set))
        language = self.listeners.language(interaction)
        if is_set and value == "down":
            await self._show(interaction, REPLY, reasons_message(answer_id, language))
        else:
            await self.listeners.whisper(interaction, PHRASES.say("vote.thanks_up" if is_set else "vote.withdrawn", language))

    async def _on_reasons(self, interaction: discord.Interaction, data: dict[str, Any], answer_id: UUID, _: str) -> None:
        chosen = tuple(reason for reason in REASONS if reason in (data.get("values") or ()))
        await self._explain(interaction, answer_id, chosen, None)
        await self._show(interaction, CHANGE, reasons_message(answer_id, self.listeners.language(interaction), chosen))

    async def _on_write(self, interaction: discord.Interaction, _: dict[str, Any], answer_id: UUID, marks: str) -> None:
        await self.listeners.answer(interaction, DIALOG, dialog_from(answer_id, marks, self.listeners.language(interaction)))

    async def _on_right(self, interaction: discord.Interaction, data: dict[str, Any], answer_id: UUID, marks: str) -> None:
        if comment := typed_in(data, FIELD).strip():
            await self._explain(interaction, answer_id, reasons_from(marks), comment)
        thanks = PHRASES.say("vote.thanks_down", self.listeners.language(interaction))
        await self._show(interaction, CHANGE if interaction.message else REPLY, {**plain_message(thanks), "components": []})

    async def _on_retry(self, interaction: discord.Interaction, _: dict[str, Any], answer_id: UUID, __: str) -> None:
        """Try again what failed, in the same message; pressed twice it is pressed once."""
        services = self.listeners.services
        new_id = await services.record.again(answer_id, services.claims.process_id)
        await self.listeners.answer(interaction, LATER)
        services.waker.wake()
        if new_id:
            await self.listeners.delivery.go_on(new_id)

    async def _on_alone(self, interaction: discord.Interaction, _: dict[str, Any], answer_id: UUID, __: str) -> None:
        """Answer somebody in their direct message, from all that they may see; the button goes, so it is pressed once."""
        services = self.listeners.services
        answer = await services.record.answer(answer_id)
        channel = str(interaction.channel_id)
        place = Place(platform="discord", workspace="", channel=channel, visibility="direct")
        route = Route(channel=channel, reply_to=str(interaction.message.id) if interaction.message else "")
        question = question_alone(answer, await self._person(interaction), place, route)
        if interaction.guild_id or not question:
            raise NotFoundError(f"The answer {answer_id} was offered to somebody else.")

        async def acknowledge() -> None:
            await self.listeners.answer(interaction, CHANGE, {**offer_message(answer), "components": []})

        await hear(services, self.listeners.delivery, question, acknowledge)

    async def _on_stop(self, interaction: discord.Interaction, _: dict[str, Any], answer_id: UUID, __: str) -> None:
        """End an answer where it is, for whoever asked; what comes of it is seen in its message."""
        services, person = self.listeners.services, await self._person(interaction)
        answer = await services.record.answer(answer_id)
        if answer.person.external_id != person.external_id:
            await self.listeners.whisper(interaction, PHRASES.say("command.nothing_to_stop", self.listeners.language(interaction)))
            return
        if await services.record.stop(answer_id):
            services.waker.wake()
        await self.listeners.answer(interaction, LATER)

    async def _explain(self, interaction: discord.Interaction, answer_id: UUID, reasons: tuple[str, ...], comment: str | None) -> None:
        services = self.listeners.services
        with contextlib.suppress(NotFoundError):  # taken back meanwhile
            await explain(services.engine, services.record, answer_id, await self._person(interaction), reasons, comment)

    async def _show(self, interaction: discord.Interaction, kind: int, message: dict[str, Any]) -> None:
        await self.listeners.answer(interaction, kind, {**message, "flags": message["flags"] | (EPHEMERAL if kind == REPLY else 0)})

    async def _person(self, interaction: discord.Interaction) -> Person:
        return await self.listeners.places.person(interaction.user, interaction.guild_id)

    # ── reactions ──

    async def on_reaction(self, payload: discord.RawReactionActionEvent, *, is_set: bool) -> None:
        """Count a thumb that came or went below one of our messages."""
        us = self.listeners.client.user
        if not us or payload.user_id == us.id or not value_of(token_of(payload.emoji)) or (payload.member and payload.member.bot):
            return
        if payload.message_author_id not in (None, us.id) or (payload.message_author_id is None and not await self._is_ours(payload)):
            return
        user = payload.member or self.listeners.client.get_user(payload.user_id)
        if user and user.bot:
            return
        if vote := vote_from_reaction(payload, await self._reacting(payload, user), is_set=is_set):
            await self.listeners.until_kept(lambda: self._cast(vote))

    async def on_cleared(self, channel_id: int, message_id: int, emoji: discord.PartialEmoji | None = None) -> None:
        """Take back all thumbs which a moderator cleared from a message, or those of one emoji."""
        await self.listeners.until_kept(lambda: self._clear(channel_id, message_id, emoji))

    async def _clear(self, channel_id: int, message_id: int, emoji: discord.PartialEmoji | None) -> None:
        services = self.listeners.services
        for standing in await reactions_on(services.engine, "discord", str(channel_id), [str(message_id)]):
            if emoji is None or standing.token == token_of(emoji):
                await self.take_back(str(channel_id), str(message_id), standing.person, standing.token, standing.value)

    async def take_back(self, channel: str, message_id: str, person: Person, token: str, value: VoteValue) -> None:
        """Take back a thumb that is gone, whoever took it away."""
        services = self.listeners.services
        vote = Vote(
            event_id=f"discord:{uuid4()}", person=person, kind="unset", value=value, source="reaction", token=token, at=datetime.now(UTC),
            channel=channel, message_id=message_id,
        )  # fmt: skip
        await cast(services.engine, services.record, vote)

    async def _is_ours(self, payload: discord.RawReactionActionEvent) -> bool:
        """Return whether a message is an answer, or so young that it may become known as one: Discord does not say whose it is."""
        age = datetime.now(UTC) - discord.utils.snowflake_time(payload.message_id)
        if age.total_seconds() < FRESH_SECONDS:
            return True
        message_id = str(payload.message_id)
        return bool(await self.listeners.services.record.known_messages("discord", str(payload.channel_id), [message_id]))

    async def _reacting(self, payload: discord.RawReactionActionEvent, user: discord.User | discord.Member | None) -> Person:
        if user:
            return await self.listeners.places.person(user, payload.guild_id)
        workspace = str(payload.guild_id) if payload.guild_id else await self.listeners.places.home(payload.user_id)
        return Person(platform="discord", workspace=workspace, external_id=str(payload.user_id))

    async def _cast(self, vote: Vote) -> None:
        await pause("vote_heard")
        await cast(self.listeners.services.engine, self.listeners.services.record, vote)
