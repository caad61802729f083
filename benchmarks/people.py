"""The people of `make chaos`: who asks what, where and when, drawn from a seed; and how they go on, stop, edit, delete and vote."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from threading import Event
from typing import Any, Literal

from benchmarks.promises import ANSWER, LONG, Asked, Form, Seen, Vote, Way
from benchmarks.seen import Sight
from bot.discord.render import STOP
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FOREVER, FakeModel
from tests.fakes.slack import FakeSlack

QUESTIONS = (
    "연차 휴가는 며칠이에요?", "How many days of leave do I have?", "남은 연차는 언제까지 써요?", "Until when can I use what is left?",
    "반차는 어떻게 써요?", "Can I take half a day off?",
)  # fmt: skip
CHANNELS, PEOPLE = 5, 6
PATIENCE_SECONDS = 30.0  # how long somebody who wants to go on waits until nod has heard what came before
THUMBS = {"up": ("+1", "👍"), "down": ("-1", "👎")}
STOP_WORDS = ("그만", "stop")
EDITED = 5000  # what is added to a question's number when it is edited
LOOK_SECONDS = 0.2
SLOWLY_SECONDS = 0.25  # between two tokens of an answer in which somebody wants to intervene: it takes ten seconds
ODD = ("stop", "edit", "delete", "long")


@dataclass(frozen=True, slots=True)
class Line:
    """One question as it is planned. `turn` counts within its conversation; `vote` is what somebody thinks of the answer.

    `way`: what else happens. Who wants to stop, edit or delete does so in mid-answer, or not at all when that was too late.
    """

    at: float
    tag: str
    platform: str
    conversation: int
    turn: int
    turns: int
    channel: int
    person: int
    text: str
    vote: Literal["up", "down", ""] = ""
    form: Form = "mention"
    way: Way = ""

    @property
    def new_tag(self) -> str:
        """The number of its text after an edit."""
        mark, _, number = self.tag.rpartition("-")
        return f"{mark}-{int(number) + EDITED}"


def planned(random: Random, seconds: float, questions: int, mark: int) -> list[Line]:
    """Draw the questions of a run: single ones and talks of up to three turns, in Korean and English, on both platforms.

    Every second talk is single and in a direct message, by a command, long, or with something happening in mid-answer, in turn.
    """
    talks: list[dict[str, Any]] = []
    number = 0
    while len(talks) < questions:
        number += 1
        turns, at = random.choice((1, 1, 2, 3)), random.uniform(0, seconds)
        where = {"platform": random.choice(("slack", "discord")), "channel": random.randrange(1, CHANNELS + 1), "conversation": number}
        if number % 2 == 0:
            turns, where = 1, where | _oddity(number // 2)
        for turn in range(turns):
            said = {"at": at, "turn": turn, "turns": turns, "person": random.randrange(1, PEOPLE + 1)}
            thinks = random.choice(("up", "down", "", "", "", "")) if number % 2 else ""
            talks.append(where | said | {"text": random.choice(QUESTIONS), "vote": thinks})
            at += random.uniform(1.0, 5.0)
    talks = sorted(talks[:questions], key=lambda talk: talk["at"])
    return _in_turn([Line(tag=f"case-{mark}-{number:03d}", **talk) for number, talk in enumerate(talks)])


def _oddity(number: int) -> dict[str, Any]:
    """Return what is different about a single question: a direct message, a command, or one of the ways; each on both platforms."""
    kinds: tuple[dict[str, Any], ...] = ({"form": "direct"}, {"form": "command"}, *({"way": way} for way in ODD))
    times, kind = divmod(number, len(kinds))
    return {"platform": ("slack", "discord")[(times + kind) % 2]} | kinds[kind]


def _in_turn(lines: list[Line]) -> list[Line]:
    """Make somebody's direct messages in Discord one conversation, whose turns wait for one another."""
    turns: dict[int, int] = {}
    found: list[Line] = []
    for line in lines:
        if (line.platform, line.form) == ("discord", "direct"):
            turns[line.person] = turns.get(line.person, -1) + 1
            found.append(replace(line, conversation=-line.person, turn=turns[line.person], turns=2))
        else:
            found.append(line)
    return found


def poisonous(random: Random, count: int, mark: int, first: int) -> list[Line]:
    """Draw questions for the fault `poison`, which are asked when it is its turn."""
    return [
        Line(0.0, f"case-{mark}-{first + n:03d}", ("slack", "discord")[n % 2], first + n, 0, 1, random.randrange(1, CHANNELS + 1),
             random.randrange(1, PEOPLE + 1), random.choice(QUESTIONS), way="poison")
        for n in range(count)
    ]  # fmt: skip


@dataclass(slots=True)
class People:
    """Ask what is planned, go on where nod has heard the turn before, intervene, and vote. Run it in a thread of its own."""

    slack: FakeSlack
    discord: FakeDiscord
    lines: list[Line]
    model: FakeModel
    spare: list[Line] = field(default_factory=list[Line])  # asked by the fault that poisons them
    asked: dict[str, Asked] = field(default_factory=dict[str, Asked])
    voted: list[Vote] = field(default_factory=list[Vote])
    over: Event = field(default_factory=Event)
    error: Exception | None = None
    sight: Sight = field(init=False)
    _threads: dict[int, str] = field(default_factory=dict[int, str])
    _done: dict[int, int] = field(default_factory=dict[int, int])  # how many turns of a conversation have been asked
    _about_to: list[Line] = field(default_factory=list[Line])  # intervene

    def __post_init__(self) -> None:
        self.sight = Sight(self.slack, self.discord, CHANNELS, PEOPLE)

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
        while (waiting or self._about_to) and time.monotonic() - began < self.lines[-1].at + PATIENCE_SECONDS:
            for line in [line for line in waiting if line.at <= time.monotonic() - began]:
                if line.turn == 0 or self._has_heard(line):
                    self.ask(line)
                    waiting.remove(line)
            self._intervene()
            self.vote()
            time.sleep(LOOK_SECONDS)

    def _has_heard(self, line: Line) -> bool:
        """Return whether nod has taken in the turn before this one: acknowledged on Slack, a first sign on Discord."""
        if self._done.get(line.conversation) != line.turn:
            return False
        before = next(one for one in self.lines if (one.conversation, one.turn) == (line.conversation, line.turn - 1))
        message = self.asked[before.tag].message_id
        return self.sight.is_acknowledged(message) if line.platform == "slack" else bool(self.discord.replies_to(message))

    # ── asking ──

    def ask(self, line: Line) -> None:
        """Ask one question, in its form."""
        at, text = time.monotonic(), f"{line.text} ({line.tag})"
        if line.way in ("stop", "edit", "delete"):
            self._will_say(line, ANSWER, every=SLOWLY_SECONDS)
            self._about_to.append(line)
        elif line.way == "long":
            self._will_say(line, LONG, every=0.05)
        asks: dict[tuple[str, Form], Callable[[Line, str], tuple[str, str]]] = {
            ("slack", "mention"): self._mention_in_slack, ("slack", "direct"): self._direct_in_slack,
            ("slack", "command"): self._command_in_slack, ("discord", "mention"): self._mention_in_discord,
            ("discord", "direct"): self._direct_in_discord, ("discord", "command"): self._command_in_discord,
        }  # fmt: skip
        conversation, message = asks[line.platform, line.form](line, text)
        self._done[line.conversation] = line.turn + 1
        way: Way = line.way if line.way in ("poison", "long") else ""  # the others only once it was done
        self.asked[line.tag] = Asked(line.tag, line.platform, conversation, message, at, way=way, form=line.form)

    def _will_say(self, line: Line, text: str, every: float) -> None:
        self.model.will_stream(text.replace("{tag}", line.tag), tokens=40, every=every, when=f"({line.tag})", times=FOREVER)

    def _mention_in_slack(self, line: Line, text: str) -> tuple[str, str]:
        channel, thread = f"C{line.channel}", self._threads.get(line.conversation)
        message = self.slack.hears(f"@nod {text}", channel, f"U{line.person}", thread=thread)
        return f"slack {channel}/{self._threads.setdefault(line.conversation, message)}", message

    def _direct_in_slack(self, line: Line, text: str) -> tuple[str, str]:
        message = self.slack.direct(text, f"U{line.person}")
        return f"slack {self.slack.direct_channel(f'U{line.person}')}/{message}", message

    def _command_in_slack(self, line: Line, text: str) -> tuple[str, str]:
        command = self.slack.command("/nod", f"ask {text}", f"U{line.person}", f"C{line.channel}")
        self.sight.commands[line.tag] = command
        return f"slack command {line.tag}", self.slack.ask("command_state", id=command.id)["trigger_id"]

    def _mention_in_discord(self, line: Line, text: str) -> tuple[str, str]:
        channel, user = f"room-{line.channel}", f"person-{line.person}"
        if line.turns == 1:
            message = self.discord.hears(f"@nod {text}", channel, user)
            return f"discord {message}", message
        if line.conversation not in self._threads:  # a talk has a thread of its own, on what somebody said to all
            topic = self.discord.hears(f"휴가 이야기 {line.conversation}", channel, user)
            self._threads[line.conversation] = self.discord.opens_thread(topic, f"leave {line.conversation}", user)
            self.sight.threads.append(self._threads[line.conversation])
        thread = self._threads[line.conversation]
        return f"discord {thread}", self.discord.hears(f"@nod {text}", channel, user, thread=thread)

    def _direct_in_discord(self, line: Line, text: str) -> tuple[str, str]:
        message = self.discord.direct(text, f"person-{line.person}")
        return f"discord {self.discord.message(message)['channel']}", message

    def _command_in_discord(self, line: Line, text: str) -> tuple[str, str]:
        interaction = self.discord.slash("ask", {"question": text}, f"person-{line.person}", f"room-{line.channel}")
        return f"discord {interaction}", interaction

    # ── in mid-answer ──

    def _intervene(self) -> None:
        """Stop, edit or delete what is being answered now, once its first words are there; too late, it is left as it is."""
        for line in list(self._about_to):
            asked = self.asked[line.tag]
            seen = next((one for one in self.sight.answers_to(asked) if line.tag in one.text or ANSWER[:8] in one.text), None)
            if seen is None:
                continue
            self._about_to.remove(line)
            if not seen.end:
                self.asked[line.tag] = replace(
                    asked, way=line.way, new_tag=line.new_tag if line.way == "edit" else "", turned_at=time.monotonic()
                )
                {"stop": self._stop, "edit": self._edit, "delete": self._delete}[line.way](line, asked, seen)

    def _stop(self, line: Line, asked: Asked, seen: Seen) -> None:
        """Stop by a word or by the platform's button."""
        word = STOP_WORDS[line.person % 2]
        if line.platform == "slack":
            channel, _, thread = asked.conversation.partition(" ")[2].partition("/")
            if line.person % 3:
                self.slack.hears(word, channel, f"U{line.person}", thread=thread)
            else:
                self.slack.stops(channel, thread, f"U{line.person}")
            return
        buttons = [item["custom_id"] for row in self.discord.message(seen.message_id)["components"] for item in row["components"]]
        button = next((one for one in buttons if one.startswith(STOP)), None)
        if line.person % 3 or not button:
            self.discord.hears(f"@nod {word}", f"room-{line.channel}", f"person-{line.person}", reply_to=asked.message_id)
        else:
            self.discord.presses(seen.message_id, button, f"person-{line.person}")

    def _edit(self, line: Line, asked: Asked, _seen: Seen) -> None:
        text = f"@nod {line.text} ({line.new_tag})"
        if line.platform == "slack":
            self.slack.edits(f"C{line.channel}", asked.message_id, text)
        else:
            self.discord.edits(asked.message_id, text)

    def _delete(self, line: Line, asked: Asked, _seen: Seen) -> None:
        if line.platform == "slack":
            self.slack.deletes(f"C{line.channel}", asked.message_id)
        else:
            self.discord.deletes(asked.message_id)

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
        return next((one for one in self.sight.answers_to(asked) if one.end == "answer" and line.tag in one.text), None)

    def redeliver(self, count: int) -> None:
        """Let both platforms deliver the last questions once more."""
        for one in [one for one in list(self.asked.values()) if one.form != "command" and one.way != "delete"][-count:]:
            if one.platform == "slack":
                self.slack.redeliver(one.message_id)
            else:
                self.discord.redeliver(one.message_id)
