"""Where volleys are fired: the fakes of Slack and Discord, asked in the same words."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.seen import seen_in_discord
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.slack import FakeSlack

Shot = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of the bot: how it looks now, and each look it had (`mono`, `shown`)."""

    shown: str
    streaming: bool
    deleted: bool
    states: list[dict[str, Any]]


class Field(Protocol):
    """A fake platform under fire.

    A shot has `text`, `channel`, `user` and `at`; one that was seen `ts`, `sent`, `first_sign`, `shown` and `streaming` as well.
    """

    @property
    def pid(self) -> int:
        """The fake's process."""
        ...

    @property
    def env(self) -> Mapping[str, str]:
        """What leads a bot here."""
        ...

    def listen(self, events: Sequence[str] | None) -> None:
        """Wait for the bot; `events` are those it subscribes to, if not all."""
        ...

    def limits(self, *, on: bool) -> None:
        """Turn the documented rate limits on or off."""
        ...

    def shoot(self, shots: Sequence[Shot]) -> None:
        """Let people ask."""
        ...

    def seen(self) -> list[Shot]:
        """Return what there is to see of the last shots."""
        ...

    def replies(self, shots: Sequence[Shot]) -> Mapping[str, Sequence[Shown]]:
        """Return the bot's messages to each, by its `ts`."""
        ...

    def calls(self) -> Counter[str]:
        """All calls so far, by method."""
        ...

    def too_many(self) -> int:
        """How many of them were refused with 429."""
        ...


@dataclass(slots=True)
class SlackField:
    """The fake Slack."""

    slack: FakeSlack
    key: str = ""

    @property
    def pid(self) -> int:
        """The fake's process."""
        return self.slack.process.pid

    @property
    def env(self) -> Mapping[str, str]:
        """What leads a bot here."""
        return {"SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_APP_TOKEN": self.slack.app_token, "SLACK_API_URL": self.slack.url}

    def listen(self, events: Sequence[str] | None) -> None:
        """Wait for the bot."""
        if events is not None:
            self.slack.subscribes(list(events))
        self.slack.wait_connected(timeout=30)

    def limits(self, *, on: bool) -> None:
        """Turn the limits on or off."""
        self.slack.limits(on)

    def shoot(self, shots: Sequence[Shot]) -> None:
        """Let people ask, each at its moment."""
        self.key = self.slack.volley(shots)

    def seen(self) -> list[Shot]:
        """Return what there is to see."""
        return self.slack.volley_times(self.key)

    def replies(self, shots: Sequence[Shot]) -> Mapping[str, Sequence[Shown]]:
        """Return the bot's messages in each thread."""
        found: dict[str, list[Shown]] = defaultdict(list)
        for channel in {shot["channel"] for shot in shots}:
            for message in self.slack.messages(channel, bot_only=True):
                shown = Shown(message.shown, message.streaming, message.deleted, message.states)
                found[message.thread_ts or message.ts].append(shown)
        return found

    def calls(self) -> Counter[str]:
        """All calls so far."""
        return Counter({method: counts["calls"] for method, counts in self.slack.counts().items()})

    def too_many(self) -> int:
        """How many were refused."""
        return sum(counts["ratelimited"] for counts in self.slack.counts().values())


@dataclass(slots=True)
class DiscordField:
    """The fake Discord."""

    discord: FakeDiscord
    shots: list[Shot] = field(default_factory=list[Shot])

    @property
    def pid(self) -> int:
        """The fake's process."""
        return self.discord.process.pid

    @property
    def env(self) -> Mapping[str, str]:
        """What leads a bot here."""
        return {"DISCORD_TOKEN": self.discord.token, "DISCORD_API_URL": self.discord.url}

    def listen(self, events: Sequence[str] | None) -> None:  # noqa: ARG002  # the protocol's signature
        """Wait for the bot."""
        self.discord.wait_connected(timeout=30)

    def limits(self, *, on: bool) -> None:
        """Turn the limits on or off."""
        self.discord.limits(on)

    def shoot(self, shots: Sequence[Shot]) -> None:
        """Let people ask, each at its moment."""
        self.shots = []
        for channel in {shot["channel"] for shot in shots}:
            self.discord.channel(channel)
        began = time.monotonic()
        for at in sorted({shot["at"] for shot in shots}):
            time.sleep(max(0.0, began + at - time.monotonic()))
            now = [shot for shot in shots if shot["at"] == at]
            ids = self.discord.volley([{name: shot[name] for name in ("text", "channel", "user")} for shot in now])
            self.shots += [{**shot, "ts": message, "sent": time.monotonic()} for shot, message in zip(now, ids, strict=True)]

    def seen(self) -> list[Shot]:
        """Return what there is to see."""
        replies = self.replies(self.shots)
        return [
            {
                **shot, "shown": [reply.shown for reply in replies[shot["ts"]] if not reply.deleted],
                "streaming": any(reply.streaming for reply in replies[shot["ts"]]),
                "first_sign": min((state["mono"] for reply in replies[shot["ts"]] for state in reply.states), default=None),
            }
            for shot in self.shots
        ]  # fmt: skip

    def replies(self, shots: Sequence[Shot]) -> Mapping[str, Sequence[Shown]]:
        """Return the bot's messages to each question."""
        asked = [shot["ts"] for shot in shots]
        return {one: [_reply(message) for message in messages] for one, messages in self.discord.replies(asked).items()}

    def calls(self) -> Counter[str]:
        """All calls so far."""
        return Counter(call["route"] for call in self.discord.calls())

    def too_many(self) -> int:
        """How many were refused."""
        return self.discord.counts()["too_many"]


def _reply(message: dict[str, Any]) -> Shown:
    """Return a message of Discord; it counts as streaming until it has its last buttons."""
    seen = seen_in_discord(message)
    states = [{"mono": at, "shown": text} for at, text in seen.states]
    return Shown(seen.text, not seen.end and not seen.is_deleted, seen.is_deleted, states)
