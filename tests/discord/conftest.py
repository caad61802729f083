"""Fixtures for Discord: a fake Discord, a real bot process, a real worker process with a scripted model.

`nod` runs for a whole file: its tests share a bot, a worker and a database, and each talks in a channel of its own. Tests which
stop or kill processes take `roles`, and have all to themselves.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from tests.conftest import empty_tables, environment_of, make_data_dir
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import Roles, until
from tests.servers import Embedded
from tests.sharing import kept_tables, shared_worker, worker  # noqa: F401  # fixtures


def buttons(message: dict[str, Any]) -> list[str]:
    """The ids of a message's buttons."""
    return [item["custom_id"] for row in message["components"] for item in row["components"]]


def is_done(message: dict[str, Any]) -> bool:
    """Whether an answer has its last buttons, which come with its last words; a growing one can only be stopped."""
    return any(not each.startswith("nod:stop") for each in buttons(message))


@pytest.fixture(scope="session")
def discord_process() -> Iterator[FakeDiscord]:
    with FakeDiscord() as fake:
        yield fake


@pytest.fixture
def discord(discord_process: FakeDiscord) -> FakeDiscord:
    """A guild with nod in #general, where nothing has been said yet."""
    discord_process.reset()
    return discord_process


@pytest.fixture
def running_guild(discord_process: FakeDiscord) -> FakeDiscord:
    """The guild in which `nod` runs: what other tests said stays."""
    discord_process.clear_faults()
    discord_process.intents(message_content=False)
    return discord_process


def _env(discord: FakeDiscord) -> dict[str, str]:
    return {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.url}


@pytest.fixture
def roles(process_env: dict[str, str], tmp_path: Path, discord: FakeDiscord, model_process: FakeModel) -> Iterator[Roles]:
    """The processes of this test: `roles.start("discord")`, `roles.start("worker")`."""
    roles = Roles({**process_env, **_env(discord), **model_process.env}, tmp_path)
    yield roles
    roles.stop()
    discord.wait(lambda: not discord.connections(), 10, discord.gateway_log)


@pytest.fixture(scope="module")
def model_env(model_process: FakeModel) -> dict[str, str]:
    """Which model `nod` uses; a file whose answers are quotes has none."""
    return model_process.env


@pytest.fixture(scope="module")
def nod(
    embedded: Embedded, _tables: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory,
    discord_process: FakeDiscord, model_env: dict[str, str],
) -> Iterator[Roles]:  # fmt: skip
    """A bot and a worker, running for all tests of a file."""
    empty_tables(_tables)
    discord_process.reset()
    folder = tmp_path_factory.mktemp("nod")
    with Redis.from_url(embedded.redis_url, protocol=2) as redis:
        redis.flushdb()
    env = environment_of(embedded, make_data_dir(folder, embedded))
    roles = Roles({**env, **_env(discord_process), **model_env}, folder)
    roles.start("discord")
    roles.start("worker")
    discord_process.wait(discord_process.commands, 30, roles.logs)
    until(lambda: _tables.execute("SELECT 1 FROM processes WHERE role = 'worker'").fetchone(), 30, "the worker", roles.logs)
    yield roles
    roles.stop()
    discord_process.wait(lambda: not discord_process.connections(), 10, discord_process.gateway_log)
