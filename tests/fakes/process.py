"""Starts the fakes as processes of their own, and ends them however the test run ends.

A fake is `python -m <module>`: it prints one JSON line when it is ready and leaves when its stdin closes. The pipe is the
leash: a test run that is killed closes it without being asked, so no fake outlives its tests.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Process:
    """A running fake: what it said when it was ready, its pid, and the way to end it."""

    child: subprocess.Popen[bytes]
    info: dict[str, Any]

    @property
    def pid(self) -> int:
        """The process id, for reading its CPU and memory."""
        return self.child.pid

    def stop(self, patience_seconds: float = 3.0) -> None:
        """End it: first by letting go of the leash, then by asking, then by force. Safe to call twice."""
        _end(self.child, patience_seconds)


def start(module: str, *args: str, env: dict[str, str] | None = None, ready_within_seconds: float = 30.0) -> Process:
    """A process running `python -m module args`, ready: its first line of JSON stands in `.info`."""
    child = subprocess.Popen(
        [sys.executable, "-m", module, *args],
        cwd=ROOT,
        env={**os.environ, **(env or {}), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C goes to the test run, which then lets go
    )
    try:
        return Process(child, json.loads(_first_line(child, ready_within_seconds)))
    except BaseException:
        _end(child, 0.2)
        raise


def announce(info: dict[str, Any]) -> None:
    """Tell whoever started this fake that it is ready, and where. From now on a cut connection is no error: it is cut on order."""
    logging.getLogger("aiohttp.server").addFilter(lambda told: not (told.exc_info and isinstance(told.exc_info[1], ConnectionError)))
    sys.stdout.write(json.dumps(info) + "\n")
    sys.stdout.flush()


async def let_go() -> None:
    """Return when stdin closes: the tests are over, or whoever ran them is dead."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        while os.read(0, 4096):  # unbuffered: a buffered read would hold a lock when the interpreter ends
            pass
        loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=wait, daemon=True).start()
    await gone.wait()


def _first_line(child: subprocess.Popen[bytes], within_seconds: float) -> bytes:
    assert child.stdout is not None
    line, deadline = b"", time.monotonic() + within_seconds
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"{child.args} said nothing for {within_seconds} s")
            byte = os.read(child.stdout.fileno(), 1)
            if not byte:
                raise RuntimeError(f"{child.args} ended before it was ready, with code {child.wait()}; its errors stand above")
            line += byte
    return line


def _end(child: subprocess.Popen[bytes], patience_seconds: float) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    for push in (child.terminate, child.kill, child.kill):
        try:
            child.wait(patience_seconds)
            break
        except subprocess.TimeoutExpired:
            push()
    child.stdout.close()
