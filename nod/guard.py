"""The lifeline: a small process that ends everything when `nod up` is gone without having done it, on every system.

It holds the read end of a pipe. The kernel closes the other end when `nod up` ends, however it ends. On Linux the children are
also told by the kernel; the guard then only sees to it that those which do not listen go as well.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from nod.folder import DataFolder, end_processes
from nod.servers import Postgres, RedisServer, socket_folder

PATIENCE_SECONDS = 5.0


def start_guard(data_dir: Path) -> "tuple[subprocess.Popen[bytes], int]":
    """Start the guard of this process; it acts when the returned descriptor is closed."""
    listening, held = os.pipe()
    guard = subprocess.Popen(
        [sys.executable, "-m", "nod.guard", str(listening), str(data_dir.resolve())],
        pass_fds=(listening,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    os.close(listening)
    return guard, held


def main() -> None:
    """Wait for the end of the pipe; end what is left of that run, in order."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # it goes when the pipe closes, not before
    pipe, data_dir = int(sys.argv[1]), Path(sys.argv[2])
    while os.read(pipe, 1):
        pass
    if not (left := DataFolder(data_dir).left()):
        return
    end_processes(left.processes, PATIENCE_SECONDS)
    sockets = socket_folder(data_dir)
    RedisServer(data_dir / "redis", sockets).end_stale(only=left.servers)
    Postgres(data_dir / "postgres", sockets).end_stale(only=left.servers)


if __name__ == "__main__":
    main()
