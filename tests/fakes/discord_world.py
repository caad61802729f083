"""The world the fake Discord plays: guilds, channels, people, messages, and what was done to them and when.

It holds the state and says how each thing looks on the wire; it knows nothing of HTTP. Who may see a message's content
without the message-content intent is decided here, in one place (`World.payload`).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any

from tests.fakes.discord_components import pings, text_of
from tests.fakes.discord_rules import EPHEMERAL, HAS_THREAD, LOADING, Json, unknown
from tests.fakes.discord_things import (
    DM,
    EVERYBODY,
    FORUM,
    INTENTS,
    PERMISSIONS,
    TEXT_CHANNEL,
    THREAD,
    Attachment,
    Channel,
    Guild,
    Message,
    Settings,
    User,
    bits,
    content_type_of,
    emoji_payload,
    iso,
)

EPOCH_MS = 1_420_070_400_000


Emit = Callable[[str, Callable[[bool], Json] | Json, int, "str | None"], None]


class World:
    """Everything there is. `emit` is set by the gateway."""

    def __init__(self, token: str, limits: bool = False) -> None:
        self.token, self._limits_at_start = token, limits
        self.settings = Settings(limits=limits)
        self.base = ""
        self.started_at = time.monotonic()
        self._last_id = 0
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Message] = {}
        self.attachments: dict[str, Attachment] = {}
        self.nonces: dict[tuple[str, str], tuple[float, str]] = {}
        self.direct_channels: dict[str, str] = {}
        self.interactions: dict[str, Any] = {}
        self.interactions_by_token: dict[str, Any] = {}
        self.commands: dict[str | None, dict[str, Json]] = {None: {}}
        self.command_writes: list[Json] = []
        self.typing: list[Json] = []
        self.calls: list[Json] = []
        self.version = 0
        self._changed = asyncio.Event()
        self.emit: Emit = lambda *_: None
        self.bot = self.add_user("nod", bot=True)
        self.application_id = self.new_id()
        self.guild = self.add_guild("Fake Guild")
        self.add_channel("general")

    def reset(self) -> None:
        """Back to the first day: the bot, its guild and #general keep their ids, everything else is gone."""
        self.settings = Settings(limits=self._limits_at_start)
        general = next(channel for channel in self.channels.values() if channel.guild_id == self.guild.id)
        self.guilds, self.channels = {self.guild.id: self.guild}, {}
        self.users = {self.bot.id: self.bot}
        self.guild.members, self.guild.roles, self.guild.features = {self.bot.id}, {}, []
        self.channels[general.id] = Channel(general.id, "general", TEXT_CHANNEL, self.guild.id, created_at=time.time())
        for kept in (self.messages, self.attachments, self.nonces, self.direct_channels, self.interactions, self.interactions_by_token):
            kept.clear()
        for records in (self.typing, self.calls, self.command_writes):
            records.clear()
        self.commands = {None: {}}
        self.touch()

    # ---- ids, change

    def new_id(self) -> str:
        """A snowflake, always greater than the one before."""
        wanted = (int(time.time() * 1000) - EPOCH_MS) << 22
        self._last_id = max(wanted, self._last_id + 1)
        return str(self._last_id)

    def touch(self) -> None:
        """Say that something changed, to those who wait for it."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, since: int, within_seconds: float) -> int:
        """Return when the version is beyond `since`, or the time is up."""
        if self.version <= since:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), within_seconds)
        return self.version

    # ---- people and places

    def add_user(self, name: str, bot: bool = False) -> User:
        """A new person, member of every guild there is."""
        user = User(self.new_id(), name, bot)
        self.users[user.id] = user
        for guild in self.guilds.values():
            guild.members.add(user.id)
        return user

    def user(self, who: str) -> User:
        """The person of this id or name, made when new."""
        if who in self.users:
            return self.users[who]
        return next((user for user in self.users.values() if user.name == who), None) or self.add_user(who)

    def add_guild(self, name: str) -> Guild:
        """A guild with everybody in it."""
        guild = Guild(self.new_id(), name, set(self.users))
        guild.admin_role = self.new_id()
        self.guilds[guild.id] = guild
        return guild

    def add_channel(self, name: str, kind: int = TEXT_CHANNEL, guild: Guild | None = None, **more: Any) -> Channel:
        """A channel of the guild."""
        channel = Channel(self.new_id(), name, kind, (guild or self.guild).id, created_at=time.time(), **more)
        self.channels[channel.id] = channel
        return channel

    def channel(self, which: str) -> Channel:
        """The channel of this id or name, made when it is a new name."""
        if which in self.channels:
            return self.channels[which]
        found = next((channel for channel in self.channels.values() if channel.name == which and channel.kind != DM), None)
        if found is None and which.isdigit():
            raise KeyError(f"no channel {which}")
        return found or self.add_channel(which)

    def direct(self, user: User) -> Channel:
        """The direct message with this person."""
        if user.id not in self.direct_channels:
            channel = Channel(self.new_id(), user.name, DM, members={user.id}, created_at=time.time())
            self.channels[channel.id] = channel
            self.direct_channels[user.id] = channel.id
        return self.channels[self.direct_channels[user.id]]

    def add_thread(self, parent: Channel, name: str, owner: str, own_id: str | None = None, auto_archive: int = 1440) -> Channel:
        """A public thread below a channel; with the id of a message, the thread of that message."""
        thread = Channel(
            own_id or self.new_id(), name, THREAD, parent.guild_id, parent.id, owner, parent.private, parent.members, set(parent.denied),
            auto_archive=auto_archive, created_at=time.time(),
        )  # fmt: skip
        self.channels[thread.id] = thread
        return thread

    def live_channel(self, channel_id: str) -> Channel:
        """The channel, for a caller over REST: unknown, or out of its sight."""
        if (channel := self.channels.get(channel_id)) is None:
            raise unknown("Channel")
        return channel

    def live_message(self, channel_id: str, message_id: str) -> Message:
        """The message, for a caller over REST: neither deleted, nor ephemeral, nor of another channel."""
        message = self.messages.get(message_id)
        if message is None or message.deleted or message.channel_id != channel_id or message.flags & EPHEMERAL:
            raise unknown("Message")
        return message

    def permissions(self, user: User, channel: Channel) -> int:
        """What a person may do here."""
        if user.admin:
            return sum(PERMISSIONS.values())
        if channel.private and channel.members.isdisjoint({user.id, *self.roles_of(user, channel.guild_id)}) and user is not self.bot:
            return 0
        return (EVERYBODY | bits(channel.granted)) & ~bits(channel.denied) if user is self.bot else EVERYBODY

    def roles_of(self, user: User, guild_id: str | None) -> list[str]:
        """The roles of a person in a guild, beside that of all."""
        guild = self.guilds.get(guild_id or "")
        return [role_id for role_id, (_, holders) in guild.roles.items() if user.id in holders] if guild else []

    # ---- writing

    def write(self, message: Message, how: str) -> Message:
        """Keep the message as it now is, and as one more state."""
        is_new = message.id not in self.messages
        self.messages[message.id] = message
        if is_new:
            self.channels[message.channel_id].messages.append(message.id)
        self.note(message, how)
        return message

    def note(self, message: Message, how: str) -> None:
        """One more line in the life of a message."""
        text = text_of(message.content, message.components)
        replied_to = self.messages.get(message.reply_to or "")
        message.states.append(
            {
                "how": how, "at": time.monotonic(), "wall": time.time(), "text": text, "content": message.content, "embeds": message.embeds,
                "components": message.components, "flags": message.flags, "attachments": list(message.attachments),
                "allowed_mentions": message.allowed_mentions, "has_allowed_mentions": message.allowed_mentions is not None,
                "pings": pings(text, message.allowed_mentions, replied_to.author_id if replied_to else None),
            }
        )  # fmt: skip
        self.touch()

    def attach(self, filename: str, data: bytes, channel_id: str, content_type: str | None = None, description: str | None = None) -> str:
        """Put a file on the CDN and return its id."""
        guessed = content_type or content_type_of(filename)
        found = Attachment(self.new_id(), re.sub(r"[^\w.\-]", "_", filename), data, guessed, channel_id, description)
        self.attachments[found.id] = found
        return found.id

    # ---- how things look

    def member(self, user: User, guild_id: str | None, channel: Channel | None = None) -> Json:
        """The member object; with a channel, as an interaction shows it (with permissions)."""
        guild = self.guilds[guild_id or self.guild.id]
        told: Json = {
            "user": user.payload, "nick": None, "avatar": None,
            "roles": [*([guild.admin_role] if user.admin else []), *self.roles_of(user, guild.id)],
            "joined_at": iso(1_700_000_000), "premium_since": None, "deaf": False, "mute": False, "flags": 0, "pending": False,
            "communication_disabled_until": None,
        }  # fmt: skip
        if channel is not None:
            told["permissions"] = str(self.permissions(user, channel))
        return told

    def channel_payload(self, channel: Channel) -> Json:
        """The channel object."""
        last = channel.messages[-1] if channel.messages else None
        if channel.kind == DM:
            recipients = [self.users[user].payload for user in channel.members]
            return {"id": channel.id, "type": DM, "last_message_id": last, "recipients": recipients, "flags": 0}
        told: Json = {"id": channel.id, "type": channel.kind, "guild_id": channel.guild_id, "name": channel.name, "last_message_id": last,
                      "parent_id": channel.parent_id, "rate_limit_per_user": 0, "flags": 0}  # fmt: skip
        if channel.kind == THREAD:
            count = len(channel.messages)
            meta = {"archived": channel.archived, "locked": channel.locked, "auto_archive_duration": channel.auto_archive,
                    "archive_timestamp": iso(channel.created_at), "create_timestamp": iso(channel.created_at)}  # fmt: skip
            return told | {
                "owner_id": channel.owner_id,
                "message_count": count,
                "total_message_sent": count,
                "member_count": 1,
                "thread_metadata": meta,
            }
        told |= {"position": 0, "topic": None, "nsfw": False, "permission_overwrites": self._overwrites(channel)}
        if channel.kind == FORUM:
            told |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None, "default_forum_layout": 0}
        return told

    def _overwrites(self, channel: Channel) -> list[Json]:
        found: list[Json] = []
        view = str(PERMISSIONS["view_channel"])
        if channel.private:
            found.append({"id": channel.guild_id, "type": 0, "allow": "0", "deny": view})
            roles = self.guilds[channel.guild_id or ""].roles
            found += [{"id": each, "type": int(each not in roles), "allow": view, "deny": "0"} for each in sorted(channel.members)]
        if channel.private or channel.denied or channel.granted:
            allowed = (channel.granted | ({"view_channel"} if channel.private else set())) - channel.denied
            found.append({"id": self.bot.id, "type": 1, "allow": str(bits(allowed)), "deny": str(bits(channel.denied))})
        return found

    def guild_payload(self, guild: Guild, everybody: bool) -> Json:
        """The guild as GUILD_CREATE tells it; members only with the members intent, else the bot alone."""
        channels = [channel for channel in self.channels.values() if channel.guild_id == guild.id]
        roles = [(guild.id, "@everyone", EVERYBODY), (guild.admin_role, "admin", PERMISSIONS["administrator"])]
        roles += [(role_id, name, 0) for role_id, (name, _) in guild.roles.items()]
        members = guild.members if everybody else {self.bot.id}
        return {
            "id": guild.id, "name": guild.name, "icon": None, "splash": None, "owner_id": "1", "region": "seoul", "afk_timeout": 300,
            "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0,
            "roles": [self.role_payload(*role, place) for place, role in enumerate(roles)],
            "emojis": [], "stickers": [], "features": guild.features, "premium_tier": 0, "preferred_locale": self.settings.locale, "system_channel_id": None,
            "system_channel_flags": 0, "rules_channel_id": None, "public_updates_channel_id": None, "joined_at": iso(1_700_000_000),
            "large": False, "unavailable": False, "member_count": len(guild.members), "voice_states": [], "presences": [],
            "members": [self.member(self.users[user], guild.id) for user in sorted(members)],
            "channels": [self.channel_payload(channel) for channel in channels if channel.kind != THREAD],
            "threads": [self.channel_payload(channel) for channel in channels if channel.kind == THREAD and not channel.archived],
            "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
        }  # fmt: skip

    def role_payload(self, role_id: str, name: str, permissions: int, position: int) -> Json:
        return {"id": role_id, "name": name, "color": 0, "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None}, "hoist": False,
                "icon": None, "unicode_emoji": None, "position": position, "permissions": str(permissions), "managed": False,
                "mentionable": False, "flags": 0}  # fmt: skip

    def attachment_payload(self, attachment_id: str) -> Json:
        """The attachment object, with a signed address on the fake's CDN."""
        found = self.attachments[attachment_id]
        url = f"{self.base}/cdn/attachments/{found.channel_id}/{found.id}/{found.filename}?ex=1&is=1&hm={found.id}"
        told: Json = {
            "id": found.id,
            "filename": found.filename,
            "size": len(found.data),
            "url": url,
            "proxy_url": url,
            "content_type": found.content_type,
        }
        return told | ({"description": found.description} if found.description else {})

    def mentions(self, message: Message) -> list[str]:
        """The people a message mentions: named in it, or pinged by replying."""
        named = [user for user in re.findall(r"<@!?(\d+)>", message.content) if user in self.users]
        replied = self.messages.get(message.reply_to or "")
        if replied is not None and message.reply_pings and not (replied.author_id == self.bot.id and replied.interaction_id):
            named.append(replied.author_id)
        return list(dict.fromkeys(named))

    def may_read(self, message: Message) -> bool:
        """Whether an application without the message-content intent gets what this message says."""
        is_direct = self.channels[message.channel_id].kind == DM
        return is_direct or message.author_id == self.bot.id or self.bot.id in self.mentions(message)

    def payload(self, message: Message, content: bool, nested: bool = True) -> Json:
        """The message object, emptied of what a reader without the intent (`content`) does not get."""
        shown = content or self.may_read(message)
        edited = iso(message.edited_at) if message.edited_at else None
        told: Json = {
            "id": message.id, "channel_id": message.channel_id, "type": message.type, "author": self.users[message.author_id].payload,
            "content": message.content if shown else "", "timestamp": iso(message.at), "edited_timestamp": edited, "tts": False,
            "mention_everyone": "@everyone" in message.content or "@here" in message.content,
            "mentions": [self.users[user].payload for user in self.mentions(message)], "mention_roles": re.findall(r"<@&(\d+)>", message.content),
            "attachments": [self.attachment_payload(item) for item in message.attachments] if shown else [],
            "embeds": message.embeds if shown else [], "components": message.components if shown else [], "pinned": False, "flags": message.flags,
        }  # fmt: skip
        if message.nonce is not None:
            told["nonce"] = message.nonce
        if message.reactions:
            told["reactions"] = [self._reaction(emoji, users) for emoji, users in message.reactions.items()]
        if message.interaction_id is not None:
            told |= {"application_id": self.application_id, "webhook_id": self.application_id} | self._metadata(message)
        if message.thread_id in self.channels:
            told["thread"] = self.channel_payload(self.channels[message.thread_id])
        if message.snapshots:
            told["message_snapshots"] = message.snapshots if shown else []
        if message.reference is not None:
            told["message_reference"] = message.reference
            replied = self.messages.get(str(message.reference["message_id"]))
            if nested and message.reference.get("type", 0) == 0:
                told["referenced_message"] = self.payload(replied, content, nested=False) if replied and not replied.deleted else None
        return told

    def event_payload(self, message: Message, content: bool) -> Json:
        """The message as a gateway event tells it: with guild and member."""
        told = self.payload(message, content)
        guild_id = self.channels[message.channel_id].guild_id
        if guild_id:
            told["guild_id"] = guild_id
            if message.interaction_id is None:
                told["member"] = {
                    key: value for key, value in self.member(self.users[message.author_id], guild_id).items() if key != "user"
                }
        return told

    def _metadata(self, message: Message) -> Json:
        interaction = self.interactions[message.interaction_id]
        user = self.users[interaction.user_id].payload
        owners = {"0": interaction.guild_id or "0"}
        return {
            "interaction_metadata": {"id": interaction.id, "type": interaction.type, "user": user, "authorizing_integration_owners": owners}
        }

    def _reaction(self, emoji: str, users: list[str]) -> Json:
        return {"count": len(users), "me": self.bot.id in users, "me_burst": False, "burst_colors": [], "emoji": emoji_payload(emoji),
                "count_details": {"normal": len(users), "burst": 0}}  # fmt: skip

    def view(self, message: Message) -> Json:
        """A message as the tests see it: everything, whoever may read it, with its life and its pings."""
        author = self.users[message.author_id]
        every_ping = [ping for state in message.states for ping in state["pings"]]
        return {
            "id": message.id, "channel": message.channel_id, "user": author.name, "user_id": author.id, "is_bot": author.id == self.bot.id,
            "text": text_of(message.content, message.components), "content": message.content, "embeds": message.embeds,
            "components": message.components, "flags": message.flags, "is_ephemeral": bool(message.flags & EPHEMERAL),
            "is_loading": bool(message.flags & LOADING), "type": message.type, "nonce": message.nonce, "reply_to": message.reply_to,
            "reference": message.reference, "reactions": message.reactions, "interaction": message.interaction_id,
            "thread": message.thread_id if message.flags & HAS_THREAD else None, "is_deleted": message.deleted,
            "created_at": message.at, "at": message.states[0]["at"] if message.states else None,
            "attachments": [self.attachment_payload(item) for item in message.attachments], "states": message.states,
            "pings": list(dict.fromkeys(every_ping)),
            "has_allowed_mentions": all(state["has_allowed_mentions"] for state in message.states if state["how"] != "delete"),
        }  # fmt: skip

    # ---- announcing

    def announce(self, event: str, message: Message) -> None:
        """MESSAGE_CREATE or MESSAGE_UPDATE to whoever listens; never for what only one person sees."""
        channel = self.channels[message.channel_id]
        if message.flags & EPHEMERAL or "view_channel" in channel.denied:
            return
        bit = INTENTS["direct_messages" if channel.kind == DM else "guild_messages"]
        self.emit(event, lambda content: self.event_payload(message, content), bit, channel.guild_id)

    def announce_gone(self, message: Message) -> None:
        """MESSAGE_DELETE."""
        channel = self.channels[message.channel_id]
        bit = INTENTS["direct_messages" if channel.kind == DM else "guild_messages"]
        told: Json = {"id": message.id, "channel_id": channel.id} | ({"guild_id": channel.guild_id} if channel.guild_id else {})
        if not message.flags & EPHEMERAL:
            self.emit("MESSAGE_DELETE", told, bit, channel.guild_id)

    def delete(self, message: Message) -> None:
        """Take a message away."""
        message.deleted = True
        self.note(message, "delete")
        self.announce_gone(message)

    def announce_reaction(self, event: str, message: Message, **more: Any) -> None:
        """A reaction came, went, or all went."""
        channel = self.channels[message.channel_id]
        bit = INTENTS["direct_reactions" if channel.kind == DM else "guild_reactions"]
        told: Json = {"channel_id": channel.id, "message_id": message.id, **more}
        if channel.guild_id:
            told["guild_id"] = channel.guild_id
        self.emit(event, told, bit, channel.guild_id)

    def react(self, message: Message, emoji: str, user: User) -> None:
        """A reaction comes; a second one of the same kind by the same person is none."""
        users = message.reactions.setdefault(emoji, [])
        if user.id in users:
            return
        users.append(user.id)
        channel = self.channels[message.channel_id]
        member = {"member": self.member(user, channel.guild_id)} if channel.guild_id else {}
        self.touch()
        self.announce_reaction(
            "MESSAGE_REACTION_ADD",
            message,
            user_id=user.id,
            emoji=emoji_payload(emoji),
            message_author_id=message.author_id,
            burst=False,
            type=0,
            **member,
        )

    def unreact(self, message: Message, emoji: str, user: User) -> None:
        """A reaction goes."""
        users = message.reactions.get(emoji, [])
        if user.id not in users:
            return
        users.remove(user.id)
        if not users:
            del message.reactions[emoji]
        self.touch()
        self.announce_reaction("MESSAGE_REACTION_REMOVE", message, user_id=user.id, emoji=emoji_payload(emoji), burst=False, type=0)
