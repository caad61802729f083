"""Where nod's CPU time goes, by part: what `sampling/sitecustomize.py` counts in the Slack bot and in the worker."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Snapshot

SAMPLING = Path(__file__).parent / "sampling"
SAMPLED = {"nod slack": "slack", "nod worker": "worker"}
WITHIN_SECONDS = 10.0


def environment(folder: Path) -> dict[str, str]:
    """Return what makes the processes of a nod count."""
    return {"NOD_BENCH_SAMPLES": str(folder), "PYTHONPATH": os.pathsep.join([str(SAMPLING), *filter(None, [os.environ.get("PYTHONPATH")])])}


def counts(folder: Path, now: Snapshot) -> dict[str, Counter[str]]:
    """Return what each sampled role has counted so far, by part. Raises TimeoutError when one does not tell."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for usage in now.processes.values():
        if name := SAMPLED.get(usage.role):
            found[usage.role] += _told(folder / f"{name}-{usage.pid}.json", usage.pid)
    return found


def _told(path: Path, pid: int) -> Counter[str]:
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + WITHIN_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} did not tell what it had counted")
        time.sleep(0.05)
    return Counter(json.loads(path.read_text()))


def seconds_by_part(
    before: Mapping[str, Counter[str]], after: Mapping[str, Counter[str]], cpu_by_role: Mapping[str, float]
) -> dict[str, float]:
    """Share out each sampled role's CPU seconds by what it counted; the other roles are parts of their own."""
    parts: dict[str, float] = defaultdict(float)
    for role, seconds in cpu_by_role.items():
        counted = after.get(role, Counter[str]()) - before.get(role, Counter[str]())
        if not (all_of_it := sum(counted.values())):
            parts[role] += seconds
        for part, count in counted.items():
            parts[f"{role}: {part}"] += seconds * count / all_of_it
    return dict(sorted(parts.items(), key=lambda part: -part[1]))
