"""The people of `make chaos`: who asks what, where and when, drawn from a seed; and what the fake platforms then show them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from random import Random
from threading import Event
from typing import Any, Literal

from benchmarks.promises import TAG, Asked, Call, Seen, Vote
from bot.discord.render import RETRY as DISCORD_RETRY
from bot.discord.render import UP
from bot.slack.render import RETRY as SLACK_RETRY
from bot.slack.render import VOTE
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import Call as ModelCall
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack, SlackMessage

QUESTIONS = (
    "연차 휴가는 며칠이에요?", "How many days of leave do I have?", "남은 연차는 언제까지 써요?", "Until when can I use what is left?",
    "반차는 어떻게 써요?", "Can I take half a day off?",
)  # fmt: skip
CHANNELS, PEOPLE = 5, 6
PATIENCE_SECONDS = 30.0  # how long somebody who wants to go on waits until nod has heard what came before
THUMBS = {"up": ("+1", "👍"), "down": ("-1", "👎")}


@dataclass(frozen=True, slots=True)
class Line:
    """One question as it is planned. `turn` counts within its conversation; `vote` is what somebody thinks of the answer."""

    at: float
    tag: str
    platform: str
    conversation: int
    turn: int
    turns: int
    channel: int
    person: int
    text: str
    vote: Literal["up", "down", ""]


def planned(random: Random, seconds: float, questions: int, mark: int) -> list[Line]:
    """Draw the questions of a run: single ones and talks of up to three turns, in Korean and English, on both platforms."""
    talks: list[dict[str, Any]] = []
    number = 0
    while len(talks) < questions:
        number += 1
        turns, at = random.choice((1, 1, 2, 3)), random.uniform(0, seconds)
        where = {"platform": random.choice(("slack", "discord")), "channel": random.randrange(1, CHANNELS + 1), "conversation": number}
        for turn in range(turns):
            said = {"at": at, "turn": turn, "turns": turns, "person": random.randrange(1, PEOPLE + 1)}
            talks.append(where | said | {"text": random.choice(QUESTIONS), "vote": random.choice(("up", "down", "", "", "", ""))})
            at += random.uniform(1.0, 5.0)
    talks = sorted(talks[:questions], key=lambda talk: talk["at"])
    return [Line(tag=f"case-{mark}-{number:03d}", **talk) for number, talk in enumerate(talks)]


@dataclass(slots=True)
class People:
    """Ask what is planned, go on where nod has heard the turn before, and vote on some answers. Run it in a thread of its own."""

    slack: FakeSlack
    discord: FakeDiscord
    lines: list[Line]
    asked: dict[str, Asked] = field(default_factory=dict[str, Asked])
    voted: list[Vote] = field(default_factory=list[Vote])
    over: Event = field(default_factory=Event)
    error: Exception | None = None
    _threads: dict[int, str] = field(default_factory=dict[int, str])
    _done: dict[int, int] = field(default_factory=dict[int, int])  # how many turns of a conversation have been asked

    def meet(self) -> None:
        """Make the channels."""
        for channel in range(1, CHANNELS + 1):
            self.slack.channel(f"C{channel}", members=[f"U{person}" for person in range(1, PEOPLE + 1)])
            self.discord.channel(f"room-{channel}")

    def run(self) -> None:
        """Ask until everything is asked; what broke stands in `error`."""
        try:
            self._ask_all()
        except Exception as error:  # noqa: BLE001  # a thread's edge: told by whoever started it
            self.error = error
        finally:
            self.over.set()

    def _ask_all(self) -> None:
        began, waiting = time.monotonic(), list(self.lines)
        while waiting and time.monotonic() - began < self.lines[-1].at + PATIENCE_SECONDS:
            for line in [line for line in waiting if line.at <= time.monotonic() - began]:
                if line.turn == 0 or self._has_heard(line):
                    self._ask(line)
                    waiting.remove(line)
            self.vote()
            time.sleep(0.1)

    def _has_heard(self, line: Line) -> bool:
        """Return whether nod has taken in the turn before this one: acknowledged on Slack, a first sign on Discord."""
        if self._done.get(line.conversation) != line.turn:
            return False
        before = next(one for one in self.lines if (one.conversation, one.turn) == (line.conversation, line.turn - 1))
        message = self.asked[before.tag].message_id
        return self._is_acknowledged(message) if line.platform == "slack" else bool(self.discord.replies_to(message))

    def _is_acknowledged(self, ts: str) -> bool:
        return any(each["state"] == "acked" for each in self.slack.deliveries(ts))

    def _ask(self, line: Line) -> None:
        at, text = time.monotonic(), f"@nod {line.text} ({line.tag})"
        if line.platform == "slack":
            channel, thread = f"C{line.channel}", self._threads.get(line.conversation)
            message = self.slack.hears(text, channel, f"U{line.person}", thread=thread)
            conversation = f"slack {channel}/{self._threads.setdefault(line.conversation, message)}"
        else:
            conversation, message = self._ask_in_discord(line, text)
        self._done[line.conversation] = line.turn + 1
        self.asked[line.tag] = Asked(line.tag, line.platform, conversation, message, at)

    def _ask_in_discord(self, line: Line, text: str) -> tuple[str, str]:
        channel, user = f"room-{line.channel}", f"person-{line.person}"
        if line.turns == 1:
            message = self.discord.hears(text, channel, user)
            return f"discord {message}", message
        if line.conversation not in self._threads:  # a talk has a thread of its own, on what somebody said to all
            topic = self.discord.hears(f"휴가 이야기 {line.conversation}", channel, user)
            self._threads[line.conversation] = self.discord.opens_thread(topic, f"leave {line.conversation}", user)
        thread = self._threads[line.conversation]
        return f"discord {thread}", self.discord.hears(text, channel, user, thread=thread)

    # ── votes ──

    def vote(self) -> None:
        """Give the thumbs that are planned on answers which are there by now."""
        given = {(platform, message) for platform, message, _, _ in self.voted}
        for line in [line for line in self.lines if line.vote and line.tag in self.asked]:
            asked = self.asked[line.tag]
            if (line.platform, asked.message_id) not in given and (answer := self._answer_to(line, asked)):
                slack_name, emoji = THUMBS[line.vote]
                if line.platform == "slack":
                    person = f"U{line.person}"
                    self.slack.reacts(answer.conversation.partition(" ")[2].partition("/")[0], answer.message_id, slack_name, person)
                else:
                    person = self.discord.user(f"person-{line.person}")
                    self.discord.reacts(answer.message_id, emoji, f"person-{line.person}")
                self.voted.append((line.platform, asked.message_id, person, line.vote))

    def _answer_to(self, line: Line, asked: Asked) -> Seen | None:
        if line.platform == "discord":
            found = [seen_in_discord(one) for one in self.discord.replies_to(asked.message_id)]
        else:
            channel, _, thread = asked.conversation.partition(" ")[2].partition("/")
            found = [seen_in_slack(one) for one in self.slack.messages(channel, thread, bot_only=True)]
        return next((one for one in found if one.end == "answer" and not one.is_deleted and line.tag in one.text), None)

    # ── what there is to see ──

    def is_settled(self) -> bool:
        """Return whether, as people see it, nothing is open any more: each question heard has its end."""
        seen = [one for one in self.seen() if not one.is_deleted]
        heard = [one for one in self.questions() if one.is_accepted]
        return all(one.end and not one.is_streaming for one in seen) and len(seen) >= len(heard) == len(self.asked)

    def questions(self) -> list[Asked]:
        """Return what was asked. Slack says itself whether nod took it; on Discord what was said was said."""
        return [
            replace(one, is_accepted=one.platform != "slack" or self._is_acknowledged(one.message_id)) for one in list(self.asked.values())
        ]

    def seen(self) -> list[Seen]:
        """Return every message of the bot."""
        threads = {asked.conversation.partition(" ")[2] for asked in list(self.asked.values()) if asked.platform == "discord"}
        places = [f"room-{channel}" for channel in range(1, CHANNELS + 1)] + [one for one in threads if one in self._threads.values()]
        discord = [one for place in places for one in self.discord.messages(place, deleted=True) if one["is_bot"] and one["type"] != 21]
        slack = [one for number in range(1, CHANNELS + 1) for one in self.slack.messages(f"C{number}", bot_only=True)]
        return [*map(seen_in_slack, slack), *map(seen_in_discord, discord)]

    def still_busy(self) -> list[str]:
        """Return the threads whose status in Slack still says that nod is at it."""
        statuses = [one for number in range(1, CHANNELS + 1) for one in self.slack.statuses(f"C{number}")]
        return [f"slack {one['channel']}/{one['thread']}" for one in statuses if one["ended"] is None]

    def redeliver(self, count: int) -> None:
        """Let both platforms deliver the last questions once more."""
        for one in list(self.asked.values())[-count:]:
            if one.platform == "slack":
                self.slack.redeliver(one.message_id)
            else:
                self.discord.redeliver(one.message_id)


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
        message["reply_to"] or "", is_deleted=message["is_deleted"],
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


def wait_for(is_so: Callable[[], object], seconds: float) -> bool:
    """Wait until something is so; return whether it came within so many seconds."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
