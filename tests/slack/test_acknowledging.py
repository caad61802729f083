"""When Slack is told that an event was heard, and what an event costs that comes again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack import acknowledging
from bot.slack.acknowledging import SocketHandler, acknowledge


class Line:
    """The socket: which envelopes were acknowledged."""

    logger = logging.getLogger("test")

    def __init__(self) -> None:
        self.acknowledged: list[str] = []

    async def send_socket_mode_response(self, response: SocketModeResponse) -> None:
        self.acknowledged.append(response.envelope_id)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def may_go_on() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def delivers(line: Line, heard: list[str], may_go_on: asyncio.Event) -> AsyncIterator[Callable[..., Any]]:
    """Slack delivers an event, in an envelope of its own each time."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_id="B1", bot_user_id="U0NOD")

    app = AsyncApp(authorize=authorize, process_before_response=True, logger=logging.getLogger("test"))

    async def on_mention(event: dict[str, Any]) -> None:
        heard.append(event["text"])
        await may_go_on.wait()
        if "PostgreSQL" in event["text"] and len(heard) == 1:
            raise OSError("away")
        await acknowledge()

    app.event("app_mention")(on_mention)
    handler = SocketHandler(app, "xapp-1", ping_interval=10)

    async def deliver(envelope: str, event_id: str, text: str = "연차 이월 돼?") -> None:
        event = {"type": "app_mention", "text": text, "user": "U1", "channel": "C1", "ts": "1.1"}
        payload = {"type": "event_callback", "team_id": "T1", "event_id": event_id, "event": event}
        await handler.handle(line, SocketModeRequest(type="events_api", envelope_id=envelope, payload=payload))  # type: ignore[arg-type]  # all it uses

    yield deliver
    await handler.close_async()


async def test_an_event_that_comes_again_meanwhile_is_worked_on_once_and_acknowledged_each_time(delivers, line, heard, may_go_on):
    first = asyncio.create_task(delivers("first", "Ev1"))
    await asyncio.sleep(0)
    await delivers("second", "Ev1")
    assert line.acknowledged == []
    may_go_on.set()
    await first
    await delivers("third", "Ev1")
    await delivers("another", "Ev2", "Can I carry leave over?")
    assert line.acknowledged == ["first", "second", "third", "another"]
    assert heard == ["연차 이월 돼?", "Can I carry leave over?"]


async def test_an_event_that_failed_is_worked_on_again_when_it_comes_again(delivers, line, heard, may_go_on):
    may_go_on.set()
    await delivers("first", "Ev1", "PostgreSQL?")
    assert line.acknowledged == []
    await delivers("second", "Ev1", "PostgreSQL?")
    assert line.acknowledged == ["second"]
    assert len(heard) == 2


async def test_only_the_last_events_are_kept(delivers, heard, may_go_on, monkeypatch):
    monkeypatch.setattr(acknowledging, "KEPT_EVENTS", 2)
    may_go_on.set()
    for event_id in ("Ev1", "Ev2", "Ev3", "Ev1", "Ev3"):
        await delivers("any", event_id)
    assert len(heard) == 4
