"""What a test says to the fake Discord behind `/_control`: people act, things go wrong, records are read.

One POST is one word: `{"do": "hears", …}`. Every public method of `Control` is a word; its answer is JSON.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import time
from typing import Any

from aiohttp import web

from tests.fakes import discord_acts as acts
from tests.fakes.discord_api import Api
from tests.fakes.discord_gateway import INVALID_SESSION, RECONNECT, Gateway
from tests.fakes.discord_limits import Limits, fault_from
from tests.fakes.discord_messages import clear_reactions
from tests.fakes.discord_rules import Json
from tests.fakes.discord_things import FORUM, INTENTS, KINDS, Channel, Message, User, is_emoji
from tests.fakes.discord_threads import open_thread
from tests.fakes.discord_world import World


class Control:
    """The words, each a method."""

    def __init__(self, world: World, gateway: Gateway, api: Api) -> None:
        self.world, self.gateway, self.api = world, gateway, api

    async def handle(self, request: web.Request) -> web.Response:
        """One word, or a list of them."""
        asked = await request.json()
        try:
            if isinstance(asked, list):
                return web.json_response([await self._do(one) for one in asked])
            return web.json_response(await self._do(asked))
        except (KeyError, ValueError, TypeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    async def _do(self, asked: Json) -> Any:
        word = asked.pop("do")
        method = None if word.startswith("_") or word == "handle" else getattr(self, word, None)
        if method is None:
            raise ValueError(f"no word {word!r}")
        answer = method(**asked)
        return await answer if inspect.isawaitable(answer) else answer

    def _message(self, message: str) -> Message:
        return self.world.messages[message]

    def _user(self, who: str) -> User:
        return self.world.user(who)

    # ---- places and people

    def channel(
        self, which: str, private: bool = False, kind: str = "text", guild: str | None = None, members: list[str] | None = None
    ) -> Json:
        """The channel of this name or id, made when new."""
        found = next((one for one in self.world.channels.values() if which in (one.id, one.name)), None)
        if found is None:
            people = self._readers(members or [])
            found = self.world.add_channel(which, KINDS[kind], self.world.guilds.get(guild or ""), private=private, members=people)
            self.world.emit("CHANNEL_CREATE", self.world.channel_payload(found), INTENTS["guilds"], found.guild_id)
        return self.world.channel_payload(found)

    def channel_update(self, channel: str, private: bool | None = None, members: list[str] | None = None) -> Json:
        """Change who can read a channel."""
        found = self.world.channel(channel)
        found.private = found.private if private is None else private
        found.members = found.members if members is None else self._readers(members)
        self.world.emit("CHANNEL_UPDATE", self.world.channel_payload(found), INTENTS["guilds"], found.guild_id)
        return self.world.channel_payload(found)

    def _readers(self, members: list[str]) -> set[str]:
        """People by name or id, roles by id."""
        return {each if each in self.world.guild.roles else self._user(each).id for each in members}

    def role(self, name: str, holders: list[str]) -> str:
        """The id of a role, made when new; exactly these people hold it. Of who holds it only the members intent is told."""
        world, roles = self.world, self.world.guild.roles
        role_id = next((each for each, (known, _) in roles.items() if known == name), None) or world.new_id()
        is_new = role_id not in roles
        before = set() if is_new else roles[role_id][1]
        roles[role_id] = (name, {self._user(each).id for each in holders})
        if is_new:
            told = {"guild_id": world.guild.id, "role": world.role_payload(role_id, name, 0, len(roles) + 1)}
            world.emit("GUILD_ROLE_CREATE", told, INTENTS["guilds"], world.guild.id)
        for each in sorted(before ^ roles[role_id][1]):
            member = world.member(world.users[each], None) | {"guild_id": world.guild.id}
            world.emit("GUILD_MEMBER_UPDATE", member, INTENTS["members"], world.guild.id)
        return role_id

    def features(self, names: list[str]) -> None:
        """What Discord lets the guild do, such as DISCOVERABLE."""
        guild = self.world.guild
        guild.features = names
        told = self.world.guild_payload(guild, everybody=False)
        hidden = ("members", "channels", "threads", "presences", "voice_states", "member_count")
        self.world.emit("GUILD_UPDATE", {name: value for name, value in told.items() if name not in hidden}, INTENTS["guilds"], guild.id)

    def permit(self, channel: str, deny: list[str] | None = None, grant: list[str] | None = None) -> None:
        """Take permissions from the bot in a channel, or give it more."""
        found = self.world.channel(channel)
        found.denied, found.granted = set(deny or []), set(grant or [])
        self.world.permissions(self.world.bot, found)  # an unknown name fails here
        self.world.emit("CHANNEL_UPDATE", self.world.channel_payload(found), INTENTS["guilds"], found.guild_id)

    def user(self, name: str, admin: bool = False, takes_dms: bool = True, bot: bool = False) -> str:
        """The id of a person, made when new."""
        found = self._user(name)
        found.admin, found.takes_dms, found.bot = admin, takes_dms, bot
        return found.id

    def member(self, event: str, user: str) -> None:
        """A person joins (`add`), changes (`update`) or leaves (`remove`) the guild; told to who has the members intent."""
        world, found = self.world, self._user(user)
        (world.guild.members.discard if event == "remove" else world.guild.members.add)(found.id)
        told = {"user": found.payload} if event == "remove" else world.member(found, None)
        world.emit(f"GUILD_MEMBER_{event.upper()}", told | {"guild_id": world.guild.id}, INTENTS["members"], world.guild.id)

    # ---- people talk

    def hears(
        self, text: str, channel: str = "general", user: str = "mina", reply_to: str | None = None, thread: str | None = None,
        files: list[Json] | None = None, ping: bool = True, silent: bool = False,
    ) -> str:  # fmt: skip
        """A person says something where the bot is; in a forum this opens a post."""
        place = self.world.channel(thread or channel)
        author = self._user(user)
        if place.kind == FORUM:
            place = self.world.add_thread(place, text[:100] or "post", author.id)
            self.world.emit("THREAD_CREATE", self.world.channel_payload(place) | {"newly_created": True}, INTENTS["guilds"], place.guild_id)
            return self._say(place, author, text, files, None, ping, silent, own_id=place.id)
        return self._say(place, author, text, files, reply_to, ping, silent)

    def direct(self, text: str, user: str = "mina", files: list[Json] | None = None, reply_to: str | None = None) -> str:
        """A person writes to the bot alone."""
        author = self._user(user)
        return self._say(self.world.direct(author), author, text, files, reply_to, True, False)

    def volley(self, messages: list[Json]) -> list[str]:
        """Many people at once."""
        return [(self.direct if one.pop("direct", False) else self.hears)(**one) for one in messages]

    def _say(
        self,
        place: Channel,
        author: User,
        text: str,
        files: list[Json] | None,
        reply_to: str | None,
        ping: bool,
        silent: bool,
        own_id: str | None = None,
    ) -> str:
        world = self.world
        message = Message(own_id or world.new_id(), place.id, author.id, text.replace("@nod", f"<@{world.bot.id}>").strip(), time.time())
        if reply_to is not None:
            if world.messages[reply_to].channel_id != place.id:
                raise ValueError("a reply stands in the channel of what it answers")
            message.type, message.reply_pings = 19, ping
            message.reference = {"type": 0, "message_id": reply_to, "channel_id": place.id} | (
                {"guild_id": place.guild_id} if place.guild_id else {}
            )
        for file in files or []:
            message.attachments.append(world.attach(file["filename"], base64.b64decode(file["data"]), place.id, file.get("content_type")))
        message.flags |= (1 << 12) if silent else 0
        world.write(message, "create")
        world.announce("MESSAGE_CREATE", message)
        return message.id

    def forwards(self, message: str, channel: str = "general", user: str = "mina") -> str:
        """A person forwards a message: it has no content of its own."""
        world, original, place = self.world, self._message(message), self.world.channel(channel)
        told = Message(world.new_id(), place.id, self._user(user).id, "", time.time())
        told.reference = {"type": 1, "message_id": original.id, "channel_id": original.channel_id}
        copy = world.payload(original, content=True)
        names = (
            "content",
            "embeds",
            "attachments",
            "timestamp",
            "edited_timestamp",
            "flags",
            "mentions",
            "mention_roles",
            "type",
            "components",
        )
        told.snapshots = [{"message": {name: copy[name] for name in names}}]
        world.write(told, "create")
        world.announce("MESSAGE_CREATE", told)
        return told.id

    def edits(self, message: str, text: str) -> None:
        """A person changes what they said."""
        found = self._message(message)
        found.content, found.edited_at = text.replace("@nod", f"<@{self.world.bot.id}>").strip(), time.time()
        self.world.write(found, "edit")
        self.world.announce("MESSAGE_UPDATE", found)

    def unfurls(self, message: str) -> None:
        """Discord adds the preview of a link: MESSAGE_UPDATE, but nobody edited."""
        found = self._message(message)
        found.embeds = [{"type": "link", "url": "https://example.com", "title": "Example"}]
        self.world.announce("MESSAGE_UPDATE", found)

    def deletes(self, message: str) -> None:
        """A person (or a moderator) deletes a message."""
        self.world.delete(self._message(message))

    def types(self, channel: str = "general", user: str = "mina") -> None:
        """A person types."""
        place, author = self.world.channel(channel), self._user(user)
        told: Json = {"channel_id": place.id, "user_id": author.id, "timestamp": int(time.time())}
        if place.guild_id:
            told |= {"guild_id": place.guild_id, "member": self.world.member(author, place.guild_id)}
        self.world.emit("TYPING_START", told, INTENTS["guild_typing"], place.guild_id)

    def opens_thread(self, message: str, name: str = "thread", user: str = "mina") -> str:
        """A person opens a thread on a message."""
        return open_thread(self.world, self._message(message), name, self._user(user).id).id

    def archives(self, thread: str, locked: bool = False) -> None:
        """A thread is archived, perhaps locked."""
        found = self.world.channel(thread)
        found.archived, found.locked = True, locked
        self.world.emit("THREAD_UPDATE", self.world.channel_payload(found), INTENTS["guilds"], found.guild_id)

    # ---- people react and press

    def reacts(self, message: str, emoji: str, user: str = "mina") -> None:
        """A person adds a reaction."""
        if not is_emoji(emoji):
            raise ValueError(f"{emoji!r} is no emoji")
        self.world.react(self._message(message), emoji, self._user(user))

    def unreacts(self, message: str, emoji: str, user: str = "mina") -> None:
        """A person takes a reaction back."""
        self.world.unreact(self._message(message), emoji, self._user(user))

    def clears_reactions(self, message: str, emoji: str | None = None) -> None:
        """A moderator clears all reactions, or all of one kind."""
        clear_reactions(self.world, self._message(message), emoji)

    def _place(self, channel: str, user: User) -> Channel:
        return self.world.direct(user) if channel == "direct" else self.world.channel(channel)

    def slash(self, name: str, options: Json | None = None, user: str = "mina", channel: str = "general") -> str:
        """A person sends a slash command; `channel="direct"` is the direct message."""
        author = self._user(user)
        return acts.slash(self.world, name, _decoded(options or {}), author, self._place(channel, author)).id

    def completes(self, name: str, option: str, text: str, user: str = "mina", channel: str = "general") -> str:
        """A person types into an option with autocomplete."""
        author = self._user(user)
        return acts.slash(self.world, name, {option: text}, author, self._place(channel, author), focused=option).id

    def context_menu(self, name: str, message: str, user: str = "mina") -> str:
        """A person picks a message command."""
        return acts.context_menu(self.world, name, self._message(message), self._user(user)).id

    def presses(self, message: str, custom_id: str, user: str = "mina") -> str:
        """A person presses a button."""
        return acts.press(self.world, self._message(message), custom_id, self._user(user)).id

    def selects(self, message: str, custom_id: str, values: list[str], user: str = "mina") -> str:
        """A person selects values."""
        return acts.press(self.world, self._message(message), custom_id, self._user(user), values).id

    def submits(self, interaction: str, values: Json, user: str = "mina") -> str:
        """A person sends the modal which this interaction opened."""
        return acts.submit(self.world, self.world.interactions[interaction], values, self._user(user)).id

    # ---- things go wrong

    def fault(self, **asked: Any) -> None:
        """Order a fault."""
        if asked.get("channel"):
            asked["channel"] = self.world.channel(asked["channel"]).id
        self.api.faults.append(fault_from(asked))

    def faults(self) -> list[Json]:
        """The faults ordered, and how often each struck."""
        return [fault.told for fault in self.api.faults]

    def clear_faults(self) -> None:
        """Everything works again."""
        self.api.faults.clear()

    def set(self, **values: Any) -> None:
        """Turn a setting (see `Settings`)."""
        for name, value in values.items():
            if not hasattr(self.world.settings, name):
                raise ValueError(f"no setting is called {name!r}")
            setattr(self.world.settings, name, value)

    async def reset(self) -> None:
        """A new day: no messages, people, records, faults or sessions; ids of the bot, its guild and #general stay."""
        self.gateway.drop()
        while self.gateway.connections:
            await asyncio.sleep(0.005)
        self.gateway.sessions.clear()
        self.gateway.log.clear()
        self.api.faults.clear()
        self.api.limits = Limits()
        self.api.invalid_requests = 0
        self.world.reset()

    def drop(self) -> int:
        """Cut the gateway's connections."""
        return self.gateway.drop()

    async def close(self, code: int) -> int:
        """Close the gateway's connections with a code."""
        return await self.gateway.close(code)

    def reconnect(self) -> int:
        """Ask every client to reconnect (op 7)."""
        return self.gateway.say(RECONNECT)

    def invalidate(self, resumable: bool = False) -> int:
        """Tell every client that its session is invalid (op 9)."""
        return self.gateway.say(INVALID_SESSION, resumable)

    def redeliver(self, message: str) -> None:
        """The same MESSAGE_CREATE once more, under a new number."""
        self.world.announce("MESSAGE_CREATE", self._message(message))

    def ages(self, message: str, seconds: float) -> None:
        """Make a message older for the rule about old edits."""
        self._message(message).aged_seconds += seconds

    def forgets_nonces(self) -> None:
        """As if the few minutes of enforce_nonce had passed."""
        self.world.nonces.clear()

    def expires_files(self) -> None:
        """Every address on the CDN runs out."""
        for attachment in self.world.attachments.values():
            attachment.expired = True

    # ---- records

    def message(self, message: str) -> Json:
        """One message with its life."""
        return self.world.view(self._message(message))

    def messages(self, channel: str = "general", deleted: bool = False) -> list[Json]:
        """A channel's messages, oldest first."""
        place = self.world.direct(self._user(channel[1:])) if channel.startswith("@") else self.world.channel(channel)
        found = [self.world.messages[message] for message in place.messages]
        return [self.world.view(one) for one in found if deleted or not one.deleted]

    def replies(self, asked: list[str]) -> dict[str, list[Json]]:
        """What the bot said to each of these messages or interactions: by reply, in the thread on it, or by its token."""
        wanted = set(asked)
        found: dict[str, list[Json]] = {one: [] for one in asked}
        for message in self.world.messages.values():
            if message.author_id != self.world.bot.id or message.type == 21:
                continue
            for key in {message.reply_to, message.channel_id, message.interaction_id} & wanted:
                found[str(key)].append(self.world.view(message))
        return found

    def interaction(self, interaction: str) -> Json:
        """One interaction and how it was answered."""
        return self.world.interactions[interaction].view(self.world)

    def token_of(self, interaction: str) -> str:
        """The token of an interaction, as the gateway brought it."""
        return self.world.interactions[interaction].token

    def interactions(self) -> list[Json]:
        """All of them."""
        return [one.view(self.world) for one in self.world.interactions.values()]

    def calls(self, route: str | None = None, since: int = 0) -> list[Json]:
        """REST calls, perhaps of one route."""
        return [call for call in self.world.calls[since:] if route is None or call["route"] == route]

    def commands(self, guild: str | None = None) -> list[Json]:
        """The commands registered."""
        return list(self.world.commands.get(guild, {}).values())

    def typing(self) -> list[Json]:
        """When the bot typed, and where."""
        return self.world.typing

    def connections(self) -> list[Json]:
        """Who is connected to the gateway just now."""
        return [
            {
                "session": one.session.id if one.session else None,
                "intents": one.session.intents if one.session else None,
                "path": one.path,
                "at": one.at,
            }
            for one in self.gateway.connections
        ]

    def gateway_log(self) -> list[Json]:
        """What happened on the gateway, in order."""
        return self.gateway.log

    def counts(self) -> Json:
        """Figures for a benchmark."""
        calls = self.world.calls
        return {
            "calls": len(calls), "limit_hits": self.api.limits.hits, "too_many": sum(call["status"] == 429 for call in calls),
            "invalid_requests": self.api.invalid_requests, "messages": len(self.world.messages), "version": self.world.version,
        }  # fmt: skip

    async def changed(self, since: int = 0, within_seconds: float = 10.0) -> int:
        """Wait until something happened after version `since`; the new version."""
        return await self.world.changed(since, within_seconds)


def _decoded(options: Json) -> Json:
    return {
        name: {**value, "data": base64.b64decode(value["data"])} if isinstance(value, dict) else value for name, value in options.items()
    }
