"""Teaching in Discord: `/teach`, Apps → Teach nod on a message, the button below an answer that does not know; and the way back."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import discord

from bot.commands import Asker
from bot.discord.heard import language_of_locale, options_of, typed_in
from bot.discord.listeners import Listeners
from bot.discord.render import FIELD, FIELD_ABOUT, LESSON, NO_ANSWER, TEACH, UNDO, command_text, learnt_message, plain_message, teach_dialog
from bot.faces import PHRASES
from bot.teaching import Said, gap_behind, learn, take_back, who_sees
from knowledge.gaps import Gap
from knowledge.teaching import scope_taught_in
from nod.errors import NotFoundError, first_line
from nod.logs import log
from nod.process import STORE_ERRORS

KEEP_SECONDS = 2.5  # Discord waits three for the first answer to an interaction
_REPLY, _CHANGE, _DIALOG = 4, 7, 9  # discord-api-docs, interaction callback types
_MESSAGE_COMMAND = 3

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Teaching:
    """What hearing teachers works with. `acts` are its buttons and dialogs, by the name in their ids."""

    listeners: Listeners

    @property
    def acts(self) -> dict[str, Any]:
        """What to do for a component, by its name."""
        return {TEACH: self._on_button, LESSON: self._on_dialog, UNDO: self._on_undo}

    def is_for_us(self, data: dict[str, Any]) -> bool:
        """Return whether a command teaches: `/teach`, or the only one on a message."""
        return data.get("type") == _MESSAGE_COMMAND or data.get("name") == "teach"

    async def on_command(self, interaction: discord.Interaction, data: dict[str, Any]) -> None:
        """Learn a text or a message; without either open a dialog."""
        asker = await self._asker(interaction)
        if data.get("type") == _MESSAGE_COMMAND:
            message: dict[str, Any] = data["resolved"]["messages"][str(data["target_id"])]
            guild = interaction.guild_id or "@me"
            url = f"https://discord.com/channels/{guild}/{message['channel_id']}/{message['id']}"
            await self._answer(interaction, await self._learnt(asker, str(message.get("content") or ""), url=url), asker)
        elif text := str(options_of(data).get("text") or "").strip():
            await self._answer(interaction, await self._learnt(asker, text), asker)
        else:
            await self._open(interaction, asker, NO_ANSWER, None)

    async def _on_button(self, interaction: discord.Interaction, _: dict[str, Any], answer_id: UUID, __: str) -> None:
        """Ask whoever knows for what nod does not."""
        asker = await self._asker(interaction)
        await self._open(interaction, asker, answer_id, await gap_behind(self.listeners.services, answer_id, asker.person))

    async def _on_dialog(self, interaction: discord.Interaction, data: dict[str, Any], answer_id: UUID, _: str) -> None:
        """Learn what was written in the dialog."""
        asker = await self._asker(interaction)
        said = await self._learnt(asker, typed_in(data, FIELD).strip(), title=typed_in(data, FIELD_ABOUT).strip(), answer_id=answer_id)
        await self._answer(interaction, said, asker)

    async def _on_undo(self, interaction: discord.Interaction, _: dict[str, Any], __: UUID, lesson: str) -> None:
        """Take back what was taught; what told of it says so."""
        asker = await self._asker(interaction)
        text = await take_back(self.listeners.services, int(lesson), asker.person, asker.language)
        await self.listeners.answer(interaction, _CHANGE, {**plain_message(command_text(text)), "components": []})

    # ── how ──

    async def _asker(self, interaction: discord.Interaction) -> Asker:
        places, language = self.listeners.places, self.listeners.language(interaction)
        person = await places.person(interaction.user, interaction.guild_id, language_of_locale(interaction.locale))
        spot = await places.spot(interaction.channel, interaction.channel_id or 0, interaction.guild_id)
        place = places.place(spot, "", is_private=spot.is_private_thread)  # a private thread is no channel: theirs alone
        return Asker(person, place, language)

    async def _learnt(self, asker: Asker, text: str, *, title: str = "", url: str | None = None, answer_id: UUID = NO_ANSWER) -> Said:
        """Keep what is taught. What cannot be kept is given back: Discord's dialogs close whatever they are answered."""
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                gap = None if answer_id == NO_ANSWER else await gap_behind(self.listeners.services, answer_id, asker.person)
                return await learn(self.listeners.services, asker, text, title=title, url=url, gap=gap)
        except NotFoundError:
            raise
        except (*STORE_ERRORS, TimeoutError) as error:
            _log.warning("what was taught is not kept", error=first_line(error))
            return Said(f"{PHRASES.say('command.failed', asker.language)}\n>>> {text}")

    async def _answer(self, interaction: discord.Interaction, said: Said, asker: Asker) -> None:
        await self.listeners.answer(interaction, _REPLY, learnt_message(said.text, said.lesson_id, asker.language))

    async def _open(self, interaction: discord.Interaction, asker: Asker, answer_id: UUID, gap: Gap | None) -> None:
        who = who_sees(gap.scope if gap else scope_taught_in(asker.place, asker.person), asker.language)
        dialog = teach_dialog(answer_id, gap.question if gap else "", who, asker.language)
        await self.listeners.answer(interaction, _DIALOG, dialog)
