"""What tests say to the fake Slack, in plain words: somebody writes, reacts or presses, and the test looks at what people see."""

# ruff: noqa: A002 -- `id` and `type` are Slack's own words
from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import httpx

from tests.fakes import process

Json = dict[str, Any]
T = TypeVar("T")

SETTLED_SECONDS = 1.5  # an edited message is final when nothing changed for so long
STOPPED_SECONDS = 0.3  # a stopped stream at once, but for a next part beginning


class Misused(Exception):  # noqa: N818 -- says what was done, not what broke
    """A test asked the fake for something that cannot be: no such message, nothing to press."""


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """One message as people see it now (`shown`), and every state it showed before."""

    channel: str
    ts: str
    user: str
    text: str
    shown: str
    thread_ts: str | None
    by_bot: bool
    streaming: bool
    streamed: bool
    stream_state: str | None
    deleted: bool
    changed_mono: float
    now_mono: float
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    tasks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    arguments: Json = field(default_factory=dict)
    states: list[Json] = field(default_factory=list)

    @property
    def growths(self) -> list[str]:
        """The texts it showed one after the other, each longer than the one before."""
        out: list[str] = []
        for each in self.states:
            if each["shown"] and len(each["shown"]) > len(out[-1] if out else ""):
                out.append(each["shown"])
        return out

    @property
    def buttons(self) -> list[Json]:
        """Every element that can be pressed."""
        rows = [each for each in self.blocks if each["type"] in ("actions", "context_actions")]
        return [element for row in rows for element in row["elements"]] + [each["accessory"] for each in self.blocks if "accessory" in each]


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command somebody gave."""

    slack: FakeSlack
    id: str

    @property
    def state(self) -> str:
        """`acked`, `waiting` or `failed` (not acknowledged within three seconds)."""
        return self.slack.ask("command_state", id=self.id)["state"]

    @property
    def error(self) -> str:
        """What the person is told when it failed, such as `operation_timeout`."""
        return self.slack.ask("command_state", id=self.id)["error"]

    @property
    def responses(self) -> list[Json]:
        """What came back so far: with the acknowledgement, and by response_url. `shown` is what people read."""
        return self.slack.ask("command_state", id=self.id)["responses"]

    def wait(self, timeout: float = 5.0, count: int = 1) -> list[Json]:
        """The responses, once there are so many."""
        return self.slack.wait(
            lambda: found if len(found := self.responses) >= count else None, timeout, f"{count} responses to the command"
        )


class FakeSlack:
    """A running fake Slack, in a process of its own; a context manager."""

    def __init__(self, *, limits: bool = False, port: int = 0) -> None:
        self.process = process.start("tests.fakes.slack_server", "--port", str(port), "--limits", "on" if limits else "off")
        info = self.process.info
        self.url: str = info["url"]
        self.bot_token: str = info["bot_token"]
        self.app_token: str = info["app_token"]
        self.bot_user: str = info["bot_user"]
        self.bot_id: str = info["bot_id"]
        self.app_id: str = info["app_id"]
        self.team: str = info["team"]
        self.http = httpx.Client(base_url=info["control"], timeout=30.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process. Safe to call twice."""
        self.http.close()
        self.process.stop()

    def ask(self, word: str, **arguments: Any) -> Any:
        """The fake's answer to one control word."""
        response = self.http.post(word, json=arguments)
        body = response.json()
        if "error" in body:
            raise Misused(f"{word}({arguments}): {body['error']}")
        return body["answer"]

    def wait(self, look: Callable[[], T | None], timeout: float = 5.0, what: str = "it") -> T:
        """What `look` finds, as soon as it finds something true."""
        deadline = time.monotonic() + timeout
        while True:
            if found := look():
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {timeout} s for {what}")
            time.sleep(0.03)

    # who and where

    def user(self, id: str, **fields: Any) -> str:
        """A person: name, real_name, tz, locale, is_restricted, deleted, …"""
        return self.ask("user", id=id, **fields)["id"]

    def channel(self, id: str = "C1", private: bool = False, members: list[str] | None = None, **fields: Any) -> str:
        """A channel with the bot in it; `bot_in=False`, `archived=True`, `shared=True`, `name=` change that."""
        return self.ask("channel", id=id, private=private, members=members, **fields)

    def direct_channel(self, user: str = "U1") -> str:
        """The id of this person's direct message with the bot."""
        return self.ask("direct_channel", user=user)

    # what people do

    def hears(
        self,
        text: str,
        channel: str = "C1",
        user: str = "U1",
        thread: str | None = None,
        files: Sequence[str | tuple[str, bytes]] = (),
        edited: str | None = None,
    ) -> str:
        """Somebody writes ("@nod" mentions the bot); the ts. A file is an id of `file()`, or name and bytes."""
        return self.ask("hears", text=text, channel=channel, user=user, thread=thread, files=self._files(files, user), edited=edited)

    def direct(self, text: str, user: str = "U1", thread: str | None = None, files: Sequence[str | tuple[str, bytes]] = ()) -> str:
        """Somebody writes to the bot alone; the ts."""
        return self.ask("direct", text=text, user=user, thread=thread, files=self._files(files, user))

    def file(self, name: str, content: bytes, mimetype: str = "application/octet-stream", user: str = "U1") -> str:
        """Somebody uploads a file; its id."""
        return self.ask("file", name=name, content=base64.b64encode(content).decode(), mimetype=mimetype, user=user)["id"]

    def _files(self, files: Sequence[str | tuple[str, bytes]], user: str) -> list[str]:
        return [each if isinstance(each, str) else self.file(*each, user=user) for each in files]

    def file_bytes(self, id: str) -> bytes:
        """What a file holds, the bot's uploads too."""
        return base64.b64decode(self.ask("file_bytes", id=id))

    def edits(self, channel: str, ts: str, text: str) -> None:
        """Somebody edits a message."""
        self.ask("edits", channel=channel, ts=ts, text=text)

    def unfurls(self, channel: str, ts: str) -> None:
        """Slack adds a preview to a message with a link."""
        self.ask("unfurls", channel=channel, ts=ts)

    def deletes(self, channel: str, ts: str) -> None:
        """Somebody deletes a message (an admin may delete the bot's)."""
        self.ask("deletes", channel=channel, ts=ts)

    def reacts(self, channel: str, ts: str, name: str = "+1", user: str = "U1") -> None:
        """Somebody reacts."""
        self.ask("reacts", channel=channel, ts=ts, name=name, user=user)

    def unreacts(self, channel: str, ts: str, name: str = "+1", user: str = "U1") -> None:
        """Somebody takes the reaction away."""
        self.ask("unreacts", channel=channel, ts=ts, name=name, user=user)

    def joins(self, channel: str, user: str) -> None:
        """Somebody comes into a channel; `bot_user` is the bot being invited."""
        self.ask("joins", channel=channel, user=user)

    def leaves(self, channel: str, user: str) -> None:
        """Somebody leaves a channel."""
        self.ask("leaves", channel=channel, user=user)

    def opens_home(self, user: str = "U1", tab: str = "home") -> None:
        """Somebody opens the app's home, or its `messages` tab."""
        self.ask("opens_home", user=user, tab=tab)

    def stops(self, channel: str, thread: str, user: str = "U1") -> None:
        """Somebody presses Slack's own stop button."""
        self.ask("stops", channel=channel, thread=thread, user=user)

    def presses(self, channel: str, ts: str, action_id: str | None = None, value: str | None = None, user: str = "U1") -> str:
        """Somebody presses a button of a message (or of an ephemeral one); the delivery's id."""
        return self.ask("presses", channel=channel, ts=ts, action_id=action_id, value=value, user=user)

    def presses_in(self, view_id: str, action_id: str | None = None, value: str | None = None, user: str = "U1") -> str:
        """Somebody presses a button of a modal or home tab; the delivery's id."""
        return self.ask("presses", view_id=view_id, action_id=action_id, value=value, user=user)

    def command(self, command: str = "/nod", text: str = "", user: str = "U1", channel: str = "C1") -> Command:
        """Somebody gives a slash command; its responses gather in the answer."""
        return Command(self, self.ask("command", command=command, text=text, user=user, channel=channel)["id"])

    def shortcut(self, callback_id: str, user: str = "U1", channel: str | None = None, ts: str | None = None) -> str:
        """Somebody uses a message shortcut (a global one without a message); the delivery's id."""
        return self.ask("shortcut", callback_id=callback_id, user=user, channel=channel, ts=ts)

    def submits(self, view_id: str, values: Json) -> str:
        """Somebody sends a modal: `{action_id: text or option}`; the delivery's id."""
        return self.ask("submits", view_id=view_id, values=values)

    def closes(self, view_id: str) -> None:
        """Somebody closes a modal."""
        self.ask("closes", view_id=view_id)

    def event(self, type: str, **fields: Any) -> Json:
        """Any other event, sent as given."""
        return self.ask("event", type=type, fields=fields)

    # what there is to see

    def messages(self, channel: str, thread: str | None = None, *, bot_only: bool = False, states: bool = True) -> list[SlackMessage]:
        """The messages of a channel, or of a thread with its parent; deleted ones say so."""
        return [SlackMessage(**each) for each in self.ask("messages", channel=channel, thread=thread, states=states, bot_only=bot_only)]

    def replies(self, channel: str, thread: str | None = None) -> list[SlackMessage]:
        """The bot's messages which are still there."""
        return [each for each in self.messages(channel, thread, bot_only=True) if not each.deleted]

    def last_reply(self, channel: str, thread: str | None = None) -> SlackMessage | None:
        """The bot's newest message."""
        return next(reversed(self.replies(channel, thread)), None)

    def wait_reply(
        self,
        channel: str,
        thread: str | None = None,
        timeout: float = 10.0,
        *,
        done: bool = True,
        when: Callable[[SlackMessage], bool] | None = None,
        settled: float | None = None,
    ) -> SlackMessage:
        """The bot's newest message, once it is there and (`done`) final.

        Final: no message of the bot in this place is streaming, and nothing of it changed for `settled` seconds: 0.3 when the newest is a
        stopped stream, else 1.5, because an edited message gives no sign of being the last. `when` is asked as well, if given.
        """

        def look() -> SlackMessage | None:
            found = [each for each in self.messages(channel, thread, bot_only=True) if not each.deleted]
            if not found or (when and not when(found[-1])):
                return None
            return found[-1] if not done or _is_final(found, settled) else None

        return self.wait(
            look, timeout, f"a reply in {channel} {thread or ''}: {[each.shown[:200] for each in self.replies(channel, thread)]}"
        )

    def ephemerals(self, user: str | None = None) -> list[Json]:
        """What only this person saw: text, blocks, shown, channel, thread."""
        return self.ask("ephemerals", user=user)

    def statuses(self, channel: str, thread: str | None = None) -> list[Json]:
        """Every status shown, in order, with `ended`: replaced, cleared, posted, timeout or None."""
        return self.ask("statuses", channel=channel, thread=thread)

    def prompts(self) -> list[Json]:
        """Every set of suggested prompts."""
        return self.ask("prompts")

    def sessions(self) -> list[Json]:
        """The agent sessions, with every status they had."""
        return self.ask("sessions")

    @property
    def views(self) -> list[Json]:
        """All modals and home tabs, newest last: `open`, `errors`, `user`, and every state."""
        return self.ask("views")

    def wait_view(self, timeout: float = 5.0, *, callback_id: str | None = None) -> Json:
        """The newest open view."""
        return self.wait(
            lambda: next((each for each in reversed(self.views) if each["open"] and callback_id in (None, each["callback_id"])), None),
            timeout,
            "a view",
        )

    def calls(self, method: str | None = None) -> list[Json]:
        """Every Web API call: method, args without token, at, mono, seconds, result."""
        return self.ask("calls", method=method)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per method: calls, ratelimited (429), refused."""
        return self.ask("counts")

    def deliveries(self, key: str | None = None, kind: str | None = None) -> list[Json]:
        """What was sent to the app, by event id or message ts or kind (events_api, slash_commands, interactive), with each attempt."""
        return self.ask("deliveries", key=key, kind=kind)

    def wait_delivered(self, key: str, timeout: float = 5.0) -> list[Json]:
        """The deliveries of this key, once all are acknowledged or given up."""

        def look() -> list[Json] | None:
            found = self.deliveries(key)
            return found if found and all(each["state"] != "waiting" for each in found) else None

        return self.wait(look, timeout, f"the deliveries of {key}")

    def strays(self) -> list[Json]:
        """Acknowledgements that came too late, or for nothing."""
        return self.ask("strays")

    def connections(self) -> int:
        """How many sockets are open."""
        return self.ask("connections")["open"]

    def connections_ever(self) -> int:
        """How many sockets were ever opened."""
        return self.ask("connections")["opened"]

    def wait_connected(self, count: int = 1, timeout: float = 15.0) -> None:
        """Return once so many sockets are open."""
        self.wait(lambda: self.connections() >= count, timeout, f"{count} connections")

    # trouble

    def fault(self, method: str, kind: str, times: int = 1, after: int = 0, **fields: Any) -> int:
        """Something goes wrong with the next calls of a method (`*`: any): 429 (retry_after=), 500, 503, timeout (seconds=),
        reset (cut before acting), lost_reply (acts, then cuts), no_reply (acts, then silence for seconds=), late_reply (acts, replies after seconds=),
        error (error=). `match={"channel": "C1"}` narrows it down."""
        return self.ask("fault", method=method, kind=str(kind), times=times, after=after, **fields)

    def faults_met(self) -> list[Json]:
        """The faults, and how often each was `met`."""
        return self.ask("faults_met")

    def no_faults(self) -> None:
        """Everything works again."""
        self.ask("no_faults")

    def limits(self, on: bool = True, tiers: dict[str, int] | None = None) -> None:
        """Rate limits on or off, windows emptied; a method's calls a minute may be changed."""
        self.ask("limits", on=on, **(tiers or {}))

    def timing(self, **seconds: Any) -> Json:
        """Change how long things take: ack_seconds, retry_seconds=[0, 60, 300], stream_seconds, status_seconds, trigger_seconds,
        response_url_seconds, rate_window_seconds; also stream_bytes."""
        return self.ask("timing", **seconds)

    def drop(self, *, silently: bool = False) -> int:
        """Cut every socket without a close frame (or leave it open and dead); how many there were."""
        return self.ask("drop", silently=silently)

    def refresh(self, reason: str = "refresh_requested", close_after_seconds: float | None = None) -> int:
        """Ask every socket to come back (`warning`: in ten seconds), as Slack does now and then."""
        late = 10.0 if reason == "warning" else 0.5
        return self.ask("refresh", reason=reason, close_after_seconds=late if close_after_seconds is None else close_after_seconds)

    def redeliver(self, key: str) -> list[bool]:
        """Send events again, the same event ids: one by its id, or a mention's by its ts. Whether each was acknowledged."""
        return self.ask("redeliver", key=key)

    def scopes(self, granted: list[str]) -> None:
        """What the app was granted."""
        self.ask("scopes", granted=granted)

    def subscribes(self, events: list[str]) -> None:
        """The events the app subscribed to."""
        self.ask("subscribes", events=events)

    def echo(self, on: bool) -> None:
        """Whether the app hears its own messages and reactions (on, as on Slack)."""
        self.ask("echo", on=on)

    def refuses(self, token: str, error: str = "invalid_auth") -> None:
        """This token is bad from now on: invalid_auth, token_revoked, account_inactive."""
        self.ask("refuses", token=token, error=error)

    def reset(self) -> None:
        """A new, empty workspace; tokens and open sockets stay."""
        self.ask("reset")

    # many at once

    def volley(self, mentions: Sequence[Json]) -> str:
        """Fire mentions `{text, channel, user, at}` at their offsets in seconds; the key for `volley_times`."""
        return self.ask("volley", mentions=list(mentions))

    def volley_times(self, key: str, text_has: str | None = None) -> list[Json]:
        """Per mention fired so far, in monotonic seconds: sent, acked, first_status, first_sign, first_text, last_change; and what is shown.

        `text_has` tells answer text from a placeholder: first_text is then the first state that contains it.
        """
        return self.ask("volley_times", key=key, text_has=text_has)


def _is_final(found: list[SlackMessage], settled: float | None) -> bool:
    if any(each.streaming for each in found):
        return False
    last = found[-1]
    quiet = settled if settled is not None else STOPPED_SECONDS if last.stream_state == "stopped" else SETTLED_SECONDS
    return last.now_mono - max(each.changed_mono for each in found) >= quiet
