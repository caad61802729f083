"""The chat.* methods: posting, changing, deleting and streaming messages, with every refusal that SLACK.md names."""

from __future__ import annotations

import time
from typing import Any

from tests.fakes.slack_arguments import Refusal
from tests.fakes.slack_blocks import MARKDOWN_CHARACTERS, SESSION_STATUSES, check_blocks, check_chunks, check_metadata, weight_of
from tests.fakes.slack_world import BOT_ID, BOT_USER, TEAM, Channel, Message, Stream, World

Json = dict[str, Any]

UPDATE_BYTES = 4_000  # bytes of UTF-8, whatever the documentation says of characters
POST_CHARACTERS = 40_000
EVENT_OF = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


# what all of them ask first


def place(world: World, channel: str, *, member: bool = True) -> Channel:
    """The channel as the bot sees it; a place it cannot see does not exist for it."""
    found = world.channels.get(channel)
    if found is None or (found.kind != "channel" and not found.bot_in):
        raise Refusal("channel_not_found")
    if member and not found.bot_in:
        raise Refusal("not_in_channel")
    return found


def writable(world: World, channel: str) -> Channel:
    """The channel, if the bot may write there; a person's id means the direct message with that person."""
    if channel.startswith(("U", "W")) and channel in world.users and channel != BOT_USER:
        return world.direct(channel)
    found = place(world, channel)
    if found.archived:
        raise Refusal("is_archived")
    return found


def own_message(world: World, args: Json, foreign: str) -> Message:
    """The bot's own message which the call names."""
    channel = place(world, args["channel"])
    message = world.find(channel.id, args["ts"])
    if message is None or message.deleted:
        raise Refusal("message_not_found")
    if message.bot_id != BOT_ID:
        raise Refusal(foreign)
    return message


def _thread(world: World, channel: Channel, args: Json) -> str | None:
    thread = args.get("thread_ts")
    if thread:
        parent = world.find(channel.id, thread)
        if parent is None or parent.deleted or parent.thread_ts:  # a reply's ts is no thread: always give the parent's
            raise Refusal("thread_not_found")
    return thread


def _content(args: Json) -> Json:
    """What the message says, checked: text, blocks, attachments, metadata."""
    markdown = args.get("markdown_text")
    if markdown is not None:
        if "text" in args or "blocks" in args:
            raise Refusal("markdown_text_conflict")
        if len(markdown) > MARKDOWN_CHARACTERS:
            raise Refusal("msg_too_long")
    if not any(args.get(key) for key in ("text", "blocks", "attachments", "markdown_text")):
        raise Refusal("no_text")
    check_blocks(args.get("blocks", []))
    if len(args.get("attachments", [])) > 100:
        raise Refusal("too_many_attachments")
    if args.get("metadata"):
        check_metadata(args["metadata"])
    return {"text": args.get("text", markdown or ""), "blocks": args.get("blocks", []), "attachments": args.get("attachments", [])}


def customised(args: Json) -> str:
    """The extra scope for posting under another name or icon."""
    return "chat:write.customize" if any(key in args for key in ("icon_emoji", "icon_url", "username")) else ""


# events that follow


def tell(world: World, message: Message, /, **fields: Any) -> Json:
    """Send the message event (or one of its subtypes) for this channel, as to everybody in it."""
    channel = world.channels[message.channel]
    if not channel.bot_in or (message.bot_id and not world.echo):
        return {}
    event = {"type": "message", "channel": channel.id, "channel_type": channel.kind, **fields}
    if "subtype" not in fields:
        event = {**world.as_slack(message), **event}
        for key in ("reply_count", "latest_reply", "is_locked", "subscribed", "reactions"):
            event.pop(key, None)
    event.setdefault("event_ts", message.ts)
    return world.emit(EVENT_OF[channel.kind], event, message.ts)


def tell_changed(world: World, message: Message, before: Json) -> None:
    """Send message_changed with what it was and is."""
    ts = world.new_ts()
    tell(
        world, message, subtype="message_changed", message=world.as_slack(message), previous_message=before, hidden=True, ts=ts, event_ts=ts
    )


def tell_deleted(world: World, message: Message, before: Json) -> None:
    """Send message_deleted with what it was; one with replies below it is changed into a tombstone (openclaw/openclaw#22035)."""
    if any(not reply.deleted for reply in world.thread(message.channel, message.ts)[1:]):
        tell_changed(world, message, before)
        return
    ts = world.new_ts()
    tell(world, message, subtype="message_deleted", previous_message=before, deleted_ts=message.ts, hidden=True, ts=ts, event_ts=ts)


# posting


def post_message(world: World, args: Json) -> Json:
    """chat.postMessage: text over 40,000 characters is cut off, as Slack does without a word."""
    channel = writable(world, args["channel"])
    content = _content(args)
    message = Message(
        channel.id, world.new_ts(), BOT_USER, bot_id=BOT_ID, thread_ts=_thread(world, channel, args), arguments=args, **content
    )
    message.metadata = args.get("metadata")
    more: Json = {}
    if len(message.text) > POST_CHARACTERS:
        message.text = message.text[:POST_CHARACTERS]
        more = {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    world.add(message)
    tell(world, message)
    return {"channel": channel.id, "ts": message.ts, "message": world.as_slack(message, metadata=True), **more}


def post_ephemeral(world: World, args: Json) -> Json:
    """chat.postEphemeral: only to somebody who is in the channel."""
    channel = writable(world, args["channel"])
    content = _content(args)
    if args["user"] not in world.users or args["user"] not in channel.members:
        raise Refusal("user_not_in_channel")
    thread = _thread(world, channel, args)
    return {"message_ts": add_ephemeral(world, channel.id, args["user"], thread, content)["ts"]}


def add_ephemeral(world: World, channel: str, user: str, thread: str | None, content: Json) -> Json:
    """The message which only this person sees, kept for the tests."""
    message = Message(channel, world.new_ts(), BOT_USER, bot_id=BOT_ID, **content)
    entry = {
        "channel": channel,
        "user": user,
        "thread": thread,
        "ts": message.ts,
        "at": time.time(),
        "mono": time.monotonic(),
        "deleted": False,
    }
    world.ephemerals.append(entry | content | {"shown": message.shown})
    return world.ephemerals[-1]


def update(world: World, args: Json) -> Json:
    """chat.update: own messages only, 4,000 bytes of text, not while streaming."""
    message = own_message(world, args, "cant_update_message")
    if message.streaming:
        raise Refusal("streaming_state_conflict")
    if len(args.get("text", "").encode()) > UPDATE_BYTES:
        raise Refusal("msg_too_long")
    only_metadata = "metadata" in args and not any(key in args for key in ("text", "blocks", "attachments", "markdown_text"))
    content: Json = {} if only_metadata or args.get("file_ids") else _content(args)
    before = world.as_slack(message)
    rewrite(message, args, content)
    if "metadata" in args:
        message.metadata = args["metadata"] or None
    if "text" in args or "markdown_text" in args:
        message.edited = {"user": BOT_USER, "ts": world.new_ts()}
    world.remember(message, "updated")
    tell_changed(world, message, before)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": world.as_slack(message, metadata=True)}


def rewrite(message: Message, args: Json, content: Json) -> None:
    """Put new content in the message: blocks go when only text is given, attachments stay when none are given."""
    if not content:
        return
    message.stream = None
    if "text" in args or "markdown_text" in args:
        message.text = content["text"]
    if "blocks" in args or "text" in args or "markdown_text" in args:
        message.blocks = content["blocks"]
    if "attachments" in args:
        message.attachments = content["attachments"]


def delete(world: World, args: Json) -> Json:
    """chat.delete: own messages only."""
    message = own_message(world, args, "cant_delete_message")
    before = world.as_slack(message)
    message.deleted = True
    world.remember(message, "deleted")
    tell_deleted(world, message, before)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(world: World, args: Json) -> Json:
    """chat.getPermalink: the address of a message."""
    channel = place(world, args["channel"])
    if world.find(channel.id, args["message_ts"]) is None:
        raise Refusal("message_not_found")
    link = f"https://nod-test.slack.com/archives/{channel.id}/p{args['message_ts'].replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


# streaming


def start_stream(world: World, args: Json) -> Json:
    """chat.startStream: in channels only with a recipient, in direct messages only in a thread."""
    channel = writable(world, args["channel"])
    if channel.kind == "im":
        if "thread_ts" not in args:
            raise Refusal("invalid_arguments", "missing required field: thread_ts")
    else:
        for key in ("recipient_team_id", "recipient_user_id"):
            if not args.get(key):
                raise Refusal(f"missing_{key}")
        if args["recipient_team_id"] != TEAM:
            raise Refusal("team_not_found")
        if args["recipient_user_id"] not in world.users:
            raise Refusal("user_not_found")
    if args.get("task_display_mode", "timeline") not in ("timeline", "plan", "dense"):
        raise Refusal("invalid_arguments", "unknown task_display_mode")
    thread = _thread(world, channel, args)
    stream = Stream(time.monotonic())
    _grow(world, stream, args)
    message = Message(channel.id, world.new_ts(), BOT_USER, bot_id=BOT_ID, thread_ts=thread, stream=stream, streamed=True, arguments=args)
    world.add(message, "started")
    tell(world, message)
    return {"channel": channel.id, "ts": message.ts}


def append_stream(world: World, args: Json) -> Json:
    """chat.appendStream: only while the stream is open, and up to its cap in bytes."""
    message = _open_stream(world, args)
    if not args.get("markdown_text") and not args.get("chunks"):
        raise Refusal("no_text")
    assert message.stream is not None
    _grow(world, message.stream, args)
    world.clear_status(message.channel, message.root, "posted")
    world.remember(message, "appended")
    return {"channel": message.channel, "ts": message.ts}


def stop_stream(world: World, args: Json) -> Json:
    """chat.stopStream: the last words, blocks below them, and the message is an ordinary one."""
    message = _open_stream(world, args, stopping=True)
    stream = message.stream
    assert stream is not None
    check_blocks(args.get("blocks", []), too_many="msg_blocks_too_many")
    if args.get("metadata"):
        check_metadata(args["metadata"])
    if args.get("session_status", "active") not in SESSION_STATUSES:
        raise Refusal("invalid_arguments", "unknown session_status")
    before = world.as_slack(message)
    if args.get("markdown_text") or args.get("chunks"):
        _grow(world, stream, args)
    stream.state = "stopped"
    message.blocks, message.metadata = args.get("blocks", []), args.get("metadata") or None
    if (message.channel, message.root) in world.sessions:
        world.sessions[message.channel, message.root]["status"] = args.get("session_status", "active")
    world.clear_status(message.channel, message.root, "posted")
    world.remember(message, "stopped")
    tell_changed(world, message, before)
    return {"channel": message.channel, "ts": message.ts, "message": world.as_slack(message, metadata=True)}


def _open_stream(world: World, args: Json, *, stopping: bool = False) -> Message:
    message = own_message(world, args, "message_not_owned_by_app")
    state = message.stream.state if message.stream else None
    if state == "stopped_by_user":
        raise Refusal("message_not_in_streaming_state" if stopping else "stopped_by_user")
    if state != "open":
        raise Refusal("message_not_in_streaming_state")
    return message


def _grow(world: World, stream: Stream, args: Json) -> None:
    """Add to the stream what the call brings, all of it or (too long, wrong shape) none of it."""
    text, chunks = args.get("markdown_text"), args.get("chunks")
    if text is not None and chunks is not None:
        raise Refusal("cannot_provide_both_markdown_text_and_chunks")
    mode = "markdown_text" if text is not None else "chunks" if chunks else None
    if mode and stream.mode and mode != stream.mode:
        raise Refusal("streaming_mode_mismatch")
    if len(text or "") > MARKDOWN_CHARACTERS:
        raise Refusal("msg_too_long")
    check_chunks(chunks or [])
    pieces: list[Json] = chunks or ([{"type": "markdown_text", "text": text}] if text else [])
    size = stream.size + sum(weight_of(each) for each in pieces)
    if size > world.timing.stream_bytes:
        raise Refusal("msg_too_long")
    new_blocks: list[Json] = [block for each in pieces if each["type"] == "blocks" for block in each["blocks"]]
    if len(stream.blocks) + len(new_blocks) > 50:
        raise Refusal("msg_blocks_too_many")
    stream.mode, stream.size = mode or stream.mode, size
    stream.blocks += new_blocks
    for each in pieces:
        if each["type"] == "markdown_text":
            stream.parts.append(each["text"])
        elif each["type"] == "task_update":
            stream.tasks[each["id"]] = {**stream.tasks.get(each["id"], {}), **each}
        elif each["type"] == "plan_update":
            stream.plan = each["title"]


CHAT = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "chat.getPermalink": get_permalink,
    "chat.startStream": start_stream,
    "chat.appendStream": append_stream,
    "chat.stopStream": stop_stream,
}
