"""One PostgreSQL and one Redis per test run, whatever number of processes it has; none is left when the run ends, however it ends.

The run holds a lock on its folder. The first test that needs a server starts the host (`python -m tests.servers FOLDER`), which
starts them and then waits for that lock: it gets it when the run is over or dead, and stops everything. Nobody has to ask it.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from nod.migrate import bring_up_to_date
from nod.servers import Postgres, RedisServer, socket_folder

ROOT = Path(__file__).parents[1]
TEMPLATE = "nod_template"
REDIS_DATABASES = 256
_started: list["subprocess.Popen[bytes]"] = []  # a child that nobody refers to is warned about


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; wait for it first."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True)
class Run:
    """A test run: its folder, and the lock that says it is alive."""

    folder: Path
    lock: int

    @classmethod
    def begin(cls) -> "Run":
        folder = Path(tempfile.mkdtemp(prefix="nod-tests-"))
        lock = os.open(folder / "alive", os.O_RDWR | os.O_CREAT)  # not inherited by children
        fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(folder, lock)

    def end(self) -> None:
        """Let go, and wait until the host has stopped everything."""
        os.close(self.lock)
        if (self.folder / "host").exists():
            with contextlib.suppress(FileNotFoundError), locked(self.folder / "host"):
                pass
        for host in _started:
            host.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The servers of a run, as one test process sees them: a database and a Redis number of its own."""

    database_url: str
    redis_url: str


def servers_of(folder: Path) -> Embedded:
    """Return this process's own database and Redis number, starting the servers if nobody has yet."""
    with locked(folder / "starting"):
        where = folder / "servers.json"
        if not where.exists():
            _start_host(folder, where)
        addresses = json.loads(where.read_text())
        addresses["number"] += 1
        where.write_text(json.dumps(addresses))
        number = addresses["number"]
        name = f"test_{number}"
        postgres = Postgres(folder / "postgres", Path(addresses["sockets"]))
        make_database(postgres, name)
    if number >= REDIS_DATABASES:
        raise RuntimeError("more test processes than Redis databases")
    return Embedded(postgres.url_of(name), f"unix://{addresses['sockets']}/redis.sock?db={number}")


def make_database(postgres: Postgres, name: str) -> None:
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")


def _start_host(folder: Path, where: Path) -> None:
    log = folder / "host.log"
    with log.open("wb") as output:
        host = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", str(folder)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    _started.append(host)
    while not where.exists():
        if host.poll() is not None:
            raise RuntimeError(f"the servers did not start:\n{log.read_text()}")
        time.sleep(0.02)


def _host(folder: Path) -> None:
    with locked(folder / "host"):
        sockets = socket_folder(folder)
        # A killed process loses nothing without fsync, only a machine that loses power does; tests kill processes.
        postgres = Postgres(folder / "postgres", sockets, {"fsync": "off", "max_connections": "300", "autovacuum": "off"})
        redis = RedisServer(folder / "redis", sockets, ("--databases", str(REDIS_DATABASES)))
        try:
            postgres.make(sys.stderr.buffer)
            postgres.start(sys.stderr.buffer)
            redis.start(sys.stderr.buffer)
            with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as db:
                db.execute(f"CREATE DATABASE {TEMPLATE}")
            bring_up_to_date(postgres.url_of(TEMPLATE))
            ready = folder / "servers.new"
            ready.write_text(json.dumps({"sockets": str(sockets), "number": 0}))
            ready.rename(folder / "servers.json")
            with locked(folder / "alive"):
                pass
        finally:
            redis.stop()
            postgres.stop()
            if not sockets.is_relative_to(folder):
                shutil.rmtree(sockets, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _host(Path(sys.argv[1]))
