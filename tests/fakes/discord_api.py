"""The way of a REST call to the fake Discord: route, fault, token, limit, act, answer, and a line in the records."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson
from aiohttp import web

from tests.fakes.discord_gateway import abort
from tests.fakes.discord_limits import Fault, Limits, striking
from tests.fakes.discord_rules import FILE_BYTES, REQUEST_BYTES, Json, Refusal, unauthorized
from tests.fakes.discord_world import World

API = "/api/v10"


@dataclass(slots=True)
class Call:
    """One REST call, read."""

    world: World
    params: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: dict[int, tuple[str, bytes, str]] = field(default_factory=dict)

    def snowflake(self, name: str) -> str | None:
        """A query parameter that must be a number."""
        value = self.query.get(name)
        if value is not None and not value.isdigit():
            error = {"code": "NUMBER_TYPE_COERCE", "message": f'Value "{value}" is not snowflake.'}
            raise Refusal(400, 50035, "Invalid Form Body", {name: {"_errors": [error]}})
        return value


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route: its name in faults and records, what serves it, its bucket."""

    name: str
    method: str
    template: str
    handler: Handler
    bucket: str = "other"
    needs_token: bool = True
    counts_globally: bool = True
    takes_files: bool = False

    @property
    def parts(self) -> list[str]:
        """The template, split."""
        return self.template.strip("/").split("/")


class Api:
    """All endpoints behind /api/v10."""

    def __init__(self, world: World, endpoints: list[Endpoint]) -> None:
        self.world = world
        self.limits = Limits()
        self.faults: list[Fault] = []
        self.invalid_requests = 0
        self._by_length: dict[int, list[tuple[list[str], Endpoint]]] = {}
        for endpoint in endpoints:
            self._by_length.setdefault(len(endpoint.parts), []).append((endpoint.parts, endpoint))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        at, wall = time.monotonic(), time.time()
        endpoint, params = self._route(request)
        name = endpoint.name if endpoint else "unknown"
        record: Json = {"n": len(self.world.calls), "route": name, "method": request.method, "path": unquote(request.path), "at": at, "wall": wall,
                        "query": dict(request.query), "params": params, "args": None, "status": None, "code": None, "fault": None}  # fmt: skip
        self.world.calls.append(record)
        major = params.get("channel_id") or params.get("token") or params.get("guild_id") or ""
        fault = striking(self.faults, name, major)
        try:
            status, body, headers = await self._serve(request, endpoint, params, major, fault, record)
        except Refusal as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        except (ConnectionResetError, asyncio.CancelledError):
            record |= {"status": 0, "seconds": time.monotonic() - at}
            self.world.touch()
            raise
        self.invalid_requests += status in (401, 403, 429)
        record |= {
            "status": status,
            "code": body.get("code") if isinstance(body, dict) and status >= 400 else None,
            "seconds": time.monotonic() - at,
        }
        self.world.touch()
        if status >= 502:
            return web.Response(status=status, text=f"error code: {status}", headers=headers)
        if body is None:
            return web.Response(status=status, headers=headers)
        # the media type stands alone: with a charset behind it, discord.py would take the body for text
        return web.Response(status=status, body=orjson.dumps(body), headers={**headers, "Content-Type": "application/json"})

    async def _serve(
        self, request: web.Request, endpoint: Endpoint | None, params: dict[str, str], major: str, fault: Fault | None, record: Json
    ) -> tuple[int, Any, dict[str, str]]:
        if endpoint is None:
            raise Refusal(404, 0, "404: Not Found") if not params else Refusal(405, 0, "405: Method Not Allowed")
        if self.world.settings.latency_seconds:
            await asyncio.sleep(self.world.settings.latency_seconds)
        if fault is not None:
            record["fault"] = fault.kind
            if fault.is_before:
                await self._strike(request, fault)
        if endpoint.needs_token and request.headers.get("Authorization") != f"Bot {self.world.token}":
            raise unauthorized()
        if any(name.endswith("_id") and not value.isdigit() and value != "@original" for name, value in params.items()):
            error = {"code": "NUMBER_TYPE_COERCE", "message": "Value is not snowflake."}
            raise Refusal(400, 50035, "Invalid Form Body", {name: {"_errors": [error]} for name in params if name.endswith("_id")})
        headers = self.limits.headers(endpoint.bucket, major, self.world.settings.limits, endpoint.counts_globally)
        call = Call(self.world, params, dict(request.query))
        try:
            await _read(request, call, endpoint)
            record["args"] = call.body
            if call.files:
                record["files"] = [(name, len(data)) for name, data, _ in call.files.values()]
            answer = await endpoint.handler(call)
        except Refusal as refusal:
            refusal.headers = headers | refusal.headers
            raise
        if fault is not None and not fault.is_before:
            await self._strike(request, fault)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return (204 if body is None and status == 200 else status), body, headers

    async def _strike(self, request: web.Request, fault: Fault) -> None:
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            return
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds)
        if (refusal := fault.refusal) is not None:
            raise refusal
        if fault.kind == "reset":
            await request.read()
            abort(request)
        elif request.transport is not None:
            request.transport.close()
        raise ConnectionResetError("cut on order")

    def _route(self, request: web.Request) -> tuple[Endpoint | None, dict[str, str]]:
        path = request.rel_url.raw_path
        if not path.startswith(API + "/"):
            return None, {}
        steps = path[len(API) + 1 :].split("/")
        wrong_method: dict[str, str] = {}
        for parts, endpoint in self._by_length.get(len(steps), []):
            if all(part[0] == "{" or part == unquote(step) for part, step in zip(parts, steps, strict=True)):
                if endpoint.method == request.method:
                    return endpoint, {part[1:-1]: unquote(step) for part, step in zip(parts, steps, strict=True) if part[0] == "{"}
                wrong_method = {"method": request.method}
        return None, wrong_method


async def _read(request: web.Request, call: Call, endpoint: Endpoint) -> None:
    """The body: JSON, or a form of `payload_json` and `files[n]`."""
    kind = request.content_type
    if not request.can_read_body:
        if request.method in ("POST", "PATCH", "PUT") and endpoint.handler.__name__.startswith("form_"):
            raise Refusal(400, 50109, "The request body contains invalid JSON.")
        return
    if (request.content_length or 0) > REQUEST_BYTES + 65_536:
        await request.read()
        raise Refusal(413, 40005, "Request entity too large")
    if kind == "application/json":
        call.body = _json(await request.read())
    elif kind == "multipart/form-data" and endpoint.takes_files:
        await _read_form(request, call)
    else:
        error = {"code": "CONTENT_TYPE_INVALID", "message": "Expected \"Content-Type\" header to be one of {'application/json'}."}
        raise Refusal(400, 50035, "Invalid Form Body", {"_errors": [error]})


async def _read_form(request: web.Request, call: Call) -> None:
    total = 0
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        data = bytes(await part.read(decode=False))  # type: ignore[union-attr]
        total += len(data)
        name = part.name or ""  # type: ignore[union-attr]
        if name == "payload_json":
            call.body = _json(data)
        elif found := re.fullmatch(r"files\[(\d+)\]", name):
            kind = part.headers.get("Content-Type", "application/octet-stream")
            call.files[int(found[1])] = (part.filename or "unknown", data, kind)  # type: ignore[union-attr]
        else:
            raise Refusal(
                400, 50035, "Invalid Form Body", {name: {"_errors": [{"code": "UNKNOWN_FIELD", "message": "Unknown part of the form."}]}}
            )
    if total > REQUEST_BYTES or any(len(data) > FILE_BYTES for _, data, _ in call.files.values()):
        raise Refusal(413, 40005, "Request entity too large")


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise Refusal(400, 50109, "The request body contains invalid JSON.") from error
