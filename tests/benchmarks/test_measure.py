"""What the benchmark measures with: real processes that use known amounts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.measure import MIB, difference, role_from, snapshot

BURN = "import time\ndef burn(s):\n    end = time.process_time() + s\n    while time.process_time() < end: pass\n"


@contextmanager
def child(code: str, at_the_end: str = "") -> Iterator[tuple[int, list[str]]]:
    """A python that runs the code, says its words and waits to be let go."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{BURN}{code}\nprint('ready', flush=True)\nimport sys; sys.stdin.read()\n{at_the_end}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        words = process.stdout.readline().split()
        yield process.pid, words
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def test_cpu_counts_the_process_and_its_living_and_its_reaped_children():
    burn = f"import subprocess, sys; code = {BURN!r} + 'import sys; burn(0.4)'; "
    reaped = burn + "burn(0.4); subprocess.run([sys.executable, '-c', code])"
    living = (
        burn
        + "kept = subprocess.Popen([sys.executable, '-c', code + '; print(1, flush=True); sys.stdin.read()'], stdin=-1, stdout=-1); kept.stdout.readline()"
    )
    before = snapshot([os.getpid()], memory=False)
    with child(reaped) as (pid, _):
        assert 0.75 < snapshot([pid]).cpu_seconds < 1.5
    with child(living + "; print(kept.pid, end=' ')", at_the_end="kept.stdin.close(); kept.stdout.close(); kept.wait()") as (pid, words):
        both = snapshot([pid])
        assert 0.4 <= both.cpu_seconds < 1.0
        assert sorted(both.processes) == sorted([pid, int(words[0])])
        alone = snapshot([pid], excluded=[int(words[0])])
        assert list(alone.processes) == [pid]
        assert alone.cpu_seconds < both.cpu_seconds - 0.35
    used = difference(before, snapshot([os.getpid()], memory=False))
    assert 1.15 < used.cpu_seconds < 3.0  # all of them have ended; who waited for them holds what they used


def test_a_difference_counts_only_what_came_between():
    with child("burn(0.5)") as (pid, _):
        before = snapshot([pid], memory=False)
        time.sleep(0.1)
        used = difference(before, snapshot([pid], memory=False))
        assert used.cpu_seconds < 0.1
        assert used.seconds >= 0.1


def test_memory_is_pss_so_that_shared_pages_count_once():
    shared = "import os; kept = bytearray(b'x') * (60 * 2**20); pid = os.fork()\nif not pid: os.read(0, 1); os._exit(0)\n"
    with child(shared) as (pid, _):
        both = snapshot([pid])
        assert len(both.processes) == 2
        assert 60 < both.pss_bytes / MIB < 100  # by RSS it would be more than 120
        assert list(both.pss_by_role) == [f"{role_from([sys.executable, '-c', 'x'])} ×2"]


def test_a_process_that_is_gone_is_left_out():
    with child("") as (pid, _):
        pass
    assert snapshot([pid]).processes == {}


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (["/work/.venv/bin/python", "/work/.venv/bin/nod", "worker"], "nod worker"),
        (["python3.11", "-m", "nod", "web"], "nod web"),
        (["/usr/bin/python3", "-u", "-m", "benchmarks.bare_bot"], "bare_bot"),
        (["python", "-c", "print(1)"], "python"),
        (["/usr/bin/nod", "up"], "nod up"),
        (["/x/bin/postgres", "-k", "/tmp/s", "-c", "listen_addresses="], "postgres"),
        (["postgres: walwriter "], "postgres"),
        (["/x/redis-server *:0"], "redis-server"),
        (["redis-server", "/x/redis.conf"], "redis-server"),
        ([""], "?"),
    ],
)
def test_a_role_is_the_name_people_know(command, role):
    assert role_from(command) == role
