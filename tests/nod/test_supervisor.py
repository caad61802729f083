"""How long a process that ended is left alone: one that cannot live for long, one that was killed never. And what becomes of a hung one."""

import json
import signal
import subprocess
import sys

from nod.supervisor import GIVEN_UP_SECONDS, MOST_QUICK_ENDS, QUICK_SECONDS, Slot


def waits(code: int, lived_seconds: float, times: int) -> list[float]:
    slot, found = Slot("worker", "worker"), []
    for _ in range(times):
        slot.ended(code, lived_seconds)
        found.append(slot.wait_seconds())
    return found


def test_a_process_that_ends_at_once_by_itself_is_left_alone_after_some_tries():
    assert waits(1, 1.0, MOST_QUICK_ENDS + 1) == [0.0, 2.0, GIVEN_UP_SECONDS, GIVEN_UP_SECONDS]


def test_a_worker_which_questions_kill_again_and_again_is_back_within_seconds():
    assert waits(-signal.SIGKILL, 1.0, 10) == [0.0, *[2.0] * 9]
    assert waits(-signal.SIGSEGV, 1.0, 10) == [0.0, *[2.0] * 9]


def test_a_process_that_lived_is_started_again_at_once():
    assert waits(1, QUICK_SECONDS, 5) == [0.0] * 5


# Both children say that they are alive; then `worker` stands still as a whole, `web` goes on.
CHILD = """
import os, signal, sys, time
from nod.children import say_alive
while True:
    say_alive()
    if sys.argv[1] == "worker":
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(0.02)
"""
SUPERVISOR = """
import json, os, sys, time
from pathlib import Path
from nod.logfile import LogFile
from nod.supervisor import Supervisor
from nod.watch import Watch

watch = Watch(LogFile(Path(sys.argv[1])))
supervisor = Supervisor(watch, [sys.executable, "-c", sys.argv[2]], dict(os.environ))
supervisor.hung_seconds = 3.0
for role in ("worker", "web"):
    supervisor.begin(role)
pids = {slot.role: {slot.child.pid} for slot in supervisor.slots}
end = time.monotonic() + 40
while len(pids["worker"]) < 2 and time.monotonic() < end:
    watch.settle(0.05)
    supervisor.turn()
    for slot in supervisor.slots:
        pids[slot.role] |= {slot.child.pid} if slot.child else set()
supervisor.stop(5, lambda: False)
print(json.dumps({role: len(found) for role, found in pids.items()}))
"""


def test_a_process_that_hangs_is_killed_and_started_again_and_its_neighbour_is_not(tmp_path):
    command = [sys.executable, "-c", SUPERVISOR, str(tmp_path / "nod.log"), CHILD]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {"worker": 2, "web": 1}
    assert "has said nothing" in (tmp_path / "nod.log").read_text()
