"""The fake's REST endpoints for people, guilds, channels, messages, reactions and threads."""

from __future__ import annotations

import time
from typing import Any

from tests.fakes.discord_api import Call, Endpoint
from tests.fakes.discord_rules import (
    COMPONENTS_V2,
    EDIT_FIELDS,
    EPHEMERAL,
    HAS_THREAD,
    LOADING,
    SEND_FIELDS,
    SILENT,
    SUPPRESS_EMBEDS,
    VOICE,
    Form,
    Json,
    Refusal,
    check_components,
    check_message,
    need_object,
    unknown,
)
from tests.fakes.discord_world import DM, FORUM, INTENTS, PERMISSIONS, THREAD, Channel, Message, World, emoji_payload, is_emoji

MISSING_ACCESS = 50001
MISSING_PERMISSIONS = 50013
SEND_FLAGS = SUPPRESS_EMBEDS | SILENT | VOICE | COMPONENTS_V2
EDIT_FLAGS = SUPPRESS_EMBEDS | COMPONENTS_V2
AUTO_ARCHIVE = (60, 1440, 4320, 10080)


def need(world: World, channel: Channel, *names: str) -> None:
    """Refuse what the bot is not permitted to do here."""
    if channel.kind == DM:
        return
    may = world.permissions(world.bot, channel)
    if not may & PERMISSIONS["view_channel"]:
        raise Refusal(403, MISSING_ACCESS, "Missing Access")
    if any(not may & PERMISSIONS[name] for name in names):
        raise Refusal(403, MISSING_PERMISSIONS, "Missing Permissions")


def content_over_rest(world: World) -> bool:
    """Over REST the application's own switch decides, not what a session asked for."""
    return world.settings.message_content


# ------------------------------------------------------------------------------------------- what a message holds


def fill(world: World, message: Message, call: Call, body: Json, path: tuple[str, ...] = ()) -> None:
    """Put the fields of a form into a message, new or old; refuse what cannot stand together."""
    flags = body.get("flags") or 0
    v2 = bool((flags | message.flags) & COMPONENTS_V2)
    if v2 and (body.get("content") or body.get("embeds")):
        form = Form()
        for name in ("content", "embeds"):
            if body.get(name):
                form.wrong(
                    (*path, name),
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{name}' field cannot be used with Components V2",
                )
        form.refuse()
    if "components" in body:
        check_components(body["components"], v2, path)
        message.components = _numbered(body["components"] or [])
    if "content" in body:
        message.content = (body["content"] or "").strip()  # Discord trims what stands around a text
    if "embeds" in body:
        message.embeds = [{"type": "rich", **embed} for embed in body["embeds"] or []]
    if "attachments" in body or call.files:
        message.attachments = _attachments(world, message, call, body.get("attachments"), path)
    message.allowed_mentions = body.get("allowed_mentions")
    message.flags |= flags
    if v2 and (message.content or message.embeds):
        raise Refusal(400, 50035, "Invalid Form Body", {"flags": {"_errors": [{"code": "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                      "message": "content and embeds must be emptied when Components V2 is set"}]}})  # fmt: skip
    if not (message.content or message.embeds or message.attachments or message.components or message.snapshots):
        raise Refusal(400, 50006, "Cannot send an empty message")
    if flags & VOICE:
        _check_voice(world, message)


def _numbered(components: list[Json], start: int = 1) -> list[Json]:
    """Components with the ids Discord gives them."""
    counter = iter(range(start, 10_000))

    def number(component: Json) -> Json:
        told = {"id": next(counter)} | component
        for name in ("components",):
            if name in told:
                told[name] = [number(child) for child in told[name]]
        return told

    return [number(component) for component in components]


def _attachments(world: World, message: Message, call: Call, asked: Any, path: tuple[str, ...]) -> list[str]:
    form = Form()
    listed = form.items(asked, (*path, "attachments"), 10) if asked is not None else [{"id": item} for item in message.attachments]
    kept = [str(item.get("id")) for item in listed if str(item.get("id")) in message.attachments]
    about = {str(item.get("id")): item for item in listed}
    for index, item in enumerate(listed):
        asked_id = str(item.get("id"))
        if asked_id not in message.attachments and not (asked_id.isdigit() and int(asked_id) in call.files):
            form.wrong((*path, "attachments", index, "id"), "ATTACHMENT_NOT_FOUND", f"No file was sent for attachment {asked_id}")
    if len(kept) + len(call.files) > 10:
        form.wrong((*path, "attachments"), "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    form.refuse()
    need(world, world.channels[message.channel_id], *(["attach_files"] if call.files else []))
    for index, (filename, data, kind) in sorted(call.files.items()):
        told = about.get(str(index), {})
        known = None if kind == "application/octet-stream" else kind
        kept.append(world.attach(told.get("filename") or filename, data, message.channel_id, known, told.get("description")))
    return kept


def _check_voice(world: World, message: Message) -> None:
    kinds = [world.attachments[item].content_type for item in message.attachments]
    if message.content or message.embeds or len(kinds) != 1 or not kinds[0].startswith("audio/"):
        raise Refusal(400, 50161, "Voice messages must have a single audio attachment.")


# --------------------------------------------------------------------------------------------------------- messages


async def form_message_create(call: Call) -> Any:
    """POST a message; the same nonce within a few minutes returns the first one."""
    world, body = call.world, need_object(call.body)
    channel = world.live_channel(call.params["channel_id"])
    check_message(body, SEND_FIELDS, SEND_FLAGS)
    if channel.kind == FORUM:
        raise Refusal(400, 50008, "Cannot send messages in a non-text channel")
    need(world, channel, "send_messages_in_threads" if channel.kind == THREAD else "send_messages")
    if channel.kind == DM and any(not world.users[user].takes_dms for user in channel.members):
        raise Refusal(403, 50007, "Cannot send messages to this user")
    if channel.locked:
        raise Refusal(400, 50083, "Thread is archived")
    if (first := _sent_before(world, body)) is not None:
        return world.payload(first, content=True)
    message = Message(world.new_id(), channel.id, world.bot.id, "", time.time(), nonce=body.get("nonce"))
    if (reference := body.get("message_reference")) is not None:
        _refer(world, channel, message, body, reference)
    fill(world, message, call, body)
    _unarchive(world, channel)
    world.write(message, "create")
    if body.get("nonce") is not None:
        world.nonces[message.author_id, str(body["nonce"])] = (time.monotonic(), message.id)
    world.announce("MESSAGE_CREATE", message)
    return world.payload(message, content=True)


def _sent_before(world: World, body: Json) -> Message | None:
    if not body.get("enforce_nonce") or body.get("nonce") is None:
        return None
    at, first = world.nonces.get((world.bot.id, str(body["nonce"])), (-1e9, ""))
    if time.monotonic() - at > world.settings.nonce_seconds or world.messages[first].deleted:
        return None
    return world.messages[first]


def _refer(world: World, channel: Channel, message: Message, body: Json, reference: Any) -> None:
    form = Form()
    reference = reference if isinstance(reference, dict) else {}
    form.only(reference, {"type", "message_id", "channel_id", "guild_id", "fail_if_not_exists"}, ("message_reference",))
    form.refuse()
    need(world, channel, "read_message_history")
    target = world.messages.get(str(reference.get("message_id")))
    if target is None or target.deleted or target.channel_id != channel.id:
        if reference.get("fail_if_not_exists", True):
            form.wrong(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            form.refuse()
        return
    if target.type not in (0, 19, 20, 23):
        form.wrong(("message_reference",), "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message")
        form.refuse()
    allowed = body.get("allowed_mentions")
    message.type, message.reply_pings = 19, allowed is None or bool(allowed.get("replied_user"))
    message.reference = {"type": 0, "message_id": target.id, "channel_id": channel.id} | (
        {"guild_id": channel.guild_id} if channel.guild_id else {}
    )


def _unarchive(world: World, channel: Channel) -> None:
    if channel.archived:
        channel.archived = False
        world.emit("THREAD_UPDATE", world.channel_payload(channel), INTENTS["guilds"], channel.guild_id)


async def form_message_edit(call: Call) -> Any:
    """PATCH one's own message; one older than an hour is refused."""
    world, body = call.world, need_object(call.body)
    channel = world.live_channel(call.params["channel_id"])
    message = world.live_message(channel.id, call.params["message_id"])
    check_message(body, EDIT_FIELDS, EDIT_FLAGS)
    need(world, channel)
    if message.author_id != world.bot.id:
        raise Refusal(403, 50005, "Cannot edit a message authored by another user")
    if channel.locked or channel.archived:
        raise Refusal(400, 50083, "Thread is archived")
    if message.age_seconds > world.settings.old_edit_seconds:
        refusal = Refusal(429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later")
        wait = world.settings.old_edit_retry_seconds
        refusal.extra, refusal.headers = {"retry_after": wait, "global": False}, {"Retry-After": "1", "X-RateLimit-Scope": "user"}
        raise refusal
    return edit(call, message, body)


def edit(call: Call, message: Message, body: Json, path: tuple[str, ...] = ()) -> Json:
    """Change a message that may be changed, and say so."""
    if message.flags & VOICE:
        raise Refusal(400, 50173, "Cannot edit voice messages")
    if body.get("flags") is not None and message.flags & COMPONENTS_V2 and not body["flags"] & COMPONENTS_V2:
        error = {"code": "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", "message": "The components V2 flag cannot be removed"}
        raise Refusal(400, 50035, "Invalid Form Body", {"flags": {"_errors": [error]}})
    return rewrite(call, message, body, path)


def rewrite(call: Call, message: Message, body: Json, path: tuple[str, ...] = ()) -> Json:
    """Put the form into the message as a whole or, when it is refused, not at all."""
    trial = _copy(message)
    fill(call.world, trial, call, body, path)
    for name in ("content", "embeds", "components", "attachments", "flags", "allowed_mentions"):
        setattr(message, name, getattr(trial, name))
    message.flags &= ~LOADING
    message.edited_at = time.time()
    call.world.write(message, "edit")
    call.world.announce("MESSAGE_UPDATE", message)
    return call.world.payload(message, content=True)


def _copy(message: Message) -> Message:
    return Message(
        message.id, message.channel_id, message.author_id, message.content, message.at, message.type, message.embeds, message.components,
        list(message.attachments), message.flags, states=message.states, allowed_mentions=message.allowed_mentions, snapshots=message.snapshots,
    )  # fmt: skip


async def message_delete(call: Call) -> Any:
    """DELETE a message: one's own, or with permission."""
    world = call.world
    channel = world.live_channel(call.params["channel_id"])
    message = world.live_message(channel.id, call.params["message_id"])
    need(world, channel)
    if message.author_id != world.bot.id:
        if channel.kind == DM:
            raise Refusal(403, 50003, "Cannot execute action on a DM channel")
        need(world, channel, "manage_messages")
    world.delete(message)


async def message_get(call: Call) -> Any:
    """GET one message."""
    world = call.world
    channel = world.live_channel(call.params["channel_id"])
    need(world, channel, "read_message_history")
    return world.payload(world.live_message(channel.id, call.params["message_id"]), content_over_rest(world))


async def message_list(call: Call) -> Any:
    """GET messages, newest first: before, after or around one."""
    world = call.world
    channel = world.live_channel(call.params["channel_id"])
    before, after, around = (call.snowflake(name) for name in ("before", "after", "around"))
    limit = int(call.snowflake("limit") or 50)
    form = Form()
    form.number(limit, ("limit",), 1, 100)
    if sum(bound is not None for bound in (before, after, around)) > 1:
        form.wrong(("before",), "MUTUALLY_EXCLUSIVE", "before, after and around are mutually exclusive")
    form.refuse()
    if channel.kind == FORUM:
        raise Refusal(400, 50024, "Cannot execute action on this channel type")
    need(world, channel)
    if not world.permissions(world.bot, channel) & PERMISSIONS["read_message_history"] and channel.kind != DM:
        return []
    ids = [one for one in channel.messages if not world.messages[one].deleted and not world.messages[one].flags & EPHEMERAL]
    if around is not None:
        older = [one for one in ids if int(one) <= int(around)][-(limit // 2 + 1) :]
        ids = older + [one for one in ids if int(one) > int(around)][: max(0, limit - len(older))]
    elif after is not None:
        ids = [one for one in ids if int(one) > int(after)][:limit]
    else:
        ids = [one for one in ids if before is None or int(one) < int(before)][-limit:]
    return [world.payload(world.messages[one], content_over_rest(world)) for one in reversed(ids)]


# ----------------------------------------------------------------------------------------------- reactions and typing


def _reacted(call: Call, *names: str) -> tuple[Message, str]:
    channel = call.world.live_channel(call.params["channel_id"])
    message = call.world.live_message(channel.id, call.params["message_id"])
    need(call.world, channel, "read_message_history", *names)
    emoji = call.params.get("emoji", "👍")
    if not is_emoji(emoji):
        raise unknown("Emoji")
    return message, emoji


async def reaction_add(call: Call) -> Any:
    """PUT one's own reaction: at most 20 kinds on a message."""
    message, emoji = _reacted(call)
    if emoji not in message.reactions:
        need(call.world, call.world.channels[message.channel_id], "add_reactions")
        if len(message.reactions) >= 20:
            raise Refusal(403, 30010, "Maximum number of reactions reached (20)")
    call.world.react(message, emoji, call.world.bot)


async def reaction_remove(call: Call) -> Any:
    """DELETE one's own reaction, or with permission another's."""
    who = call.params.get("user_id", call.world.bot.id)
    message, emoji = _reacted(call, *(["manage_messages"] if who != call.world.bot.id else []))
    if who not in call.world.users:
        raise unknown("User")
    call.world.unreact(message, emoji, call.world.users[who])


async def reaction_list(call: Call) -> Any:
    """GET who reacted."""
    message, emoji = _reacted(call)
    return [call.world.users[user].payload for user in message.reactions.get(emoji, [])][: int(call.query.get("limit", "25"))]


async def reaction_clear(call: Call) -> Any:
    """DELETE all reactions, or all of one kind."""
    message, emoji = _reacted(call, "manage_messages")
    clear_reactions(call.world, message, emoji if "emoji" in call.params else None)


def clear_reactions(world: World, message: Message, emoji: str | None) -> None:
    """Take all reactions away, or all of one kind."""
    if emoji is None:
        message.reactions.clear()
        world.announce_reaction("MESSAGE_REACTION_REMOVE_ALL", message)
    elif message.reactions.pop(emoji, None) is not None:
        world.announce_reaction("MESSAGE_REACTION_REMOVE_EMOJI", message, emoji=emoji_payload(emoji))
    world.touch()


async def typing(call: Call) -> Any:
    """POST typing."""
    channel = call.world.live_channel(call.params["channel_id"])
    need(call.world, channel, "send_messages_in_threads" if channel.kind == THREAD else "send_messages")
    call.world.typing.append({"channel": channel.id, "at": time.monotonic(), "wall": time.time()})


# ---------------------------------------------------------------------------------------------------------- threads


def _check_thread(body: Json, *more: str) -> Form:
    form = Form()
    form.only(body, {"name", "auto_archive_duration", "rate_limit_per_user", *more})
    form.text(body.get("name"), ("name",), 100, 1, required=True)
    if body.get("auto_archive_duration", 1440) not in AUTO_ARCHIVE:
        form.wrong(("auto_archive_duration",), "BASE_TYPE_CHOICES", f"Value must be one of {AUTO_ARCHIVE}.")
    form.refuse()
    return form


async def form_thread_from_message(call: Call) -> Any:
    """POST a thread on a message: one per message, with the message's id."""
    world, body = call.world, need_object(call.body)
    channel = world.live_channel(call.params["channel_id"])
    message = world.live_message(channel.id, call.params["message_id"])
    if channel.kind != 0:
        raise Refusal(400, 50024, "Cannot execute action on this channel type")
    need(world, channel, "create_public_threads", "read_message_history")
    _check_thread(body)
    if message.id in world.channels:
        raise Refusal(400, 160004, "A thread has already been created for this message")
    return 201, world.channel_payload(
        open_thread(world, message, body["name"].strip(), world.bot.id, body.get("auto_archive_duration") or 1440)
    )


def open_thread(world: World, message: Message, name: str, owner: str, auto_archive: int = 1440) -> Channel:
    """A thread on a message, with everything Discord says about it: the message changes, a starter message stands first."""
    thread = world.add_thread(world.channels[message.channel_id], name, owner, message.id, auto_archive)
    message.thread_id, message.flags = thread.id, message.flags | HAS_THREAD
    told = world.channel_payload(thread) | {"newly_created": True}
    world.emit("THREAD_CREATE", told, INTENTS["guilds"], thread.guild_id)
    starter = Message(world.new_id(), thread.id, message.author_id, "", time.time(), type=21)
    starter.reference = {"type": 0, "message_id": message.id, "channel_id": message.channel_id, "guild_id": thread.guild_id}
    world.write(starter, "create")
    world.announce("MESSAGE_CREATE", starter)
    world.announce("MESSAGE_UPDATE", message)  # not an edit: edited_timestamp stays
    return thread


async def form_thread_create(call: Call) -> Any:
    """POST a thread without a message; in a forum, a post with its first message."""
    world, body = call.world, need_object(call.body)
    channel = world.live_channel(call.params["channel_id"])
    _check_thread(body, *(["message", "applied_tags"] if channel.kind == FORUM else ["type", "invitable"]))
    if channel.kind not in (0, FORUM):
        raise Refusal(400, 50024, "Cannot execute action on this channel type")
    need(world, channel, "send_messages" if channel.kind == FORUM else "create_public_threads")
    if channel.kind != FORUM:
        thread = world.add_thread(channel, body["name"], world.bot.id, auto_archive=body.get("auto_archive_duration") or 1440)
        world.emit("THREAD_CREATE", world.channel_payload(thread) | {"newly_created": True}, INTENTS["guilds"], thread.guild_id)
        world.touch()
        return 201, world.channel_payload(thread)
    first = need_object(body.get("message"))
    check_message(first, SEND_FIELDS - {"nonce", "enforce_nonce", "message_reference", "tts"}, SEND_FLAGS, ("message",))
    thread = world.add_thread(channel, body["name"], world.bot.id, auto_archive=body.get("auto_archive_duration") or 1440)
    message = Message(thread.id, thread.id, world.bot.id, "", time.time())
    try:
        fill(world, message, call, first, ("message",))
    except Refusal:
        del world.channels[thread.id]
        raise
    world.emit("THREAD_CREATE", world.channel_payload(thread) | {"newly_created": True}, INTENTS["guilds"], thread.guild_id)
    world.write(message, "create")
    world.announce("MESSAGE_CREATE", message)
    return 201, world.channel_payload(thread) | {"message": world.payload(message, content=True)}


async def form_channel_edit(call: Call) -> Any:
    """PATCH a thread: archive, lock, rename."""
    world, body = call.world, need_object(call.body)
    channel = world.live_channel(call.params["channel_id"])
    if channel.kind != THREAD:
        raise Refusal(403, MISSING_PERMISSIONS, "Missing Permissions")
    form = Form()
    form.only(body, {"name", "archived", "locked", "auto_archive_duration", "rate_limit_per_user", "invitable", "flags", "applied_tags"})
    form.text(body.get("name"), ("name",), 100, 1)
    form.refuse()
    if channel.owner_id != world.bot.id or "locked" in body:
        need(world, channel, "manage_threads")
    channel.name, channel.archived = body.get("name", channel.name), body.get("archived", channel.archived)
    channel.locked, channel.auto_archive = body.get("locked", channel.locked), body.get("auto_archive_duration", channel.auto_archive)
    world.emit("THREAD_UPDATE", world.channel_payload(channel), INTENTS["guilds"], channel.guild_id)
    world.touch()
    return world.channel_payload(channel)


async def thread_join(call: Call) -> Any:
    """PUT oneself into a thread."""
    need(call.world, call.world.live_channel(call.params["channel_id"]))


# ------------------------------------------------------------------------------------------- people, guilds, channels


async def me(call: Call) -> Any:
    """GET the bot's own user."""
    return call.world.bot.payload | {"verified": True, "mfa_enabled": True, "flags": 0, "locale": "en-US", "email": None, "bio": ""}


async def application(call: Call) -> Any:
    """GET the application, with the flags that tell which privileged intents are on."""
    world = call.world
    flags = (1 << 19) * world.settings.message_content + (1 << 15) * world.settings.members + (1 << 13) * world.settings.presences
    owner = {"id": "1", "username": "owner", "global_name": None, "discriminator": "0", "avatar": None}
    return {
        "id": world.application_id, "name": "nod", "icon": None, "description": "", "summary": "", "bot_public": True, "bot_require_code_grant": False,
        "verify_key": "0" * 64, "owner": owner, "team": None, "flags": flags, "hook": True, "bot": world.bot.payload, "redirect_uris": [],
        "interactions_endpoint_url": None, "role_connections_verification_url": None, "approximate_guild_count": len(world.guilds),
        "integration_types_config": {"0": {"oauth2_install_params": {"scopes": ["applications.commands", "bot"], "permissions": "0"}}},
    }  # fmt: skip


def _gateway_url(world: World) -> str:
    return f"{world.base.replace('http', 'ws', 1)}/gateway"


async def gateway(call: Call) -> Any:
    """GET the gateway's address."""
    return {"url": _gateway_url(call.world)}


async def gateway_bot(call: Call) -> Any:
    """GET the gateway's address, shards and what is left of the day's sessions."""
    limit = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
    return {"url": _gateway_url(call.world), "shards": 1, "session_start_limit": limit}


async def user_get(call: Call) -> Any:
    """GET a person."""
    if (user := call.world.users.get(call.params["user_id"])) is None:
        raise unknown("User")
    return user.payload


async def form_dm_open(call: Call) -> Any:
    """POST: open the direct message with a person."""
    body = need_object(call.body)
    if (user := call.world.users.get(str(body.get("recipient_id")))) is None:
        raise Refusal(400, 50033, "Invalid Recipient(s)")
    if user.bot:
        raise Refusal(403, 50007, "Cannot send messages to this user")
    return call.world.channel_payload(call.world.direct(user))


async def channel_get(call: Call) -> Any:
    """GET a channel."""
    channel = call.world.live_channel(call.params["channel_id"])
    need(call.world, channel)
    return call.world.channel_payload(channel)


def _guild(call: Call) -> Any:
    if (guild := call.world.guilds.get(call.params["guild_id"])) is None:
        raise unknown("Guild")
    return guild


async def guild_get(call: Call) -> Any:
    """GET a guild."""
    told = call.world.guild_payload(_guild(call), everybody=False)
    return {
        name: value
        for name, value in told.items()
        if name not in ("members", "channels", "threads", "presences", "voice_states", "member_count")
    }


async def guilds(call: Call) -> Any:
    """GET the bot's guilds."""
    return [
        {"id": guild.id, "name": guild.name, "icon": None, "owner": False, "permissions": "0", "features": []}
        for guild in call.world.guilds.values()
    ]


async def guild_channels(call: Call) -> Any:
    """GET a guild's channels (threads are not among them)."""
    guild = _guild(call)
    found = [channel for channel in call.world.channels.values() if channel.guild_id == guild.id and channel.kind != THREAD]
    return [call.world.channel_payload(channel) for channel in found]


async def guild_threads(call: Call) -> Any:
    """GET a guild's active threads."""
    guild = _guild(call)
    found = [
        channel
        for channel in call.world.channels.values()
        if channel.guild_id == guild.id and channel.kind == THREAD and not channel.archived
    ]
    return {"threads": [call.world.channel_payload(channel) for channel in found], "members": [], "has_more": False}


async def guild_roles(call: Call) -> Any:
    """GET a guild's roles."""
    return call.world.guild_payload(_guild(call), everybody=False)["roles"]


async def guild_member(call: Call) -> Any:
    """GET one member (needs no intent)."""
    guild = _guild(call)
    if call.params["user_id"] not in guild.members:
        raise unknown("Member")
    return call.world.member(call.world.users[call.params["user_id"]], guild.id)


async def guild_members(call: Call) -> Any:
    """GET members: refused without the members intent."""
    guild = _guild(call)
    if not call.world.settings.members:
        raise Refusal(403, MISSING_ACCESS, "Missing Access")
    after, limit = int(call.snowflake("after") or 0), int(call.snowflake("limit") or 1)
    found = sorted((user for user in guild.members if int(user) > after), key=int)[:limit]
    return [call.world.member(call.world.users[user], guild.id) for user in found]


_M = "/channels/{channel_id}/messages"
_R = _M + "/{message_id}/reactions"

ENDPOINTS = [
    Endpoint("me", "GET", "/users/@me", me),
    Endpoint("guilds", "GET", "/users/@me/guilds", guilds),
    Endpoint("dm.open", "POST", "/users/@me/channels", form_dm_open),
    Endpoint("application", "GET", "/oauth2/applications/@me", application),
    Endpoint("application", "GET", "/applications/@me", application),
    Endpoint("gateway", "GET", "/gateway", gateway, needs_token=False),
    Endpoint("gateway.bot", "GET", "/gateway/bot", gateway_bot),
    Endpoint("user.get", "GET", "/users/{user_id}", user_get),
    Endpoint("guild.get", "GET", "/guilds/{guild_id}", guild_get),
    Endpoint("guild.channels", "GET", "/guilds/{guild_id}/channels", guild_channels),
    Endpoint("guild.threads", "GET", "/guilds/{guild_id}/threads/active", guild_threads),
    Endpoint("guild.roles", "GET", "/guilds/{guild_id}/roles", guild_roles),
    Endpoint("guild.members", "GET", "/guilds/{guild_id}/members", guild_members),
    Endpoint("guild.member", "GET", "/guilds/{guild_id}/members/{user_id}", guild_member),
    Endpoint("channel.get", "GET", "/channels/{channel_id}", channel_get, "read"),
    Endpoint("channel.edit", "PATCH", "/channels/{channel_id}", form_channel_edit),
    Endpoint("typing", "POST", "/channels/{channel_id}/typing", typing, "typing"),
    Endpoint("message.list", "GET", _M, message_list, "read"),
    Endpoint("message.create", "POST", _M, form_message_create, "post", takes_files=True),
    Endpoint("message.get", "GET", _M + "/{message_id}", message_get, "read"),
    Endpoint("message.edit", "PATCH", _M + "/{message_id}", form_message_edit, "post", takes_files=True),
    Endpoint("message.delete", "DELETE", _M + "/{message_id}", message_delete, "delete"),
    Endpoint("reaction.add", "PUT", _R + "/{emoji}/@me", reaction_add, "reaction"),
    Endpoint("reaction.remove", "DELETE", _R + "/{emoji}/@me", reaction_remove, "reaction"),
    Endpoint("reaction.remove", "DELETE", _R + "/{emoji}/{user_id}", reaction_remove, "reaction"),
    Endpoint("reaction.list", "GET", _R + "/{emoji}", reaction_list, "read"),
    Endpoint("reaction.clear", "DELETE", _R, reaction_clear, "reaction"),
    Endpoint("reaction.clear", "DELETE", _R + "/{emoji}", reaction_clear, "reaction"),
    Endpoint("thread.from_message", "POST", _M + "/{message_id}/threads", form_thread_from_message, "thread"),
    Endpoint("thread.create", "POST", "/channels/{channel_id}/threads", form_thread_create, "thread", takes_files=True),
    Endpoint("thread.join", "PUT", "/channels/{channel_id}/thread-members/@me", thread_join),
]
