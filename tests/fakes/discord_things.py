"""The things of the fake Discord's world: people, guilds, channels, messages, files; permissions, intents and settings."""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.fakes.discord_rules import Json

EPOCH_MS = 1_420_070_400_000
TEXT_CHANNEL, DM, FORUM, THREAD = 0, 1, 15, 11
KINDS = {"text": TEXT_CHANNEL, "forum": FORUM, "dm": DM, "thread": THREAD}
PERMISSIONS = {
    "administrator": 1 << 3, "add_reactions": 1 << 6, "view_channel": 1 << 10, "send_messages": 1 << 11, "manage_messages": 1 << 13,
    "embed_links": 1 << 14, "attach_files": 1 << 15, "read_message_history": 1 << 16, "mention_everyone": 1 << 17,
    "use_external_emojis": 1 << 18, "manage_threads": 1 << 34, "create_public_threads": 1 << 35, "send_messages_in_threads": 1 << 38,
}  # fmt: skip
EVERYBODY = sum(PERMISSIONS[name] for name in PERMISSIONS if name not in ("administrator", "manage_messages", "manage_threads"))
INTENTS = {
    "guilds": 1 << 0, "members": 1 << 1, "presences": 1 << 8, "guild_messages": 1 << 9, "guild_reactions": 1 << 10,
    "guild_typing": 1 << 11, "direct_messages": 1 << 12, "direct_reactions": 1 << 13, "direct_typing": 1 << 14, "message_content": 1 << 15,
}  # fmt: skip
ALL_INTENTS = (1 << 26) - 1


def iso(at: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


@dataclass(slots=True)
class User:
    """A person or a bot."""

    id: str
    name: str
    bot: bool = False
    admin: bool = False
    takes_dms: bool = True

    @property
    def payload(self) -> Json:
        """The user object."""
        return {
            "id": self.id, "username": self.name, "global_name": None if self.bot else self.name, "discriminator": "0001" if self.bot else "0",
            "avatar": None, "bot": self.bot, "public_flags": 0,
        }  # fmt: skip


@dataclass(slots=True)
class Channel:
    """A text channel, forum, thread or direct message."""

    id: str
    name: str
    kind: int
    guild_id: str | None = None
    parent_id: str | None = None
    owner_id: str | None = None
    private: bool = False
    members: set[str] = field(default_factory=set)  # who may view a private one: people, and roles of the guild
    denied: set[str] = field(default_factory=set)
    granted: set[str] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    archived: bool = False
    locked: bool = False
    auto_archive: int = 1440
    created_at: float = 0.0


@dataclass(slots=True)
class Guild:
    """A workspace."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    admin_role: str = ""
    roles: dict[str, tuple[str, set[str]]] = field(default_factory=dict)  # name and holders, by id
    features: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Attachment:
    """A file on the fake's own CDN."""

    id: str
    filename: str
    data: bytes
    content_type: str
    channel_id: str
    description: str | None = None
    expired: bool = False


@dataclass(slots=True)
class Message:
    """A message with everything that ever happened to it (`states`)."""

    id: str
    channel_id: str
    author_id: str
    content: str
    at: float
    type: int = 0
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    flags: int = 0
    nonce: str | int | None = None
    reference: Json | None = None
    reply_pings: bool = False
    snapshots: list[Json] = field(default_factory=list)
    edited_at: float | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    interaction_id: str | None = None
    allowed_mentions: Json | None = None
    thread_id: str | None = None
    deleted: bool = False
    aged_seconds: float = 0.0
    states: list[Json] = field(default_factory=list)

    @property
    def reply_to(self) -> str | None:
        """The id of the message it answers."""
        return str(self.reference["message_id"]) if self.reference and self.reference.get("type", 0) == 0 else None

    @property
    def age_seconds(self) -> float:
        """How old Discord takes it to be."""
        return time.time() - self.at + self.aged_seconds


@dataclass(slots=True)
class Settings:
    """What a test may turn. Seconds are Discord's own unless a test shortens them."""

    limits: bool = False
    message_content: bool = True
    members: bool = False
    presences: bool = False
    first_response_seconds: float = 3.0
    token_seconds: float = 900.0
    nonce_seconds: float = 180.0
    old_edit_seconds: float = 3600.0
    old_edit_retry_seconds: float = 1.0
    heartbeat_seconds: float = 41.25
    resume_seconds: float = 180.0
    latency_seconds: float = 0.0
    refuse_resumes: int = 0
    gateway_up: bool = True
    locale: str = "en-US"


def bits(names: set[str]) -> int:
    return sum(PERMISSIONS[name] for name in names)


def emoji_payload(emoji: str) -> Json:
    """The emoji object: a character, or `name:id` of a custom one."""
    name, _, custom = emoji.partition(":")
    return {"id": custom, "name": name} if custom else {"id": None, "name": emoji}


def is_emoji(emoji: str) -> bool:
    """Whether Discord takes this as a reaction: an emoji character or `name:id`, never a letter or a shortcode like `:thumbsup:`."""
    if re.fullmatch(r"\w{2,32}:\d{15,20}", emoji):
        return True
    return any(unicodedata.category(letter) in ("So", "Sk") or letter in "*#0123456789\u20e3\ufe0f" for letter in emoji) and not re.search(
        r"[A-Za-z]", emoji
    )


def content_type_of(filename: str) -> str:
    known = {"txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "pdf": "application/pdf", "png": "image/png",
             "jpg": "image/jpeg", "html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "ogg": "audio/ogg", "json": "application/json",
             "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}  # fmt: skip
    return known.get(filename.rpartition(".")[2].lower(), "application/octet-stream")
