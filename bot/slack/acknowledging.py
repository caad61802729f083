"""Socket Mode, acknowledged when we say so: what was heard is committed before Slack is told that it was heard.

Bolt acknowledges events before their listener runs, or after it has ended. We need the moment in between: a listener awaits
`acknowledge()` and goes on.
"""

import time
from contextvars import ContextVar
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from nod.logs import log

PING_SECONDS = 2.0  # a cut connection is noticed after four of these: back within 10 s

_log = log(__name__)


class _Acknowledgement:
    """The answer to one envelope, sent once."""

    def __init__(self, client: SocketModeClient, envelope_id: str) -> None:
        self._client = client
        self._envelope_id = envelope_id
        self.is_sent = False

    async def send(self, payload: dict[str, Any] | None = None) -> None:
        if not self.is_sent:
            self.is_sent = True
            await self._client.send_socket_mode_response(SocketModeResponse(envelope_id=self._envelope_id, payload=payload))


_current: ContextVar[_Acknowledgement] = ContextVar("acknowledgement")


async def acknowledge(payload: dict[str, Any] | None = None) -> None:
    """Tell Slack now that what the running listener works on was heard; a second time does nothing."""
    await _current.get().send(payload)


class SocketHandler(AsyncSocketModeHandler):
    """Bolt's handler for Socket Mode, with an acknowledgement that listeners may send themselves."""

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # as Bolt's own
        """Run the listeners; acknowledge what they did not. Only what failed stays unacknowledged: Slack sends it again."""
        acknowledgement = _Acknowledgement(client, req.envelope_id)
        _current.set(acknowledgement)  # each envelope has a task, and so a context, of its own
        started = time.time()
        response = await run_async_bolt_app(self.app, req)
        if acknowledgement.is_sent:
            return
        if response.status == 404:  # nobody listens to it (an older button, an event of a later version)
            await acknowledgement.send()
        else:
            await send_async_response(client, req, response, started)
