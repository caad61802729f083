"""The fake Slack: the Web API, Socket Mode, files and response URLs of one workspace, served on loopback.

`python -m tests.fakes.slack_server [--port 0] [--limits on|off]` prints one line of JSON when it is ready:
`{"url": ".../api/", "control": ".../_control/"}`. It knows Slack and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qsl

import uvloop
from aiohttp import web

from tests.fakes.process import announce, let_go
from tests.fakes.slack_arguments import METHODS, WITHOUT_JSON, Refusal, arguments_from, scope_needed
from tests.fakes.slack_blocks import check_blocks
from tests.fakes.slack_chat import CHAT, add_ephemeral, customised, rewrite, tell, tell_changed, tell_deleted
from tests.fakes.slack_control import Control
from tests.fakes.slack_limits import ACTING, Fault, Limits
from tests.fakes.slack_methods import OTHERS
from tests.fakes.slack_socket import Socket
from tests.fakes.slack_views import VIEWS
from tests.fakes.slack_world import BOT_ID, BOT_USER, TEAM, Message, World, visible

Json = dict[str, Any]

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"
ACTS = {**CHAT, **OTHERS, **VIEWS}
HOOK_FIELDS = {
    "text",
    "blocks",
    "attachments",
    "response_type",
    "replace_original",
    "delete_original",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
    "metadata",
}


class Server:
    """All routes of the fake."""

    def __init__(self, limits: bool) -> None:
        self.world = World()
        self.socket = Socket(self.world)
        self.limits = Limits(limits)
        self.faults: list[Fault] = []
        self.control = Control(self.world, self.socket, self.limits, self.faults)

    def app(self) -> web.Application:
        """The routes, for aiohttp."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.call)
        app.router.add_get("/socket", self.socket.handle)
        app.router.add_get("/files-pri/{file}/{rest:.*}", self.download)
        app.router.add_post("/upload/v1/{file}", self.upload)
        app.router.add_post("/hooks/{key}", self.hook)
        app.router.add_post("/_control/{word}", self.obey)
        return app

    # the Web API

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One Web API call: faults first, then what Slack itself would say."""
        method = request.match_info["method"]
        entry: Json = {"method": method, "args": {}, "at": time.time(), "mono": time.monotonic(), "result": "unanswered"}
        self.world.calls.append(entry)
        try:
            token, args = await _read(request)
            entry["args"] = args
        except Refusal as wrong:
            return self._answer(entry, {"ok": False, "error": wrong.error, **wrong.more})
        fault = next((each for each in self.faults if each.hits(method, args)), None)
        if fault and fault.kind not in ACTING:
            return await self._fail(request, entry, fault)
        response = self._decide(method, token, args, entry, request)
        if fault:
            await asyncio.sleep(0 if fault.kind == "lost_reply" else fault.seconds)
        if fault and fault.kind != "late_reply":
            entry["result"] += " (reply lost)"
            return _cut(request)
        return response

    def _decide(self, method: str, token: str, args: Json, entry: Json, request: web.Request) -> web.Response:
        headers: dict[str, str] = {}
        try:
            self._check_token(method, token)
            wait = self.limits.wait_for(method, str(args.get("channel", "")))
            if wait is not None:
                return self._answer(entry, {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait)})
            if method == "apps.connections.open":
                return self._answer(entry, {"ok": True, "url": f"ws://{request.host}/socket?ticket={self.socket.ticket()}&app_id=A0NOD"})
            headers["x-oauth-scopes"] = ",".join(self.world.scopes)
            self._check_scopes(method, args, headers)
            if method in WITHOUT_JSON and request.content_type == "application/json":
                args = {}
            args = arguments_from(method, args)
            if args.pop("team_id", TEAM) != TEAM:
                raise Refusal("team_access_not_granted")  # noqa: TRY301 -- a refusal is an answer here
            return self._answer(entry, {"ok": True, **ACTS[method](self.world, args)}, headers=headers)
        except Refusal as wrong:
            return self._answer(entry, {"ok": False, "error": wrong.error, **wrong.more}, headers=headers)

    def _check_token(self, method: str, token: str) -> None:
        if method not in METHODS:
            raise Refusal("unknown_method", req_method=method)
        if not token:
            raise Refusal("not_authed")
        if token in self.world.bad_tokens:
            raise Refusal(self.world.bad_tokens[token])
        if not token.startswith(("xoxb-", "xapp-")):
            raise Refusal("invalid_auth")
        if token.startswith("xapp-") != (method == "apps.connections.open"):
            raise Refusal("not_allowed_token_type")

    def _check_scopes(self, method: str, args: Json, headers: dict[str, str]) -> None:
        place = self.world.channels.get(str(args.get("channel", "")))
        needed = [each for each in (scope_needed(method, place.kind if place else None), customised(args)) if each]
        if method == "assistant.threads.setStatus":
            needed = [] if {"chat:write", "assistant:write"} & set(self.world.scopes) else ["chat:write"]
        if method == "users.conversations":
            kinds = {"public_channel": "channels:read", "private_channel": "groups:read", "mpim": "mpim:read", "im": "im:read"}
            needed = [kinds[each] for each in str(args.get("types") or "public_channel").split(",") if each in kinds]
        headers["x-accepted-oauth-scopes"] = ",".join(needed)
        if missing := [each for each in needed if each not in self.world.scopes]:
            raise Refusal("missing_scope", needed=",".join(missing), provided=",".join(self.world.scopes))

    def _answer(self, entry: Json, body: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
        entry.update(seconds=time.monotonic() - entry["mono"], result="ok" if body["ok"] else body["error"])
        if body["ok"] and "ts" in body:
            entry["ts"] = body["ts"]
        return web.json_response(body, status=status, headers=headers)

    async def _fail(self, request: web.Request, entry: Json, fault: Fault) -> web.StreamResponse:
        entry["result"] = f"fault {fault.kind}"
        if fault.kind == "429":
            return self._answer(entry, {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(fault.retry_after)})
        if fault.kind == "error":
            return self._answer(entry, {"ok": False, "error": fault.error})
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("timeout", "reset"):
            return _cut(request)
        return web.Response(status=int(fault.kind), text="upstream connect error", content_type="text/html")

    # files

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The file's bytes, or (without token or scope) 200 and a sign-in page, as Slack does."""
        file_id = request.match_info["file"].rpartition("-")[2]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token.startswith("xoxb-") or token in self.world.bad_tokens or "files:read" not in self.world.scopes:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        known = self.world.files.get(file_id)
        if known is None:
            return web.Response(status=404, text="<html>Not found</html>", content_type="text/html")
        return web.Response(body=self.world.bytes[file_id], content_type=known["mimetype"])

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take the bytes of an announced file; the length must be the announced one."""
        known = self.world.files.get(request.match_info["file"])
        if known is None or not known.get("pending"):
            return web.Response(status=404, text="not found")
        if request.content_type.startswith("multipart/"):
            part = await (await request.multipart()).next()
            content = await part.read() if part is not None and hasattr(part, "read") else b""  # pyright: ignore[reportAttributeAccessIssue]
        else:
            content = await request.read()
        if len(content) != known["size"]:
            return web.Response(status=400, text="size mismatch")
        self.world.bytes[known["id"]] = bytes(content)
        return web.Response(text=f"OK - {len(content)}")

    # response URLs

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """An answer to a command or a press: five of them within thirty minutes."""
        hook = self.world.hooks.get(request.match_info["key"])
        if hook is None or time.monotonic() - hook["made"] > self.world.timing.response_url_seconds:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if hook["uses"] >= 5:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        try:
            body = await request.json()
            _check_response(body)
        except (ValueError, TypeError):
            return web.Response(status=400, text="invalid_payload")
        except Refusal as wrong:
            return web.Response(status=400, text=wrong.error)
        hook["uses"] += 1
        self._respond(hook, body)
        return web.Response(text="ok")

    def _respond(self, hook: Json, body: Json) -> None:
        content: Json = {"text": body.get("text") or "", "blocks": body.get("blocks") or [], "attachments": body.get("attachments") or []}
        shown = visible(content["blocks"]) or content["text"]
        hook["responses"].append({"by": "response_url", "shown": shown, "at": time.time(), "mono": time.monotonic(), **body})
        original = self.world.find(hook["channel"], hook["ts"]) if hook["ts"] else None
        if body.get("replace_original") or body.get("delete_original"):
            self._change_original(hook, original, body, content)
        elif body.get("response_type") == "in_channel":
            message = Message(
                hook["channel"], self.world.new_ts(), BOT_USER, bot_id=BOT_ID, thread_ts=body.get("thread_ts") or hook["thread"], **content
            )
            tell(self.world, self.world.add(message))
        else:
            add_ephemeral(self.world, hook["channel"], hook["user"], body.get("thread_ts") or hook["thread"], content)

    def _change_original(self, hook: Json, original: Message | None, body: Json, content: Json) -> None:
        if original is not None:
            before = self.world.as_slack(original)
            if body.get("delete_original"):
                original.deleted = True
                tell_deleted(self.world, original, before)
            else:
                rewrite(original, {"text": "", "blocks": []}, content)
                tell_changed(self.world, original, before)
            self.world.remember(original, "deleted" if original.deleted else "updated")
            return
        for each in self.world.ephemerals:
            if each["ts"] == hook["ts"] and each["user"] == hook["user"]:
                each.update(
                    {"deleted": True} if body.get("delete_original") else content | {"shown": visible(content["blocks"]) or content["text"]}
                )

    # control

    async def obey(self, request: web.Request) -> web.StreamResponse:
        """Do what a test asks."""
        word = self.control.word(request.match_info["word"])
        if word is None:
            return web.json_response({"error": f"no such word: {request.match_info['word']}"}, status=404)
        try:
            answer = word(**(await request.json()))
            return web.json_response({"answer": await answer if inspect.isawaitable(answer) else answer})
        except (Refusal, KeyError, TypeError) as wrong:
            return web.json_response({"error": f"{wrong!r} {getattr(wrong, 'more', '')}"}, status=400)


async def _read(request: web.Request) -> tuple[str, Json]:
    """The token and the arguments, from header, query, form or JSON."""
    args: Json = dict(request.query)
    if request.content_type == "application/json" and request.can_read_body:
        try:
            body = json.loads(await request.text())
        except ValueError:
            raise Refusal("invalid_json") from None
        if not isinstance(body, dict):
            raise Refusal("json_not_object")
        args |= body
    elif request.content_type == "application/x-www-form-urlencoded":
        args |= dict(parse_qsl(await request.text(), keep_blank_values=True))
    elif request.content_type.startswith("multipart/"):
        args |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    token = str(args.pop("token", ""))
    scheme, _, header = request.headers.get("Authorization", "").partition(" ")
    return (header.strip() if scheme == "Bearer" else token), args


def _check_response(body: Json) -> None:
    if unknown := set(body) - HOOK_FIELDS:
        raise Refusal("invalid_arguments", f"unknown field: {min(unknown)}")
    check_blocks(body.get("blocks") or [])
    if not body.get("delete_original") and not any(body.get(key) for key in ("text", "blocks", "attachments")):
        raise Refusal("no_text")


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def serve(port: int, limits: bool) -> None:
    """Serve until stdin closes."""
    server = Server(limits)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    bound = runner.addresses[0][1]
    server.world.base = f"http://127.0.0.1:{bound}"
    announce({"url": f"{server.world.base}/api/", "control": f"{server.world.base}/_control/", **server.control.about()})
    await let_go()
    server.socket.drop()
    await runner.cleanup()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--limits", choices=("on", "off"), default="off")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(serve(options.port, options.limits == "on"))


if __name__ == "__main__":
    main()
