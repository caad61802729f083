"""Socket Mode as Slack plays it: tickets, envelopes, acknowledgements within three seconds, redelivery, disconnects."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack_arguments import EVENT_SCOPES, Refusal
from tests.fakes.slack_world import APP_ID, BOT_USER, TEAM, World

Json = dict[str, Any]

MOST_CONNECTIONS = 10
TICKET_SECONDS = 30.0
PING_SECONDS = 10.0


@dataclass(eq=False, slots=True)
class Connection:
    """One open WebSocket of the app."""

    id: str
    socket: web.WebSocketResponse
    request: web.Request
    opened_at: float
    mute: bool = False  # still open, but nothing comes through: a dead peer without a close frame

    def abort(self) -> None:
        """Cut the TCP connection, without a close frame."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(eq=False, slots=True)
class Delivery:
    """One payload on its way to the app: an event, a command or an interaction."""

    id: str
    kind: str  # events_api, slash_commands, interactive
    name: str
    payload: Json
    ts: str | None = None
    state: str = "waiting"  # acked, waiting, failed
    why: str = ""
    attempts: list[Json] = field(default_factory=list)
    response: Any = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[Any] | None = None

    def as_json(self) -> Json:
        """The delivery as the tests see it."""
        return {"id": self.id, "kind": self.kind, "type": self.name, "ts": self.ts, "state": self.state, "why": self.why} | {
            "attempts": self.attempts, "response": self.response, "payload": self.payload,
        }  # fmt: skip


class Socket:
    """All connections of the app, and everything sent over them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connections: list[Connection] = []
        self.deliveries: dict[str, Delivery] = {}
        self.by_ts: dict[str, list[Delivery]] = {}
        self.strays: list[Json] = []  # what the app sent and no envelope waited for
        self.opened = 0
        self.tickets: dict[str, float] = {}
        self._pending: dict[str, tuple[Json, asyncio.Future[Any]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        world.emit = self.emit

    # connections

    def ticket(self) -> str:
        """A ticket for one connection, good for half a minute."""
        ticket = uuid.uuid4().hex
        self.tickets[ticket] = time.monotonic()
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket until it closes."""
        made = self.tickets.pop(request.query.get("ticket", ""), None)
        if made is None or time.monotonic() - made > TICKET_SECONDS:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=403)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "applink-fake"}})
            await socket.close()
            return socket
        self.opened += 1
        connection = Connection(f"s{self.opened}", socket, request, time.time())
        self.connections.append(connection)
        pinging = self.spawn(self._ping(connection))
        try:
            await socket.send_json(self._hello())
            await self._listen(connection)
        finally:
            pinging.cancel()
            self._forget(connection)
        return socket

    def _hello(self) -> Json:
        about = {"host": "applink-fake", "build_number": 1, "approximate_connection_time": 18060}
        return {"type": "hello", "num_connections": len(self.connections), "debug_info": about, "connection_info": {"app_id": APP_ID}}

    async def _ping(self, connection: Connection) -> None:
        while not connection.socket.closed:
            await asyncio.sleep(PING_SECONDS)
            if not connection.mute:
                await connection.socket.ping(b"Ping from applink-fake")

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.mute:
                continue
            if message.type == WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type == WSMsgType.TEXT:
                self._heard(connection, message.data)

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)

    def drop(self, silently: bool = False) -> int:
        """Cut every connection without a close frame, or leave it open and dead; how many there were."""
        gone = list(self.connections)
        for each in gone:
            each.mute = True
            if not silently:
                self._forget(each)
                each.abort()
        return len(gone)

    async def refresh(self, reason: str, close_after_seconds: float) -> int:
        """Ask every connection to come back, and close it a little later, as Slack does now and then."""
        asked = list(self.connections)
        for each in asked:
            await each.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}})
            self.spawn(self._close_later(each, close_after_seconds))
        return len(asked)

    async def _close_later(self, connection: Connection, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._forget(connection)
        await connection.socket.close()

    # acknowledgements

    def _heard(self, connection: Connection, data: str) -> None:
        try:
            answer = json.loads(data)
        except ValueError:
            answer = {"unreadable": data}
        pending = self._pending.pop(answer.get("envelope_id", ""), None)
        if pending is None:
            self.strays.append({"at": time.time(), "connection": connection.id, "answer": answer})
            return
        attempt, acked = pending
        if not acked.done():
            attempt["acked_by"] = connection.id
            acked.set_result(answer.get("payload"))

    # deliveries

    def emit(self, name: str, event: Json, ts: str | None = None) -> Json:
        """Send an event to the app, if it subscribed to it and was granted its scope; the delivery, or nothing."""
        needed = EVENT_SCOPES.get(name)
        if name not in self.world.subscribed or (needed and needed not in self.world.scopes):
            return {}
        event_id = self.world.new_id("Ev")
        authorizations = [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "is_enterprise_install": False}]
        payload: Json = {"token": "verification", "team_id": TEAM, "context_team_id": TEAM, "api_app_id": APP_ID, "event": event}
        payload |= {"type": "event_callback", "event_id": event_id, "event_time": int(time.time()), "authorizations": authorizations}
        payload |= {"is_ext_shared_channel": False, "event_context": f"4-{event_id}"}
        return self.send(Delivery(event_id, "events_api", name, payload, ts)).as_json()

    def send(self, delivery: Delivery) -> Delivery:
        """The delivery, on its way."""
        self.deliveries[delivery.id] = delivery
        if delivery.ts:
            self.by_ts.setdefault(delivery.ts, []).append(delivery)
        delivery.task = self.spawn(self._deliver(delivery))
        return delivery

    def forget_deliveries(self) -> None:
        """Nothing was ever sent; what still waited to be sent again is not."""
        for each in self.deliveries.values():
            if each.task:
                each.task.cancel()
        self.deliveries.clear()
        self.by_ts.clear()
        self.strays.clear()

    async def _deliver(self, delivery: Delivery) -> None:
        waits = [0.0, *self.world.timing.retry_seconds] if delivery.kind == "events_api" else [0.0]
        for number, wait in enumerate(waits):
            if number:
                await asyncio.sleep(wait)
            if await self._attempt(delivery, number):
                delivery.state = "acked"
                break
        else:
            delivery.state, delivery.why = "failed", "operation_timeout"
        delivery.done.set()

    async def redeliver(self, delivery: Delivery) -> bool:
        """Send it once more as Slack does when it believes the first was lost; whether it was acknowledged."""
        return await self._attempt(delivery, max(1, len(delivery.attempts)))

    async def _attempt(self, delivery: Delivery, number: int) -> bool:
        envelope_id = str(uuid.uuid4())
        attempt: Json = {"number": number, "envelope_id": envelope_id, "at": time.time(), "mono": time.monotonic(), "acked_mono": None}
        delivery.attempts.append(attempt)
        acked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[envelope_id] = (attempt, acked)
        attempt["connection"] = await self._send(self._envelope(delivery, envelope_id, number))
        try:
            delivery.response = await asyncio.wait_for(acked, self.world.timing.ack_seconds)
        except TimeoutError:
            attempt["result"] = "timeout" if attempt["connection"] else "no_connection"
            return False
        finally:
            self._pending.pop(envelope_id, None)
        attempt.update(acked_mono=time.monotonic(), result="acked")
        return True

    def _envelope(self, delivery: Delivery, envelope_id: str, number: int) -> Json:
        envelope: Json = {"envelope_id": envelope_id, "type": delivery.kind, "payload": delivery.payload}
        envelope["accepts_response_payload"] = delivery.kind == "slash_commands" or delivery.name == "view_submission"
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": number, "retry_reason": "timeout" if number else ""}
        return envelope

    async def _send(self, envelope: Json) -> str | None:
        """The connection it went to: one at random, as with Slack."""
        live = [each for each in self.connections if not each.socket.closed]
        if not live:
            return None
        chosen = random.choice(live)
        if not chosen.mute:
            try:
                await chosen.socket.send_json(envelope)
            except (ConnectionError, RuntimeError):
                return None
        return chosen.id

    def find(self, key: str) -> list[Delivery]:
        """The deliveries with this event id, or about the message with this ts."""
        found = [self.deliveries[key]] if key in self.deliveries else self.by_ts.get(key, [])
        if not found:
            raise Refusal("no_such_event", key)
        return found

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """Run it beside; kept alive until it ends."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
