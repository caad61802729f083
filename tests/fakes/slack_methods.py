"""The other Web API methods: who and where, reading back, reactions, statuses, sessions and files."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

from tests.fakes.slack_arguments import Refusal
from tests.fakes.slack_blocks import SESSION_STATUSES
from tests.fakes.slack_chat import place, tell, writable
from tests.fakes.slack_world import APP_ID, BOT_ID, BOT_USER, TEAM, TEAM_DOMAIN, TEAM_NAME, Channel, Message, World

Json = dict[str, Any]

EMOJI_NAME = re.compile(r"^[a-z0-9_+'\-]+(::skin-tone-[2-6])?$")


def api_test(_world: World, args: Json) -> Json:
    """api.test: what was sent."""
    if args.get("error"):
        raise Refusal(args["error"], args=args)
    return {"args": args}


def auth_test(_world: World, _args: Json) -> Json:
    """auth.test: who the bot is, and where."""
    who: Json = {"team": TEAM_NAME, "team_id": TEAM, "user": "nod", "user_id": BOT_USER, "bot_id": BOT_ID}
    return {"url": f"https://{TEAM_DOMAIN}.slack.com/", "is_enterprise_install": False, **who}


def team_info(_world: World, args: Json) -> Json:
    """team.info: the workspace."""
    if args.get("team", TEAM) != TEAM:
        raise Refusal("team_not_found")
    return {
        "team": {
            "id": TEAM,
            "name": TEAM_NAME,
            "domain": TEAM_DOMAIN,
            "email_domain": "",
            "icon": {},
            "url": f"https://{TEAM_DOMAIN}.slack.com/",
        }
    }


def bots_info(_world: World, args: Json) -> Json:
    """bots.info: the bot behind a bot id."""
    if args.get("bot", BOT_ID) != BOT_ID:
        raise Refusal("bot_not_found")
    return {"bot": {"id": BOT_ID, "app_id": APP_ID, "user_id": BOT_USER, "name": "nod", "deleted": False, "updated": 0, "icons": {}}}


def emoji_list(_world: World, _args: Json) -> Json:
    """emoji.list: the workspace's own emoji."""
    return {"emoji": {"thumbsup_all": "alias:+1"}, "cache_ts": "1"}


def users_info(world: World, args: Json) -> Json:
    """users.info: one person."""
    user = world.users.get(args["user"])
    if user is None:
        raise Refusal("user_not_found")
    return {"user": _person(user, args)}


def users_list(world: World, args: Json) -> Json:
    """users.list: everybody, guests, bots and those who left among them; without a limit all at once."""
    found, cursor = _page(list(world.users.values()), args, max(1, len(world.users)), 999)
    return {"members": [_person(user, args) for user in found], "cache_ts": 1, "response_metadata": {"next_cursor": cursor}}


def _person(user: Json, args: Json) -> Json:
    profile = {"real_name": user["real_name"], "display_name": user["name"], "team": user["team_id"]}
    return {key: value for key, value in user.items() if key != "locale" or args.get("include_locale")} | {"profile": profile}


# places


def _page(items: list[Any], args: Json, usual: int, most: int) -> tuple[list[Any], str]:
    limit = args.get("limit") or usual
    if not 1 <= limit <= most:
        raise Refusal("invalid_limit")
    try:
        start = int(base64.b64decode(args["cursor"], validate=True).decode().removeprefix("next:")) if args.get("cursor") else 0
    except ValueError:
        raise Refusal("invalid_cursor") from None
    end = start + limit
    return items[start:end], base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""


def _described(channel: Channel) -> Json:
    kind = channel.kind
    out: Json = {"id": channel.id, "created": 1700000000, "is_archived": channel.archived, "is_im": kind == "im", "is_mpim": kind == "mpim"}
    if kind == "im":
        return out | {"user": channel.members[0], "is_org_shared": False}
    out |= {"name": channel.name, "name_normalized": channel.name, "is_channel": kind == "channel", "is_group": kind == "group"}
    out |= {"is_private": kind != "channel", "is_member": channel.bot_in, "is_general": False, "context_team_id": TEAM}
    return out | {"is_shared": channel.shared, "is_ext_shared": channel.shared, "topic": {"value": ""}, "purpose": {"value": ""}}


def conversations_info(world: World, args: Json) -> Json:
    """conversations.info: what kind of place it is."""
    channel = place(world, args["channel"], member=False)
    return {"channel": _described(channel) | ({"num_members": len(channel.everyone)} if args.get("include_num_members") else {})}


def conversations_members(world: World, args: Json) -> Json:
    """conversations.members: who can read here."""
    members, cursor = _page(place(world, args["channel"], member=False).everyone, args, 100, 1000)
    return {"members": members, "response_metadata": {"next_cursor": cursor}}


def users_conversations(world: World, args: Json) -> Json:
    """users.conversations: where a person (or the bot) is."""
    kinds = {
        {"public_channel": "channel", "private_channel": "group"}.get(each, each) for each in args.get("types", "public_channel").split(",")
    }
    user = args.get("user", BOT_USER)
    if user not in world.users:
        raise Refusal("user_not_found")
    found = [
        each for each in world.channels.values() if each.kind in kinds and user in each.everyone and (each.bot_in or each.kind == "channel")
    ]
    channels, cursor = _page([_described(each) for each in found], args, 100, 999)
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


def conversations_open(world: World, args: Json) -> Json:
    """conversations.open: the direct message with one person, or with several."""
    users = [each for each in args.get("users", "").split(",") if each]
    if not users and "channel" not in args:
        raise Refusal("users_list_not_supplied")
    if any(each not in world.users for each in users):
        raise Refusal("user_not_found")
    if len(users) > 8:
        raise Refusal("too_many_users")
    if len(users) > 1:
        channel = world.channel("G" + "".join(sorted(users)), kind="mpim", members=users)
    else:
        channel = world.direct(users[0]) if users else place(world, args["channel"])
    return {"no_op": False, "already_open": False, "channel": _described(channel) if args.get("return_im") else {"id": channel.id}}


# reading back


def _within(messages: list[Message], args: Json) -> list[Message]:
    oldest, latest, inclusive = args.get("oldest") or "0", args.get("latest") or "9999999999.999999", args.get("inclusive", False)
    for name, value in (("oldest", oldest), ("latest", latest)):
        if not re.fullmatch(r"\d+(\.\d+)?", value):
            raise Refusal(f"invalid_ts_{name}")
    low, high = float(oldest), float(latest)
    return [each for each in messages if low < float(each.ts) < high or (inclusive and each.ts in (oldest, latest))]


def conversations_history(world: World, args: Json) -> Json:
    """conversations.history: what was said outside threads, newest first."""
    channel = place(world, args["channel"])
    alive = [m for m in channel.messages.values() if (not m.deleted or m.replies) and not m.thread_ts]
    messages, cursor = _page(_within(alive, args)[::-1], args, 100, 999)
    return {
        "messages": [world.as_slack(each, metadata=args.get("include_all_metadata", False)) for each in messages],
        "has_more": bool(cursor),
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


def conversations_replies(world: World, args: Json) -> Json:
    """conversations.replies: the thread from its parent on, oldest first."""
    channel = place(world, args["channel"])
    thread = world.thread(channel.id, args["ts"])
    if not thread or (thread[0].deleted and len(thread) == 1):
        raise Refusal("thread_not_found")
    parent, *replies = thread
    alive = [parent, *_within([each for each in replies if not each.deleted], args)]
    messages, cursor = _page(alive, args, 1000, 1000)
    return {
        "messages": [world.as_slack(each, metadata=args.get("include_all_metadata", False)) for each in messages],
        "has_more": bool(cursor),
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


# reactions


def _reacted(world: World, args: Json) -> Message:
    if not args.get("channel") or not args.get("timestamp"):
        raise Refusal("no_item_specified")
    message = world.find(place(world, args["channel"]).id, args["timestamp"])
    if message is None or message.deleted:
        raise Refusal("message_not_found")
    return message


def react(world: World, message: Message, name: str, user: str) -> None:
    """Add the reaction and tell the app."""
    users = message.reactions.setdefault(name, [])
    if user in users:
        raise Refusal("already_reacted")
    users.append(user)
    _tell_reaction(world, "reaction_added", message, name, user)


def unreact(world: World, message: Message, name: str, user: str) -> None:
    """Take the reaction away and tell the app."""
    if user not in message.reactions.get(name, []):
        raise Refusal("no_reaction")
    message.reactions[name].remove(user)
    if not message.reactions[name]:
        del message.reactions[name]
    _tell_reaction(world, "reaction_removed", message, name, user)


def _tell_reaction(world: World, kind: str, message: Message, name: str, user: str) -> None:
    if user == BOT_USER and not world.echo:
        return
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    event = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.user, "event_ts": world.new_ts()}
    if world.channels[message.channel].bot_in:
        world.emit(kind, event, message.ts)


def reactions_add(world: World, args: Json) -> Json:
    """reactions.add: once per name."""
    message = _reacted(world, args)
    if not EMOJI_NAME.match(args["name"]):
        raise Refusal("invalid_name")
    react(world, message, args["name"], BOT_USER)
    return {}


def reactions_remove(world: World, args: Json) -> Json:
    """reactions.remove: only what the bot added."""
    unreact(world, _reacted(world, args), args["name"], BOT_USER)
    return {}


def reactions_get(world: World, args: Json) -> Json:
    """reactions.get: the message with its reactions."""
    message = _reacted(world, args)
    return {"type": "message", "channel": message.channel, "message": world.as_slack(message)}


# statuses, prompts and sessions


def set_status(world: World, args: Json) -> Json:
    """assistant.threads.setStatus: shown until the bot posts, or for two minutes; empty takes it away."""
    channel = place(world, args["channel_id"])
    if world.find(channel.id, args["thread_ts"]) is None:
        raise Refusal("invalid_thread_ts")
    loading = args.get("loading_messages", [])
    if len(loading) > 10 or not all(isinstance(each, str) and each for each in loading):
        raise Refusal("invalid_arguments", "no more than 10 items allowed [json-pointer:/loading_messages]")
    world.age_statuses()
    world.set_status(channel.id, args["thread_ts"], args["status"], loading)
    return {}


def set_prompts(world: World, args: Json) -> Json:
    """assistant.threads.setSuggestedPrompts: at most four, each with title and message."""
    channel = place(world, args["channel_id"])
    if args.get("thread_ts") and world.find(channel.id, args["thread_ts"]) is None:
        raise Refusal("invalid_thread_ts")
    prompts = args["prompts"]
    if not 1 <= len(prompts) <= 4 or any(not isinstance(each, dict) or set(each) != {"title", "message"} for each in prompts):
        raise Refusal("invalid_arguments", "1 to 4 prompts of title and message [json-pointer:/prompts]")
    world.prompts.append(
        {"channel": channel.id, "thread": args.get("thread_ts"), "title": args.get("title"), "prompts": prompts, "at": time.time()}
    )
    return {}


def set_session(world: World, args: Json) -> Json:
    """agents.sessions.setStatus: the thread's session, made when there was none; warns while the stop event is not subscribed."""
    channel, thread = _session_place(world, args)
    if args["status"] not in SESSION_STATUSES:
        raise Refusal("invalid_arguments", "unknown status")
    if len(args.get("title", "")) > 200:
        raise Refusal("invalid_arguments", "must be less than 201 characters [json-pointer:/title]")
    session = world.sessions.setdefault(
        (channel.id, thread), {"channel": channel.id, "thread": thread, "title": args.get("title"), "states": []}
    )
    session["status"] = args["status"]
    session["states"].append({"status": args["status"], "at": time.time(), "mono": time.monotonic()})
    more: Json = {}
    if args["status"] == "processing" and "agent_session_stopped" not in world.subscribed:
        more["warning"] = "missing_agent_session_stopped_event_subscription"
    return {"status": args["status"], "agent_status": args["status"], "title": session["title"], **more}


def rename_session(world: World, args: Json) -> Json:
    """agents.sessions.rename: another title."""
    channel, thread = _session_place(world, args)
    if (channel.id, thread) not in world.sessions:
        raise Refusal("session_not_found")
    world.sessions[channel.id, thread]["title"] = args["title"]
    return {"title": args["title"]}


def _session_place(world: World, args: Json) -> tuple[Channel, str]:
    channel = place(world, args.get("channel_id", ""))
    if not args.get("thread_ts") or world.find(channel.id, args["thread_ts"]) is None:
        raise Refusal("invalid_thread_ts")
    return channel, args["thread_ts"]


# files


def new_file(world: World, name: str, content: bytes, mimetype: str, user: str) -> Json:
    """A file somebody uploaded, with its download address."""
    file_id = world.new_id("F")
    address = f"{world.base}/files-pri/{TEAM}-{file_id}/download/{name}"
    kind = name.rpartition(".")[2].lower() if "." in name else "text"
    known: Json = {"id": file_id, "name": name, "title": name, "mimetype": mimetype, "filetype": kind, "size": len(content), "user": user}
    known |= {"created": int(time.time()), "mode": "hosted", "is_external": False, "file_access": "visible", "user_team": TEAM}
    known |= {
        "url_private": address.replace("/download/", "/"),
        "url_private_download": address,
        "permalink": f"{world.base}/files/{file_id}",
    }
    world.files[file_id], world.bytes[file_id] = known, content
    return known


def files_info(world: World, args: Json) -> Json:
    """files.info: one file."""
    known = world.files.get(args["file"])
    if known is None or known.get("pending"):
        raise Refusal("file_not_found")
    return {"file": known, "comments": [], "response_metadata": {"next_cursor": ""}}


def get_upload_url(world: World, args: Json) -> Json:
    """files.getUploadURLExternal: where to send so many bytes."""
    if args["length"] <= 0 or not args["filename"]:
        raise Refusal("invalid_arguments", "length must be more than 0 [json-pointer:/length]")
    known = new_file(world, args["filename"], b"", "application/octet-stream", BOT_USER)
    known.update(pending=True, size=args["length"])
    return {"upload_url": f"{world.base}/upload/v1/{known['id']}", "file_id": known["id"]}


def complete_upload(world: World, args: Json) -> Json:
    """files.completeUploadExternal: the uploaded files become one message."""
    files: list[Json] = []
    for each in args["files"]:
        known = world.files.get(each.get("id", ""))
        if known is None or (known.get("pending") and not world.bytes[known["id"]]):
            raise Refusal("file_not_found")
        files.append(known)
    posted = [writable(world, each) for each in filter(None, [args.get("channel_id"), *args.get("channels", "").split(",")])]
    for known, each in zip(files, args["files"], strict=True):
        known.pop("pending", None)
        known["title"] = each.get("title") or known["name"]
    for channel in posted:
        thread = args.get("thread_ts")
        if thread and world.find(channel.id, thread) is None:
            raise Refusal("thread_not_found")
        message = Message(
            channel.id, world.new_ts(), BOT_USER, args.get("initial_comment", ""), bot_id=BOT_ID, files=files, thread_ts=thread
        )
        world.add(message)
        tell(world, message)
    return {"files": files}


OTHERS = {
    "api.test": api_test,
    "auth.test": auth_test,
    "team.info": team_info,
    "bots.info": bots_info,
    "emoji.list": emoji_list,
    "users.info": users_info,
    "users.list": users_list,
    "users.conversations": users_conversations,
    "conversations.info": conversations_info,
    "conversations.members": conversations_members,
    "conversations.open": conversations_open,
    "conversations.history": conversations_history,
    "conversations.replies": conversations_replies,
    "reactions.add": reactions_add,
    "reactions.remove": reactions_remove,
    "reactions.get": reactions_get,
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setSuggestedPrompts": set_prompts,
    "agents.sessions.setStatus": set_session,
    "agents.sessions.rename": rename_session,
    "files.info": files_info,
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
}
