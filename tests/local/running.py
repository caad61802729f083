"""`nod up` as a person runs it: a real process tree in a folder of its own, read line by line, and nothing left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

NOD = Path(sys.executable).with_name("nod")
ROOT = Path(__file__).parents[2]
START_SECONDS = 110.0


def eventually(is_so: Callable[[], object], seconds: float = 20.0, what: Callable[[], str] = str) -> None:
    """Wait until something is so; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {seconds} s: {what()}"
        time.sleep(0.05)


def has_open(pid: int, file: Path) -> bool:
    """Whether a process has a file open."""
    with contextlib.suppress(OSError):
        return any(descriptor.readlink() == file for descriptor in Path(f"/proc/{pid}/fd").iterdir())
    return False


@dataclass
class Home:
    """A folder from which nod is run, and how to find everything that was started from it."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    data: str = ".nod"
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def data_dir(self) -> Path:
        return self.folder / self.data

    def environment(self, **env: str) -> dict[str, str]:
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("NOD_", "LC_", "MAKE"))}
        ours = {"NOD_TEST_MARK": self.mark, "LANG": "C.UTF-8", "NOD_WEB_PORT": "0", "NOD_PARENT": "test"}  # it ends when its test is killed
        return keep | ours | self.env | env

    def run(self, *words: str, seconds: float = 60.0, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of nod to its end."""
        return subprocess.run(
            [NOD, *words], env=self.environment(**env), cwd=self.folder, capture_output=True, text=True, timeout=seconds, check=False
        )

    @contextlib.contextmanager
    def up(self, *, command: list[str] | None = None, cwd: Path | None = None, **env: str) -> Iterator["Up"]:
        """Start `nod up`; whatever the test does, nothing of it is left."""
        child = subprocess.Popen(
            command or [NOD, "up"], env=self.environment(**env), cwd=cwd or self.folder, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        up = Up(self, child)
        try:
            yield up
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(40)
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            child.wait()
            up.reader.join(5)
            child.stdout.close()

    def processes(self) -> dict[int, str]:
        """Every process that was started from here: roles by a mark in their environment, servers by their folder."""
        found: dict[int, str] = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                is_ours = f"NOD_TEST_MARK={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0")
                if words and int(process.name) != os.getpid() and (is_ours or str(self.folder) in words):
                    found[int(process.name)] = words
        return found

    def pid_of(self, words: str) -> int:
        """The pid of the one process whose command line has these words; of a worker that which forked the others."""
        found = [pid for pid, line in self.processes().items() if words in line]
        (pid,) = [pid for pid in found if int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) not in found]
        return pid

    def log(self) -> str:
        return (self.data_dir / "log" / "nod.log").read_text("utf-8")


class Up:
    """A running `nod up`."""

    def __init__(self, home: Home, child: "subprocess.Popen[str]") -> None:
        self.home = home
        self.child = child
        self.said = ""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        while part := os.read(self.child.stdout.fileno(), 65536):
            self.said += part.decode("utf-8", "replace")

    def says(self, words: str, seconds: float = START_SECONDS) -> str:
        """Wait until it says something; return the line in which it does."""
        eventually(lambda: words in self.said or self.child.poll() is not None, seconds, lambda: f"{words!r} in:\n{self.said}")
        if words not in self.said:
            self.reader.join(5)
        assert words in self.said, f"it ended with {self.child.returncode} and said:\n{self.said}"
        return next(line for line in self.said.splitlines() if words in line)

    def is_up(self) -> "Up":
        """Wait until all of it has been said: the hints are the last line."""
        self.says(" Ctrl-C ")
        return self

    def interrupt(self) -> int:
        """Press Ctrl-C and wait for the end; return the exit code."""
        self.child.send_signal(signal.SIGINT)
        code = self.child.wait(60)
        self.reader.join(5)
        return code
