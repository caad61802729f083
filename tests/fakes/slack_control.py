"""The control side of the fake Slack: one word, one function. Only tests speak to it; the app under test never does."""

# ruff: noqa: A002 -- `id` and `type` are Slack's own words
from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from tests.fakes.slack_arguments import TIERS, Refusal
from tests.fakes.slack_limits import KINDS, Fault, Limits
from tests.fakes.slack_people import People
from tests.fakes.slack_socket import Delivery, Socket
from tests.fakes.slack_world import APP_ID, APP_TOKEN, BOT_ID, BOT_TOKEN, BOT_USER, TEAM, Message, Timing, World, visible

Json = dict[str, Any]


class Control:
    """Every word a test can say, as a method whose keyword arguments are the JSON body."""

    def __init__(self, world: World, socket: Socket, limits: Limits, faults: list[Fault]) -> None:
        self.world, self.socket, self.limits_, self.faults = world, socket, limits, faults
        self.people = People(world, socket)
        self.volleys: dict[str, Json] = {}
        self.forwarded: dict[str, Callable[..., Any]] = {
            name: getattr(self.people, name)
            for name in ("edits", "unfurls", "deletes", "reacts", "unreacts", "joins", "leaves", "opens_home", "stops", "closes")
        }

    def word(self, name: str) -> Callable[..., Any] | None:
        """The function for this word."""
        return self.forwarded.get(name) or (None if name.startswith("_") or name == "word" else getattr(self, name, None))

    # who and where

    def about(self) -> Json:
        """Tokens and ids."""
        return {"bot_token": BOT_TOKEN, "app_token": APP_TOKEN, "bot_user": BOT_USER, "bot_id": BOT_ID, "team": TEAM, "app_id": APP_ID}

    def user(self, id: str, **fields: Any) -> Json:
        """Make or change a person."""
        return self.world.user(id, **fields)

    def channel(self, id: str, private: bool = False, members: list[str] | None = None, **fields: Any) -> str:
        """Make or change a channel."""
        return self.world.channel(id, kind="group" if private else "channel", members=members, **fields).id

    def direct_channel(self, user: str) -> str:
        """The id of the person's direct message with the bot."""
        return self.world.direct(user).id

    # what people do

    def hears(self, text: str, channel: str, user: str, **fields: Any) -> str:
        """Somebody writes; the ts."""
        return self.people.says(text, channel, user, **fields).ts

    def direct(self, text: str, user: str, **fields: Any) -> str:
        """Somebody writes to the bot alone; the ts."""
        return self.people.says(text, self.world.direct(user).id, user, **fields).ts

    def file(self, name: str, content: str, mimetype: str, user: str) -> Json:
        """Somebody uploads a file (base64)."""
        return self.people.uploads(name, base64.b64decode(content), mimetype, user)

    def file_bytes(self, id: str) -> str:
        """What the file holds, in base64."""
        return base64.b64encode(self.world.bytes[id]).decode()

    def command(self, **fields: Any) -> Json:
        """Somebody gives a slash command."""
        return self.people.commands(**fields)

    def command_state(self, id: str) -> Json:
        """How the command fares: acknowledged or failed, and every response to it."""
        entry, delivery = self.world.commands[id], self.socket.deliveries[id]
        responses = list(self.world.hooks[entry["hook"]]["responses"])
        if isinstance(delivery.response, dict) and (delivery.response.get("text") or delivery.response.get("blocks")):
            shown = visible(delivery.response.get("blocks") or []) or delivery.response.get("text", "")
            responses.insert(0, {"by": "ack", "shown": shown, "mono": delivery.attempts[-1].get("acked_mono"), **delivery.response})
        return entry | {"state": delivery.state, "error": delivery.why, "responses": responses}

    def presses(self, **fields: Any) -> str:
        """Somebody presses; the delivery's id."""
        return self.people.presses(**fields).id

    def shortcut(self, **fields: Any) -> str:
        """Somebody uses a shortcut; the delivery's id."""
        return self.people.shortcut(**fields).id

    def submits(self, **fields: Any) -> str:
        """Somebody sends a modal; the delivery's id."""
        return self.people.submits(**fields).id

    def event(self, type: str, fields: Json) -> Json:
        """Any other event, sent as given."""
        return self.world.emit(type, {"type": type, "event_ts": self.world.new_ts(), **fields}, None)

    # what there is to see

    def messages(self, channel: str, thread: str | None = None, states: bool = True, bot_only: bool = False) -> list[Json]:
        """The messages of a channel or thread, deleted ones too, with every state they showed."""
        if channel not in self.world.channels:
            return []
        found = self.world.thread(channel, thread) if thread else list(self.world.channels[channel].messages.values())
        return [self._message(each, states) for each in found if each.bot_id or not bot_only]

    def _message(self, message: Message, states: bool) -> Json:
        self.world.expire(message)
        out: Json = {
            key: getattr(message, key) for key in ("channel", "ts", "user", "text", "blocks", "files", "thread_ts", "metadata", "shown")
        }
        out |= {
            key: getattr(message, key) for key in ("streaming", "streamed", "deleted", "edited", "reactions", "arguments", "attachments")
        }
        out |= {"by_bot": message.bot_id is not None, "stream_state": message.stream.state if message.stream else None}
        out |= {"tasks": list(message.stream.tasks.values()) if message.stream else []}
        return out | {"states": message.states if states else [], "changed_mono": message.states[-1]["mono"], "now_mono": time.monotonic()}

    def ephemerals(self, user: str | None = None) -> list[Json]:
        """What only this person saw."""
        return [each for each in self.world.ephemerals if user in (None, each["user"])]

    def statuses(self, channel: str, thread: str | None = None) -> list[Json]:
        """Every status a thread showed, and how each ended."""
        self.world.age_statuses()
        return [each for each in self.world.statuses if each["channel"] == channel and thread in (None, each["thread"])]

    def prompts(self) -> list[Json]:
        """Every set of suggested prompts."""
        return self.world.prompts

    def sessions(self) -> list[Json]:
        """The agent sessions."""
        return list(self.world.sessions.values())

    def views(self) -> list[Json]:
        """All modals and home tabs, the newest last."""
        return list(self.world.views.values())

    def calls(self, method: str | None = None) -> list[Json]:
        """Every call of the Web API, in order."""
        return [each for each in self.world.calls if method in (None, each["method"])]

    def counts(self) -> Json:
        """Calls per method, and how many of them were refused with 429."""
        out: Json = {}
        for each in self.world.calls:
            entry = out.setdefault(each["method"], {"calls": 0, "ratelimited": 0, "refused": 0})
            entry["calls"] += 1
            entry["ratelimited"] += each["result"] == "ratelimited"
            entry["refused"] += each["result"] != "ok"
        return out

    def deliveries(self, key: str | None = None, kind: str | None = None) -> list[Json]:
        """What was sent to the app: by event id, by message ts, by kind, or all of it."""
        found = (
            self.socket.deliveries.values()
            if key is None
            else [self.socket.deliveries[key]]
            if key in self.socket.deliveries
            else self.socket.by_ts.get(key, [])
        )
        return [each.as_json() for each in found if kind in (None, each.kind)]

    def strays(self) -> list[Json]:
        """Acknowledgements nobody waited for any more: late ones, and unknown ones."""
        return self.socket.strays

    def connections(self) -> Json:
        """How many connections are open, and how many ever were."""
        live = [each for each in self.socket.connections if not each.mute]
        return {"open": len(live), "opened": self.socket.opened, "ids": [each.id for each in live]}

    # trouble

    def fault(self, method: str, kind: str, **fields: Any) -> int:
        """Something goes wrong with the next calls."""
        if kind not in KINDS:
            raise Refusal("no_such_fault", kind)
        self.faults.append(Fault(method, kind, **fields))
        return len(self.faults) - 1

    def faults_met(self) -> list[Json]:
        """The faults, and how often each was met."""
        return [asdict(each) for each in self.faults]

    def no_faults(self) -> None:
        """Everything works again."""
        self.faults.clear()

    def limits(self, on: bool, **tiers: int) -> None:
        """Rate limits on or off; a method's tier may be set."""
        self.limits_.on = on
        self.limits_.tiers.update(tiers)
        self.limits_.calls.clear()
        self.limits_.posts.clear()

    def timing(self, **seconds: Any) -> Json:
        """Change how long things take."""
        known = {each.name for each in fields(Timing)}
        for name, value in seconds.items():
            if name not in known:
                raise Refusal("no_such_timing", name)
            setattr(self.world.timing, name, value)
        self.limits_.window_seconds = self.world.timing.rate_window_seconds
        return asdict(self.world.timing)

    def scopes(self, granted: list[str]) -> None:
        """What the app was granted."""
        self.world.scopes = granted

    def subscribes(self, events: list[str]) -> None:
        """The events that the app subscribed to."""
        self.world.subscribed = set(events)

    def reset(self) -> None:
        """A new, empty workspace with the same tokens; connections stay."""
        base, numbers = self.world.base, self.world.numbers
        self.world.__init__()
        self.world.base, self.world.emit = base, self.socket.emit
        self.world.numbers = numbers  # Slack gives no id twice, and whoever stays connected relies on it
        self.socket.forget_deliveries()
        self.faults.clear()
        self.volleys.clear()
        self.limits_.tiers = dict(TIERS)
        self.limits_.window_seconds = self.world.timing.rate_window_seconds
        self.limits(on=False)

    def echo(self, on: bool) -> None:
        """Whether the app hears its own messages and reactions, as it does on Slack."""
        self.world.echo = on

    def refuses(self, token: str, error: str) -> None:
        """This token is bad from now on."""
        self.world.bad_tokens[token] = error

    def drop(self, silently: bool = False) -> int:
        """Cut every connection without a close frame."""
        return self.socket.drop(silently)

    async def refresh(self, reason: str, close_after_seconds: float) -> int:
        """Ask the app to connect anew."""
        return await self.socket.refresh(reason, close_after_seconds)

    async def redeliver(self, key: str) -> list[bool]:
        """Send the events again: one by its id, or all about a message by its ts."""
        found = [
            each for each in self.socket.find(key) if (each.kind == "events_api" and each.name in ("app_mention", *_SAID)) or each.id == key
        ]
        return list(await asyncio.gather(*(self.socket.redeliver(each) for each in found)))

    # many at once

    def volley(self, mentions: list[Json]) -> str:
        """Fire mentions at the offsets they name (`at`, seconds from now)."""
        key, start = self.world.new_id("volley"), time.monotonic()
        shots: list[Json] = [{"at": 0.0, "channel": "C1", "user": "U1", **each} for each in mentions]
        self.volleys[key] = {"start": start, "shots": shots}
        loop = asyncio.get_running_loop()
        for shot in shots:
            loop.call_later(shot["at"], self._shoot, shot)
        return key

    def _shoot(self, shot: Json) -> None:
        message = self.people.says(shot["text"], shot["channel"], shot["user"], thread=shot.get("thread"))
        shot.update(ts=message.ts, sent=message.states[0]["mono"])

    def volley_times(self, key: str, text_has: str | None = None) -> list[Json]:
        """For each mention, in monotonic seconds of this process: sent, acked, first status, first sign, first text, last change."""
        first_status: dict[tuple[str, str], float] = {}
        for each in self.world.statuses:
            first_status.setdefault((each["channel"], each["thread"]), each["mono"])
        return [self._times(shot, first_status, text_has) for shot in self.volleys[key]["shots"] if "ts" in shot]

    def _times(self, shot: Json, first_status: dict[tuple[str, str], float], text_has: str | None) -> Json:
        root = shot.get("thread") or shot["ts"]
        replies = [each for each in self.world.thread(shot["channel"], root) if each.bot_id and each.ts > shot["ts"]]
        states = sorted((state for each in replies for state in each.states), key=lambda state: state["mono"])
        acks = [a["acked_mono"] for d in self.socket.by_ts.get(shot["ts"], []) if _is_said(d) for a in d.attempts if a["acked_mono"]]
        texts = [state["mono"] for state in states if state["shown"] and (text_has is None or text_has in state["shown"])]
        status = first_status.get((shot["channel"], root))
        signs = [each for each in (status, states[0]["mono"] if states else None) if each is not None]
        return {
            "ts": shot["ts"], "channel": shot["channel"], "user": shot["user"], "text": shot["text"], "at": shot["at"], "sent": shot["sent"],
            "acked": min(acks, default=None), "first_status": status, "first_sign": min(signs, default=None), "first_text": min(texts, default=None),
            "last_change": states[-1]["mono"] if states else None, "changes": len(states), "messages": len([r for r in replies if not r.deleted]),
            "shown": [each.shown for each in replies], "streaming": any(each.streaming for each in replies),
        }  # fmt: skip


_SAID = ("message.channels", "message.groups", "message.im", "message.mpim")


def _is_said(delivery: Delivery) -> bool:
    return delivery.name == "app_mention" or (delivery.name in _SAID and "previous_message" not in delivery.payload["event"])
