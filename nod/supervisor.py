"""Keeps one process per role running: starts them, starts a dead or hung one again, says so when one cannot live, stops them in order."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from nod import children
from nod.folder import STOP_ORDER, Running
from nod.watch import Watch

QUICK_SECONDS = 15.0  # whoever lives shorter than that died at once
MOST_QUICK_ENDS = 3
GIVEN_UP_SECONDS = 60.0  # one that was given up on is tried again in silence: the network, or the token, may be right by then
MOST_WAIT_SECONDS = 30.0
AWAY_SECONDS = 3.0  # between two turns: longer, and this process was frozen, or the machine
HUNG_SECONDS = 15.0  # an event loop that has said nothing for this long will not go on: its heartbeat has stopped, too (nod.heartbeat)


@dataclass(slots=True)
class Slot:
    """One place for a process. A restarted process gets its predecessor's id, and frees its claims first thing."""

    name: str
    role: str
    process_id: UUID = field(default_factory=uuid4)
    child: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    heard_at: float = 0.0  # when its event loop last said that it goes on; 0 before the first time
    ear: int = -1  # the descriptor by which it does
    due_at: float = 0.0
    quick_ends: int = 0

    @property
    def is_given_up(self) -> bool:
        """Whether it died at once so often that it is only tried now and then."""
        return self.quick_ends >= MOST_QUICK_ENDS

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.child is not None and self.child.poll() is None

    def listen(self, now: float) -> None:
        """Take in whether its event loop has said that it goes on."""
        with contextlib.suppress(BlockingIOError):
            if os.read(self.ear, 4096):
                self.heard_at = now

    def is_hung(self, now: float, hung_seconds: float) -> bool:
        """Whether its event loop has been silent for too long."""
        return bool(self.heard_at) and now - self.heard_at > hung_seconds

    def ended(self, code: int, lived_seconds: float) -> None:
        """Count an end. One that a signal ended could live: it is never given up, for other questions wait behind the one that kills it."""
        if lived_seconds >= QUICK_SECONDS:
            self.quick_ends = 0
        elif code >= 0 or self.quick_ends < MOST_QUICK_ENDS - 1:
            self.quick_ends += 1

    def wait_seconds(self) -> float:
        """Return how long to wait before the next start: a first death costs nothing but the start."""
        if self.is_given_up:
            return GIVEN_UP_SECONDS
        return min(2.0 ** (self.quick_ends - 1), MOST_WAIT_SECONDS) if self.quick_ends > 1 else 0.0


class Supervisor:
    """The processes of one `nod up`. Call `turn` often; `on_change` is called when a process came or went."""

    hung_seconds = HUNG_SECONDS

    def __init__(self, watch: Watch, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.slots: list[Slot] = []
        self.on_change: Callable[[], None] = lambda: None
        self.on_give_up: Callable[[str, str], None] = lambda _role, _words: None
        self.on_return: Callable[[str], None] = lambda _role: None
        self._turned_at = time.monotonic()
        self._watch = watch
        self._command = command
        self._env = env

    def begin(self, role: str, count: int = 1) -> None:
        """Start the processes of a role."""
        for number in range(1, count + 1):
            slot = Slot(role if count == 1 else f"{role}-{number}", role)
            self.slots.append(slot)
            self._start(slot)
        self.on_change()

    def _start(self, slot: Slot) -> None:
        output = self._watch.listen(slot.name)
        slot.ear, mouth = os.pipe()
        os.set_blocking(slot.ear, False)
        os.set_blocking(mouth, False)
        env = {**self._env, "NOD_PROCESS_ID": str(slot.process_id), "NOD_ALIVE_FD": str(mouth)}
        slot.child = children.start([*self._command, slot.role], output=output, when_we_die=signal.SIGTERM, env=env, keep=[mouth])
        os.close(output)
        os.close(mouth)
        slot.started_at, slot.heard_at = time.monotonic(), 0.0

    def turn(self) -> None:
        """See who ended, and start again what is due."""
        now = time.monotonic()
        was_away, self._turned_at = now - self._turned_at > AWAY_SECONDS, now
        for slot in self.slots:
            if slot.child:
                slot.listen(now)
            if was_away and slot.heard_at:  # we stood still, perhaps with everything else: nobody is judged by that time
                slot.heard_at = now
            if slot.child is None:
                if now >= slot.due_at:
                    self._start(slot)
                    self.on_change()
            elif slot.child.poll() is not None:
                self._ended(slot, now)
            elif slot.is_hung(now, self.hung_seconds):
                self._watch.log.write(slot.name, f"has said nothing for {self.hung_seconds:.0f} s and is killed")
                slot.heard_at = 0.0
                _end_group(slot.child.pid)
            elif slot.quick_ends and now - slot.started_at > QUICK_SECONDS:
                self._lives(slot)

    def _ended(self, slot: Slot, now: float) -> None:
        assert slot.child is not None
        self._watch.drain()
        _end_group(slot.child.pid)
        self._watch.log.write(slot.name, f"ended with code {slot.child.returncode}; its successor gets the same id")
        was_given_up = slot.is_given_up
        slot.ended(slot.child.returncode, now - slot.started_at)
        slot.child = None
        os.close(slot.ear)
        slot.due_at = now + slot.wait_seconds()
        if slot.is_given_up and not was_given_up:
            self.on_give_up(slot.role, self._watch.last_words(slot.name))

    def _lives(self, slot: Slot) -> None:
        was_given_up = slot.is_given_up
        slot.quick_ends = 0
        if was_given_up:
            self.on_return(slot.role)

    def running(self) -> tuple[Running, ...]:
        """Return the processes that live now."""
        return tuple(
            Running(slot.role, slot.child.pid, str(slot.process_id)) for slot in self.slots if slot.child and slot.child.poll() is None
        )

    def stop(self, seconds: float, is_hurried: Callable[[], bool]) -> list[UUID]:
        """End all, bots before workers, with so many seconds to finish; return the ids of those that had to be killed."""
        deadline = time.monotonic() + seconds
        killed: list[UUID] = []
        slots, self.slots = self.slots, []  # nobody starts them again while they end
        for roles in (STOP_ORDER[:-1], STOP_ORDER[-1:]):
            killed += self._stop([slot for slot in slots if slot.role in roles and slot.child], deadline, is_hurried)
        return killed

    def _stop(self, slots: Sequence[Slot], deadline: float, is_hurried: Callable[[], bool]) -> list[UUID]:
        for slot in slots:
            if slot.child and slot.is_running:
                slot.child.terminate()

        def is_over() -> bool:
            return is_hurried() or not any(slot.is_running for slot in slots)

        children.wait_until(is_over, deadline - time.monotonic(), self._watch.pause)
        children.wait_until(lambda: not any(slot.is_running for slot in slots), 1.0, self._watch.pause)
        killed = [slot.process_id for slot in slots if slot.is_running]
        for slot in slots:
            assert slot.child is not None
            _end_group(slot.child.pid)
            slot.child.wait()
            os.close(slot.ear)
        return killed


def _end_group(pid: int) -> None:
    """End what a process started and left behind (each child leads a group of its own)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
