"""What `make chaos` does to nod and to what it depends on: one function per kind of fault, on `nod up` as people run it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from redis import Redis

from benchmarks.people import People, wait_for
from benchmarks.promises import ANSWER, TAG
from benchmarks.promises import Fault as Injected
from benchmarks.stacks import BIN, Started, environment, until_ready
from nod.folder import DataFolder
from nod.servers import RedisServer, socket_folder
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack

BACK_SECONDS = 40.0  # within which a killed part must have been started again
BREATH_SECONDS = 0.7  # between two faults at least
SLOW_SECONDS, SLOW_FOR_SECONDS = 6.0, 3.0
SLACK_METHODS = ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.postMessage", "chat.update")
DISCORD_ROUTES = ("message.create", "message.edit")


@dataclass(slots=True)
class Home:
    """A `nod up` of its own: its folder, its processes, and how it is started again when its supervisor was killed."""

    folder: Path
    given: Mapping[str, str]
    env: dict[str, str] = field(init=False)
    started: Started = field(init=False)
    starts: int = 0

    def __post_init__(self) -> None:
        self.env = environment(self.given, self.folder)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def start(self) -> None:
        """Start it and return when all of it is connected."""
        self.starts += 1
        self.started = Started([str(BIN / "nod"), "up"], self.env, self.folder / f"nod-{self.starts}.log")
        until_ready(self.started, self.env)

    def pid(self, role: str) -> int:
        """Return the pid of the process of a role, as soon as there is one."""
        found: list[int] = []

        def is_there() -> bool:
            services = DataFolder(self.data).left()
            found[:] = [one.pid for one in services.processes if one.role == role and one.is_alive()] if services else []
            return bool(found)

        if not wait_for(is_there, BACK_SECONDS):
            raise RuntimeError(f"no {role} was started again within {BACK_SECONDS:.0f} s\n{self.started.last_words()}")
        return found[0]

    def server_pid(self, note: str) -> int:
        """Return the pid of PostgreSQL or Redis, from the note that it keeps in its folder."""
        return int((self.data / note).read_text("utf-8").split("\n", 1)[0])

    def stop(self) -> None:
        """End it."""
        if self.starts:
            self.started.stop()


@dataclass(frozen=True, slots=True)
class Stage:
    """All that a fault can touch."""

    home: Home
    slack: FakeSlack
    discord: FakeDiscord
    model: FakeModel
    people: People

    def speak(self, first_after: float = 0.3) -> None:
        """Let the model answer every question with its number in it."""
        self.model.benchmarks(ANSWER, tokens=40, first_after=first_after, every=0.05, tag=TAG)

    def mend(self) -> None:
        """Take back what platforms and model were told to do wrong."""
        self.slack.no_faults()
        self.discord.clear_faults()
        self.model.recovers()
        self.speak()


def _kill(role: str) -> Callable[[Stage], None]:
    return lambda stage: os.kill(stage.home.pid(role), signal.SIGKILL)


def _kill_group(stage: Stage) -> None:
    os.killpg(stage.home.pid("worker"), signal.SIGKILL)


def _kill_supervisor(stage: Stage) -> None:
    """Kill `nod up`, as the system does when memory runs out, and start it again as its owner does."""
    stage.home.started.child.kill()
    stage.home.started.child.wait()
    stage.home.start()


def _redis(stage: Stage) -> RedisServer:
    return RedisServer(stage.home.data / "redis", socket_folder(stage.home.data))


def _restart_redis(stage: Stage) -> None:
    os.kill(stage.home.server_pid("redis/redis.pid"), signal.SIGTERM)


def _lose_redis(stage: Stage) -> None:
    """Kill Redis without its file: it comes back empty."""
    pid = stage.home.server_pid("redis/redis.pid")
    for name in ("appendonly.aof", "appendonlydir"):
        path = stage.home.data / "redis" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGKILL)


def _flush(stage: Stage) -> None:
    with Redis.from_url(_redis(stage).url, protocol=2) as client:
        client.flushall()


def _signal_postgres(number: signal.Signals) -> Callable[[Stage], None]:
    return lambda stage: os.kill(stage.home.server_pid("postgres/postmaster.pid"), number)


def _refuse(kind: str) -> Callable[[Stage], None]:
    """Return the fault that every way to say something goes wrong once on each platform."""

    def go_wrong(stage: Stage) -> None:
        more = {"retry_after": 1} if kind == "429" else {}
        for method in SLACK_METHODS:
            stage.slack.fault(method, kind, **more)
        for route in DISCORD_ROUTES:
            stage.discord.fault(route, kind, **more)

    return go_wrong


def _drop(stage: Stage) -> None:
    stage.slack.drop()
    stage.discord.drop()


def _mute(stage: Stage) -> None:
    """Leave Slack's socket open and dead, as a lost network does: it is the client that has to notice."""
    stage.slack.drop(silently=True)


def _fail_model(kind: str, times: int, retry_after: float | None = None) -> Callable[[Stage], None]:
    return lambda stage: stage.model.will_fail(kind, times=times, retry_after=retry_after)


def _slow_model(stage: Stage) -> None:
    stage.speak(first_after=SLOW_SECONDS)
    time.sleep(SLOW_FOR_SECONDS)
    stage.speak()


KINDS: dict[str, Callable[[Stage], None]] = {
    "worker": _kill("worker"),
    "worker-group": _kill_group,
    "bot-slack": _kill("slack"),
    "bot-discord": _kill("discord"),
    "web": _kill("web"),
    "supervisor": _kill_supervisor,
    "redis": _restart_redis,
    "redis-lost": _lose_redis,
    "flushall": _flush,
    "postgres-fast": _signal_postgres(signal.SIGINT),
    "postgres-immediate": _signal_postgres(signal.SIGQUIT),
    "platform-429": _refuse("429"),
    "platform-500": _refuse("500"),
    "reply-lost": _refuse("lost_reply"),
    "socket": _drop,
    "socket-silent": _mute,
    "redelivered": lambda stage: stage.people.redeliver(5),
    "model-cut": _fail_model("cut", 1),
    "model-429": _fail_model("429", 2, retry_after=1),
    "model-500": _fail_model("500", 2),
    "model-slow": _slow_model,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When, in seconds from the first question, what goes wrong."""

    at: float
    kind: str


def moments(random: Random, kinds: list[str], seconds: float) -> list[Moment]:
    """Draw the moments of a run: every kind once in a drawn order, then again until the time is over."""
    gap, at, found = min(6.0, (seconds - 2.0) / len(kinds)), 1.0, list[Moment]()
    while at < seconds - 1.0:
        for kind in random.sample(kinds, len(kinds)):
            at += gap * random.uniform(0.6, 1.2)
            if at < seconds or len(found) < len(kinds):
                found.append(Moment(at, kind))
    return found


def inject(stage: Stage, plan: list[Moment], tell: Callable[[str], None]) -> list[Injected]:
    """Do what is planned, each at its moment or a breath after the one before; return what was done and when.

    Once everybody has asked, only kinds that did not happen yet still do: starting a killed nod again may have taken long.
    """
    began, done = time.monotonic(), list[Injected]()
    for moment in plan:
        time.sleep(max(BREATH_SECONDS, began + moment.at - time.monotonic()))
        if not stage.people.over.is_set() or moment.kind not in {one.kind for one in done}:
            tell(f"{time.monotonic() - began:6.1f} s  {moment.kind}")
            done.append(Injected(moment.kind, time.monotonic()))
            KINDS[moment.kind](stage)
    return done
