"""The data folder of `nod up`: one nod at a time, what runs in it, and what a killed run left behind."""

import contextlib
import fcntl
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nod import children
from nod.errors import ConfigError
from nod.saying import say

# The order of stopping: bots first, so that nothing new is accepted; PostgreSQL last, because everybody writes there.
STOPPING_SECONDS = 40.0
STOP_ORDER = ("slack", "discord", "web", "worker")


@dataclass(frozen=True, slots=True)
class Running:
    """One process of nod, as the next run (or the guard) finds it again."""

    role: str
    pid: int
    process_id: str

    def is_alive(self) -> bool:
        """Return whether this very process still runs: a pid alone may be anybody's by now."""
        words = children.command_line(self.pid)
        if sys.platform != "linux":
            return self.role in words and any(Path(word).name == "nod" for word in words)
        try:
            return f"NOD_PROCESS_ID={self.process_id}".encode() in Path(f"/proc/{self.pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Services:
    """What a run consists of: `.nod/run/services.json`, which other commands read."""

    pid: int
    since: str
    web: str = ""
    database_url: str = ""  # only of the servers started here: addresses from outside hold passwords
    redis_url: str = ""
    processes: tuple[Running, ...] = ()
    servers: tuple[int, ...] = ()  # the pids of PostgreSQL and Redis started here


@dataclass(slots=True)
class DataFolder:
    """The folder and its lock. `take` it before anything else."""

    path: Path
    _lock: int = field(default=-1)

    @property
    def _services(self) -> Path:
        return self.path / "run" / "services.json"

    def take(self) -> None:
        """Take the lock. Raises ConfigError naming the process that holds it, and since when."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)  # children do not inherit it
        except OSError as error:
            raise ConfigError(say("up.folder_unusable", folder=self.path, why=error.strerror)) from None
        if not self._locked(lock):
            holder = os.pread(lock, 200, 0).decode("ascii", "replace").split()
            is_stopping = "stopping" in holder
            if not is_stopping or not children.wait_until(lambda: self._locked(lock), STOPPING_SECONDS):
                os.close(lock)
                raise ConfigError(self._in_use(*holder[:2]))
        self._lock = lock
        self._say(f"{os.getpid()} {datetime.now(UTC).isoformat()}")

    @staticmethod
    def _locked(lock: int) -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _say(self, text: str) -> None:
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, text.encode("ascii"), 0)

    def say_stopping(self) -> None:
        """Say that this run is ending: the next one waits instead of complaining."""
        self._say(f"{os.getpid()} {datetime.now(UTC).isoformat()} stopping")

    def _in_use(self, pid: str = "?", since: str = "") -> str:
        with contextlib.suppress(ValueError):
            at = datetime.fromisoformat(since).astimezone()
            since = f"{at:%H:%M}" if at.date() == datetime.now().astimezone().date() else f"{at:%Y-%m-%d %H:%M}"
        return say("up.folder_in_use", folder=shown(self.path), pid=pid, since=since or "?", other=shown(_next_free(self.path)).rstrip("/"))

    def release(self) -> None:
        """Give the lock back."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def write(self, services: Services) -> None:
        """Say what runs here, for other commands and for the next run."""
        self._services.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._services.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(services), file)
        new.replace(self._services)

    def left(self) -> Services | None:
        """Return what runs here, or what the last run left because it was killed; None after a clean end."""
        try:
            told: dict[str, Any] = json.loads(self._services.read_text("utf-8"))
            told["processes"] = tuple(Running(**one) for one in told["processes"])
            told["servers"] = tuple(told["servers"])
            return Services(**told)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def clear(self) -> None:
        """Say that nothing runs here any more."""
        self._services.unlink(missing_ok=True)


def end_processes(processes: tuple[Running, ...], seconds: float) -> None:
    """End processes of nod that nobody looks after any more, in the order of stopping."""
    for one in sorted(processes, key=lambda one: STOP_ORDER.index(one.role) if one.role in STOP_ORDER else 0):
        with contextlib.suppress(ProcessLookupError):
            if one.is_alive():
                os.kill(one.pid, signal.SIGTERM)
    children.wait_until(lambda: not any(one.is_alive() for one in processes), seconds)
    for one in processes:
        with contextlib.suppress(ProcessLookupError):
            if one.is_alive():
                os.killpg(one.pid, signal.SIGKILL)  # each leads a group: what it started goes with it
    children.wait_until(lambda: not any(one.is_alive() for one in processes), seconds)


def shown(path: Path) -> str:
    """Return a folder as a person typed it, with a slash at its end."""
    return f"{path}/"


def _next_free(path: Path) -> Path:
    return next(other for number in range(2, 1000) if not (other := path.with_name(f"{path.name}{number}")).exists())
