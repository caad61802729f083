"""The nod that `make chaos` breaks: a `nod up` as people run it, and beside it, if wanted, a second bot of each platform."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from benchmarks.stacks import BIN, BOTS, ROOT, Started, environment, wait_for
from nod.children import command_line
from nod.folder import DataFolder

START_SECONDS = 120.0
BACK_SECONDS = 60.0  # within which a killed part must have been started again
REST_SECONDS = 2.0  # before a second bot that ended is started again


@dataclass(slots=True)
class Home:
    """A `nod up` of its own: its folder, its processes, and how it is started again when its supervisor was killed.

    `is_doubled`: two workers, and beside the bots of `nod up` a second one of each platform, kept running here.
    """

    folder: Path
    given: Mapping[str, str]
    is_connected: Callable[[], bool] = lambda: True  # to each platform, as the platform sees it
    is_doubled: bool = False
    env: dict[str, str] = field(init=False)
    started: Started = field(init=False)
    starts: int = 0
    _seconds: dict[str, Started] = field(default_factory=dict[str, Started])
    _ending: Event = field(default_factory=Event)
    _keeper: Thread | None = None

    def __post_init__(self) -> None:
        self.env = environment(self.given, self.folder) | ({"NOD_WORKERS": "2"} if self.is_doubled else {})

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def start(self) -> None:
        """Start it and return when all of it is connected."""
        self.starts += 1
        self.started = Started([str(BIN / "nod"), "up"], self.env, self.folder / f"nod-{self.starts}.log")
        said = "nod doctor" if self.starts == 1 else f":{self.env['NOD_WEB_PORT']}"  # the doctor's last word, or its greeting

        def is_up() -> bool:
            self.started.check()
            return said in self.started.log.read_text(errors="replace") and self.is_connected()

        if not wait_for(is_up, START_SECONDS):
            raise RuntimeError(f"nod was not up within {START_SECONDS:.0f} s\n{self.started.last_words()}")
        if self.is_doubled and not self._keeper:
            self._keeper = Thread(target=self._keep_seconds, daemon=True)
            self._keeper.start()

    def _keep_seconds(self) -> None:
        """Keep the second bots running, as whoever runs them would."""
        number = 0
        while not self._ending.is_set():
            for role in BOTS:
                if role not in self._seconds or self._seconds[role].child.poll() is not None:
                    number += 1
                    self._seconds[role] = Started([str(BIN / "nod"), role], self.env, self.folder / f"second-{role}-{number}.log")
            self._ending.wait(REST_SECONDS)

    def pids(self, role: str) -> list[int]:
        """Return the pids of the processes of a role which `nod up` runs, as soon as there is one."""
        found: list[int] = []

        def are_there() -> bool:
            services = DataFolder(self.data).left()
            found[:] = [one.pid for one in services.processes if one.role == role and one.is_alive()] if services else []
            return bool(found)

        if not wait_for(are_there, BACK_SECONDS):
            raise RuntimeError(f"no {role} was started again within {BACK_SECONDS:.0f} s\n{self.started.last_words()}")
        return found

    def bots(self, role: str) -> list[int]:
        """Return the pids of all bots of a platform."""
        second = self._seconds.get(role)
        return self.pids(role) + ([second.child.pid] if second and second.child.poll() is None else [])

    def server_pid(self, note: str) -> int:
        """Return the pid of PostgreSQL or Redis, from the note that it keeps in its folder, as soon as it runs."""
        pid = 0

        def is_there() -> bool:
            nonlocal pid
            with contextlib.suppress(OSError, ValueError):
                pid = int((self.data / note).read_text("utf-8").split("\n", 1)[0])
            return bool(pid) and bool(command_line(pid))

        if not wait_for(is_there, BACK_SECONDS):
            raise RuntimeError(f"the server of {note} was not started again within {BACK_SECONDS:.0f} s\n{self.started.last_words()}")
        return pid

    def run(self, *words: str) -> Any:
        """Return what a command of nod says with `--json`, tried again while its servers are away."""
        said = ""

        def is_done() -> bool:
            nonlocal said
            done = subprocess.run(
                [BIN / "nod", *words, "--json"], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, timeout=60
            )
            said = done.stdout if done.returncode == 0 else ""
            return bool(said)

        if not wait_for(is_done, BACK_SECONDS):
            raise RuntimeError(f"nod {' '.join(words)} does not work")
        return json.loads(said)

    def stop(self) -> None:
        """End it."""
        self._ending.set()
        if self._keeper:
            self._keeper.join()
        for second in self._seconds.values():
            second.stop()
        if self.starts:
            self.started.stop()
