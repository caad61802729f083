"""The process behind `nod worker`: it loads the code once, forks who answers, and watches them. It has no threads and no connections.

So a crash costs a fork, not a start (seconds of imports), and what was in a crash is answered in a *cell*: a process that lives for
it alone, so that it can crash nobody else. A child that a signal ended is forked again with its id, and frees its predecessor's claims.
"""

import contextlib
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Literal
from uuid import UUID, uuid4

from nod import children
from nod.claims import MOST_CELLS, process_id_from_environment
from nod.heartbeat import DEAD_SECONDS
from nod.logs import log

Part = Literal["worker", "cell"]

TURN_SECONDS = 1.0
FIRST_WORD_SECONDS = 60.0  # longer than a child waits for PostgreSQL at its start
AWAY_SECONDS = 3.0  # between two turns: longer, and this process was frozen, or the machine
AGAIN_SECONDS = 1.0  # between two starts of one child at least
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)

_log = log(__name__)


@dataclass(slots=True)
class Child:
    """One place for a process that answers. `silent_at`: when it counts as hung unless it says something before; `pid` 0: not there."""

    part: Part
    process_id: UUID
    pid: int = 0
    ear: int = -1
    started_at: float = 0.0
    silent_at: float = 0.0


class Nursery:
    """Forks one worker, and cells as long as the worker asks for them. Make it when all code is loaded."""

    def __init__(self) -> None:
        self._children = [Child("worker", process_id_from_environment())]
        self._is_ending = False
        self._code = 0
        self._turned_at = time.monotonic()
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)

    def hatch(self) -> Part:
        """Return in each child what it is to be. The nursery itself stays in here until all have ended, and exits as its worker did."""
        gc.freeze()  # what is loaded stays: looking for garbage would copy the pages that all share
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)  # only wakes us up
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_stop)
        while self._children:
            for child in [one for one in self._children if not one.pid]:
                if time.monotonic() - child.started_at > AGAIN_SECONDS and self._fork(child):
                    return child.part
            self._turn()
        sys.exit(self._code)

    def _on_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_ending = True
        self._tell(self._children, signal.SIGTERM)

    def _tell(self, those: Iterable[Child], number: signal.Signals) -> None:
        for child in those:
            if child.pid:
                os.kill(child.pid, number)  # not reaped yet, so the pid is still its own

    # ── a child ──

    def _fork(self, child: Child) -> bool:
        """Fork a child, unless all are to end; return whether this is it. Signals wait until each side has its own way with them."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            return not self._is_ending and self._is_forked(child)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _is_forked(self, child: Child) -> bool:
        nursery, child.started_at = os.getpid(), time.monotonic()
        child.silent_at = child.started_at + FIRST_WORD_SECONDS
        child.ear, mouth = os.pipe()
        for end in (child.ear, mouth):
            os.set_blocking(end, False)
        child.pid = os.fork()
        if not child.pid:
            self._become(child, mouth, nursery)
            return True
        os.close(mouth)
        return False

    def _become(self, child: Child, mouth: int, nursery: int) -> None:
        signal.set_wakeup_fd(-1)
        for name in _SIGNALS:
            signal.signal(name, signal.default_int_handler if name == signal.SIGINT else signal.SIG_DFL)
        for descriptor in (self._woken, self._wake, *(one.ear for one in self._children if one.ear >= 0)):
            os.close(descriptor)
        os.environ |= {"NOD_PROCESS_ID": str(child.process_id), "NOD_ALIVE_FD": str(mouth)}
        children.tell_me_when_my_parent_dies(signal.SIGKILL)  # its successor has our id: we must not be there beside it
        if os.getppid() != nursery:
            os.kill(os.getpid(), signal.SIGKILL)

    # ── watching ──

    def _turn(self) -> None:
        """Wait a second at most for whatever happens, and see to it."""
        ready, _, _ = select.select([self._woken, *(child.ear for child in self._children if child.pid)], [], [], TURN_SECONDS)
        now = time.monotonic()
        away, self._turned_at = now - self._turned_at, now
        children.say_alive()
        if self._woken in ready:
            os.read(self._woken, 4096)
        for child in list(self._children):
            if away > AWAY_SECONDS:  # nobody is judged by a time in which we stood still, perhaps with everything else
                child.silent_at += away
            if child.ear in ready:
                self._listen(child, now)
            self._look_after(child, now)

    def _listen(self, child: Child, now: float) -> None:
        with contextlib.suppress(BlockingIOError):
            if said := os.read(child.ear, 4096):
                child.silent_at = now + DEAD_SECONDS
                if children.CELL in said and not self._is_ending and len(self._children) <= MOST_CELLS:
                    self._children.append(Child("cell", uuid4()))

    def _look_after(self, child: Child, now: float) -> None:
        if not child.pid:
            if self._is_ending:
                self._children.remove(child)
            return
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            self._ended(child, os.waitstatus_to_exitcode(status))
        elif now > child.silent_at:
            _log.warning("a process that answers has said nothing for too long and is killed", part=child.part, pid=child.pid)
            self._tell([child], signal.SIGKILL)

    def _ended(self, child: Child, code: int) -> None:
        os.close(child.ear)
        if code < 0 and not self._is_ending:
            _log.warning("a process that answers was ended by a signal; its successor gets the same id", part=child.part, code=code)
            child.pid, child.ear = 0, -1
            return
        self._children.remove(child)
        if child.part == "worker":
            self._code = 0 if self._is_ending else code
            self._is_ending = True
            self._tell(self._children, signal.SIGTERM)
