"""Real processes of nod by their role, for tests that talk to them, stop them and kill them."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.warm import Warm, run

T = TypeVar("T")
PATIENCE = 3  # a machine may be busy with other tests: what is waited for comes, only later


class Role:
    """A process such as `nod slack` or `nod worker`, in a session of its own; its log is a file."""

    def __init__(self, role: str, env: dict[str, str], folder: Path, *, pause: str = "") -> None:
        self.role = role
        self.pauses = folder / "pauses"
        self.pauses.mkdir(exist_ok=True)
        self.log = folder / f"{role}-{time.monotonic_ns()}.log"
        if pause:
            (self.pauses / pause).unlink(missing_ok=True)
            env = {**env, "NOD_PAUSE": pause, "NOD_PAUSE_DIR": str(self.pauses)}
        self.log.touch()
        self.child = Warm([role], env=env, cwd=folder, out=self.log)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stands_in(self, moment: str, within: float = 20.0) -> int:
        """Wait until the process, or one that it forked, reports that it stands still at a moment; return that one's pid."""

        def pid() -> int | None:
            path = self.pauses / moment
            return int(path.read_text()) if path.exists() and path.read_text() else None

        found = until(pid, within, f"{self.role} standing in {moment!r}", lambda: self.said)
        assert os.getpgid(found) == self.child.pid, f"{found} stands in {moment!r}, which is none of {self.child.pid}"
        return found

    def kill(self) -> None:
        """End it as a crash does."""
        self.child.kill()
        self.child.wait(10)

    def stop(self) -> None:
        """End it as a deploy does, by force when it does not listen. Safe to call twice."""
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


class Roles:
    """The processes of one test."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env = env
        self.folder = folder
        self.running: list[Role] = []

    def start(self, role: str, *, pause: str = "", **env: str) -> Role:
        """Start a process; it is stopped when the test ends."""
        self.running.append(Role(role, {**self.env, **env}, self.folder, pause=pause))
        return self.running[-1]

    def stop(self) -> None:
        for role in self.running:
            if role.child.poll() is None:
                role.child.terminate()
        for role in self.running:
            role.stop()

    def logs(self) -> str:
        return "\n".join(f"── {role.role} {role.child.pid}\n{role.said[-4000:]}" for role in self.running)

    def run(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed."""
        done = run(arguments, cwd=self.folder, env=self.env)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


def until(found: Callable[[], T | None], within: float, what: str, more: Callable[[], str] = str) -> T:
    """Return what is found, waiting so many seconds for it at most."""
    end = time.monotonic() + within * PATIENCE
    while True:
        if value := found():
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {within} s for {what}\n{more()}")
        time.sleep(0.02)
