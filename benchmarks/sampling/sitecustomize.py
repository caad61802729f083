"""Loaded by each Python process of a measured nod (`--parts` puts this folder on its path): where its CPU time goes, by part.

Every two milliseconds of CPU the stack is looked at, and the part of the innermost frame that belongs to one is counted.
"""

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.002
PARTS = (  # of what a path ends in or goes through; the first that fits
    ("/knowledge/", "search"), ("/nod/claims.py", "claim"), ("/nod/queue.py", "claim"), ("/nod/quotas.py", "claim"),
    ("/nod/wake.py", "queue"), ("/celery/", "queue"), ("/kombu/", "queue"), ("/nod/stream.py", "stream"), ("/workers/saying.py", "stream"),
    ("/bot/showing.py", "delivery"), ("/bot/messages.py", "delivery"), ("/bot/delivery.py", "delivery"), ("/bot/watching.py", "delivery"),
    ("/bot/signing.py", "delivery"), ("/bot/splitting.py", "delivery"), ("/bot/faces.py", "delivery"),
    ("/bot/slack/platform.py", "delivery"), ("/bot/slack/render.py", "delivery"), ("/bot/slack/pacing.py", "delivery"),
    ("/bot/slack/calls.py", "delivery"),
    ("/bot/", "intake"), ("/slack_bolt/", "intake"), ("/slack_sdk/socket_mode/", "intake"),
    ("/workers/", "agent"), ("/langchain", "agent"), ("/langgraph/", "agent"), ("/openai/", "agent"),
)  # fmt: skip
ROLES = ("slack", "worker")

_counts: Counter[str] = Counter()


def _look(_signal: int, frame: FrameType | None) -> None:
    while frame:
        path = frame.f_code.co_filename
        for ending, part in PARTS:
            if ending in path:
                _counts[part] += 1
                return
        frame = frame.f_back
    _counts["event loop, sockets"] += 1


def _begin(role: str, folder: str) -> None:
    import atexit

    signal.signal(signal.SIGPROF, _look)
    signal.siginterrupt(signal.SIGPROF, False)
    _start()
    os.register_at_fork(after_in_child=_start)  # a timer is not inherited
    signal.signal(signal.SIGUSR1, lambda _signal, _frame: _write(role, folder))
    atexit.register(signal.setitimer, signal.ITIMER_PROF, 0.0)


def _start() -> None:
    _counts.clear()
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)


def _write(role: str, folder: str) -> None:
    path = Path(folder) / f"{role}-{os.getpid()}.json"
    path.with_suffix(".new").write_text(json.dumps(_counts))
    path.with_suffix(".new").rename(path)


if (_folder := os.environ.get("NOD_BENCH_SAMPLES")) and sys.orig_argv[-1] in ROLES:
    _begin(sys.orig_argv[-1], _folder)
