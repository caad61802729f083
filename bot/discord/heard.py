"""What Discord sends, read once: a message becomes a Heard, a reaction or a button a Vote, a command a Question. Nothing is called here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import discord

from bot.intake import Heard, is_stop
from bot.votes import reaction_vote
from nod.contracts import PRIVATE_THREAD, FileRef, Person, Place, Question, Route, Vote, VoteValue
from nod.language import Language

TOKEN_SECONDS = 14 * 60  # Discord takes answers to an interaction for fifteen minutes
THUMB = "thumb"  # one signal for both buttons: the last one pressed is what stands

_TOKEN = re.compile(r"<(@!?|@&|#)(\d+)>|<a?(:\w+:)\d+>")
_TALK = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something was said: the guild ("" in a direct message), the channel that was posted in, and the channel it is a thread of."""

    workspace: str
    posted_in: str
    parent: str
    is_thread: bool
    is_direct: bool
    is_private_thread: bool = False

    @property
    def told(self) -> dict[str, str]:
        """What has to be kept with a question about where it was asked, beside its place."""
        return {PRIVATE_THREAD: "1"} if self.is_private_thread else {}


# ── messages ──


def is_by_person(message: discord.Message) -> bool:
    """Return whether a message is something that a person said."""
    return message.type in _TALK and not message.author.bot and not message.webhook_id


def asks_to_stop(message: discord.Message, us: int) -> bool:
    """Return whether somebody says no more than stop; whether that is meant for us depends on where."""
    return is_by_person(message) and not message.attachments and is_stop(text_from(message, us))


def is_to_us(message: discord.Message, us: int, *, has_content: bool) -> bool:
    """Return whether a message is a person's and for us: a mention, a reply to us that pings, or a direct message.

    With the message-content intent a reply to us counts without a ping, too; without it we could not read it.
    """
    if not is_by_person(message):
        return False
    if message.guild is None and not _guild_id(message):
        return True
    return any(user.id == us for user in message.mentions) or (has_content and _replied_author(message) == us)


def replied_to(message: discord.Message) -> str:
    """Return the id of the message that this one replies to, "" for none."""
    reference = message.reference
    if not reference or message.type is not discord.MessageType.reply or not reference.message_id:
        return ""
    return str(reference.message_id)


def heard_from(message: discord.Message, spot: Spot, place: Place, us: int, person: Person) -> Heard:
    """Return a message as intake wants it; it is known to be to us."""
    return Heard(
        person=person,
        place=place,
        message_id=str(message.id),
        text=text_from(message, us),
        route=Route(channel=spot.posted_in, thread=place.thread, reply_to=str(message.id), extra=spot.told),
        at=message.created_at,
        is_to_us=True,
        is_by_bot=message.author.bot,
        files=tuple(_file(attachment) for attachment in message.attachments),
    )


def text_from(message: discord.Message, us: int | None = None) -> str:
    """Return what somebody wrote, without the mention of `us`; people, roles and channels by their names."""
    people = {user.id: user.display_name for user in message.mentions}

    def name(found: re.Match[str]) -> str:
        if emoji := found[3]:
            return str(emoji)
        kind, number = found[1], int(found[2])
        if kind == "#":
            channel = message.guild.get_channel_or_thread(number) if message.guild else None
            return f"#{channel.name if channel else number}"
        if kind == "@&":
            role = message.guild.get_role(number) if message.guild else None
            return f"@{role.name if role else number}"
        return "" if number == us else f"@{people.get(number, number)}"

    text = _TOKEN.sub(name, message.content)
    return "\n".join(line.strip(" ") if us else line for line in text.strip().splitlines())


def _replied_author(message: discord.Message) -> int | None:
    resolved = message.reference.resolved if message.reference else None
    return resolved.author.id if isinstance(resolved, discord.Message) else None


def _guild_id(message: discord.Message) -> int | None:
    return getattr(message.channel, "guild_id", None)


def _file(attachment: discord.Attachment) -> FileRef:
    return FileRef(
        name=attachment.filename, media_type=attachment.content_type or "application/octet-stream", size_bytes=attachment.size,
        external_id=str(attachment.id),
    )  # fmt: skip


# ── interactions ──


def options_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that somebody gave with a command, by name."""
    return {str(option["name"]): option.get("value") for option in data.get("options") or ()}


def typed_in(data: Mapping[str, Any], name: str) -> str:
    """Return what was typed into a field of a dialog."""
    for row in data.get("components") or ():
        for item in (row.get("component"), *(row.get("components") or ())):
            if item and item.get("custom_id") == name:
                return str(item.get("value") or "")
    return ""


def question_from_command(  # noqa: PLR0913  # one argument per fact of a command
    interaction: discord.Interaction, spot: Spot, place: Place, person: Person, text: str, language: Language, *, is_private: bool
) -> Question:
    """Return the question of `/ask`; its token brings the answer back while it is good."""
    return Question(
        person=person, place=place, message_id=str(interaction.id), text=text, language=language, asked_at=interaction.created_at,
        route=Route(
            channel=spot.posted_in, thread=place.thread, token=interaction.token, private=is_private,
            expires_at=interaction.created_at + timedelta(seconds=TOKEN_SECONDS), extra=spot.told,
        ),
    )  # fmt: skip


def language_of_locale(locale: object) -> Language | None:
    """Return the language of somebody's Discord; None for one that we do not speak."""
    code = str(locale or "")[:2]
    return "ko" if code == "ko" else "en" if code == "en" else None


# ── votes ──


def vote_from_reaction(payload: discord.RawReactionActionEvent, person: Person, *, is_set: bool) -> Vote | None:
    """Return the vote of a reaction that came or went now; None for one that is none. Discord tells no time, and no id of the event."""
    at = datetime.now(UTC)
    return reaction_vote(
        person, token_of(payload.emoji), is_set=is_set, channel=str(payload.channel_id), message_id=str(payload.message_id), at=at,
        event_id=f"discord:{payload.message_id}:{payload.user_id}:{payload.emoji}:{is_set:d}:{at.timestamp():.6f}",
    )  # fmt: skip


def token_of(emoji: discord.PartialEmoji) -> str:
    """Return the raw token of an emoji; one of a guild's own is never a thumb by its name."""
    return f"{emoji.name}:{emoji.id}" if emoji.id else emoji.name


def vote_from_button(interaction: discord.Interaction, answer_id: UUID, value: VoteValue, person: Person, *, is_set: bool) -> Vote:
    """Return the vote of a thumb that was pressed."""
    return Vote(
        event_id=f"discord:{interaction.id}", person=person, kind="set" if is_set else "unset", value=value, source="button", token=THUMB,
        at=datetime.now(UTC), answer_id=answer_id,
    )  # fmt: skip
