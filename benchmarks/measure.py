"""CPU and memory of whole process trees, read from /proc.

CPU is what every process of the tree has used, children included that have ended and were waited for. Memory is PSS: shared
pages are divided among their users, so that the sum is true (forty PostgreSQL connections are 702 MiB by RSS, 97 by PSS).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Usage:
    """One process: what it is, what it and its reaped children have used; `pss_bytes` is None when it may not be read."""

    pid: int
    role: str
    cpu_seconds: float
    pss_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All processes of the trees at one moment."""

    at: float
    processes: dict[int, Usage] = field(default_factory=dict[int, Usage])

    @property
    def cpu_seconds(self) -> float:
        """CPU used so far by everything still here and everything that was reaped."""
        return sum(usage.cpu_seconds for usage in self.processes.values())

    @property
    def pss_by_role(self) -> dict[str, int]:
        """Bytes by role, largest first; several processes of one role are `role ×n`."""
        count = Counter(usage.role for usage in self.processes.values())
        total: dict[str, int] = defaultdict(int)
        for usage in self.processes.values():
            name = usage.role if count[usage.role] == 1 else f"{usage.role} ×{count[usage.role]}"
            total[name] += usage.pss_bytes or 0
        return dict(sorted(total.items(), key=lambda row: -row[1]))

    @property
    def pss_bytes(self) -> int:
        """Memory of the whole tree."""
        return sum(self.pss_by_role.values())


@dataclass(frozen=True, slots=True)
class Difference:
    """What was used between two snapshots."""

    seconds: float
    cpu_seconds: float
    cpu_by_role: dict[str, float]


def snapshot(roots: Iterable[int], excluded: Iterable[int] = (), *, memory: bool = True) -> Snapshot:
    """Look at the trees under `roots` now, without the trees under `excluded`."""
    usages = (_usage(pid, memory=memory) for pid in tree(roots, frozenset(excluded)))
    return Snapshot(time.monotonic(), {usage.pid: usage for usage in usages if usage})


def difference(before: Snapshot, after: Snapshot) -> Difference:
    """Tell the CPU used in between, altogether and by role.

    A role's share holds only what it used itself while it lived; children that ended are in the share of who waited for them.
    """
    by_role: dict[str, float] = defaultdict(float)
    for usages, sign in ((after.processes, 1), (before.processes, -1)):
        for usage in usages.values():
            by_role[usage.role] += sign * usage.cpu_seconds
    return Difference(after.at - before.at, after.cpu_seconds - before.cpu_seconds, dict(sorted(by_role.items(), key=lambda row: -row[1])))


def role_from(command: list[str]) -> str:
    """Return the name by which people know a process, from its command line."""
    if not command or not command[0]:
        return "?"
    if len(command) == 1 or " " in command[0]:  # a title the process gave itself: "postgres: walwriter", "redis-server *:0"
        return Path(command[0].split(":")[0].split()[0]).name
    program, rest = Path(command[0]).name, command[1:]
    if program.startswith("python"):
        if "-m" in rest[:-1]:
            return _words(rest[rest.index("-m") + 1].rpartition(".")[2], rest[rest.index("-m") + 2 :])
        script = next((number for number, word in enumerate(rest) if not word.startswith("-")), None)
        return program if script is None or "-c" in rest else _words(Path(rest[script]).stem, rest[script + 1 :])
    return _words(program, rest) if program == "nod" else program


def _words(program: str, rest: list[str]) -> str:
    """`nod worker`: a program with its first word, when that is a word and not an option or a path."""
    return f"{program} {rest[0]}" if rest and rest[0].isalpha() else program


def tree(roots: Iterable[int], excluded: frozenset[int] = frozenset()) -> list[int]:
    """Return these processes and all that they started."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children[int(fields[1])].append(int(entry.name))
    found: list[int] = []
    waiting = [pid for pid in roots if pid not in excluded]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.append(pid)
            waiting += [child for child in children[pid] if child not in excluded]
    return found


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat after the name (which may hold anything): state, parent and on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _usage(pid: int, *, memory: bool) -> Usage | None:
    if not (fields := _stat(pid)):
        return None
    ticks = sum(int(fields[number]) for number in (11, 12, 13, 14))  # utime, stime and both of reaped children
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Usage(pid, role_from(command), ticks / TICKS_PER_SECOND, _pss(pid) if memory else None)


def _pss(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


def main() -> None:
    """Print what the trees under some pids use."""
    parser = argparse.ArgumentParser(description="CPU and memory of the process trees under PID…")
    parser.add_argument("pid", type=int, nargs="+")
    parser.add_argument("--exclude", type=int, nargs="*", default=[], metavar="PID", help="leave out the trees under these")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to watch (default 5)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    before = snapshot(given.pid, given.exclude)
    time.sleep(given.seconds)
    after = snapshot(given.pid, given.exclude)
    used = difference(before, after)
    if given.json:
        print(json.dumps({"seconds": used.seconds, "cpu_seconds": used.cpu_seconds, "cpu": used.cpu_by_role, "pss": after.pss_by_role}))
        return
    print(f"CPU {used.cpu_seconds:.2f} s in {used.seconds:.1f} s · {after.pss_bytes / MIB:.0f} MiB PSS in {len(after.processes)} processes")
    for role, size in after.pss_by_role.items():
        print(f"  {size / MIB:7.1f} MiB  {used.cpu_by_role.get(role.split(' ×')[0], 0):6.2f} s  {role}")


if __name__ == "__main__":
    main()
