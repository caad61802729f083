"""The fake's REST endpoints for threads and forum posts."""

from __future__ import annotations

import time
from typing import Any

from tests.fakes.discord_api import Call, Endpoint
from tests.fakes.discord_messages import MISSING_PERMISSIONS, SEND_FLAGS, fill, need
from tests.fakes.discord_rules import HAS_THREAD, SEND_FIELDS, Form, Json, Refusal, check_message, need_object
from tests.fakes.discord_things import FORUM, INTENTS, THREAD, Channel, Message
from tests.fakes.discord_world import World

AUTO_ARCHIVE = (60, 1440, 4320, 10080)
_M = "/channels/{channel_id}/messages"


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


ENDPOINTS = [
    Endpoint("channel.edit", "PATCH", "/channels/{channel_id}", form_channel_edit),
    Endpoint("thread.from_message", "POST", _M + "/{message_id}/threads", form_thread_from_message, "thread"),
    Endpoint("thread.create", "POST", "/channels/{channel_id}/threads", form_thread_create, "thread", takes_files=True),
    Endpoint("thread.join", "PUT", "/channels/{channel_id}/thread-members/@me", thread_join),
]
