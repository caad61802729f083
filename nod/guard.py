"""The lifeline: a small process that ends everything when `nod up` is gone without having done it, on every system.

It holds the read end of a pipe. The kernel closes the other end when `nod up` ends, however it ends. On Linux the children are
also told by the kernel; the guard then only sees to it that those which do not listen go as well.
"""

import os
import subprocess
import sys
from pathlib import Path

from nod.folder import DataFolder, end_processes
from nod.servers import Postgres, RedisServer, socket_folder

PATIENCE_SECONDS = 5.0


def start_guard(data_dir: Path) -> "tuple[subprocess.Popen[bytes], int]":
    """Start the guard of this process; it acts when the returned descriptor is closed.

    What waits is a shell, which takes a megabyte; it becomes Python when there is something to do.
    """
    listening, held = os.pipe()
    wait = "trap '' INT TERM HUP; read _; exec \"$@\""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", wait, "nod-guard", sys.executable, "-m", "nod.guard", str(data_dir.resolve())],
        stdin=listening, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    os.close(listening)
    return guard, held


def main() -> None:
    """End what is left of a run that did not end by itself, in order."""
    data_dir = Path(sys.argv[1])
    if not (left := DataFolder(data_dir).left()):
        return
    end_processes(left.processes, PATIENCE_SECONDS)
    sockets = socket_folder(data_dir)
    RedisServer(data_dir / "redis", sockets).end_stale(only=left.servers)
    Postgres(data_dir / "postgres", sockets).end_stale(only=left.servers)


if __name__ == "__main__":
    main()
