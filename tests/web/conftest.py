"""Fixtures for tests of the page: the application on real servers, and visitors who sign in by a link."""

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.web.app import app_from
from nod.process import Services, running
from nod.settings import Settings
from tests.roles import Roles, until
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


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


@pytest.fixture
def roles(process_env: dict[str, str], tmp_path: Path) -> Iterator[Roles]:
    """Real processes: `roles.start("web")`; the page's address is `site`'s."""
    roles = Roles(process_env | {"NOD_WEB_PORT": str(free_port())}, tmp_path)
    yield roles
    roles.stop()


@pytest.fixture
def site(roles: Roles) -> str:
    """The address of a page that runs as a process, ready."""
    return start_site(roles)


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
