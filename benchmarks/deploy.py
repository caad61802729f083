"""A deploy with a hundred answers in flight: nothing is lost or doubled, few are run twice, and every process ends in time.

`rolling` starts the new worker and bots beside the old ones and then tells the old ones to end; `stop-start` ends all of them first.
Ten more questions are asked while the old ones are ending. What people got is judged as in `make chaos`: from the fakes first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import psycopg

from benchmarks.chaos import judged
from benchmarks.chat import machine
from benchmarks.home import Home
from benchmarks.measure import tree
from benchmarks.people import CHANNELS, PEOPLE, QUESTIONS, Line, People
from benchmarks.promises import ANSWER, TAG, Fate, Fault, Transcript
from benchmarks.seen import calls_from
from benchmarks.stacks import BIN, Started, wait_for
from bot.faces import PHRASES
from nod.folder import DataFolder, Services
from nod.migrate import bring_up_to_date
from nod.secret import make_secret
from nod.servers import Postgres, RedisServer, socket_folder
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack

ROLES = ("worker", "slack", "discord")
KINDS = ("rolling", "stop-start")
TOKENS, EVERY_SECONDS, FIRST_AFTER_SECONDS = 40, 0.45, 1.0  # an answer takes 19 s
LONG_SHARE, LONG_EVERY_SECONDS = 0.04, 1.5  # so many of a hundred take a minute, and must be handed over
LATE = 10  # questions while the old processes end
START_SECONDS, FLIGHT_SECONDS, SETTLE_SECONDS, END_SECONDS = 60.0, 60.0, 180.0, 30.0
WORDS_SECONDS = 6.0  # until first words stand everywhere: a channel takes one post a second
MOST_TWICE = 0.05
SAYINGS = tuple(PHRASES.say(f"step.{key}", language) for key in ("handed_over", "continuing") for language in ("ko", "en"))


@dataclass(frozen=True, slots=True)
class Deploy:
    """What a deploy came to."""

    kind: str
    in_flight: int
    found: Sequence[Fate]
    ends: dict[str, float]  # seconds from SIGTERM to the end of each old process
    settled_seconds: float
    wrong: Sequence[str]

    @property
    def counts(self) -> Counter[str]:
        """How many questions were answered, apologised, lost, duplicated, not accepted."""
        return Counter(fate.verdict for fate in self.found)

    @property
    def twice(self) -> list[Fate]:
        """The answers for which the model was asked more than once."""
        return [fate for fate in self.found if len(fate.calls) > 1]

    @property
    def told(self) -> int:
        """Return how many of those said meanwhile that they go on."""
        return sum(
            any(words in text for message in fate.messages for _, text in message.states for words in SAYINGS) for fate in self.twice
        )

    @property
    def troubles(self) -> list[str]:
        """What does not hold, in sentences."""
        said = list(self.wrong)
        if len(self.twice) > max(1, MOST_TWICE * self.in_flight):
            said.append(f"{len(self.twice)} of {self.in_flight} answers in flight were run twice.")
        said += [f"{role}: ended {seconds:.0f} s after it was told to." for role, seconds in self.ends.items() if seconds > END_SECONDS]
        return said

    def as_json(self) -> dict[str, Any]:
        """Return everything a program may want of it."""
        return {
            "kind": self.kind, "machine": machine(), "in_flight": self.in_flight, "asked": len(self.found), **self.counts,
            "run_twice": len(self.twice), "told": self.told, "ends": {role: round(seconds, 1) for role, seconds in self.ends.items()},
            "settled_seconds": round(self.settled_seconds, 1), "troubles": self.troubles,
        }  # fmt: skip


@dataclass(slots=True)
class Crew:
    """The worker and the bots of one version."""

    home: Home
    running: dict[str, Started]

    @classmethod
    def begin(cls, home: Home, number: int) -> Crew:
        """Start them."""
        env = home.env | {"PYTHONUNBUFFERED": "1"}
        roles = {role: Started([str(BIN / "nod"), role], env, home.folder / f"{role}-{number}.log") for role in ROLES}
        return cls(home, roles)

    def until_ready(self, slack: FakeSlack, discord: FakeDiscord, sockets: int) -> None:
        """Wait until this crew's worker has registered and so many sockets of each bot are open."""

        def is_ready() -> bool:
            for started in self.running.values():
                started.check()
            with psycopg.connect(_url(self.home)) as db:
                pids = tree([self.running["worker"].child.pid])
                row = db.execute("SELECT count(*) FROM processes WHERE role = 'worker' AND pid = ANY(%s)", (pids,)).fetchone()
            live = [one for one in discord.connections() if one["session"]]
            return row == (1,) and slack.connections() >= sockets and len(live) >= sockets

        if not wait_for(is_ready, START_SECONDS):
            raise TimeoutError("\n".join(f"{role} was not ready:\n{started.last_words()}" for role, started in self.running.items()))

    def end(self) -> dict[str, float]:
        """Tell all to end and return how many seconds each took."""
        began, ends = time.monotonic(), dict[str, float]()
        for started in self.running.values():
            started.child.send_signal(signal.SIGTERM)
        while len(ends) < len(self.running) and time.monotonic() - began < 2 * END_SECONDS:
            ends |= {
                role: time.monotonic() - began for role, one in self.running.items() if role not in ends and one.child.poll() is not None
            }
            time.sleep(0.05)
        return {role: ends.get(role, float("inf")) for role in self.running}

    def stop(self) -> None:
        """End what still runs."""
        for started in self.running.values():
            started.stop(5)


@contextlib.contextmanager
def servers(home: Home) -> Generator[None]:
    """Run PostgreSQL and Redis as long as this lasts, where nod's commands find them by the data folder."""
    home.data.mkdir(parents=True)
    make_secret(home.data)
    sockets = socket_folder(home.data)
    postgres, redis = Postgres(home.data / "postgres", sockets, {"max_connections": "100"}), RedisServer(home.data / "redis", sockets)
    with (home.folder / "servers.log").open("wb") as log:
        try:
            postgres.make(log)
            postgres.start(log)
            redis.start(log)
            bring_up_to_date(postgres.url)
            DataFolder(home.data).write(
                Services(os.getpid(), datetime.now(UTC).isoformat(), database_url=postgres.url, redis_url=redis.url)
            )
            yield
        finally:
            redis.stop()
            postgres.stop()


def lines(random: Random, count: int, mark: int) -> list[Line]:
    """Return that many questions at once, half of them on each platform, over all channels, from all people."""
    return [
        Line(
            at=0.0, tag=f"case-{mark}-{number:03d}", platform=("slack", "discord")[number % 2], conversation=number, turn=0, turns=1,
            channel=number // 2 % CHANNELS + 1, person=number % PEOPLE + 1, text=random.choice(QUESTIONS), vote="",
        )
        for number in range(count)
    ]  # fmt: skip


def deploy(kind: str, answers: int, folder: Path) -> Deploy:
    """Let people ask, deploy while all are being answered, and judge what they got."""
    random, model = Random(answers), FakeModel()
    try:
        with FakeSlack() as slack, FakeDiscord() as discord:
            tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.url}
            home = Home(folder, tokens | {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.url} | model.env)
            early, late = (People(slack, discord, lines(random, *many), model) for many in ((answers, 1), (LATE, 2)))
            slack.timing(ack_seconds=1.5, retry_seconds=[0, 2, 4, 8, 16, 16, 16])  # sooner than in life
            speak(model, [line.tag for line in early.lines])
            early.meet()
            with servers(home):
                return _deployed(kind, home, early, late, model)
    finally:
        model.stop()


def speak(model: FakeModel, tags: Sequence[str]) -> None:
    """Let the model answer every question with its number in it; a few take so long that they must be handed over."""
    model.benchmarks(ANSWER, tokens=TOKENS, first_after=FIRST_AFTER_SECONDS, every=EVERY_SECONDS, tag=TAG)
    for tag in tags[:: round(1 / LONG_SHARE)]:
        model.will_stream(ANSWER.replace("{tag}", tag), tokens=TOKENS, every=LONG_EVERY_SECONDS, when=tag)


def _deployed(kind: str, home: Home, early: People, late: People, model: FakeModel) -> Deploy:
    slack, discord = early.slack, early.discord
    crews = [Crew.begin(home, 1)]
    try:
        crews[0].until_ready(slack, discord, 1)
        early.run()
        _until_in_flight(model, len(early.lines))
        if kind == "rolling":
            crews.append(Crew.begin(home, 2))
            crews[1].until_ready(slack, discord, 2)
        else:
            wait_for(lambda: len(early.sight.seen()) >= len(early.lines), WORDS_SECONDS)
        in_flight = len(model.state()["open"])
        _say(f"{in_flight} answers in flight, {kind}")
        at = time.monotonic()
        asking = Thread(target=late.run, daemon=True)
        asking.start()
        ends = crews[0].end()
        if kind == "stop-start":
            crews.append(Crew.begin(home, 2))
        asking.join()
        if error := early.error or late.error:
            raise RuntimeError(f"the people stopped asking: {error!r}") from error
        wait_for(lambda: _is_settled(early, late), SETTLE_SECONDS)
        settled_seconds = time.monotonic() - at
        time.sleep(3.0)  # a second answer would come now
        asked = early.sight.questions([*early.asked.values(), *late.asked.values()])
        told = Transcript(asked, early.sight.seen(), calls_from(model), [Fault("worker", at)], early.sight.still_busy())
        found, wrong = judged(told, home, [])
        return Deploy(kind, in_flight, found, ends, settled_seconds, wrong)
    finally:
        for crew in crews:
            crew.stop()


def _until_in_flight(model: FakeModel, count: int) -> None:
    """Wait until the model is answering that many at once."""
    if not wait_for(lambda: len(model.state()["open"]) >= count, FLIGHT_SECONDS):
        raise TimeoutError(f"only {len(model.state()['open'])} of {count} answers were in flight at once")


def _is_settled(early: People, late: People) -> bool:
    """Whether, as people see it, every question has its end."""
    seen = [one for one in early.sight.seen() if not one.is_deleted]
    asked = early.sight.questions([*early.asked.values(), *late.asked.values()])
    return all(one.end and not one.is_streaming for one in seen) and len(seen) >= len(asked) and all(one.is_accepted for one in asked)


def _url(home: Home) -> str:
    services = DataFolder(home.data).left()
    assert services is not None
    return services.database_url


# ── telling ──


def table(done: Sequence[Deploy]) -> str:
    """Write the figures as people read them."""
    verdicts = ("answered", "apologised", "lost", "duplicated")
    head = ["deploy", "in flight", "asked", *verdicts, "run twice", "said so", "ended after s"]
    body = [
        [
            one.kind, str(one.in_flight), str(len(one.found)), *(str(one.counts[verdict]) for verdict in verdicts), str(len(one.twice)),
            str(one.told), ", ".join(f"{role} {seconds:.1f}" for role, seconds in one.ends.items()),
        ]
        for one in done
    ]  # fmt: skip
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *body])


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def options() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deploy", description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"which deploys, with commas (default: both): {', '.join(KINDS)}")
    parser.add_argument("--answers", type=int, default=100, help="how many are in flight (default 100)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def main() -> int:
    """Run what the command line asks for; 1 when a promise was not kept."""
    given = options().parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # leave by the same door, so that nothing stays behind
    kinds = [kind for kind in given.kinds.split(",") if kind]
    if wrong := [kind for kind in kinds if kind not in KINDS]:
        options().error(f"no deploy is called {wrong[0]!r}; there are {', '.join(KINDS)}")
    if not kinds or given.answers < 2:
        options().error("there must be a deploy, and two answers in flight at least")
    done: list[Deploy] = []
    for kind in kinds:
        folder = Path(tempfile.mkdtemp(prefix="nod-deploy-"))
        try:
            done.append(deploy(kind, given.answers, folder))
        except (RuntimeError, TimeoutError) as error:
            _say(f"{kind}: {error}\nThe logs are in {folder}.")
            return 1
        if done[-1].troubles:
            _say(f"{kind}: the logs are in {folder}.")
        else:
            shutil.rmtree(folder)
    print(json.dumps([one.as_json() for one in done], ensure_ascii=False, indent=2) if given.json else table(done))
    troubles = [f"{one.kind}: {trouble}" for one in done for trouble in one.troubles]
    for trouble in troubles:
        _say(trouble)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
