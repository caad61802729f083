"""Fixtures for tests of the workers: a scripted model, documents, and a desk at which people ask."""

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from nod.record import Record
from nod.settings import Settings
from tests.fakes.model import FakeModel
from tests.workers.desk import Desk


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
