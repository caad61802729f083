"""The workspace which the fake Slack plays: channels, people, messages and everything that ever happened to them.

Nothing is forgotten: each message keeps every state it showed, with wall and monotonic time taken in this process.
"""

# ruff: noqa: A002, SIM905 -- `id` is Slack's own word; lists of words read best as words
from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

Json = dict[str, Any]

TEAM, TEAM_NAME, TEAM_DOMAIN = "T0NOD", "Nod Test", "nod-test"
BOT_USER, BOT_ID, APP_ID = "U0NOD", "B0NOD", "A0NOD"
BOT_TOKEN, APP_TOKEN = "xoxb-1-fake-bot-token", "xapp-1-A0NOD-1-fake-app-token"

ALL_SCOPES = (
    "app_mentions:read assistant:write channels:history channels:read chat:write commands emoji:read files:read files:write "
    "groups:history groups:read im:history im:read im:write mpim:history mpim:read mpim:write reactions:read reactions:write team:read users:read"
).split()
ALL_EVENTS = (
    "app_mention message.channels message.groups message.im message.mpim reaction_added reaction_removed app_home_opened "
    "member_joined_channel member_left_channel agent_session_stopped app_context_changed file_shared tokens_revoked app_uninstalled"
).split()


@dataclass(slots=True)
class Timing:
    """How long things take; tests shorten them instead of waiting."""

    ack_seconds: float = 3.0
    retry_seconds: list[float] = field(default_factory=lambda: [0.0, 60.0, 300.0])
    stream_seconds: float = 300.0  # from its start, appends or not (python-slack-sdk#1859, node-slack-sdk#2702)
    status_seconds: float = 120.0
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1800.0
    rate_window_seconds: float = 60.0
    stream_bytes: int = 10_000


@dataclass(slots=True)
class Stream:
    """What a streamed message holds until chat.update replaces it."""

    opened: float
    state: str = "open"  # open, stopped, expired, stopped_by_user
    mode: str | None = None  # markdown_text or chunks; Slack refuses to mix them
    parts: list[str] = field(default_factory=list)
    size: int = 0
    blocks: list[Json] = field(default_factory=list)
    tasks: dict[str, Json] = field(default_factory=dict)
    plan: str = ""

    @property
    def text(self) -> str:
        """The Markdown so far; parts are joined once, not on every look."""
        if len(self.parts) > 1:
            self.parts[:] = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""


@dataclass(slots=True)
class Message:
    """One message as it is now, and in `states` as it ever was."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    metadata: Json | None = None
    stream: Stream | None = None
    streamed: bool = False
    deleted: bool = False
    edited: Json | None = None
    subtype: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    states: list[Json] = field(default_factory=list)
    arguments: Json = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The text a person sees: streamed Markdown, visible blocks, or the plain text when there are no blocks."""
        if self.deleted:
            return ""
        if self.stream:
            return "\n".join(filter(None, (self.stream.text, visible(self.stream.blocks), visible(self.blocks))))
        return visible(self.blocks) if self.blocks else self.text

    @property
    def streaming(self) -> bool:
        """Whether the message still shows as being written."""
        return self.stream is not None and self.stream.state == "open" and not self.deleted

    @property
    def root(self) -> str:
        """The ts of the thread this message is in; its own when it opens one."""
        return self.thread_ts or self.ts


@dataclass(slots=True)
class Channel:
    """A channel, private channel or direct message."""

    id: str
    name: str
    kind: str = "channel"  # channel, group, im, mpim
    members: list[str] = field(default_factory=list)
    bot_in: bool = True
    archived: bool = False
    shared: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def everyone(self) -> list[str]:
        """All members, the bot among them when it is in."""
        return [*self.members, BOT_USER] if self.bot_in else list(self.members)


class World:
    """Everything there is in the one workspace, and all that was called and said."""

    def __init__(self) -> None:
        self.timing = Timing()
        self.scopes: list[str] = list(ALL_SCOPES)
        self.subscribed: set[str] = set(ALL_EVENTS)
        self.bad_tokens: dict[str, str] = {}
        self.echo = True  # Slack tells an app of its own messages and reactions too
        self.users: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, Json] = {}
        self.bytes: dict[str, bytes] = {}
        self.ephemerals: list[Json] = []
        self.statuses: list[Json] = []
        self.status_now: dict[tuple[str, str], Json] = {}
        self.prompts: list[Json] = []
        self.sessions: dict[tuple[str, str], Json] = {}
        self.views: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self.triggers: dict[str, Json] = {}
        self.hooks: dict[str, Json] = {}
        self.commands: dict[str, Json] = {}
        self.calls: list[Json] = []
        self.emit: Callable[[str, Json, str | None], Json] = lambda _type, _event, _channel: {}
        self.base = ""
        self.numbers = count(1)
        self._last_ts = 0
        self.user(BOT_USER, name="nod", is_bot=True)
        for each in ("U1", "U2", "U3"):
            self.user(each)

    # people and places

    def user(self, id: str, **fields: Any) -> Json:
        """The person, made or changed by what is given."""
        name = fields.pop("name", None) or self.users.get(id, {}).get("name") or id.lower()
        known = self.users.setdefault(
            id,
            {
                "id": id,
                "team_id": TEAM,
                "deleted": False,
                "is_bot": False,
                "is_restricted": False,
                "is_ultra_restricted": False,
                "tz": "Asia/Seoul",
                "locale": "ko-KR",
            },
        )
        known.update(name=name, real_name=fields.pop("real_name", None) or known.get("real_name") or name.title(), **fields)
        return known

    def channel(self, id: str, **fields: Any) -> Channel:
        """The channel, made or changed by what is given; the bot is a member unless it says otherwise."""
        known = self.channels.get(id)
        if known is None:
            known = self.channels[id] = Channel(id, fields.pop("name", None) or f"channel-{id.lower()}")
        for key, value in fields.items():
            if value is not None:
                setattr(known, key, value)
        for each in known.members:
            if each not in self.users:
                self.user(each)
        return known

    def direct(self, user: str) -> Channel:
        """The direct message of this person with the bot."""
        return self.channels.get("D" + user) or self.channel("D" + user, name=user, kind="im", members=[user])

    # messages

    def new_ts(self) -> str:
        """A timestamp nobody had before, in order."""
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """An id such as `Ev00000012`."""
        return f"{prefix}{next(self.numbers):08d}"

    def add(self, message: Message, kind: str = "posted") -> Message:
        """The message, now standing in its channel; a bot's reply takes the thread's status away."""
        self.channels[message.channel].messages[message.ts] = message
        if message.thread_ts and (parent := self.find(message.channel, message.thread_ts)):
            parent.replies.append(message.ts)
        if message.bot_id:
            self.clear_status(message.channel, message.root, "posted")
        self.remember(message, kind)
        return message

    def remember(self, message: Message, kind: str, **more: Any) -> None:
        """Keep what the message shows now as one more of its states."""
        message.states.append({"at": time.time(), "mono": time.monotonic(), "kind": kind, "shown": message.shown, **more})

    def find(self, channel: str, ts: str) -> Message | None:
        """The message, also a deleted one; a stream whose time is up is closed on the way."""
        place = self.channels.get(channel)
        message = place.messages.get(ts) if place else None
        if message:
            self.expire(message)
        return message

    def expire(self, message: Message) -> None:
        """Close the stream of this message when it has been open for too long."""
        stream = message.stream
        if stream is None or stream.state != "open":
            return
        if time.monotonic() - stream.opened > self.timing.stream_seconds:
            stream.state = "expired"
            self.remember(message, "expired")

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The parent and its replies, deleted ones too."""
        parent = self.find(channel, ts)
        return [] if parent is None else [parent, *(m for each in parent.replies if (m := self.find(channel, each)))]

    # statuses

    def set_status(self, channel: str, thread: str, status: str, loading: list[str]) -> None:
        """Show a status in a thread, or none; each is kept with the time and reason of its end."""
        self.clear_status(channel, thread, "replaced" if status else "cleared")
        if status:
            entry: Json = {"channel": channel, "thread": thread, "status": status, "loading_messages": loading}
            entry.update(at=time.time(), mono=time.monotonic(), ended=None, ended_mono=None)
            self.statuses.append(entry)
            self.status_now[channel, thread] = entry

    def clear_status(self, channel: str, thread: str, why: str) -> None:
        """Take the thread's status away and note why."""
        entry = self.status_now.pop((channel, thread), None)
        if entry:
            entry.update(ended=why, ended_mono=time.monotonic())

    def age_statuses(self) -> None:
        """End the statuses which nobody renewed in time."""
        for key, entry in list(self.status_now.items()):
            if time.monotonic() - entry["mono"] > self.timing.status_seconds:
                self.clear_status(*key, "timeout")

    # one-time keys

    def new_trigger(self, user: str) -> str:
        """A trigger id, good for one view within three seconds."""
        trigger = f"{self.new_id('')}.{self.new_id('')}.{'ab' * 8}"
        self.triggers[trigger] = {"user": user, "made": time.monotonic(), "used": False}
        return trigger

    def new_hook(self, **origin: Any) -> str:
        """A response URL, good for five uses within thirty minutes."""
        key = self.new_id("hook")
        self.hooks[key] = {"made": time.monotonic(), "uses": 0, "responses": [], **origin}
        return f"{self.base}/hooks/{key}"

    # as Slack writes it

    def as_slack(self, message: Message, metadata: bool = False) -> Json:
        """The message as the Web API and events show it."""
        out: Json = {
            "type": "message",
            "user": message.user,
            "ts": message.ts,
            "team": TEAM,
            "text": message.stream.text if message.stream else message.text,
        }
        blocks = [*message.stream.blocks, *message.blocks] if message.stream else message.blocks
        optional: Json = {
            "subtype": message.subtype, "blocks": blocks, "attachments": message.attachments, "files": message.files,
            "thread_ts": message.thread_ts or (message.ts if message.replies else None), "edited": message.edited,
            "metadata": message.metadata if metadata else None,
            "reactions": [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()],
        }  # fmt: skip
        out |= {key: value for key, value in optional.items() if value}
        if message.bot_id:
            out |= {
                "bot_id": message.bot_id,
                "app_id": APP_ID,
                "bot_profile": {"id": BOT_ID, "app_id": APP_ID, "name": "nod", "team_id": TEAM},
            }
        alive = [each for each in message.replies if not self.channels[message.channel].messages[each].deleted]
        if message.replies:
            out |= {"reply_count": len(alive), "latest_reply": alive[-1] if alive else None, "is_locked": False, "subscribed": False}
        if message.deleted:
            out = {
                "type": "message",
                "subtype": "tombstone",
                "user": "USLACKBOT",
                "text": "This message was deleted.",
                "ts": message.ts,
                "thread_ts": message.ts,
                "hidden": True,
            }
        return out


def visible(blocks: Iterable[Json]) -> str:
    """What a person reads in these blocks; the words on buttons are not part of it."""
    return "\n".join(filter(None, (_visible(block) for block in blocks)))


def _visible(block: Json) -> str:
    kind = block.get("type")
    if kind == "markdown":
        return block.get("text", "")
    if kind in ("section", "header"):
        return "\n".join(part.get("text", "") for part in [block.get("text") or {}, *block.get("fields", [])] if part.get("text"))
    if kind == "context":
        return " ".join(part["text"] for part in block.get("elements", []) if isinstance(part.get("text"), str))
    if kind == "rich_text":
        return _rich(block.get("elements", []))
    if kind == "table":
        return "\n".join(" | ".join(cell.get("text") or _rich(cell.get("elements", [])) for cell in row) for row in block.get("rows", []))
    if kind in ("card", "alert", "task_card", "plan"):
        return "\n".join(_words(block.get(key)) for key in ("title", "subtitle", "text", "body") if block.get(key))
    if kind == "image":
        return block.get("alt_text", "")
    return ""


def _words(part: Any) -> str:
    return part if isinstance(part, str) else part.get("text", "") if isinstance(part, dict) else ""


def _rich(elements: list[Json]) -> str:
    out: list[str] = []
    for each in elements:
        if "elements" in each:
            out.append(_rich(each["elements"]) + ("\n" if each.get("type") != "rich_text_section" else ""))
        elif each.get("type") == "user":
            out.append(f"<@{each['user_id']}>")
        else:
            out.append(each.get("text") or each.get("url") or "")
    return "".join(out)
