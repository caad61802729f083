"""The fake's REST endpoints for messages and reactions."""

from __future__ import annotations

import time
from typing import Any

from tests.fakes.discord_api import Call, Endpoint
from tests.fakes.discord_components import check_components
from tests.fakes.discord_rules import (
    COMPONENTS_V2,
    EDIT_FIELDS,
    EPHEMERAL,
    LOADING,
    SEND_FIELDS,
    SILENT,
    SUPPRESS_EMBEDS,
    VOICE,
    Form,
    Json,
    Refusal,
    check_message,
    need_object,
    unknown,
)
from tests.fakes.discord_things import DM, FORUM, INTENTS, PERMISSIONS, THREAD, Channel, Message, emoji_payload, is_emoji
from tests.fakes.discord_world import World

MISSING_ACCESS = 50001
MISSING_PERMISSIONS = 50013
SEND_FLAGS = SUPPRESS_EMBEDS | SILENT | VOICE | COMPONENTS_V2
EDIT_FLAGS = SUPPRESS_EMBEDS | COMPONENTS_V2
_M = "/channels/{channel_id}/messages"
_R = _M + "/{message_id}/reactions"


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


ENDPOINTS = [
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
]
