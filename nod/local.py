"""`nod up`: PostgreSQL, Redis and one process per role on this machine, until Ctrl-C. The order of everything is here."""

import contextlib
import http.client
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import psycopg

from nod import __version__, children, revisions
from nod.address import check_openness, free_port
from nod.calls import Calls
from nod.doctor import Finding
from nod.embedded import Embedded
from nod.errors import NodError, UnavailableError, first_line
from nod.folder import DataFolder, Services, end_processes, shown
from nod.guard import start_guard
from nod.handbook import HandbookStamp
from nod.logfile import LogFile
from nod.program import nod_program, typed
from nod.saying import say, say_count
from nod.screen import Screen
from nod.secret import make_secret, secret_key
from nod.settings import Settings, load_settings
from nod.standing import Counts, Standing
from nod.summary import documents_and_passages, show_summary
from nod.supervisor import Supervisor
from nod.watch import Stopping, Watch

STEPS = 6  # the first is the bootstrap's: Python packages
STOP_SECONDS = 30.0  # bots leave at once, then workers have 25 s for answers
READY_SECONDS = 90.0
CHECK_SECONDS = 25.0
LEFT_SECONDS = 5.0
BACK_SECONDS = 20.0  # for a PostgreSQL that died to be back

T = TypeVar("T")


@click.command()
def up() -> None:
    """Run everything on this machine: PostgreSQL, Redis, a worker, the web page and the bots that have tokens. Ctrl-C ends it."""
    began_at = float(os.environ.pop("NOD_BEGAN_AT", "") or time.time())
    settings = load_settings()
    folder = DataFolder(settings.data_dir)
    folder.take()
    try:
        left = folder.left()
        if left:
            end_processes(left.processes, LEFT_SECONDS)
        check_openness(settings)
        settings = settings.model_copy(update={"web_port": free_port(settings.web_host, settings.web_port)})
        Local(settings, folder, began_at, was_killed=left is not None).run()
    finally:
        folder.release()


@dataclass(slots=True)
class Local:
    """One run of `nod up`: what was started, so that it can be stopped."""

    settings: Settings
    folder: DataFolder
    began_at: float
    was_killed: bool
    screen: Screen = field(default_factory=lambda: Screen(STEPS))
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    watch: Watch = field(init=False)
    servers: Embedded = field(init=False)
    supervisor: Supervisor = field(init=False)
    calls: Calls = field(init=False)
    standing: Standing | None = None
    guard: "tuple[subprocess.Popen[bytes], int] | None" = None
    given_up: dict[str, str] = field(default_factory=dict[str, str])
    is_up: bool = False

    def __post_init__(self) -> None:
        self.watch = Watch(LogFile(self.settings.data_dir / "log" / "nod.log"), with_parent=bool(os.environ.pop("NOD_PARENT", "")))
        self.watch.on_turn = self.screen.tick
        self.servers = Embedded(self.settings, self.watch, self.screen)
        env = {**os.environ, "NOD_WEB_PORT": str(self.settings.web_port), "NOD_DATA_DIR": str(self.settings.data_dir)}
        self.calls = Calls(self.watch, nod_program(), env)
        self.supervisor = Supervisor(self.watch, [nod_program()], env)
        self.supervisor.on_change = self._tell
        self.supervisor.on_give_up = self._note_given_up
        self.supervisor.on_return = self._note_return

    def run(self) -> None:
        """Start everything, say so, look after it until somebody asks to stop, stop everything."""
        try:
            self._start()
            self._look_after()
        except Stopping:
            self._stop()
            self.screen.rest(say("up.stopped"))
        except BaseException:
            self.watch.is_interruptible = False
            self._stop_all(STOP_SECONDS)
            raise
        finally:
            self.watch.log.close()

    # ── starting ──

    def _start(self) -> None:
        if not os.environ.pop("NOD_HEADER_SHOWN", ""):
            self.screen.line(say("up.header", version=__version__, data=shown(self.settings.data_dir), log=self.watch.log.path))
        if self.settings.database_url:
            secret_key(self.settings)  # required, by a sentence
        else:
            make_secret(self.settings.data_dir)
        self._tell()
        self.guard = start_guard(self.settings.data_dir)
        self.servers.start_postgres(was_killed=self.was_killed)
        self.servers.start_redis()
        self._tell()
        self._bring_tables_up_to_date()
        self._start_roles()
        counts = self._teach()
        self._greet(counts)

    def _tell(self) -> None:
        """Write down what runs, for other commands, the guard and the next start."""
        postgres, redis = self.servers.postgres, self.servers.redis
        self.folder.write(
            Services(
                pid=os.getpid(), since=self.since, web=self.settings.public_url,
                database_url=postgres.url if postgres else "", redis_url=redis.url if redis else "",
                processes=self.supervisor.running(), servers=self.servers.pids,
            )
        )  # fmt: skip

    def _bring_tables_up_to_date(self) -> None:
        self.screen.begin(4, say("up.step.tables"))
        postgres = self.servers.postgres
        self.standing = Standing(self.settings.database_url or (postgres.url if postgres else ""))
        try:
            is_old = self.standing.revision() != revisions.head()
        except psycopg.Error as error:
            raise UnavailableError(say("up.database_away", why=first_line(error))) from None
        if is_old:
            self.calls.run("migrate")
        self.screen.done(say_count("up.tables", revisions.count()), is_kept=is_old)

    @property
    def _bots(self) -> list[str]:
        return [role for role, has in (("slack", self.settings.has_slack), ("discord", self.settings.has_discord)) if has]

    def _start_roles(self) -> None:
        self.screen.begin(5, say("up.step.roles"))
        self.watch.on_turn = self._turn
        self._begin_roles()
        self.screen.done(say("up.ready"), is_kept=self.servers.is_first)

    def _begin_roles(self) -> None:
        """Start the workers, the page and the bots, and return when workers and page are there."""
        self.supervisor.begin("worker", self.settings.workers)
        for role in ("web", *self._bots):
            self.supervisor.begin(role)
        children.wait_until(
            lambda: not self._missing() or "web" in self.given_up or "worker" in self.given_up, READY_SECONDS, self.watch.pause
        )
        if missing := self._missing():
            why = "; ".join(self.given_up.values()) or say("up.late", seconds=f"{READY_SECONDS:.0f}")
            raise UnavailableError(say("up.not_ready", roles=", ".join(missing), why=why, log=self.watch.log.path))

    def _missing(self) -> list[str]:
        """Return which workers and page are not there yet. A bot may take its time: its platform may be away."""
        assert self.standing is not None
        entered = self._once_it_answers(self.standing.entered)
        return [
            slot.name
            for slot in self.supervisor.slots
            if slot.role in ("worker", "web")
            and not (slot.is_running and str(slot.process_id) in entered and (slot.role != "web" or self._page_answers()))
        ]  # fmt: skip

    def _page_answers(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.web_host, self.settings.web_host)  # noqa: S104  # compared
        line = http.client.HTTPConnection(host, self.settings.web_port, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException):
            line.request("GET", "/healthz")
            return line.getresponse().status == http.HTTPStatus.OK
        return False

    def _teach(self) -> Counts:
        assert self.standing is not None
        self.screen.begin(6, say("up.step.handbook"))
        stamp, counts = HandbookStamp(self.settings.data_dir), self._once_it_answers(self.standing.counts)
        is_new = self.servers.is_first or not stamp.is_current() or (bool(self.settings.database_url) and not counts.handbook_documents)
        if is_new:
            try:
                self.calls.run("ingest", "--handbook", "--json")
            except UnavailableError as error:  # nod works without it, and tries again next time
                self.screen.done(str(error))
                return counts
            stamp.renew()
            counts = self._once_it_answers(self.standing.counts)
        self.screen.done(documents_and_passages(counts.handbook_documents, counts.handbook_passages), is_kept=is_new)
        return counts

    def _greet(self, counts: Counts) -> None:
        assert self.standing is not None
        is_up = say("up.up", seconds=f"{time.time() - self.began_at:.0f}")
        if not self.servers.is_first:
            is_up += " " + say("up.kept", what=_kept(counts))
        if self._once_it_answers(self.standing.admin_is_signed_in):
            self.screen.line(f"{is_up} {self.settings.public_url} · {say('up.still_signed_in')}")
        else:
            link = json.loads(self._once_it_answers(lambda: self.calls.run("link", "--json")))["url"]
            self.screen.line(f"{is_up} {say('up.sign_in', link=link, another=f'{typed()} link')}")
        found = self._check()
        show_summary(self.screen, self.settings, counts, found)
        for role in self.given_up:
            if role not in found or found[role].state == "ok":  # otherwise the row above says why
                self._show_given_up(role)
        self.is_up = True

    def _once_it_answers(self, ask: Callable[[], T]) -> T:
        """Return what the record says. PostgreSQL may die during a start as well, and is back within seconds. Raises UnavailableError."""
        end = time.monotonic() + BACK_SECONDS
        while True:
            try:
                return ask()
            except (psycopg.OperationalError, UnavailableError) as error:
                if time.monotonic() > end:
                    raise UnavailableError(say("up.database_away", why=first_line(error))) from None
            self.watch.pause(0.2)

    def _check(self) -> dict[str, Finding]:
        """Return what `nod doctor` finds out about what is connected; nothing connected, nothing asked."""
        if not (self.settings.has_model or self.settings.embedding_model or self._bots):
            return {}
        with contextlib.suppress(NodError, ValueError, KeyError, TypeError):
            checks = json.loads(self.calls.run("doctor", "--json", seconds=CHECK_SECONDS, may_fail=True))["checks"]
            return {one["name"]: Finding(one["name"], one["state"], one["sentence"], one["todo"]) for one in checks}
        return {}

    # ── running ──

    def _turn(self) -> None:
        self.screen.tick()
        self.servers.mend()
        self.supervisor.turn()

    def _look_after(self) -> None:
        """Watch until somebody asks to stop. Settings that changed (`nod setup`) are taken over by starting the roles again."""
        seen = _changed_at()
        while True:
            self.watch.pause(1.0)
            if (now := _changed_at()) != seen:
                seen = now
                self._take_over_settings()

    def _take_over_settings(self) -> None:
        try:
            new = load_settings()
        except NodError as error:
            self.screen.line(str(error))
            return
        kept = ("data_dir", "web_host", "web_port", "web_url", "database_url", "redis_url", "secret_key")  # these need a new start
        new = new.model_copy(update={name: getattr(self.settings, name) for name in kept})
        if new == self.settings:
            return
        since = time.monotonic()
        self.screen.part(say("up.changed"))
        self.watch.is_interruptible = False
        stops = self.watch.stops
        self.supervisor.stop(STOP_SECONDS, lambda: self.watch.stops > stops)
        self.watch.is_interruptible = True
        self.settings, self.given_up = new, {}
        try:
            self._begin_roles()
        except UnavailableError as error:
            self.screen.rest(str(error))
        else:
            self.screen.rest(say("up.changed_done", seconds=f"{time.monotonic() - since:.0f}"))

    def _note_given_up(self, role: str, why: str) -> None:
        self.given_up[role] = why or say("up.no_reason")
        if self.is_up:
            self._show_given_up(role)

    def _show_given_up(self, role: str) -> None:
        self.screen.row("✗", say(f"up.role.{role}"), say("up.given_up", why=self.given_up[role]), f"{typed()} doctor")

    def _note_return(self, role: str) -> None:
        if self.given_up.pop(role, "") and self.is_up:
            self.screen.row("✓", say(f"up.role.{role}"), say("up.returned"))

    # ── stopping ──

    def _stop(self) -> None:
        self.watch.is_interruptible = False
        self.folder.say_stopping()
        running = 0
        with contextlib.suppress(psycopg.Error, AttributeError):
            running = self.standing.answers_running() if self.standing else 0
        self.screen.part(say_count("up.stopping_answers", running) if running else say("up.stopping"))
        self._stop_all(STOP_SECONDS)

    def _stop_all(self, seconds: float) -> None:
        """Stop in order: bots, workers, Redis, PostgreSQL, guard. Nothing may keep us from the next one."""
        self.watch.on_turn = lambda: None
        stops = self.watch.stops
        killed = self.supervisor.stop(seconds, lambda: self.watch.stops > stops)
        with contextlib.suppress(psycopg.Error):
            if killed and self.standing:
                self.standing.release(killed)
        if self.standing:
            self.standing.close()
        self.servers.stop()
        self.folder.clear()
        if self.guard:
            process, held = self.guard
            os.close(held)
            process.wait()


def _changed_at() -> int:
    try:
        return Path(".env").stat().st_mtime_ns
    except OSError:
        return 0


def _kept(counts: Counts) -> str:
    return ", ".join(say_count(f"up.{name}", getattr(counts, name)) for name in ("questions", "votes", "documents"))
