"""What the fake platforms show and the fake model was asked, as the checker takes it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from benchmarks.promises import TAG, Asked, Call, Seen
from bot.discord.render import RETRY as DISCORD_RETRY
from bot.discord.render import UP
from bot.faces import PHRASES
from bot.slack.render import RETRY as SLACK_RETRY
from bot.slack.render import VOTE
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import Call as ModelCall
from tests.fakes.model import FakeModel
from tests.fakes.slack import Command, FakeSlack, SlackMessage

THREAD_CREATED = 21
# What nod says by the way, to nobody's question: how such a message begins.
ASIDES = tuple(
    PHRASES.say(key, language, privacy="{", code="{", example="{").partition("{")[0]
    for key in ("first_dm", "command.nothing_to_stop", "command.failed")
    for language in ("ko", "en")
)


@dataclass(slots=True)
class Sight:
    """Both fake platforms, seen through the eyes of those who ask there."""

    slack: FakeSlack
    discord: FakeDiscord
    channels: int
    people: int
    threads: list[str] = field(default_factory=list[str])  # of Discord
    commands: dict[str, Command] = field(default_factory=dict[str, Command])  # of Slack, by the question's number
    _directs: list[str] = field(default_factory=list[str])

    def is_acknowledged(self, ts: str) -> bool:
        """Return whether nod took in a message of Slack."""
        return any(each["state"] == "acked" for each in self.slack.deliveries(ts))

    def questions(self, asked: Iterable[Asked]) -> list[Asked]:
        """Return what was asked, and whether it was accepted: on Slack it says so itself, on Discord what was said was said."""
        opened = self._opened() if self.commands else {}
        return [
            replace(one, is_accepted=self._state(one) == "acked", conversation=opened.get(one.tag, one.conversation)) for one in list(asked)
        ]

    def _opened(self) -> dict[str, str]:
        """Return the threads of Slack which the questions of commands opened, by their numbers."""
        rooms = [self.slack.messages(f"C{number}", bot_only=True, states=False) for number in range(1, self.channels + 1)]
        asked = [one for room in rooms for one in room if _is_question(one)]
        return {tag: f"slack {one.channel}/{one.ts}" for one in asked for tag in re.findall(TAG, one.text)[-1:]}

    def _state(self, asked: Asked) -> str:
        """Return `acked`, `waiting` or `failed`: how the platform sees what it told nod of a question."""
        if asked.form == "command":
            if asked.platform == "slack":
                return self.commands[asked.tag].state
            interaction = self.discord.interaction(asked.message_id)
            is_refused = any(is_aside(message["text"]) for message in interaction["messages"])
            return "failed" if interaction["has_failed"] or is_refused else "acked" if interaction["responses"] else "waiting"
        if asked.platform == "discord":
            return "acked"
        states = {each["state"] for each in self.slack.deliveries(asked.message_id)}
        return "acked" if "acked" in states else "waiting" if "waiting" in states else "failed"

    def is_any_waiting(self, asked: Iterable[Asked]) -> bool:
        """Return whether a platform is still telling nod of a question."""
        return any(self._state(one) == "waiting" for one in list(asked))

    def answers_to(self, asked: Asked) -> list[Seen]:
        """Return what there is as an answer to one question that was asked by a message, or beside it in its thread."""
        if asked.platform == "discord":
            found = [seen_in_discord(one) for one in self.discord.replies_to(asked.message_id)]
        else:
            channel, _, thread = asked.conversation.partition(" ")[2].partition("/")
            found = [seen_in_slack(one) for one in self.slack.messages(channel, thread, bot_only=True)]
        return [one for one in found if not one.is_deleted and not is_aside(one.text)]

    def seen(self) -> list[Seen]:
        """Return every message of the bot that is meant as an answer."""
        if not self._directs:
            self._directs = [self.slack.direct_channel(f"U{person}") for person in range(1, self.people + 1)]
            for person in range(1, self.people + 1):
                self.discord.user(f"person-{person}")
        places = [f"room-{channel}" for channel in range(1, self.channels + 1)] + self.threads
        places += [f"@person-{person}" for person in range(1, self.people + 1)]
        discord = [one for place in places for one in self.discord.messages(place, deleted=True) if _is_ours(one)]
        rooms = [f"C{number}" for number in range(1, self.channels + 1)] + self._directs
        slack = [one for room in rooms for one in self.slack.messages(room, bot_only=True)]
        shown = [*(seen_in_slack(one) for one in slack if not _is_question(one)), *map(seen_in_discord, discord), *self._whispered()]
        return [one for one in shown if not is_aside(one.text)]

    def _whispered(self) -> Iterable[Seen]:
        """Return what Slack showed to the giver of a command alone: where nod could not post, the answer comes like this."""
        for tag, command in list(self.commands.items()):
            told = [each for each in command.responses if each["by"] == "response_url"]
            if told:
                last, key = told[-1], self.slack.ask("command_state", id=command.id)["trigger_id"]
                names = [item.get("action_id") for block in last.get("blocks") or () for item in block.get("elements") or ()]
                states = tuple((each["mono"], each["shown"]) for each in told)
                end = _end(names, VOTE, SLACK_RETRY) or "answer"  # nobody can vote on what only one person sees
                yield Seen("slack", f"slack command {tag}", f"{key}:0", last["shown"], end, states, key)

    def still_busy(self) -> list[str]:
        """Return the threads whose status in Slack still says that nod is at it."""
        rooms = [f"C{number}" for number in range(1, self.channels + 1)] + self._directs
        statuses = [one for room in rooms for one in self.slack.statuses(room)]
        return [f"slack {one['channel']}/{one['thread']}" for one in statuses if one["ended"] is None]


def is_aside(text: str) -> bool:
    """Return whether a message is nod's own word by the way."""
    return text.startswith(ASIDES)


def _is_ours(message: dict[str, Any]) -> bool:
    return bool(message["is_bot"]) and message["type"] != THREAD_CREATED


def _is_question(message: SlackMessage) -> bool:
    """Return whether a message only shows the question of a command: nod posts it, so that all see what is answered below it."""
    return message.thread_ts is None and "\n> " in message.text


def seen_in_slack(message: SlackMessage) -> Seen:
    """Return a message of Slack as the checker takes it."""
    actions = {button.get("action_id") for button in message.buttons}
    return Seen(
        "slack", f"slack {message.channel}/{message.thread_ts or message.ts}", message.ts, message.shown, _end(actions, VOTE, SLACK_RETRY),
        tuple((state["mono"], state["shown"]) for state in message.states), "", message.streaming, message.deleted,
    )  # fmt: skip


def seen_in_discord(message: dict[str, Any]) -> Seen:
    """Return a message of Discord as the checker takes it."""
    names = {item["custom_id"].rpartition(":")[0] for row in message["components"] for item in row["components"]}
    states = tuple((state["at"], state["text"]) for state in message["states"])
    return Seen(
        "discord", f"discord {message['channel']}", message["id"], message["text"], _end(names, UP, DISCORD_RETRY), states,
        message["interaction"] or message["reply_to"] or "", is_deleted=message["is_deleted"],
    )  # fmt: skip


def _end(names: Iterable[str | None], vote: str, retry: str) -> Literal["answer", "apology", ""]:
    return "answer" if vote in names else "apology" if retry in names else ""


def calls_from(model: FakeModel) -> list[Call]:
    """Return the streamed calls of the model which belong to a question, in monotonic seconds."""
    to_monotonic = time.monotonic() - time.time()
    return [call for call in (_call(one, to_monotonic) for one in model.calls if one.streamed) if call.tags]


def _call(call: ModelCall, to_monotonic: float) -> Call:
    asked = [str(message.get("content")) for message in call.messages if message["role"] == "user"]
    tags = tuple(tag for text in asked for tag in re.findall(TAG, text)[-1:])
    return Call(tags, call.started_at + to_monotonic, (call.ended_at or time.time()) + to_monotonic, call.status != 200)
