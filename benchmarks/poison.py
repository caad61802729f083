"""Questions that crash whoever answers them, at each attempt, until they are cured.

Nothing in nod helps with it: the worker that asks the model such a question is found by its connection, and gets what such a crash
is to a process: a signal. One way is an exception: the database refuses that answer.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg

from benchmarks.home import BACK_SECONDS, Home
from benchmarks.measure import tree
from benchmarks.promises import TAG, Fault
from benchmarks.stacks import wait_for
from nod.folder import DataFolder
from tests.fakes.model import FOREVER, FakeModel

# What each crash is to a process. A hang is one of the whole process, as of a regular expression that holds the interpreter's lock.
SIGNALS = {"segfault": signal.SIGSEGV, "out of memory": signal.SIGKILL, "hang": signal.SIGSTOP, "abort": signal.SIGABRT}
WAYS = ("segfault", "out of memory", "hang", "exception", "abort")
LOOK_SECONDS = 0.1
MOST = len(WAYS)  # of one run

_REFUSE = """
    CREATE OR REPLACE FUNCTION chaos_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.status = 'answered' AND EXISTS (SELECT FROM questions q WHERE q.question_id = NEW.question_id AND q.text LIKE '%({tag})%')
        THEN RAISE EXCEPTION 'this answer is poison'; END IF;
        RETURN NEW; END $$;
    CREATE OR REPLACE TRIGGER chaos_refuses BEFORE UPDATE ON answers FOR EACH ROW EXECUTE FUNCTION chaos_refuses()"""


@dataclass(slots=True)
class Poison:
    """The poison of a run: which questions it is in, and every worker that it struck."""

    home: Home
    model: FakeModel
    ways: dict[str, str] = field(default_factory=dict[str, str])  # by tag
    crashes: list[Fault] = field(default_factory=list[Fault])
    _next: Any = field(default_factory=lambda: cycle(WAYS))
    _cured: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def put_into(self, tag: str) -> None:
        """Make a question poison, the next way: from now on whoever answers it crashes."""
        self.ways[tag] = way = next(self._next)
        if way == "exception":
            self._sql(_REFUSE.replace("{tag}", tag))
        else:
            self._stall(tag)
        if not self._thread:
            self._thread = Thread(target=self._strike, daemon=True)
            self._thread.start()

    def _stall(self, tag: str) -> None:
        """Let whoever asks the model wait until it is struck."""
        self.model.will_fail("stall", times=FOREVER, when=f"({tag})")

    def renew(self) -> None:
        """Put it in again, when the model has forgotten its faults."""
        for tag, way in self.ways.items():
            if way != "exception":
                self._stall(tag)

    def cure(self) -> None:
        """Make all of them harmless."""
        self.end()
        if "exception" in self.ways.values():
            self._sql("DROP TRIGGER chaos_refuses ON answers")

    def end(self) -> None:
        """Strike nobody any more. Safe to call twice."""
        self._cured.set()
        if self._thread:
            self._thread.join()

    def _strike(self) -> None:
        """Crash each worker as soon as it has asked the model such a question."""
        seen = 0
        while not self._cured.wait(LOOK_SECONDS):
            calls = self.model.calls_from(seen)
            seen += len(calls)
            for call in calls:
                asked = [str(message.get("content")) for message in call.messages if message["role"] == "user"]
                tags = re.findall(TAG, asked[-1]) if call.streamed and asked else []
                number = SIGNALS.get(self.ways.get(tags[-1], "")) if tags else None
                pid = owner_of(call.peer, tree(self.home.pids("worker"))) if number else None
                if number and pid:
                    self.crashes.append(Fault("crash", time.monotonic(), tags[-1]))
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)

    def _sql(self, words: str) -> None:
        """Tell the database something, as soon as it is there."""

        def is_told() -> bool:
            services = DataFolder(self.home.data).left()
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(services.database_url if services else "host=/away") as db:
                db.execute(words.encode())
                return True
            return False

        if not wait_for(is_told, BACK_SECONDS):
            raise RuntimeError("PostgreSQL did not come back.")


def owner_of(port: int, pids: Sequence[int]) -> int | None:
    """Return which of these processes has a connection from a local port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[9] != "0"}
    return next((pid for pid in pids if inodes & _sockets_of(pid)), None)


def _sockets_of(pid: int) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(descriptor.readlink()))
    return found
