"""Socket Mode, acknowledged when we say so: what was heard is committed before Slack is told that it was heard.

Bolt acknowledges events before their listener runs, or after it has ended. We need the moment in between: a listener awaits
`acknowledge()` and goes on.
"""

import time
from contextvars import ContextVar
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from nod.logs import log

KEPT_EVENTS = 20_000  # Slack sends an event again for six minutes; of these a repeat costs nothing, of others one look into the record
PING_SECONDS = 2.0  # a cut connection is noticed after four of these: back within 10 s

_log = log(__name__)


class _Acknowledgement:
    """The answer to one event, sent once to each envelope that brought it."""

    def __init__(self, client: SocketModeClient, envelope_id: str) -> None:
        self._envelopes = [(client, envelope_id)]
        self.is_sent = False

    async def send(self, payload: dict[str, Any] | None = None) -> None:
        if not self.is_sent:
            self.is_sent = True
            for client, envelope_id in self._envelopes:
                await client.send_socket_mode_response(SocketModeResponse(envelope_id=envelope_id, payload=payload))
            self._envelopes.clear()

    async def join(self, client: SocketModeClient, envelope_id: str) -> None:
        """Take in an envelope that brings the same event again, as Slack had waited for three seconds: it is not worked on twice."""
        if self.is_sent:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=envelope_id))
        else:
            self._envelopes.append((client, envelope_id))


_current: ContextVar[_Acknowledgement] = ContextVar("acknowledgement")


async def acknowledge(payload: dict[str, Any] | None = None) -> None:
    """Tell Slack now that what the running listener works on was heard; a second time does nothing."""
    await _current.get().send(payload)


class SocketHandler(AsyncSocketModeHandler):
    """Bolt's handler for Socket Mode, with an acknowledgement that listeners may send themselves."""

    def __init__(self, app: AsyncApp, app_token: str, ping_interval: float) -> None:
        super().__init__(app, app_token, ping_interval=ping_interval)
        self._events: dict[str, _Acknowledgement] = {}  # those that listeners work on, and the last that are done

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # as Bolt's own
        """Run the listeners; acknowledge what they did not. Only what failed stays unacknowledged: Slack sends it again."""
        event_id = req.payload.get("event_id", req.envelope_id)
        if known := self._events.get(event_id):
            return await known.join(client, req.envelope_id)
        self._events[event_id] = acknowledgement = _Acknowledgement(client, req.envelope_id)
        if len(self._events) > KEPT_EVENTS:
            del self._events[next(iter(self._events))]
        try:
            await self._handle(client, req, acknowledgement)
        finally:
            if not acknowledgement.is_sent:  # it failed: what Slack sends again is worked on again
                self._events.pop(event_id, None)

    async def _handle(self, client: SocketModeClient, req: SocketModeRequest, acknowledgement: _Acknowledgement) -> None:
        _current.set(acknowledgement)  # each envelope has a task, and so a context, of its own
        started = time.time()
        response = await run_async_bolt_app(self.app, req)
        if acknowledgement.is_sent:
            return
        has_nothing_to_say = response.status == 200 and not response.body
        if has_nothing_to_say or response.status == 404:  # nobody listens to it (an older button, an event of a later version)
            await acknowledgement.send()
        else:
            await send_async_response(client, req, response, started)
