"""The fake's gateway (version 10, JSON): sessions that outlive their connections, replay, close codes, heartbeats, intents.

A session keeps every event it was sent, so a client whose connection was cut can resume and misses nothing. Compression is
what the client asks for in the address: `zlib-stream`, `zstd-stream` or none.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any

import orjson
import zstandard
from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.discord_rules import Json
from tests.fakes.discord_things import ALL_INTENTS, INTENTS
from tests.fakes.discord_world import World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, MEMBERS, INVALID_SESSION, HELLO, ACK = 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11
UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, BAD_TOKEN, TWICE_AUTHENTICATED = 4001, 4002, 4003, 4004, 4005
BAD_SEQUENCE, RATE_LIMITED, TIMED_OUT, INVALID_VERSION, INVALID_INTENTS, DISALLOWED_INTENTS = 4007, 4008, 4009, 4012, 4013, 4014
PAYLOAD_BYTES = 4096
SENDS, PER_SECONDS = 120, 60.0


def abort(request: web.Request) -> None:
    """Cut the TCP connection as a broken network does: a reset, no goodbye."""
    if (transport := request.transport) is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class _Zlib:
    def __init__(self) -> None:
        self.stream = zlib.compressobj()

    def __call__(self, data: bytes) -> bytes:
        return self.stream.compress(data) + self.stream.flush(zlib.Z_SYNC_FLUSH)


class _Zstd:
    def __init__(self) -> None:
        self.stream, self.block = zstandard.ZstdCompressor(level=1).compressobj(), zstandard.COMPRESSOBJ_FLUSH_BLOCK

    def __call__(self, data: bytes) -> bytes:
        return self.stream.compress(data) + self.stream.flush(self.block)


COMPRESSIONS: dict[str, Callable[[], Callable[[bytes], bytes]]] = {"zlib-stream": _Zlib, "zstd-stream": _Zstd}


class Session:
    """What a client that identified is owed: its events by number, and whether anybody listens just now."""

    def __init__(self, session_id: str, intents: int, shard: tuple[int, int]) -> None:
        self.id, self.intents, self.shard = session_id, intents, shard
        self.sequence = 0
        self.sent: deque[tuple[int, bytes]] = deque(maxlen=20_000)
        self.connection: Connection | None = None
        self.lost_at: float | None = None

    def dispatch(self, event: str, data: Json) -> None:
        """Number the event, keep it, and send it if somebody is there."""
        self.sequence += 1
        raw = orjson.dumps({"op": DISPATCH, "t": event, "s": self.sequence, "d": data})
        self.sent.append((self.sequence, raw))
        if self.connection is not None:
            self.connection.put(raw)

    def is_for(self, guild_id: str | None) -> bool:
        """Whether this shard serves the guild; direct messages go to the first."""
        number, count = self.shard
        return (int(guild_id) >> 22) % count == number if guild_id else number == 0


class Connection:
    """One websocket."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, compress: Callable[[bytes], bytes] | None) -> None:
        self.request, self.socket, self.compress = request, socket, compress
        self.session: Session | None = None
        self.at, self.last_beat = time.monotonic(), time.monotonic()
        self.path = request.path
        self.closed_with: int | None = None
        self.received: deque[float] = deque()
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self.writer = asyncio.create_task(self._write())

    def put(self, raw: bytes) -> None:
        """Send in order, never waiting here."""
        self._out.put_nowait(raw)

    def say(self, op: int, data: Any) -> None:
        """An operation that is no event."""
        self.put(orjson.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            while True:
                raw = await self._out.get()
                if self.compress is None:
                    await self.socket.send_str(raw.decode())
                else:
                    await self.socket.send_bytes(self.compress(raw))
                self._out.task_done()

    async def close(self, code: int, why: str) -> None:
        """Say goodbye with a code, after what was already said."""
        self.closed_with = code
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._out.join(), 1)
        await self.socket.close(code=code, message=why.encode())


class Gateway:
    """All sessions and connections of the one bot."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.log: list[Json] = []
        self._identified_at = -1e9
        world.emit = self.emit

    def note(self, what: str, **more: Any) -> None:
        """Keep what happened on the gateway."""
        self.log.append({"what": what, "at": time.monotonic(), **more})
        self.world.touch()

    def emit(self, event: str, data: Callable[[bool], Json] | Json, bit: int, guild_id: str | None) -> None:
        """Give an event to every session that asked for its kind; `data` may depend on the message-content intent."""
        now = time.monotonic()
        for session in list(self.sessions.values()):
            if session.lost_at is not None and now - session.lost_at > self.world.settings.resume_seconds:
                del self.sessions[session.id]
            elif (not bit or session.intents & bit) and session.is_for(guild_id):
                session.dispatch(event, data(bool(session.intents & INTENTS["message_content"])) if callable(data) else data)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection from its first word to its last."""
        if not self.world.settings.gateway_up:
            return web.Response(status=503, text="upstream connect error")
        query = request.query
        socket = web.WebSocketResponse(max_msg_size=0, compress=False, timeout=1.0)
        await socket.prepare(request)
        if query.get("v") != "10":
            await socket.close(code=INVALID_VERSION, message=b"Invalid API version.")
            return socket
        wanted = query.get("compress", "")
        if query.get("encoding") != "json" or (wanted and wanted not in COMPRESSIONS):
            await socket.close(code=DECODE_ERROR, message=b"This gateway speaks JSON, zlib-stream and zstd-stream.")
            return socket
        connection = Connection(request, socket, COMPRESSIONS[wanted]() if wanted else None)
        self.connections.append(connection)
        self.note("connected", path=request.path, compress=wanted)
        try:
            connection.say(HELLO, {"heartbeat_interval": int(self.world.settings.heartbeat_seconds * 1000), "_trace": ["fake"]})
            await self._listen(connection)
        finally:
            self._lost(connection)
        return socket

    async def _listen(self, connection: Connection) -> None:
        while not connection.socket.closed:
            patience = self.world.settings.heartbeat_seconds * 1.5 - (time.monotonic() - connection.last_beat)
            try:
                message = await connection.socket.receive(timeout=max(patience, 0.01))
            except TimeoutError:
                await connection.close(TIMED_OUT, "Session timed out.")
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            if (refused := await self._heard(connection, message.data)) is not None:
                self.note("refused", code=refused[0], why=refused[1])
                await connection.close(*refused)
                return

    async def _heard(self, connection: Connection, raw: str | bytes) -> tuple[int, str] | None:
        now = time.monotonic()
        connection.received.append(now)
        while connection.received[0] < now - PER_SECONDS:
            connection.received.popleft()
        if len(connection.received) > SENDS:
            return RATE_LIMITED, "You are being rate limited."
        if len(raw) > PAYLOAD_BYTES:
            return DECODE_ERROR, "Error while decoding payload."
        try:
            said = json.loads(raw)
            op, data = said["op"], said.get("d")
        except (ValueError, TypeError, KeyError):
            return DECODE_ERROR, "Error while decoding payload."
        if op == HEARTBEAT:
            connection.last_beat = now
            connection.say(ACK, None)
            return None
        if op in (IDENTIFY, RESUME):
            if connection.session is not None:
                return TWICE_AUTHENTICATED, "Already authenticated."
            return self._identify(connection, data) if op == IDENTIFY else self._resume(connection, data)
        if op not in (PRESENCE, VOICE, MEMBERS, 31):
            return UNKNOWN_OPCODE, "Unknown opcode."
        if connection.session is None:
            return NOT_AUTHENTICATED, "Not authenticated."
        if op == MEMBERS:
            return self._members(connection.session, data)
        self.note("presence" if op == PRESENCE else "sent", op=op, data=data)
        return None

    def _identify(self, connection: Connection, data: Any) -> tuple[int, str] | None:
        world = self.world
        if not isinstance(data, dict) or not isinstance(data.get("properties"), dict):
            return DECODE_ERROR, "Error while decoding payload."
        if data.get("token") != world.token:
            return BAD_TOKEN, "Authentication failed."
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            return INVALID_INTENTS, "Invalid intent(s)."
        for name in ("message_content", "members", "presences"):
            if intents & INTENTS[name] and not getattr(world.settings, name):
                return DISALLOWED_INTENTS, "Disallowed intent(s)."
        number, count = data.get("shard") or (0, 1)
        if not 0 <= number < count:
            return 4010, "Invalid shard."
        if world.settings.limits and time.monotonic() - self._identified_at < 5.0:
            self.note("identified too soon")
            connection.say(INVALID_SESSION, False)
            return None
        self._identified_at = time.monotonic()
        session = Session(world.new_id(), intents, (number, count))
        self.sessions[session.id] = session
        self._join(connection, session)
        self.note("identified", session=session.id, intents=intents)
        guilds = [guild for guild in world.guilds.values() if session.is_for(guild.id)] if intents & INTENTS["guilds"] else []
        ready: Json = {
            "v": 10, "user": world.bot.payload | {"mfa_enabled": True, "verified": True, "email": None, "flags": 0}, "user_settings": {},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds], "session_id": session.id, "session_type": "normal",
            "resume_gateway_url": f"{world.base.replace('http', 'ws', 1)}/gateway-resume", "relationships": [], "private_channels": [],
            "presences": [], "guild_join_requests": [], "application": {"id": world.application_id, "flags": 1 << 18}, "_trace": ["fake"],
        }  # fmt: skip
        session.dispatch("READY", ready | ({"shard": [number, count]} if data.get("shard") else {}))
        for guild in guilds:
            session.dispatch("GUILD_CREATE", world.guild_payload(guild, bool(intents & INTENTS["members"])))
        return None

    def _resume(self, connection: Connection, data: Any) -> tuple[int, str] | None:
        if not isinstance(data, dict) or data.get("token") != self.world.token:
            return BAD_TOKEN, "Authentication failed."
        session = self.sessions.get(str(data.get("session_id")))
        sequence = data.get("seq")
        too_late = (
            session is not None and session.lost_at is not None and time.monotonic() - session.lost_at > self.world.settings.resume_seconds
        )
        if session is None or too_late or self.world.settings.refuse_resumes > 0:
            self.world.settings.refuse_resumes = max(0, self.world.settings.refuse_resumes - 1)
            self.sessions.pop(str(data.get("session_id")), None)
            self.note("resume refused")
            connection.say(INVALID_SESSION, False)
            return None
        if not isinstance(sequence, int) or sequence > session.sequence:
            self.sessions.pop(session.id)
            return BAD_SEQUENCE, "Invalid seq."
        if (older := session.connection) is not None:
            older.session = None
            abort(older.request)
        missed = [raw for number, raw in session.sent if number > sequence]
        self._join(connection, session)
        for raw in missed:
            connection.put(raw)
        session.dispatch("RESUMED", {"_trace": ["fake"]})
        self.note("resumed", session=session.id, replayed=len(missed))
        return None

    def _join(self, connection: Connection, session: Session) -> None:
        connection.session, session.connection, session.lost_at = session, connection, None

    def _members(self, session: Session, data: Any) -> tuple[int, str] | None:
        guild = self.world.guilds.get(str((data or {}).get("guild_id")))
        if guild is None:
            return None
        if data.get("query") == "" and not session.intents & INTENTS["members"]:
            return DISALLOWED_INTENTS, "Disallowed intent(s)."
        ids = data.get("user_ids")
        wanted = set(map(str, ids if isinstance(ids, list) else [ids])) if ids else None
        users = [self.world.users[user] for user in guild.members if wanted is None or user in wanted]
        told = [self.world.member(user, guild.id) for user in users if user.name.startswith(data.get("query") or "")]
        chunk: Json = {
            "guild_id": guild.id,
            "members": told,
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": sorted((wanted or set()) - guild.members),
        }
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk | ({"nonce": data["nonce"]} if data.get("nonce") else {}))
        return None

    def _lost(self, connection: Connection) -> None:
        connection.writer.cancel()
        if connection in self.connections:
            self.connections.remove(connection)
        session, code = connection.session, connection.closed_with or connection.socket.close_code
        self.note("disconnected", code=code)
        if session is None or session.connection is not connection:
            return
        session.connection, session.lost_at = None, time.monotonic()
        if code in (WSCloseCode.OK, WSCloseCode.GOING_AWAY, BAD_TOKEN, BAD_SEQUENCE, TIMED_OUT):
            self.sessions.pop(session.id, None)

    # ---- what a test can do to it

    def drop(self) -> int:
        """Cut every connection without a word; the sessions can be resumed."""
        cut = list(self.connections)
        for connection in cut:
            self._cut(connection)
        return len(cut)

    def _cut(self, connection: Connection) -> None:
        if connection.session is not None:
            connection.session.connection, connection.session.lost_at = None, time.monotonic()
        abort(connection.request)

    async def close(self, code: int) -> int:
        """Close every connection with a code; a code that ends the session ends it."""
        closing = list(self.connections)
        for connection in closing:
            await connection.close(code, "Closed by the test.")
        return len(closing)

    def say(self, op: int, data: Any = None) -> int:
        """Tell every connection to reconnect (7), or that its session is over (9)."""
        for connection in self.connections:
            connection.say(op, data)
            if op == INVALID_SESSION and not data and connection.session is not None:
                self.sessions.pop(connection.session.id, None)
        return len(self.connections)
