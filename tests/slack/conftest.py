"""Fixtures for Slack: a fake Slack, a real bot process, a real worker process with a scripted model."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles

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


@pytest.fixture
def roles(process_env: dict[str, str], tmp_path: Path, slack: FakeSlack, model_process: FakeModel) -> Iterator[Roles]:
    """The processes of this test: `roles.start("slack")`, `roles.start("worker")`."""
    env = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.url, **model_process.env}
    roles = Roles({**process_env, **env}, tmp_path)
    yield roles
    roles.stop()
    print(roles.logs())  # seen when the test failed
    slack.wait(lambda: slack.connections() == 0, 5, "the bot to be gone")


@pytest.fixture
def nod(roles: Roles, slack: FakeSlack) -> Roles:
    """A bot and a worker, running."""
    roles.start("slack")
    roles.start("worker")
    slack.wait_connected()
    return roles
