"""One worker for all tests of a file that leave it alone; a conftest takes these fixtures over by importing them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ENTERED, environment_of, make_data_dir
from tests.fakes.model import FakeModel
from tests.roles import Role, Roles
from tests.servers import Embedded


class SharedWorker:
    """One worker for the tests of a file that leave it alone: started when the first wants it, stopped for those that want none."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._env = env
        self._folder = folder
        self._role: Role | None = None

    def started(self) -> Role:
        """Return the worker; a new one when it is gone."""
        if self._role is None or self._role.child.poll() is not None:
            self._role = Role("worker", self._env, self._folder)
        return self._role

    def stop(self) -> None:
        """End it. Safe to call twice."""
        if self._role is not None:
            self._role.stop()
            self._role = None


@pytest.fixture(scope="module")
def shared_worker(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory, model_process: FakeModel) -> Iterator[SharedWorker]:
    folder = tmp_path_factory.mktemp("worker")
    shared = SharedWorker({**environment_of(embedded, make_data_dir(folder, embedded)), **model_process.env}, folder)
    yield shared
    shared.stop()


@pytest.fixture
def kept_tables(request: pytest.FixtureRequest, shared_worker: SharedWorker) -> tuple[str, ...]:
    """What the shared worker entered is kept for the tests that take it; for the others it ends."""
    if "worker" in request.fixturenames:
        return ENTERED
    shared_worker.stop()
    return ()


@pytest.fixture
def worker(roles: Roles, shared_worker: SharedWorker) -> Role:
    """A worker which the test leaves alone."""
    return shared_worker.started()
