"""Fixtures for every test: real PostgreSQL and Redis, one of each per run, one database per test process."""

import contextlib
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from nod.connect import engine_from, redis_from
from nod.record import Record
from nod.settings import Settings
from tests.fakes.model import FakeModel
from tests.servers import Embedded, Run, servers_of

SECRET = "0" * 63 + "1"

hypothesis.settings.register_profile("nod", deadline=None)  # times say nothing on a machine that is shared
hypothesis.settings.load_profile("nod")
_RUN = pytest.StashKey[Run]()

# Nothing of the machine's own settings reaches a test: no key is used, no bot signs in.
for _name in [str(field.validation_alias) for field in Settings.model_fields.values()]:
    os.environ.pop(_name, None)
os.environ["NOD_LANGUAGE"] = "en"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_RUN] = Run.begin()


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_configure_node(node: Any) -> None:
    node.workerinput["nod_folder"] = str(node.config.stash[_RUN].folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests: what is left at the end is shared out in small pieces."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    if run := config.stash.get(_RUN, None):
        run.end()


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Path:
    """The folder which all processes of this run share."""
    given = getattr(request.config, "workerinput", None)
    return Path(given["nod_folder"]) if given else request.config.stash[_RUN].folder


@pytest.fixture(scope="session")
def embedded(run_folder: Path) -> Embedded:
    """The servers of this run, with a database of this process's own. Not emptied between tests: use `database_url`."""
    return servers_of(run_folder)


@pytest.fixture(scope="session")
def _tables(embedded: Embedded) -> Iterator[psycopg.Connection]:
    with psycopg.connect(embedded.database_url, autocommit=True) as db:
        db.execute("SET lock_timeout = '10s'")  # a transaction that a test left open is an error, not a hang
        yield db


_EMPTY = """
DO $$ DECLARE name text; is_used bool; used text[] := '{}'; BEGIN
  FOR name IN SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' AND NOT (tablename = ANY ('{alembic_version,KEPT}')) LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', name) INTO is_used;
    IF is_used THEN used := used || name; END IF;
  END LOOP;
  IF used <> '{}' THEN EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', array_to_string(used, ', ')); END IF;
  INSERT INTO search_stats (id) VALUES (1);
END $$"""


ENTERED = ("processes", "prompt_versions")  # what a process enters in the record at its start


def empty_tables(tables: psycopg.Connection, *kept: str) -> None:
    """Take all rows out of the database, but those of the tables that are named."""
    empty = _EMPTY.replace(",KEPT", "".join(f",{name}" for name in kept))
    while True:
        with contextlib.suppress(psycopg.errors.DeadlockDetected):  # a process that tests share is just looking
            tables.execute(empty)
            return


@pytest.fixture
def kept_tables() -> tuple[str, ...]:
    """Which tables keep their rows between tests: none. Tests that share a process keep what it entered at its start."""
    return ()


@pytest.fixture
def database_url(embedded: Embedded, _tables: psycopg.Connection, kept_tables: tuple[str, ...]) -> str:
    """A migrated database without rows."""
    empty_tables(_tables, *kept_tables)
    return embedded.database_url


@pytest.fixture
async def redis(embedded: Embedded) -> AsyncIterator[Redis]:
    """A client of an empty Redis database."""
    client = redis_from(embedded.redis_url)
    await client.flushdb()
    yield client
    await client.aclose()
    await client.connection_pool.disconnect()


@pytest.fixture
def redis_url(embedded: Embedded) -> str:
    """The address of an empty Redis database."""
    with SyncRedis.from_url(embedded.redis_url, protocol=2) as client:
        client.flushdb()
    return embedded.redis_url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the empty database."""
    engine = engine_from(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def record(engine: AsyncEngine) -> Record:
    """The record, with the same secret as `settings`."""
    return Record(engine, SECRET)


@pytest.fixture
def data_dir(tmp_path: Path, database_url: str, redis_url: str) -> Path:
    """The data folder of a nod that runs on these servers."""
    return make_data_dir(tmp_path, Embedded(database_url, redis_url))


@pytest.fixture
def settings(data_dir: Path, database_url: str, redis_url: str) -> Settings:
    """Settings that name the servers, a data folder and the secret; change one with `settings.model_copy(update={...})`."""
    return Settings.model_validate(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "NOD_DATA_DIR": str(data_dir),
            "NOD_SECRET_KEY": SECRET,
            "NOD_LANGUAGE": "en",
        }
    )


@pytest.fixture
def process_env(settings: Settings, database_url: str, redis_url: str) -> dict[str, str]:
    """The environment for a real process of nod on these servers. Run it with `cwd=tmp_path`, so that no `.env` is read."""
    return environment_of(Embedded(database_url, redis_url), settings.data_dir)


def environment_of(embedded: Embedded, data_dir: Path) -> dict[str, str]:
    """The environment for real processes of nod on these servers, and nothing of the machine's own settings."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return keep | {
        "DATABASE_URL": embedded.database_url,
        "REDIS_URL": embedded.redis_url,
        "NOD_DATA_DIR": str(data_dir),
        "NOD_SECRET_KEY": SECRET,
        "NOD_LANGUAGE": "en",
        "PYTHONUNBUFFERED": "1",
    }


def make_data_dir(folder: Path, embedded: Embedded) -> Path:
    """A data folder like that of a running `nod up`: commands find the servers by it, and the secret lies in it."""
    data_dir = folder / ".nod"
    (data_dir / "run").mkdir(parents=True)
    (data_dir / "secret").write_text(SECRET)
    (data_dir / "run" / "services.json").write_text(json.dumps({"database_url": embedded.database_url, "redis_url": embedded.redis_url}))
    return data_dir


@pytest.fixture(scope="session")
def model_process() -> Iterator[FakeModel]:
    model = FakeModel()
    yield model
    model.stop()


@pytest.fixture
def agent(model_process: FakeModel) -> Iterator[FakeModel]:
    """The model, which a test tells what to say; it is an error when it says less or is asked for more."""
    model_process.reset()
    yield model_process
    model_process.check()
