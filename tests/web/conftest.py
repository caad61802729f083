"""Fixtures for tests of the page: the application on real servers, and visitors who sign in by a link."""

import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI

from bot.web.app import app_from
from nod.process import Services, running
from nod.settings import Settings
from tests.conftest import environment_of, make_data_dir
from tests.roles import Roles, until
from tests.servers import Embedded
from tests.web.visitors import Visitor, arrive

BASE = "http://127.0.0.1:8130"


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    """What a page's process works with."""
    async with running("web", settings) as services:
        yield services


@pytest.fixture
def app(services: Services) -> FastAPI:
    """The page's application."""
    return app_from(services)


@pytest.fixture
async def visits(app: FastAPI, services: Services) -> AsyncIterator["Visits"]:
    """Opens browsers: `await visits("admin")`, `await visits(None)` for a stranger."""
    visits = Visits(app, services)
    yield visits
    for visitor in visits.all:
        await visitor.http.aclose()


class Visits:
    """The browsers of one test."""

    def __init__(self, app: FastAPI, services: Services) -> None:
        self.app = app
        self.services = services
        self.all: list[Visitor] = []

    async def __call__(self, role: str | None, name: str = "") -> Visitor:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self.all.append(await arrive(self.services, httpx.AsyncClient(transport=transport, base_url=BASE), role, name or f"a {role}"))
        return self.all[-1]


@contextlib.contextmanager
def port_for_the_page() -> Iterator[int]:
    """A free port. On Linux nobody else is given it meanwhile: whoever asks for it by its number may listen beside a bound one."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind(("127.0.0.1", 0))
        port = int(line.getsockname()[1])
        if sys.platform != "linux":
            line.close()
        yield port


@pytest.fixture(scope="module")
def processes(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    """The page's process, once a test has started it, runs for all tests of this file."""
    folder = tmp_path_factory.mktemp("nod")
    with port_for_the_page() as port:
        processes = Roles(environment_of(embedded, make_data_dir(folder, embedded)) | {"NOD_WEB_PORT": str(port)}, folder)
        yield processes
        processes.stop()


@pytest.fixture
def roles(processes: Roles, database_url: str, redis_url: str) -> Iterator[Roles]:
    """Real processes on empty servers; all but the page's end with the test."""
    yield processes
    for role in processes.running:
        if role.role != "web":
            role.stop()
    processes.running = [role for role in processes.running if role.child.poll() is None]


@pytest.fixture
def site(roles: Roles) -> str:
    """The address of the page."""
    return address_of(roles) if roles.running else start_site(roles)


def start_site(roles: Roles) -> str:
    """Start the page's process and return its address once it answers."""
    address = address_of(roles)
    web = roles.start("web")

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
        return False

    until(answers, 30, "the page", lambda: web.said)
    return address


def address_of(roles: Roles) -> str:
    """The address of the page that runs with these settings."""
    return f"http://127.0.0.1:{roles.env['NOD_WEB_PORT']}"
