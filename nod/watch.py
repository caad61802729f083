"""The one loop of `nod up`: children's words go to the log, ends and signals are noticed. No thread, nothing that blocks for long."""

import os
import select
import signal
import time
from collections.abc import Callable
from types import FrameType

from nod import children
from nod.logfile import LogFile

_MOST_LINE = 65_536


class Stopping(Exception):  # noqa: N818  # not an error: somebody pressed Ctrl-C
    """Somebody asked nod to stop, in the middle of something."""


class Watch:
    """Waits for whatever comes next. `pause` is used by everything that waits."""

    def __init__(self, log: LogFile, *, with_parent: bool = False) -> None:
        self.log = log
        self.stops = 0  # how often somebody asked to stop
        self.is_interruptible = True
        self._parent = os.getppid() if with_parent else 0  # `make`: when it is killed, nobody could stop us any more
        self.on_turn: Callable[[], None] = lambda: None
        self._pipes: dict[int, _Pipe] = {}
        self._last_words: dict[str, str] = {}
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._on_stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # the terminal was closed (nohup: it does not matter)
            signal.signal(signal.SIGHUP, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)  # only wakes us up
        if with_parent:
            children.tell_me_when_my_parent_dies(signal.SIGTERM)

    def _on_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stops += 1

    def listen(self, role: str) -> int:
        """Return a descriptor for a child's output; close it here once the child has it."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._pipes[reading] = _Pipe(role)
        self._last_words.pop(role, None)
        return writing

    def last_words(self, role: str) -> str:
        """Return the last line a role said that is no log entry: why it ended."""
        return self._last_words.get(role, "")

    def pause(self, seconds: float) -> None:
        """Let that time pass, or less if something happens. Raises Stopping when somebody asked to stop and we are not stopping yet."""
        self.on_turn()
        ready, _, _ = select.select([self._woken, *self._pipes], [], [], max(0.0, seconds))
        for fd in ready:
            if fd == self._woken:
                os.read(fd, 4096)
            else:
                self._read(fd)
        if self._parent and os.getppid() != self._parent:
            self._parent, self.stops = 0, self.stops + 1
        if self.stops and self.is_interruptible:
            raise Stopping

    def settle(self, seconds: float) -> None:
        """Let exactly that time pass, reading what children say."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.pause(left)

    def _read(self, fd: int) -> None:
        pipe = self._pipes[fd]
        said = os.read(fd, 262_144)
        for line in pipe.lines(said):
            self.log.write(pipe.role, line)
            if not line.startswith("{"):
                self._last_words[pipe.role] = line
        if not said:
            os.close(fd)
            del self._pipes[fd]

    def drain(self) -> None:
        """Read what children have said by now."""
        while ready := select.select(list(self._pipes), [], [], 0)[0]:
            for fd in ready:
                self._read(fd)


class _Pipe:
    """What one child says, line by line."""

    def __init__(self, role: str) -> None:
        self.role = role
        self._rest = b""

    def lines(self, said: bytes) -> list[str]:
        """Return the lines that are complete by now; at the end of the pipe also the rest."""
        *whole, self._rest = (self._rest + said).split(b"\n")
        if self._rest and (not said or len(self._rest) > _MOST_LINE):
            whole, self._rest = [*whole, self._rest], b""
        return [line.decode("utf-8", "replace").rstrip() for line in whole if line.strip()]
