"""Fixtures for tests of the workers: a scripted model, documents, and a desk at which people ask."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from nod.record import Record
from nod.settings import Settings
from tests.fakes.model import FakeModel
from tests.workers.desk import Desk


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


@pytest.fixture
def desk(record: Record, redis: Redis, settings: Settings) -> Desk:
    """People who ask; no language model is connected."""
    return Desk(record, redis, settings)


@pytest.fixture
def model_desk(desk: Desk, agent: FakeModel) -> Desk:
    """People who ask a nod with a language model."""
    key = SecretStr(agent.env["OPENAI_API_KEY"])
    desk.settings = desk.settings.model_copy(update={"openai_api_key": key, "openai_base_url": agent.url})
    return desk
