"""A PostgreSQL for one measurement."""

import contextlib
import tempfile
from collections.abc import Generator
from pathlib import Path

from nod.servers import Postgres


@contextlib.contextmanager
def own_postgres() -> Generator[str]:
    """Give the address of an empty PostgreSQL in a folder of its own; leave nothing of it behind."""
    with tempfile.TemporaryDirectory(prefix="nod-bench-") as name:
        postgres = Postgres(Path(name) / "postgres", Path(name))
        with (Path(name) / "log").open("wb") as log:
            postgres.make(log)
            postgres.start(log)
        try:
            yield postgres.url_of("postgres")
        finally:
            postgres.stop()
