"""A language model played by a local server, strict as OpenAI's: chat completions (streamed or not), embeddings, models.

`python -m tests.fakes.model_server [--port 0]` prints one JSON line and leaves when stdin closes. What it says is scripted
through `/control`; every request is kept as the model saw it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import math
import struct
import time
import zlib
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

import uvloop
from aiohttp import web

from tests.fakes.model_rules import Body, Refusal, check_chat, check_embeddings, check_key, check_model, text_of
from tests.fakes.model_script import (
    BROKEN_STREAMS,
    REFUSALS,
    SAID_BEFORE_THE_FAULT,
    Benchmark,
    Line,
    Script,
    calls_for,
    last_asked,
    refusal_for,
)
from tests.fakes.process import announce, let_go

MODELS = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini", "text-embedding-3-small", "text-embedding-3-large"]
TOKENS_BEFORE_THE_FAULT = 15


@dataclass(slots=True)
class Call:
    """One request, as the model saw it, and how it went. Times are seconds since the epoch."""

    number: int
    path: str
    body: Body
    started_at: float
    peer: int = 0  # the port at the other end of the connection
    status: int = 200
    error: str = ""
    broke_a_rule: bool = False
    said: str = ""
    finish_reason: str = ""
    tokens: int = 0
    first_token_at: float | None = None
    last_token_at: float | None = None
    ended_at: float | None = None
    disconnected: bool = False
    holding: bool = False
    own_first_seconds: float = 0.0  # how long the model meant to take: what is over is somebody else's
    own_seconds: float = 0.0


@dataclass(slots=True)
class State:
    """Everything of one test; a reset puts a new one in its place and leaves streams of the old one alone."""

    script: Script = field(default_factory=Script)
    writes: Script = field(default_factory=Script)
    default_write: str | None = ""
    benchmark: Benchmark | None = None
    models: list[str] = field(default_factory=lambda: list(MODELS))
    limit_characters: int = 400_000
    embed_status: int = 200
    embed_after: float = 0.0
    embed_size: int | None = None
    embed_characters: int = 8192 * 4
    calls: list[Call] = field(default_factory=list[Call])
    ran_out: list[str] = field(default_factory=list[str])
    violations: list[str] = field(default_factory=list[str])
    going_on: asyncio.Event = field(default_factory=asyncio.Event)

    def refuse_to_embed(self, inputs: list[Any]) -> None:
        """Raise the Refusal that a test wants, if any."""
        if self.embed_status != 200:
            raise Refusal(self.embed_status, "The server had an error while processing your request.", scripted=True)
        if any(len(one) > self.embed_characters for one in inputs):
            raise Refusal(400, "This model's maximum context length is exceeded.", "input", scripted=True)


class ModelServer:
    """Routes requests to the current state."""

    def __init__(self) -> None:
        self.state = State()
        self.numbers = count(1)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/v1/embeddings", self.embeddings)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/v1/models/{name}", self.models)
        app.router.add_post("/control/{word}", self.control)
        app.router.add_route("*", "/{rest:.*}", self.nothing)
        return app

    async def chat(self, request: web.Request) -> web.StreamResponse:
        state, call = self.state, await self.begin(request)
        try:
            check_key(request.headers.get("Authorization"))
            check_chat(call.body, state.models, state.limit_characters)
            line = self.line_for(call, state)
            if line.fault in REFUSALS:
                raise refusal_for(line)
            if call.body.get("stream"):
                return await Saying(call, line, state).to(request)
            return await written(call, line)
        except Refusal as refusal:
            return refused(call, refusal)
        except (asyncio.CancelledError, ConnectionError):
            call.disconnected = True
            raise
        finally:
            call.holding = False
            call.ended_at = time.time()

    def line_for(self, call: Call, state: State) -> Line:
        """The next line for this request. Streamed and written answers are scripted apart."""
        asked = last_asked(call.body)
        if not call.body.get("stream"):
            if (line := state.writes.next(asked)) is None and state.default_write is None:
                raise Refusal(404, "This model writes nothing unless it is told to.", code="model_not_found")
            return line or Line(state.default_write or "", first_after=state.benchmark.first_after if state.benchmark else 0.0)
        if state.benchmark:
            if not state.benchmark.wants_tool(call.body) and (missing := state.benchmark.missing(call.body)):
                state.violations.append(f"call {call.number} ({asked[-60:]!r}) has no {missing}")
            return state.script.fault_in(state.benchmark.line(call.body), asked)
        if line := state.script.next(asked):
            return line
        state.ran_out.append(asked)
        raise Refusal(500, f"The script has no line for {asked!r}.", code="script_exhausted", type="server_error")

    async def begin(self, request: web.Request) -> Call:
        """Keep the request, whatever becomes of it."""
        try:
            body = await request.json() if request.can_read_body else {}
        except json.JSONDecodeError:
            body = {"unreadable": (await request.text())[:1000]}
        _, peer, *_ = request.get_extra_info("peername")
        call = Call(next(self.numbers), request.path, body if isinstance(body, dict) else {"unreadable": body}, time.time(), peer)
        self.state.calls.append(call)
        return call

    async def embeddings(self, request: web.Request) -> web.StreamResponse:
        state, call = self.state, await self.begin(request)
        try:
            check_key(request.headers.get("Authorization"))
            inputs = check_embeddings(call.body, state.models)
            await asyncio.sleep(state.embed_after)
            state.refuse_to_embed(inputs)
        except Refusal as refusal:
            return refused(call, refusal)
        finally:
            call.ended_at = time.time()
        size = state.embed_size or call.body.get("dimensions") or (3072 if "large" in call.body["model"] else 1536)
        pack = packed if call.body.get("encoding_format") == "base64" else list
        rows = [{"object": "embedding", "index": i, "embedding": pack(vector_of(one, size))} for i, one in enumerate(inputs)]
        used = sum(len(one) for one in inputs) // 4 + 1
        usage = {"prompt_tokens": used, "total_tokens": used}
        return web.json_response({"object": "list", "data": rows, "model": call.body["model"], "usage": usage})

    async def models(self, request: web.Request) -> web.StreamResponse:
        call = await self.begin(request)
        entries = [{"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "system"} for name in self.state.models]
        try:
            check_key(request.headers.get("Authorization"))
            if name := request.match_info.get("name"):
                check_model(name, self.state.models)
                return web.json_response(next(entry for entry in entries if entry["id"] == name))
        except Refusal as refusal:
            return refused(call, refusal)
        return web.json_response({"object": "list", "data": entries})

    async def nothing(self, request: web.Request) -> web.StreamResponse:
        """Every other address, the responses API among them: many compatible servers have none."""
        return refused(await self.begin(request), Refusal(404, f"Invalid URL ({request.method} {request.path})"))

    async def control(self, request: web.Request) -> web.StreamResponse:
        """What a test says to the model: not part of any provider's API."""
        given = await request.json()
        match request.match_info["word"]:
            case "lines":
                self.state.script.lines += [Line(**line) for line in given]
            case "writes":
                self.state.writes.lines += [Line(**line) for line in given]
            case "benchmark":
                self.state.benchmark = Benchmark(**given)
            case "settings":
                for name, value in given.items():
                    setattr(self.state, name, value)
            case "recover":
                for script in (self.state.script, self.state.writes):
                    script.lines = [line for line in script.lines if not line.fault]
            case "go_on":
                self.state.going_on.set()
                self.state.going_on = asyncio.Event()
            case "reset":
                self.state.going_on.set()
                self.state = State()
            case "calls":
                return web.json_response([asdict(call) for call in self.state.calls[given["first"] :]])
            case "state":
                return web.json_response(self.summary())
            case word:
                raise web.HTTPNotFound(text=f"no control is called {word}")
        return web.json_response({})

    def summary(self) -> Body:
        state = self.state
        open_calls = [{"number": call.number, "tokens": call.tokens, "holding": call.holding} for call in state.calls if not call.ended_at]
        return {
            "calls": len(state.calls),
            "open": open_calls,
            "left": state.script.left() + state.writes.left(),
            "ran_out": state.ran_out,
            "violations": state.violations,
            "refusals": [f"{call.status} {call.error}" for call in state.calls if call.error],
            "rules_broken": [f"{c.status} {c.path}: {c.error}" for c in state.calls if c.broke_a_rule],
        }


class Saying:
    """One streamed answer on its way."""

    def __init__(self, call: Call, line: Line, state: State) -> None:
        self.call, self.line, self.state = call, line, state
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "x-request-id": f"req_{call.number}"}
        )
        self.id = f"chatcmpl-{call.number:08d}"
        self.usage_wanted = bool((call.body.get("stream_options") or {}).get("include_usage"))
        head = {"id": self.id, "object": "chat.completion.chunk", "created": int(call.started_at), "model": call.body["model"]}
        self.head = json.dumps({**head, "service_tier": "default", "system_fingerprint": "fp_fake"}, separators=(",", ":"))[:-1]

    async def to(self, request: web.Request) -> web.StreamResponse:
        line, loop = self.line, asyncio.get_running_loop()
        begun = loop.time()
        pieces = line_pieces(line)
        self.call.own_first_seconds = line.first_after
        self.call.own_seconds = line.first_after + line.every * max(0, len(pieces) - 1)
        if line.fault == "hang":
            await asyncio.sleep(3600)
        await asyncio.sleep(line.first_after)
        await self.response.prepare(request)
        await self.send({"role": "assistant", "content": None if calls_for(line) else "", "refusal": None})
        for number, piece in enumerate(pieces):
            if line.hold_after == number:
                await self.hold()
                begun = loop.time() - line.first_after - number * line.every
            if (wait := begun + line.first_after + number * line.every - loop.time()) > 0:
                await asyncio.sleep(wait)
            await self.say(piece)
        if line.fault:
            await self.break_off(request)
        if calls := calls_for(line):
            await self.demand(calls)
        return await self.finish(finish_reason(line))

    async def hold(self) -> None:
        """Stand still until the test says `go_on`."""
        self.call.holding = True
        await self.state.going_on.wait()
        self.call.holding = False

    async def say(self, piece: str) -> None:
        await self.send({"content": piece})
        call = self.call
        call.said += piece
        call.tokens += 1
        call.last_token_at = time.time()
        call.first_token_at = call.first_token_at or call.last_token_at

    async def demand(self, calls: list[tuple[str, str]]) -> None:
        """Stream tool calls as OpenAI does: the name first, its arguments in fragments."""
        for index, (name, arguments) in enumerate(calls):
            head = {"index": index, "id": f"call_{self.call.number:06d}_{index}", "type": "function"}
            await self.send({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
            for start in range(0, len(arguments), 12):
                await self.send({"tool_calls": [{"index": index, "function": {"arguments": arguments[start : start + 12]}}]})
        self.call.first_token_at = self.call.last_token_at = time.time()

    async def break_off(self, request: web.Request) -> None:
        """Go wrong in the way the line asks for; the faults that end a stream do not come back."""
        if self.line.fault == "stall":
            await asyncio.sleep(3600)
        if self.line.fault == "malformed":
            await self.response.write(b'data: {"id": "chatcmpl-1", "choices": [{"delta": {"content": "broken\n\n')
        if self.line.fault == "cut":
            await asyncio.sleep(0.05)  # let what was said reach the wire
            assert request.transport is not None
            request.transport.abort()
            raise ConnectionResetError

    async def finish(self, reason: str) -> web.StreamResponse:
        self.call.finish_reason = reason
        await self.send({}, reason)
        if self.usage_wanted:
            usage = json.dumps(usage_of(self.call), separators=(",", ":"))
            await self.response.write(f'data: {self.head},"choices":[],"usage":{usage}}}\n\n'.encode())
        await self.response.write(b"data: [DONE]\n\n")
        await self.response.write_eof()
        return self.response

    async def send(self, delta: Body, reason: str | None = None) -> None:
        choice = json.dumps({"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}, separators=(",", ":"))
        usage = ',"usage":null' if self.usage_wanted else ""
        await self.response.write(f'data: {self.head},"choices":[{choice}]{usage}}}\n\n'.encode())


async def written(call: Call, line: Line) -> web.StreamResponse:
    """One answer in one piece."""
    call.own_first_seconds = call.own_seconds = line.first_after
    await asyncio.sleep(3600 if line.fault == "hang" else line.first_after)
    if line.fault in {"cut", "stall", "malformed"}:
        return web.Response(body=b'{"id": "chatcmpl-1", "choices": [{"mess', content_type="application/json")
    call.said = "".join(line_pieces(line))
    call.tokens = call.tokens or len(line_pieces(line))
    call.first_token_at = call.last_token_at = time.time()
    call.finish_reason = finish_reason(line)
    tools = [
        {"id": f"call_{call.number:06d}_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for index, (name, arguments) in enumerate(calls_for(line))
    ]
    message = {"role": "assistant", "content": call.said, "refusal": None, "annotations": [], **({"tool_calls": tools} if tools else {})}
    head = {"id": f"chatcmpl-{call.number:08d}", "object": "chat.completion", "created": int(call.started_at), "model": call.body["model"]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": call.finish_reason}
    return web.json_response({**head, "choices": [choice], "usage": usage_of(call), "service_tier": "default"})


def refused(call: Call, refusal: Refusal) -> web.StreamResponse:
    call.status, call.error, call.broke_a_rule = refusal.status, refusal.message, refusal.is_broken_rule
    call.ended_at = time.time()
    headers = {"x-request-id": f"req_{call.number}"}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(refusal.retry_after))
    return web.json_response(refusal.body(), status=refusal.status, headers=headers)


def line_pieces(line: Line) -> list[str]:
    if line.fault in {"stall", "cut", "malformed", "filtered"}:
        text = line.text or SAID_BEFORE_THE_FAULT
        return Line(text, tokens=max(line.tokens, 2 * TOKENS_BEFORE_THE_FAULT)).pieces()[:TOKENS_BEFORE_THE_FAULT]
    if line.fault == "blank":
        return [" ", "\n\n", " \t"]
    return line.pieces()


def finish_reason(line: Line) -> str:
    if line.fault in ("filtered", "length"):
        return {"filtered": "content_filter"}.get(line.fault, line.fault)
    return "tool_calls" if calls_for(line) else "stop"


def usage_of(call: Call) -> Body:
    """Tokens used: three characters each in the prompt, as many as were said in the answer."""
    read = sum(len(text_of(message)) for message in call.body["messages"]) // 3 + 1
    details = {"cached_tokens": 0, "audio_tokens": 0}
    return {
        "prompt_tokens": read,
        "completion_tokens": call.tokens,
        "total_tokens": read + call.tokens,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def vector_of(text: str | list[int], size: int) -> list[float]:
    """The same text always gives the same unit vector; texts that share pairs of letters lie nearer."""
    spelled = text if isinstance(text, str) else "".join(chr(0x4E00 + token % 20_000) for token in text)
    vector = [0.0] * size
    for start in range(max(1, len(spelled) - 1)):
        mark = zlib.crc32(spelled[start : start + 2].lower().encode())
        vector[mark % size] += 1.0 if mark & 0x8000_0000 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


async def serve(port: int) -> None:
    assert set(BROKEN_STREAMS).isdisjoint(REFUSALS)
    runner = web.AppRunner(ModelServer().app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    address: Any = runner.addresses[0]
    announce({"url": f"http://127.0.0.1:{address[1]}/v1", "control": f"http://127.0.0.1:{address[1]}/control"})
    await let_go()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description="A local language model for tests; ends when its standard input closes.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
