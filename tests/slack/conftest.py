"""Fixtures for Slack: a fake Slack, a real bot process, a real worker process with a scripted model."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from redis import Redis

from tests.conftest import ENTERED, empty_tables, environment_of, make_data_dir
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles, until
from tests.servers import Embedded
from tests.sharing import kept_tables, shared_worker, worker  # noqa: F401  # fixtures

T = TypeVar("T")

PATIENCE = 4  # real processes on a machine that may be busy with other tests: what is waited for comes, only later


class PatientSlack(FakeSlack):
    """A fake Slack whose tests wait longer than a quiet machine would need."""

    def wait(self, look: Callable[[], T | None], timeout: float = 5.0, what: str = "it") -> T:
        return super().wait(look, timeout * PATIENCE, what)


@pytest.fixture(scope="session")
def slack_process() -> Iterator[FakeSlack]:
    with PatientSlack() as slack:
        yield slack


@pytest.fixture
def slack(slack_process: FakeSlack) -> FakeSlack:
    """An empty workspace with nod in #C1."""
    slack_process.reset()
    slack_process.no_faults()
    slack_process.channel("C1", members=["U1", "U2"])
    return slack_process


def _env(slack: FakeSlack) -> dict[str, str]:
    return {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.url}


class Shared:
    """A bot and a worker for all tests of a file that stop neither: started when the first wants them."""

    def __init__(self, env: dict[str, str], folder: Path, slack: FakeSlack) -> None:
        self._env = env
        self._folder = folder
        self._slack = slack
        self._roles: Roles | None = None

    def started(self) -> Roles:
        if self._roles is None:
            with Redis.from_url(self._env["REDIS_URL"], protocol=2) as redis:
                redis.flushdb()
            self._roles = Roles(self._env, self._folder)
            self._roles.start("slack")
            self._roles.start("worker")
        self._slack.wait_connected()
        return self._roles

    def stop(self) -> None:
        if self._roles is not None:
            _stop(self._roles, self._slack)
            self._roles = None


def _stop(roles: Roles, slack: FakeSlack) -> None:
    roles.stop()
    print(roles.logs())  # seen when the test failed
    slack.wait(lambda: slack.connections() == 0, 5, "the bot to be gone")


@pytest.fixture(scope="module")
def model_env(model_process: FakeModel) -> dict[str, str]:
    """Which model `nod` uses; a file whose answers are quotes has none."""
    return model_process.env


@pytest.fixture(scope="module")
def shared(
    embedded: Embedded, tmp_path_factory: pytest.TempPathFactory, slack_process: FakeSlack, model_env: dict[str, str]
) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("nod")
    shared = Shared(
        {**environment_of(embedded, make_data_dir(folder, embedded)), **_env(slack_process), **model_env}, folder, slack_process
    )
    yield shared
    shared.stop()


@pytest.fixture
def nod(shared: Shared, slack: FakeSlack, _tables: psycopg.Connection) -> Iterator[Roles]:
    """A bot and a worker, running, with nothing asked and nothing learnt yet. Do not stop them: that is for `roles`."""
    empty_tables(_tables, *ENTERED)
    yield shared.started()
    try:
        until(lambda: not _tables.execute("SELECT 1 FROM answers WHERE shown_at IS NULL").fetchone(), 1, "nothing to be open")
    except AssertionError:
        shared.stop()


@pytest.fixture
def roles(shared: Shared, process_env: dict[str, str], tmp_path: Path, slack: FakeSlack, model_process: FakeModel) -> Iterator[Roles]:
    """The processes of this test: `roles.start("slack")`, `roles.start("worker")`."""
    shared.stop()
    roles = Roles({**process_env, **_env(slack), **model_process.env}, tmp_path)
    yield roles
    _stop(roles, slack)
