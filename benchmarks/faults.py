"""What `make chaos` does to nod and to what it depends on: one function per kind of fault, on `nod up` as people run it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from benchmarks.home import BACK_SECONDS, Home
from benchmarks.people import People
from benchmarks.poison import MOST, Poison
from benchmarks.promises import ANSWER, TAG
from benchmarks.promises import Fault as Injected
from benchmarks.stacks import wait_for
from nod.servers import Postgres, RedisServer, socket_folder
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FOREVER, FakeModel
from tests.fakes.slack import FakeSlack

BREATH_SECONDS = 0.5  # between two faults at least
SLOW_SECONDS, SLOW_FOR_SECONDS = 6.0, 3.0
AWAY_SECONDS = 60.0
DOWN_SECONDS = 300.0  # of a model that refuses for long; a quarter of the run when that is shorter
LATE_SECONDS = 30.0  # until a model's first byte, or a Retry-After
SILENT_SECONDS = 60.0  # of a platform which took a call: longer than its client waits
SLACK_METHODS = ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.postMessage", "chat.update")
DISCORD_ROUTES = ("message.create", "message.edit")


@dataclass(frozen=True, slots=True)
class Stage:
    """All that a fault can touch. `seconds`: for how long people ask. `is_calm`: nothing is to break, for comparison."""

    home: Home
    slack: FakeSlack
    discord: FakeDiscord
    model: FakeModel
    people: People
    poison: Poison
    seconds: float
    is_calm: bool = False

    def speak(self, first_after: float = 0.3) -> None:
        """Let the model answer every question with its number in it."""
        self.model.benchmarks(ANSWER, tokens=40, first_after=first_after, every=0.05, tag=TAG)

    def mend(self) -> None:
        """Take back what platforms and model were told to do wrong."""
        self.poison.cure()
        self.slack.no_faults()
        self.discord.clear_faults()
        self.model.recovers()
        self.speak()


def _end(pids: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _kill(role: str) -> Callable[[Stage], None]:
    return lambda stage: _end(stage.home.pids(role)[:1])


def _kill_bots(role: str) -> Callable[[Stage], None]:
    """Return the fault that no bot of a platform lives."""
    return lambda stage: _end(stage.home.bots(role))


def _kill_one_bot(stage: Stage) -> None:
    """Kill one of two bots of each platform: the other one takes over what it showed."""
    for role in ("slack", "discord"):
        _end(stage.home.bots(role)[:1])


def _kill_group(stage: Stage) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(stage.home.pids("worker")[0], signal.SIGKILL)


def _kill_supervisor(stage: Stage) -> None:
    """Kill `nod up`, as the system does when memory runs out, and start it again as its owner does."""
    stage.home.started.child.kill()
    stage.home.started.child.wait()
    stage.home.start()


def _poison(stage: Stage) -> None:
    """Let somebody ask a question that crashes whoever answers it; in a calm run a harmless one."""
    line = stage.people.spare.pop(0)
    if stage.is_calm:
        line = replace(line, way="")
    else:
        stage.poison.put_into(line.tag)
    stage.people.ask(line)


def _redis(stage: Stage) -> RedisServer:
    return RedisServer(stage.home.data / "redis", socket_folder(stage.home.data))


def _restart_redis(stage: Stage) -> None:
    _end([stage.home.server_pid("redis/redis.pid")], signal.SIGTERM)


def _lose_redis(stage: Stage) -> None:
    """Kill Redis without its file: it comes back empty."""
    pid = stage.home.server_pid("redis/redis.pid")
    for name in ("appendonly.aof", "appendonlydir"):
        path = stage.home.data / "redis" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    _end([pid])


def _flush(stage: Stage) -> None:
    def is_done() -> bool:
        with contextlib.suppress(RedisError), Redis.from_url(_redis(stage).url, protocol=2) as client:
            return bool(client.flushall())
        return False

    wait_for(is_done, BACK_SECONDS)


def _signal_postgres(number: signal.Signals) -> Callable[[Stage], None]:
    return lambda stage: _end([stage.home.server_pid("postgres/postmaster.pid")], number)


def _unreachable(socket: Path, cut: Callable[[Path], None]) -> None:
    """Make a server unreachable for a while, as a network does: its socket has gone, and who was connected is cut off."""
    hidden = socket.with_name("away") / socket.name
    hidden.parent.mkdir(exist_ok=True)
    socket.rename(hidden)
    try:
        cut(hidden.parent)
        time.sleep(AWAY_SECONDS)
    finally:
        hidden.rename(socket)


def _postgres_away(stage: Stage) -> None:
    def cut(folder: Path) -> None:
        with psycopg.connect(Postgres(stage.home.data / "postgres", folder).url) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    _unreachable(socket_folder(stage.home.data) / ".s.PGSQL.5432", cut)


def _redis_away(stage: Stage) -> None:
    def cut(folder: Path) -> None:
        with contextlib.suppress(RedisError), Redis.from_url(RedisServer(stage.home.data / "redis", folder).url, protocol=2) as client:
            for kind in ("pubsub", "normal"):
                client.client_kill_filter(_type=kind, skipme=True)

    _unreachable(_redis(stage).socket, cut)


def _refuse(kind: str, retry_after: float = 1.0) -> Callable[[Stage], None]:
    """Return the fault that every way to say something goes wrong once on each platform."""

    def go_wrong(stage: Stage) -> None:
        more = {"retry_after": retry_after} if kind == "429" else {}
        for method in SLACK_METHODS:
            stage.slack.fault(method, kind, 1, 0, **more)
        for route in DISCORD_ROUTES:
            stage.discord.fault(route, kind, **more)

    return go_wrong


def _never_reply(stage: Stage) -> None:
    """Carry out each way to say something once, and say nothing of it until the client gives up."""
    for method in SLACK_METHODS:
        stage.slack.fault(method, "no_reply", seconds=SILENT_SECONDS)
    for route in DISCORD_ROUTES:
        stage.discord.fault(route, "timeout", seconds=SILENT_SECONDS, acts=True)


def _drop(stage: Stage) -> None:
    stage.slack.drop()
    stage.discord.drop()


def _drop_and_refuse(stage: Stage) -> None:
    """Cut Discord's sockets and refuse to resume: a new session tells nothing of what was missed."""
    stage.discord.refuse_resume(len(stage.discord.connections()))
    stage.discord.drop()


def _mute(stage: Stage) -> None:
    """Leave Slack's socket open and dead, as a lost network does: it is the client that has to notice."""
    stage.slack.drop(silently=True)


def _fail_model(kind: str, times: int, retry_after: float | None = None) -> Callable[[Stage], None]:
    return lambda stage: stage.model.will_fail(kind, times=times, retry_after=retry_after)


def _model_down(stage: Stage) -> None:
    """Let the model refuse everything for minutes: first it is too busy, then broken."""
    for kind in ("429", "500"):
        stage.model.will_fail(kind, times=FOREVER)
        time.sleep(min(DOWN_SECONDS, stage.seconds / 4) / 2)
        stage.model.recovers()
        stage.poison.renew()


def _slow_model(first_after: float) -> Callable[[Stage], None]:
    def be_slow(stage: Stage) -> None:
        stage.speak(first_after=first_after)
        time.sleep(SLOW_FOR_SECONDS)
        stage.speak()

    return be_slow


KINDS: dict[str, Callable[[Stage], None]] = {
    "worker": _kill("worker"),
    "worker-group": _kill_group,
    "bot-slack": _kill_bots("slack"),
    "bot-discord": _kill_bots("discord"),
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
    "resume-refused": _drop_and_refuse,
    "redelivered": lambda stage: stage.people.redeliver(5),
    "model-cut": _fail_model("cut", 1),
    "model-429": _fail_model("429", 2, retry_after=1),
    "model-500": _fail_model("500", 2),
    "model-quota": _fail_model("quota", 1),
    "model-slow": _slow_model(SLOW_SECONDS),
    "poison": _poison,
}
# These take minutes: they happen when they are named, or in a run of ten minutes.
LONG_KINDS: dict[str, Callable[[Stage], None]] = {
    "bot-one": _kill_one_bot,
    "postgres-away": _postgres_away,
    "redis-away": _redis_away,
    "platform-429-long": _refuse("429", LATE_SECONDS),
    "platform-silent": _never_reply,
    "model-late": _slow_model(LATE_SECONDS),
    "model-hangs": _fail_model("hang", 2),
    "model-down": _model_down,
}
ALL_KINDS = KINDS | LONG_KINDS


@dataclass(frozen=True, slots=True)
class Moment:
    """When, in seconds from the first question, what goes wrong."""

    at: float
    kind: str


def moments(random: Random, kinds: list[str], seconds: float) -> list[Moment]:
    """Draw the moments of a run: every kind once in a drawn order, then again until the time is over."""
    times = MOST + 1 if kinds == ["poison"] else 1  # over all of the run
    gap, at, found = min(6.0 * times, (seconds - 2.0) / len(kinds) / times), 1.0, list[Moment]()
    while at < seconds - 1.0:
        for kind in random.sample(kinds, len(kinds)):
            at += gap * random.uniform(0.6, 1.2)
            is_new = kind not in {moment.kind for moment in found}
            if is_new or (at < seconds and not (kind == "poison" and sum(one.kind == kind for one in found) >= MOST)):
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
            if not stage.is_calm:
                done.append(Injected(moment.kind, time.monotonic()))
            if not stage.is_calm or moment.kind == "poison":
                ALL_KINDS[moment.kind](stage)
    return done
