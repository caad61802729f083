"""Fixtures of the tests that run `nod up` itself."""

from pathlib import Path

import pytest

from tests.local.running import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A folder to run nod from, without any setting."""
    return Home(tmp_path)
