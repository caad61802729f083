"""Plain child processes: started so that they cannot outlive us, recognised by their command line, ended in steps."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

CELL = b"c"  # what a worker says when answers wait that must be answered alone (workers/nursery.py)

Output = int | IO[bytes]


def start(
    command: Sequence[str], *, output: Output, when_we_die: signal.Signals, env: Mapping[str, str] | None = None, cwd: Path | None = None,
    keep: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":  # fmt: skip
    """Start a process in a session of its own: Ctrl-C reaches only us, and on Linux the kernel tells it when we die.

    It gets the descriptors in `keep` as well.

    Call it from the main thread: Linux sends the signal when the *thread* that started the child ends.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
        pass_fds=keep,
        preexec_fn=_signal_from_kernel(when_we_die),  # noqa: PLW1509  # two system calls, and nothing that could need a lock
    )


def _signal_from_kernel(name: signal.Signals) -> Callable[[], None] | None:
    libc, us, number = _LIBC, os.getpid(), int(name)
    if libc is None:
        return None

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != us:  # we died before the call
            os.kill(os.getpid(), number)

    return ask


def say_alive(word: bytes = b".") -> None:
    """Tell whoever started us, if it listens, that we go on, or a word more."""
    if descriptor := os.environ.get("NOD_ALIVE_FD"):
        with contextlib.suppress(OSError):  # it listens no more
            os.write(int(descriptor), word)


def tell_me_when_my_parent_dies(name: signal.Signals) -> None:
    """Ask the kernel (Linux) to send us a signal when whoever started us ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(name))


def command_line(pid: int) -> list[str]:
    """Return the command line of a process, empty when there is no such process (or it is a zombie)."""
    if sys.platform == "linux":
        try:
            return [part for part in Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0") if part]
        except OSError:
            return []
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607  # where ps lies differs
    return shown.stdout.split()


def end(pid: int, *steps: tuple[signal.Signals, float], child: "subprocess.Popen[bytes] | None" = None) -> bool:
    """Send each signal and wait its seconds for the process to go; return whether it went."""
    for name, seconds in steps:
        if child and child.poll() is not None:
            return True
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, name)
        if wait_until(lambda: _is_gone(pid, child), seconds):
            return True
    return False


def _is_gone(pid: int, child: "subprocess.Popen[bytes] | None") -> bool:
    return child.poll() is not None if child else not command_line(pid)


def wait_until(is_so: Callable[[], bool], seconds: float, pause: Callable[[float], None] = time.sleep) -> bool:
    """Wait until something is so, at most that long; return whether it came. `pause` is what happens between two looks."""
    deadline = time.monotonic() + seconds
    wait = 0.002
    while not is_so():
        if time.monotonic() > deadline:
            return False
        pause(wait)
        wait = min(wait * 1.5, 0.05)
    return True
