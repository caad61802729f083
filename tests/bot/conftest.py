"""Fixtures for what all platforms share."""

from collections.abc import AsyncIterator

import pytest

from nod.process import Services, running
from nod.settings import Settings


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    """The services of a process of this role, on the servers of the tests."""
    async with running("slack", settings) as services:
        yield services
