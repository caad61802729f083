"""`FakeDiscord`: the fake Discord as tests hold it. It starts the process; people act; what the bot did is read back.

Ids are strings. A channel or person may be named or given by id; a name that is new makes a new one.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.fakes.process import Process, start

Json = dict[str, Any]
File = Path | tuple[str, bytes]


class FakeDiscord:
    """A running fake Discord. Use it as a context manager."""

    def __init__(self, limits: bool = False, port: int = 0) -> None:
        self.process: Process = start("tests.fakes.discord_server", "--port", str(port), "--limits", "on" if limits else "off")
        info = self.process.info
        self.url: str = info["url"]
        self.token: str = info["token"]
        self.bot_id: str = info["bot_id"]
        self.application_id: str = info["application_id"]
        self.guild: str = info["guild"]
        self._control: str = info["control"]
        self._http = httpx.Client(timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End the fake."""
        self._http.close()
        self.process.stop()

    def reset(self) -> None:
        """A new day: no messages, people, records, faults or gateway sessions; the ids of bot, guild and #general stay."""
        self._do("reset")

    def _do(self, word: str, **more: Any) -> Any:
        answer = self._http.post(self._control, json={"do": word, **more})
        told = json.loads(answer.content)
        if answer.status_code != 200:
            raise ValueError(told["error"])
        return told

    # ---- places and people

    def channel(self, which: str, private: bool = False, kind: str = "text", guild: str | None = None, members: Iterable[str] = ()) -> str:
        """The id of a channel (`kind`: text, forum), made when new; a private one is read by the bot and `members` (people, ids of roles)."""
        return self._do("channel", which=str(which), private=private, kind=kind, guild=guild, members=list(members))["id"]

    def changes_channel(self, channel: str, private: bool | None = None, members: Iterable[str] | None = None) -> None:
        """Change who can read a channel."""
        self._do("channel_update", channel=channel, private=private, members=None if members is None else list(members))

    def role(self, name: str, holders: Iterable[str] = ()) -> str:
        """The id of a role, which exactly these people hold."""
        return self._do("role", name=name, holders=list(holders))

    def features(self, *names: str) -> None:
        """What Discord lets the guild do, such as DISCOVERABLE."""
        self._do("features", names=list(names))

    def permit(self, channel: str, deny: Sequence[str] = (), grant: Sequence[str] = ()) -> None:
        """The bot's permissions in a channel: names as in Discord, such as `send_messages`, `view_channel`, `manage_messages`."""
        self._do("permit", channel=channel, deny=list(deny), grant=list(grant))

    def user(self, name: str, admin: bool = False, takes_dms: bool = True, bot: bool = False) -> str:
        """The id of a person, made when new."""
        return self._do("user", name=name, admin=admin, takes_dms=takes_dms, bot=bot)

    def member(self, event: str, user: str) -> None:
        """A member: `add`, `update` or `remove`."""
        self._do("member", event=event, user=user)

    # ---- people talk

    def hears(
        self, text: str, channel: str = "general", user: str = "mina", reply_to: str | None = None, thread: str | None = None,
        files: Sequence[File] = (), ping: bool = True, silent: bool = False,
    ) -> str:  # fmt: skip
        """A person says this; `@nod` mentions the bot. In a forum it opens a post. The message's id."""
        told = {"channel": channel, "user": user, "reply_to": reply_to, "thread": thread, "ping": ping, "silent": silent}
        return self._do("hears", text=text, files=[_file(one) for one in files], **told)

    def direct(self, text: str, user: str = "mina", files: Sequence[File] = (), reply_to: str | None = None) -> str:
        """A person writes to the bot alone. The message's id."""
        return self._do("direct", text=text, user=user, files=[_file(one) for one in files], reply_to=reply_to)

    def volley(self, messages: Sequence[Json]) -> list[str]:
        """Many at once, each with the arguments of `hears` (or of `direct`, with `direct=True`). Their ids."""
        return self._do("volley", messages=[dict(one) for one in messages])

    def forwards(self, message: str, channel: str = "general", user: str = "mina") -> str:
        """A person forwards a message."""
        return self._do("forwards", message=message, channel=channel, user=user)

    def edits(self, message: str, text: str) -> None:
        """A person changes what they said."""
        self._do("edits", message=message, text=text)

    def unfurls(self, message: str) -> None:
        """A link preview appears: an update that is no edit."""
        self._do("unfurls", message=message)

    def deletes(self, message: str) -> None:
        """A message is deleted by a person."""
        self._do("deletes", message=message)

    def types(self, channel: str = "general", user: str = "mina") -> None:
        """A person types."""
        self._do("types", channel=channel, user=user)

    def opens_thread(self, message: str, name: str = "thread", user: str = "mina") -> str:
        """A person opens a thread on a message. Its id."""
        return self._do("opens_thread", message=message, name=name, user=user)

    def archives(self, thread: str, locked: bool = False) -> None:
        """A thread is archived."""
        self._do("archives", thread=thread, locked=locked)

    # ---- people react and press

    def reacts(self, message: str, emoji: str = "👍", user: str = "mina") -> None:
        """A person adds a reaction."""
        self._do("reacts", message=message, emoji=emoji, user=user)

    def unreacts(self, message: str, emoji: str = "👍", user: str = "mina") -> None:
        """A person takes a reaction back."""
        self._do("unreacts", message=message, emoji=emoji, user=user)

    def clears_reactions(self, message: str, emoji: str | None = None) -> None:
        """A moderator clears all reactions, or all of one kind."""
        self._do("clears_reactions", message=message, emoji=emoji)

    def slash(self, name: str, options: Json | None = None, user: str = "mina", channel: str = "general") -> str:
        """A person sends `/name`; `channel="direct"` is the direct message; a file option is a `File`. The interaction's id."""
        told = {key: _file(value) if isinstance(value, Path | tuple) else value for key, value in (options or {}).items()}
        return self._do("slash", name=name, options=told, user=user, channel=channel)

    def completes(self, name: str, option: str, text: str, user: str = "mina", channel: str = "general") -> str:
        """A person types into an option that completes itself."""
        return self._do("completes", name=name, option=option, text=text, user=user, channel=channel)

    def context_menu(self, name: str, message: str, user: str = "mina") -> str:
        """A person picks a message command."""
        return self._do("context_menu", name=name, message=message, user=user)

    def presses(self, message: str, custom_id: str, user: str = "mina") -> str:
        """A person presses a button."""
        return self._do("presses", message=message, custom_id=custom_id, user=user)

    def selects(self, message: str, custom_id: str, values: Sequence[str], user: str = "mina") -> str:
        """A person selects."""
        return self._do("selects", message=message, custom_id=custom_id, values=list(values), user=user)

    def submits(self, interaction: str, values: Json, user: str = "mina") -> str:
        """A person sends the modal that this interaction opened."""
        return self._do("submits", interaction=interaction, values=values, user=user)

    # ---- what the bot did

    def message(self, message: str) -> Json:
        """A message: text, states, pings, reactions, nonce, reply_to, is_deleted …"""
        return self._do("message", message=message)

    def messages(self, channel: str = "general", deleted: bool = False) -> list[Json]:
        """A channel's messages, oldest first; `@mina` is the direct message with mina."""
        return self._do("messages", channel=channel, deleted=deleted)

    def replies_to(self, asked: str) -> list[Json]:
        """What the bot said to a message (by reply, or in the thread on it) or to an interaction, oldest first."""
        return self._do("replies", asked=[asked])[asked]

    def replies(self, asked: Sequence[str]) -> dict[str, list[Json]]:
        """The same for many at once."""
        return self._do("replies", asked=list(asked))

    def last_reply(self, channel: str = "general") -> Json | None:
        """The bot's last message in a channel."""
        return next((one for one in reversed(self.messages(channel)) if one["is_bot"] and one["type"] != 21), None)

    def wait_reply(self, asked: str, timeout: float = 10.0, predicate: Callable[[Json], bool] = lambda _: True) -> Json:
        """The first reply to `asked` of which `predicate` holds; AssertionError with what was there when the time is up."""
        return self.wait(
            lambda: next((one for one in self.replies_to(asked) if predicate(one)), None), timeout, lambda: self.replies_to(asked)
        )

    def wait(self, look: Callable[[], Any], timeout: float = 10.0, explain: Callable[[], Any] = lambda: "nothing") -> Any:
        """What `look` finds, as soon as it is true; it looks again whenever something happened."""
        deadline, version = time.monotonic() + timeout, 0
        while True:
            version = self._do("changed", since=version, within_seconds=0)
            if found := look():
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not within {timeout} s; there was: {explain()}")
            self._do("changed", since=version, within_seconds=min(left, 5.0))

    def interaction(self, interaction: str) -> Json:
        """An interaction: responses, response_type, is_ephemeral, modal, messages, has_failed …"""
        return self._do("interaction", interaction=interaction)

    def token_of(self, interaction: str) -> str:
        """The token which the gateway brought with an interaction."""
        return self._do("token_of", interaction=interaction)

    def interactions(self) -> list[Json]:
        """All interactions."""
        return self._do("interactions")

    def calls(self, route: str | None = None, since: int = 0) -> list[Json]:
        """REST calls: route, args, status, code, at, wall, seconds, fault."""
        return self._do("calls", route=route, since=since)

    def counts(self) -> Json:
        """calls, too_many (429s), limit_hits, invalid_requests, messages."""
        return self._do("counts")

    def commands(self, guild: str | None = None) -> list[Json]:
        """The commands registered (for everybody, or for a guild)."""
        return self._do("commands", guild=guild)

    def typing(self) -> list[Json]:
        """When and where the bot typed."""
        return self._do("typing")

    def connections(self) -> list[Json]:
        """Live gateway connections; `session` is None before IDENTIFY."""
        return self._do("connections")

    def gateway_log(self) -> list[Json]:
        """connected, identified, resumed, resume refused, refused, disconnected … in order."""
        return self._do("gateway_log")

    def wait_connected(self, timeout: float = 20.0) -> None:
        """Return when a client is connected and identified."""
        self.wait(lambda: any(one["session"] for one in self.connections()), timeout, self.gateway_log)

    # ---- things go wrong

    def fault(self, route: str, kind: str, **more: Any) -> None:
        """Order a fault on a route (`message.create`, `followup.*` …); see `tests.fakes.discord_limits.Fault`."""
        self._do("fault", route=route, kind=kind, **more)

    def faults(self) -> list[Json]:
        """Faults and their `hits`."""
        return self._do("faults")

    def clear_faults(self) -> None:
        """No more faults."""
        self._do("clear_faults")

    def set(self, **values: Any) -> None:
        """Turn a setting: `tests.fakes.discord_world.Settings`."""
        self._do("set", **values)

    def limits(self, on: bool = True) -> None:
        """Rate limits."""
        self.set(limits=on)

    def intents(self, **on: bool) -> None:
        """The switches of privileged intents: message_content, members, presences."""
        self.set(**on)

    def drop(self) -> int:
        """Cut every gateway connection; how many there were."""
        return self._do("drop")

    def closes(self, code: int) -> int:
        """Close every gateway connection with this code."""
        return self._do("close", code=code)

    def refuse_resume(self, times: int = 1) -> None:
        """The next resumes are answered with "invalid session"."""
        self.set(refuse_resumes=times)

    def asks_reconnect(self) -> int:
        """Op 7."""
        return self._do("reconnect")

    def invalidates(self, resumable: bool = False) -> int:
        """Op 9."""
        return self._do("invalidate", resumable=resumable)

    def gateway_up(self, on: bool) -> None:
        """Whether the gateway takes connections; off also cuts the ones there are."""
        self.set(gateway_up=on)
        if not on:
            self.drop()

    def redeliver(self, message: str) -> None:
        """Deliver the same MESSAGE_CREATE once more."""
        self._do("redeliver", message=message)

    def ages(self, message: str, seconds: float = 3700.0) -> None:
        """Make a message older."""
        self._do("ages", message=message, seconds=seconds)

    def forgets_nonces(self) -> None:
        """As if the few minutes of enforce_nonce were over."""
        self._do("forgets_nonces")

    def expires_files(self) -> None:
        """Addresses on the CDN run out."""
        self._do("expires_files")


def _file(file: File) -> Json:
    name, data = (file.name, file.read_bytes()) if isinstance(file, Path) else file
    return {"filename": name, "data": base64.b64encode(data).decode()}
