"""PostgreSQL and Redis as plain children, from the programs that nod/binaries.py finds: what `nod up` and the tests run on.

Only Unix sockets, in a folder that nobody else can open. Standard library only: it starts in no time and can be used anywhere.
"""

import hashlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

from nod import children
from nod.binaries import postgres_binaries, postgres_version, redis_binary
from nod.children import Output
from nod.errors import ConfigError, UnavailableError
from nod.saying import say

# PostgreSQL's own C.UTF-8: the same on every system, also where that has no such locale (macOS, older Linux).
_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
MOST_PATH_BYTES = 100  # a socket's path: 107 bytes on Linux, 103 on macOS
START_SECONDS = 60.0
LET_GO_SECONDS = 15.0  # the children of a PostgreSQL that was killed hold its memory until they notice; it refuses to start meanwhile
RECOVERY_SECONDS = 900.0  # after a kill -9, as long as the log needs to be read

Pause = Callable[[float], None]

# A team's record is small: what counts is the idle footprint (DESIGN.md). 8 connections per process of nod (pool) + its heartbeat,
# 4 of a bot for intake: some 110 with two workers, their cells and two bots of each platform. Queries here take milliseconds: compiling
# them, or handing their reads to io workers, costs more than it saves.
_POSTGRES_SETTINGS = {
    "listen_addresses": "", "unix_socket_permissions": "0700",
    "max_connections": "120", "shared_buffers": "32MB", "jit": "off", "max_wal_size": "256MB", "min_wal_size": "32MB",
    "max_worker_processes": "4", "max_parallel_workers_per_gather": "0", "autovacuum_max_workers": "1",
    "io_method": "sync",
    "max_logical_replication_workers": "0", "wal_level": "minimal", "max_wal_senders": "0",
    "logging_collector": "off", "log_min_messages": "warning", "log_checkpoints": "off",
}  # fmt: skip


def socket_folder(data_dir: Path) -> Path:
    """Return the folder for the sockets of a data folder, made with mode 0700: inside it, or a short one when that path is too long."""
    inside = data_dir.resolve() / "run"
    if not _is_fit(inside):
        name = f"nod-{os.getuid()}-{hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:10]}"
        inside = next((Path(top) / name for top in (tempfile.gettempdir(), "/tmp") if _is_fit(Path(top) / name)), Path("/tmp") / name)  # noqa: S108  # the one short path there is; its owner is checked below
    inside.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = inside.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigError(say("error.foreign_folder", folder=inside))
    inside.chmod(0o700)
    return inside


def _is_fit(folder: Path) -> bool:
    path = os.fsencode(folder / ".s.PGSQL.5432")
    return (
        len(path) <= MOST_PATH_BYTES and re.fullmatch(rb"[\w./+-]+", path) is not None
    )  # a space or % means three things to three clients


@dataclass(slots=True)
class Postgres:
    """PostgreSQL on one data folder. `settings` are added to those it always runs with."""

    data: Path
    sockets: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])
    child: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Return the address of nod's database."""
        return self.url_of("nod")

    def url_of(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://nod@/{database}?host={quote(str(self.sockets))}"

    @property
    def is_new(self) -> bool:
        """Whether there is no data yet."""
        return not (self.data / "PG_VERSION").exists()

    def was_killed(self) -> bool:
        """Return whether the data was left by a server that did not end by itself."""
        shown = subprocess.run(
            [postgres_binaries() / "pg_controldata", self.data], capture_output=True, text=True, check=False, env=_ENVIRONMENT
        )
        return not self.is_new and not re.search(r"cluster state: +shut down$", shown.stdout, re.MULTILINE)

    def make(self, output: Output) -> None:
        """Make the data folder and the database. What was made half before is made again."""
        making = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700, parents=True)
        binaries = postgres_binaries()
        _run([binaries / "initdb", "-D", making, "-U", "nod", "--auth=trust", *_LOCALE, "--no-sync"], output)
        single = [binaries / "postgres", "--single", "-D", making, "-c", "exit_on_error=true", "postgres"]
        _run(single, output, b"CREATE DATABASE nod\n")
        _run([binaries / "initdb", "-D", making, "--sync-only"], output)
        making.rename(self.data)

    def check_version(self) -> None:
        """Raise ConfigError, with the way out, when the data is another PostgreSQL's."""
        theirs, ours = (self.data / "PG_VERSION").read_text("ascii").strip(), postgres_version().split(".")[0]
        if theirs != ours:
            raise ConfigError(say("up.other_postgres", data=self.data, theirs=theirs, ours=ours))

    def end_stale(self, only: Sequence[int] | None = None) -> None:
        """Stop a PostgreSQL that still runs on this data (if it is one of `only`), and remove the pid of one that does not.

        PostgreSQL itself only asks whether the pid is taken: after a reboot any process may have it, and it would refuse for ever.
        """
        note = self.data / "postmaster.pid"
        pid = _pid_in(note)
        if only is not None and pid not in only:
            return
        if pid and self._is_ours(pid):
            children.end(pid, (signal.SIGINT, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))
        note.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        words = children.command_line(pid)
        return any(Path(word).name == "postgres" for word in words[:1]) and str(self.data.resolve()) in words

    def start(self, output: Output, pause: Pause = time.sleep) -> None:
        """Start it and return when it takes connections. Raises UnavailableError when it ends instead."""
        self.end_stale()
        tries_until = time.monotonic() + LET_GO_SECONDS if self.was_killed() else 0.0
        while not self._started(output, pause):
            if time.monotonic() > tries_until:
                raise UnavailableError("PostgreSQL did not start; the last lines of the log say why.")
            pause(0.2)

    def _started(self, output: Output, pause: Pause) -> bool:
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.sockets / name).unlink(missing_ok=True)
        options = [word for name, value in (_POSTGRES_SETTINGS | self.settings).items() for word in ("-c", f"{name}={value}")]
        command = [str(postgres_binaries() / "postgres"), "-D", str(self.data.resolve()), "-k", str(self.sockets), *options]
        child = self.child = children.start(_as_nobody_special(command), output=output, when_we_die=signal.SIGTERM, env=_ENVIRONMENT)
        return children.wait_until(lambda: self._is_ready() or child.poll() is not None, RECOVERY_SECONDS, pause) and child.poll() is None

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text("utf-8").split("\n")
        except OSError:
            return False
        return self.child is not None and lines[0] == str(self.child.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def stop(self) -> None:
        """End it: connections are closed, what is committed is on disk."""
        if self.child:
            children.end(self.child.pid, (signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5), child=self.child)


@dataclass(slots=True)
class RedisServer:
    """Redis on one data folder, every write in its append-only file within a second."""

    data: Path
    sockets: Path
    options: Sequence[str] = ()
    child: "subprocess.Popen[bytes] | None" = None

    @property
    def socket(self) -> Path:
        """Return the path of its socket."""
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        """Return its address."""
        return f"unix://{self.socket}?db=0"

    def end_stale(self, only: Sequence[int] | None = None) -> None:
        """Stop a Redis that still runs on this data (if it is one of `only`): two on one folder would not stop each other."""
        note = self.data / "redis.pid"
        pid = _pid_in(note)
        if pid is None or (only is not None and pid not in only):
            return
        words = " ".join(children.command_line(pid))  # Redis rewrites its command line: one word, its socket in it
        if "-server" in words and str(self.socket) in words:
            children.end(pid, (signal.SIGTERM, 5), (signal.SIGKILL, 5))
        note.unlink(missing_ok=True)

    def start(self, output: Output, pause: Pause = time.sleep) -> None:
        """Start it and return when it answers. A file that it cannot read is put aside: Redis holds nothing that is not in the record."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.end_stale()
        if not self._started(output, pause):
            self._put_aside()
            if not self._started(output, pause):
                raise UnavailableError("Redis did not start; the last lines of the log say why.")

    def _started(self, output: Output, pause: Pause) -> bool:
        self.socket.unlink(missing_ok=True)
        command = [
            str(redis_binary().path), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--dir", str(self.data.resolve()), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
            "--maxmemory-policy", "noeviction", "--daemonize", "no", *self.options,
        ]  # fmt: skip
        child = self.child = children.start(command, output=output, when_we_die=signal.SIGTERM, env=_ENVIRONMENT)
        (self.data / "redis.pid").write_text(str(child.pid), "ascii")
        is_up = children.wait_until(lambda: child.poll() is not None or self.answers(), START_SECONDS, pause) and child.poll() is None
        if not is_up:
            self.stop()
        return is_up

    def answers(self) -> bool:
        """Return whether it answers on its socket (not while it is still reading its file)."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def _put_aside(self) -> None:
        for name in ("appendonly.aof", "appendonlydir"):
            path = self.data / name
            if path.exists():
                path.rename(self.data / f"{name}.broken-{int(path.stat().st_mtime)}")

    def stop(self) -> None:
        """End it; its file is written first."""
        if self.child:
            children.end(self.child.pid, (signal.SIGTERM, 10), (signal.SIGKILL, 5), child=self.child)
            (self.data / "redis.pid").unlink(missing_ok=True)


def _pid_in(note: Path) -> int | None:
    try:
        return int(note.read_text("utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


# The servers see no token and no library path of ours.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


def _as_nobody_special(command: Sequence[str]) -> list[str]:
    """Return the command as PostgreSQL will run it: as root it refuses, so there it sees itself as user 1000."""
    if os.getuid() != 0:
        return list(command)
    if not _can_be_another():
        raise ConfigError(say("up.root_without_unshare"))
    return [*_AS_ANOTHER, *command]


_AS_ANOTHER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@cache
def _can_be_another() -> bool:
    """Whether this system lets root see itself as somebody else: containers often do not."""
    if not shutil.which(_AS_ANOTHER[0]):
        return False
    return subprocess.run([*_AS_ANOTHER, "true"], capture_output=True, check=False).returncode == 0


def _run(command: Sequence[str | Path], output: Output, given: bytes = b"") -> None:
    words = _as_nobody_special([str(word) for word in command])
    done = subprocess.run(
        words, input=given, stdout=output, stderr=subprocess.STDOUT, env=_ENVIRONMENT, check=False, start_new_session=True
    )
    if done.returncode:
        raise UnavailableError(f"{Path(str(command[0])).name} failed with code {done.returncode}; the last lines of the log say why.")
