"""Slack as delivery sees it: streams in threads, plain posts elsewhere, ephemeral answers where nod may not post."""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.platform import (
    Face,
    LaterError,
    Limit,
    Message,
    MessageGoneError,
    ModeLostError,
    PlaceGoneError,
    PlatformError,
    UnknownOutcomeError,
)  # fmt: skip
from bot.slack.calls import AppRefusedError, RefusedError, called, error_named
from bot.slack.people import People
from bot.slack.render import Block, blocks_from, escaped, fallback_from, foot_blocks, harmless
from nod.contracts import Answer, Part, PlatformName
from nod.counting import count
from nod.logs import log
from nod.record import Record

# A stream takes about 10,600 bytes (SLACK.md), chat.update 4,000; Korean needs three bytes a syllable.
LIMITS = {"stream": Limit(9_000, "bytes"), "post": Limit(4_000, "bytes"), "private": Limit(4_000, "bytes")}
GROWTH_SECONDS = {"stream": 0.7, "post": 1.2, "private": None}
CLOCKS_SECONDS = 30.0  # by how much Slack's clock and the database's may differ
READ_MESSAGES = 200
READ_PAGES = 3

_log = log(__name__)


class SlackPlatform:
    """One workspace's Slack, as the bot that it knows us by."""

    name: PlatformName = "slack"
    signs_by_message = False

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession, record: Record, people: People) -> None:
        self._client = client
        self._session = session
        self._record = record
        self._people = people
        self._has_streams = self._has_sessions = True
        self._working: set[UUID] = set()  # answers below which Slack shows its own stop button
        self._quiet_until: dict[str, float] = {}  # by mode: Slack asked all of us to wait, not only the answer that was told

    # ── how ──

    def harmless(self, answer: Answer, text: str, *, is_final: bool) -> str:
        """Return text without mentions and foreign links."""
        return harmless(text, answer.question, is_final=is_final)

    def mode(self, answer: Answer, part: int, *, is_final: bool) -> str:  # noqa: ARG002  # the protocol's signature
        """Return `stream` for what grows in a thread; a direct message without threads cannot be streamed."""
        if answer.route.private:
            return "private"
        return "stream" if self._has_streams and answer.route.thread and not is_final else "post"

    def limit(self, mode: str) -> Limit:
        """Return how much text a message of this mode takes."""
        return LIMITS[mode]

    def growth_seconds(self, mode: str) -> float | None:
        """Return the least time between two growths of one message; longer for all while Slack wants fewer calls."""
        least = GROWTH_SECONDS[mode]
        return None if least is None else least + max(0.0, self._quiet_until.get(mode, 0.0) - time.monotonic())

    # ── showing ──

    async def sign(self, answer: Answer, phrase: str) -> None:
        """Set the thread's status. Slack takes it away when a message is posted, or after two minutes."""
        thread = answer.route.thread or answer.route.reply_to
        if thread and not answer.route.private:
            await called(self._client.assistant_threads_setStatus(channel_id=answer.route.channel, thread_ts=thread, status=phrase))
            await self._work(answer, is_working=bool(phrase))

    async def post(self, answer: Answer, part: int, mode: str, face: Face) -> Message:  # the protocol's signature
        """Post a message."""
        if mode == "private":
            await self._answer_privately(answer, face)
            return Message(answer.route.channel, f"{answer.route.reply_to}:{part}", mode)
        if mode == "stream":
            return await self._start_stream(answer, face)
        sent = await self._say("chat.postMessage", answer, face, thread_ts=answer.route.thread or None, **_NO_PREVIEWS)
        return Message(sent["channel"], sent["ts"], mode)

    async def grow(self, answer: Answer, message: Message, before: Face, face: Face) -> None:
        """Add to a stream, or edit a post."""
        try:
            if message.mode == "stream":
                await self._append(message, _added(before, face))
            elif message.mode == "private":
                await self._answer_privately(answer, face)
            else:
                await self._say("chat.update", answer, face, channel=message.channel, ts=message.message_id)
        except LaterError as error:
            self._quiet_until[message.mode] = time.monotonic() + error.wait_seconds
            raise

    async def finish(self, answer: Answer, message: Message, before: Face, face: Face) -> Message:
        """End a stream with what stands below it, or edit a post for the last time."""
        if message.mode != "stream":
            await self.grow(answer, message, before, face)
            await self._work(answer, is_working=face.foot is None)
            return message
        words, foot = _added(before, face), foot_blocks(face.foot, answer) if face.foot else []
        more: dict[str, Any] = {key: value for key, value in (("markdown_text", words), ("blocks", foot)) if value}
        more |= self._session_status(answer, is_working=face.foot is None)
        await _or_lost(called(self._client.chat_stopStream(channel=message.channel, ts=message.message_id, **more)))
        if face.foot:
            self._working.discard(answer.answer_id)
        return Message(message.channel, message.message_id)

    async def resume(self, answer: Answer, message: Message, note: str) -> Message:  # the protocol's signature
        """End a stream, whoever began it; from now on the message is edited."""
        if message.mode != "stream":
            return message
        last = f"\n\n_{note}_" if note else None
        try:
            more = self._session_status(answer, is_working=True)
            await called(self._client.chat_stopStream(channel=message.channel, ts=message.message_id, markdown_text=last, **more))
        except (ModeLostError, MessageGoneError, RefusedError) as error:
            _log.info("stream was over already", code=answer.code, error=str(error))
        return Message(message.channel, message.message_id)

    async def remove(self, answer: Answer, message: Message) -> None:
        """Delete a message."""
        if message.mode == "private":
            return
        try:
            await called(self._client.chat_delete(channel=message.channel, ts=message.message_id))
        except (MessageGoneError, PlaceGoneError) as error:
            _log.info("message was gone already", code=answer.code, error=str(error))

    # ── finding again ──

    async def adopt(self, answer: Answer, part: Part) -> Message | None:
        """Read the thread once and return our first message in it which the record does not know (a stream can carry no key)."""
        if part.mode == "private":
            return None
        since = f"{part.planned_at.timestamp() - CLOCKS_SECONDS:.6f}"
        return await self.find_own(
            answer.route.channel, answer.route.thread, max(since, answer.route.reply_to or "0", key=float), part.mode
        )

    async def find_own(self, channel: str, thread: str, since: str, mode: str) -> Message | None:
        """Return our oldest message in a place after `since` that the record does not know."""
        read = self._client.conversations_replies(channel=channel, ts=thread, oldest=since, limit=READ_MESSAGES) if thread else (
            self._client.conversations_history(channel=channel, oldest=since, limit=READ_MESSAGES)
        )  # fmt: skip
        messages = (await called(read)).get("messages", [])
        own = sorted(m["ts"] for m in messages if self._people.is_us(m) and float(m["ts"]) > float(since))
        known = await self._record.known_messages("slack", channel, own)
        unknown = [ts for ts in own if ts not in known]
        return Message(channel, unknown[0], mode) if unknown else None

    async def post_question(self, channel: str, text: str, blocks: list[Block]) -> str:
        """Post the question of a command, which opens the thread of its answer, and return its ts."""
        since = f"{time.time() - CLOCKS_SECONDS:.6f}"
        try:
            sent = await called(self._client.chat_postMessage(channel=channel, text=text, blocks=blocks, **_NO_PREVIEWS))
        except UnknownOutcomeError:
            found = (await called(self._client.conversations_history(channel=channel, oldest=since, limit=20))).get("messages", [])
            if not (own := [m["ts"] for m in found if self._people.is_us(m) and m.get("text") == text]):
                raise
            return own[0]
        return sent["ts"]

    async def request(self, answer: Answer, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  # a thread is the asker's own
        """Read the thread in which was asked; whoever asked there can read it."""
        if kind != "read_thread":
            return {"error": f"The Slack bot cannot do {kind!r}."}
        return {"messages": await self._people.thread(answer.place.channel, answer.place.thread, READ_MESSAGES, READ_PAGES)}

    async def tell(self, person: str, text: str) -> None:
        """Write somebody a direct message."""
        await called(self._client.chat_postMessage(channel=person, text=escaped(text), **_NO_PREVIEWS))

    # ── calls ──

    async def _work(self, answer: Answer, *, is_working: bool) -> None:
        """Have Slack show its own stop button in a direct message while nod answers there; nothing depends on it.

        Not in channels: a call more for each answer would use up what Slack allows when many ask at once (50 a minute).
        """
        is_direct = answer.place.visibility == "direct" and answer.route.thread
        if not is_direct or not self._has_sessions or is_working == (answer.answer_id in self._working):
            return
        where = {"channel_id": answer.route.channel, "thread_ts": answer.route.thread}
        (self._working.add if is_working else self._working.discard)(answer.answer_id)
        try:
            status = "processing" if is_working else "active"
            await called(self._client.api_call("agents.sessions.setStatus", json={**where, "status": status}))
        except (RefusedError, AppRefusedError) as error:  # not every workspace has sessions
            self._has_sessions = False
            _log.info("no stop button of Slack's own", error=str(error))
        except PlatformError as error:
            _log.info("stop button not changed", code=answer.code, error=str(error))

    def _session_status(self, answer: Answer, *, is_working: bool) -> dict[str, Any]:
        """Return whether the stop button is to stand there after a stream ended, where there is one."""
        return {"session_status": "processing" if is_working else "active"} if answer.answer_id in self._working else {}

    async def _append(self, message: Message, words: str) -> None:
        if words:
            await _or_lost(called(self._client.chat_appendStream(channel=message.channel, ts=message.message_id, markdown_text=words)))

    async def _start_stream(self, answer: Answer, face: Face) -> Message:
        who: dict[str, Any] = {
            "recipient_user_id": answer.person.external_id,
            "recipient_team_id": answer.route.extra.get("team") or answer.place.workspace,
        }
        if answer.place.visibility == "direct":
            who = {}
        try:
            sent = await called(
                self._client.chat_startStream(
                    channel=answer.route.channel, thread_ts=answer.route.thread, markdown_text=face.text or None, **who,
                )
            )  # fmt: skip
        except RefusedError as error:  # not every workspace has them, and not everybody can be streamed to
            _log.warning("no stream, edits instead", code=answer.code, error=str(error))
            self._has_streams = self._has_streams and not str(error).endswith(("unknown_method", "feature_not_enabled"))
            raise LaterError(str(error), 0.0) from error
        return Message(sent["channel"], sent["ts"], "stream")

    async def _say(self, method: str, answer: Answer, face: Face, **arguments: Any) -> dict[str, Any]:
        """Post or edit with blocks; with plain text and the buttons when Slack does not take the blocks."""
        values = {"channel": answer.route.channel, "text": fallback_from(face), "blocks": blocks_from(face, answer), **arguments}
        values = {key: value for key, value in values.items() if value is not None}
        try:
            return await called(self._client.api_call(method, json=values))
        except RefusedError as error:
            if not error.has_bad_looks:
                raise
            _log.warning("blocks refused, plain text instead", code=answer.code, error=str(error))
            return await called(self._client.api_call(method, json={**values, "blocks": [], "text": fallback_from(face)}))

    async def _answer_privately(self, answer: Answer, face: Face) -> None:
        """Answer by the command's response URL, which only its giver sees; when it is used up, by direct message."""
        body = {"response_type": "ephemeral", "replace_original": False, "text": fallback_from(face), "blocks": blocks_from(face, answer)}
        try:
            async with self._session.post(_response_url(answer), json=body) as response:
                await _accepted(response)
        except PlaceGoneError:
            body = {"text": body["text"], "blocks": body["blocks"], **_NO_PREVIEWS}
            await called(self._client.api_call("chat.postMessage", json={"channel": answer.person.external_id, **body}))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnknownOutcomeError(f"Slack did not answer: {error}") from error


_NO_PREVIEWS: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}


def _response_url(answer: Answer) -> str:
    if not answer.route.token or (answer.route.expires_at and answer.route.expires_at <= datetime.now(UTC)):
        raise PlaceGoneError("the response URL is too old")
    return answer.route.token


async def _accepted(response: aiohttp.ClientResponse) -> None:
    if response.status >= 500:
        raise UnknownOutcomeError(f"Slack: {response.status}")
    if response.status == 429:
        count("rate_limited")
        raise LaterError("Slack: ratelimited", float(response.headers.get("Retry-After") or 1))
    if response.status == 404:
        raise PlaceGoneError("Slack: the response URL is used up")
    if response.status >= 400:
        raise error_named((await response.text())[:60])


def _added(before: Face, face: Face) -> str:
    """Return what is to be appended to a stream. Raises ModeLostError when that cannot make one text of the other."""
    if not face.text.startswith(before.text):
        raise ModeLostError("a stream can only grow")
    return face.text[len(before.text) :]


async def _or_lost(call: Any) -> None:
    """Await a stream's call. What happened in doubt, or was refused, may not be said again: the message goes on by edits."""
    try:
        await call
    except (UnknownOutcomeError, RefusedError) as error:
        raise ModeLostError(str(error)) from error
