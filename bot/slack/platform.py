"""Slack as delivery sees it: streams in threads, plain posts elsewhere, ephemeral answers where nod may not post."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

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
from bot.slack.calls import AppRefusedError, RefusedError, TooManyCallsError, called
from bot.slack.members import Members
from bot.slack.pacing import APPEND, POST, SESSION, START, STATUS, STOP, UPDATE, Pace
from bot.slack.people import People
from bot.slack.privately import NO_PREVIEWS, answer_privately
from bot.slack.render import Block, blocks_from, escaped, fallback_from, foot_blocks, harmless, offer_from
from nod.contracts import Answer, Part, Person, Place, PlatformName, Readers
from nod.logs import log
from nod.record import Record

# A stream takes about 10,600 bytes (SLACK.md), chat.update 4,000; Korean needs three bytes a syllable.
LIMITS = {"stream": Limit(9_000, "bytes"), "post": Limit(4_000, "bytes"), "private": Limit(4_000, "bytes")}
GROWTH_SECONDS = {"stream": 0.7, "post": 1.2, "private": None}
BUSY_SECONDS = 2.0  # until asking again whether first words may be posted
QUESTION_SECONDS = 1.5  # for the turn to post a command's question: Slack waits three for its acknowledgement
CLOCKS_SECONDS = 30.0  # by how much Slack's clock and the database's may differ
READ_MESSAGES = 200
READ_PAGES = 3

_log = log(__name__)


class SlackPlatform:
    """One workspace's Slack, as the bot that it knows us by."""

    name: PlatformName = "slack"
    signs_by_message = False

    def __init__(  # what a connection is made of
        self, client: AsyncWebClient, session: aiohttp.ClientSession, record: Record, people: People, members: Members, pace: Pace
    ) -> None:
        self._client = client
        self._session = session
        self._record = record
        self._people = people
        self._members = members
        self._pace = pace
        self._has_streams = self._has_sessions = True
        self._working: set[UUID] = set()  # answers below which Slack shows its own stop button

    # ── how ──

    def harmless(self, answer: Answer, text: str, *, is_final: bool) -> str:
        """Return text without mentions and foreign links."""
        return harmless(text, answer.question, is_final=is_final)

    def mode(self, answer: Answer, part: int, *, is_final: bool) -> str:  # noqa: ARG002  # the protocol's signature
        """Return `stream` for what grows in a thread, while Slack takes one more; a direct message without threads cannot be streamed."""
        if answer.route.private:
            return "private"
        is_streamed = self._has_streams and answer.route.thread and not is_final and self._may_stream()
        return "stream" if is_streamed else "post"

    def _may_stream(self) -> bool:
        """Return whether a stream may be begun now, and can be ended in time."""
        return self._pace.has_room(START) and self._pace.has_room(STOP)

    def limit(self, mode: str) -> Limit:
        """Return how much text a message of this mode takes."""
        return LIMITS[mode]

    def growth_seconds(self, mode: str) -> float | None:
        """Return the least time between two growths of one message; when many grow, `grow` asks for more."""
        return GROWTH_SECONDS[mode]

    # ── showing ──

    async def sign(self, answer: Answer, phrase: str, *, is_step: bool = False) -> None:
        """Set the thread's status. Slack takes it away when a message is posted, or after two minutes."""
        thread = answer.route.thread or answer.route.reply_to
        if thread and not answer.route.private:
            if wait_seconds := self._pace.take(STATUS) if is_step else self._pace.closed(STATUS):
                raise LaterError("too many statuses", wait_seconds)
            await self._made(
                STATUS, self._client.assistant_threads_setStatus(channel_id=answer.route.channel, thread_ts=thread, status=phrase)
            )
            await self._work(answer, is_working=bool(phrase))

    async def post(self, answer: Answer, part: int, mode: str, face: Face) -> Message:  # the protocol's signature
        """Post a message. What was to be a stream is a post when the last stream that Slack takes was begun meanwhile."""
        if mode == "private":
            await answer_privately(self._session, self._client, answer, face)
            return Message(answer.route.channel, f"{answer.route.reply_to}:{part}", mode)
        if mode == "stream" and self._may_stream() and not self._pace.take(START):
            return await self._start_stream(answer, face)
        if mode == "stream" and len(face.text.encode()) > LIMITS["post"].most:
            raise LaterError("no more streams, and too long for a post", 0.0)
        return await self._post(answer, face)

    async def grow(self, answer: Answer, message: Message, before: Face, face: Face) -> None:
        """Add to a stream, or edit a post, if there is a call left for what may be dropped."""
        if message.mode == "stream":
            self._pace.owe(STOP, answer.answer_id)
            if words := _added(before, face):
                self._spare(APPEND)
                call = self._client.chat_appendStream(channel=message.channel, ts=message.message_id, markdown_text=words)
                await _or_lost(self._made(APPEND, call))
        elif message.mode == "private":
            await answer_privately(self._session, self._client, answer, face)
        else:
            self._pace.owe(UPDATE, answer.answer_id)
            self._spare(UPDATE, is_urgent=face.has_news_of_words)
            await self._edit(answer, message, face)

    async def finish(self, answer: Answer, message: Message, before: Face, face: Face) -> Message:
        """End a stream with what stands below it, or edit a post for the last time."""
        if message.mode == "private":
            await answer_privately(self._session, self._client, answer, face)
            return message
        if message.mode == "post":
            async with self._pace.turn(UPDATE, answer.answer_id):
                await self._edit(answer, message, face)
            await self._work(answer, is_working=face.foot is None)
            return message
        words, foot = _added(before, face), foot_blocks(face.foot, answer) if face.foot else []
        more: dict[str, Any] = {key: value for key, value in (("markdown_text", words), ("blocks", foot)) if value}
        await _or_lost(self._stop_stream(answer, message, **more, **self._session_status(answer, is_working=face.foot is None)))
        if face.foot:
            self._working.discard(answer.answer_id)
        return Message(message.channel, message.message_id)

    async def resume(self, answer: Answer, message: Message, note: str) -> Message:  # the protocol's signature
        """End a stream, whoever began it; from now on the message is edited."""
        if message.mode != "stream":
            return message
        last = f"\n\n_{note}_" if note else None
        try:
            await self._stop_stream(answer, message, markdown_text=last, **self._session_status(answer, is_working=True))
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
            async with asyncio.timeout(QUESTION_SECONDS), self._pace.turn(POST, where=channel):
                pass  # it is our turn now
        except TimeoutError:
            raise LaterError("too many posts in this channel", BUSY_SECONDS) from None
        try:
            sent = await self._made(POST, self._client.chat_postMessage(channel=channel, text=text, blocks=blocks, **NO_PREVIEWS), channel)
        except UnknownOutcomeError:
            found = (await called(self._client.conversations_history(channel=channel, oldest=since, limit=20))).get("messages", [])
            if not (own := [m["ts"] for m in found if self._people.is_us(m) and m.get("text") == text]):
                raise
            return own[0]
        return sent["ts"]

    async def request(self, answer: Answer, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  # a thread is the asker's own
        """Read the thread in which was asked (whoever asked there can read it), or tell the asker alone that there is an answer."""
        if kind == "offer_alone":
            return await self._offer_alone(answer)
        if kind != "read_thread":
            return {"error": f"The Slack bot cannot do {kind!r}."}
        return {"messages": await self._people.thread(answer.place.channel, answer.place.thread, READ_MESSAGES, READ_PAGES)}

    async def _offer_alone(self, answer: Answer) -> dict[str, Any]:
        text, blocks = offer_from(answer)
        channel, thread, user = answer.route.channel, answer.route.thread or None, answer.person.external_id
        await called(self._client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread, text=text, blocks=blocks))
        return {"told": True}

    async def readers(self, place: Place, person: Person) -> Readers:
        """Return who can read a place now."""
        return await self._members.readers(place, person)

    async def tell(self, person: str, text: str) -> None:
        """Write somebody a direct message."""
        await called(self._client.chat_postMessage(channel=person, text=escaped(text), **NO_PREVIEWS))

    # ── calls ──

    def _spare(self, method: str, where: str = "", *, is_urgent: bool = False) -> None:
        """Count a call that can be done without. Raises LaterError while there is none to spare."""
        if wait_seconds := self._pace.take(method, where, is_urgent=is_urgent):
            raise LaterError(f"too many calls of {method}", wait_seconds)

    async def _made(self, method: str, call: Awaitable[AsyncSlackResponse], where: str = "") -> dict[str, Any]:
        """Return what a call answers; when Slack counts too many of its method, all others hear of it."""
        try:
            return await called(call)
        except TooManyCallsError as error:
            self._pace.refused(method, error.wait_seconds, where)
            raise

    async def _post(self, answer: Answer, face: Face) -> Message:
        """Post the end of an answer in its turn; first words only where the edit that completes them can follow."""
        channel, thread = answer.route.channel, answer.route.thread or None
        if answer.is_terminal:
            async with self._pace.turn(POST, where=channel):
                sent = await self._say(POST, answer, face, where=channel, thread_ts=thread, **NO_PREVIEWS)
            return Message(sent["channel"], sent["ts"])
        if not self._pace.may_begin(UPDATE):
            raise LaterError("too many answers grow", BUSY_SECONDS)
        self._spare(POST, channel)
        self._pace.owe(UPDATE, answer.answer_id)
        sent = await self._say(POST, answer, face, where=channel, thread_ts=thread, **NO_PREVIEWS)
        return Message(sent["channel"], sent["ts"])

    async def _edit(self, answer: Answer, message: Message, face: Face) -> None:
        await self._say(UPDATE, answer, face, channel=message.channel, ts=message.message_id)

    async def _stop_stream(self, answer: Answer, message: Message, **more: Any) -> dict[str, Any]:
        async with self._pace.turn(STOP, answer.answer_id):
            return await self._made(STOP, self._client.chat_stopStream(channel=message.channel, ts=message.message_id, **more))

    async def _work(self, answer: Answer, *, is_working: bool) -> None:
        """Have Slack show its own stop button in a direct message while nod answers there; nothing depends on it.

        Not in channels: a call more for each answer would use up what Slack allows when many ask at once (50 a minute).
        """
        is_direct = answer.place.visibility == "direct" and answer.route.thread
        if not is_direct or not self._has_sessions or is_working == (answer.answer_id in self._working):
            return
        where = {"channel_id": answer.route.channel, "thread_ts": answer.route.thread}
        if is_working and self._pace.take(SESSION):
            return
        (self._working.add if is_working else self._working.discard)(answer.answer_id)
        try:
            status = "processing" if is_working else "active"
            await self._made(SESSION, self._client.api_call(SESSION, json={**where, "status": status}))
        except (RefusedError, AppRefusedError) as error:  # not every workspace has sessions
            self._has_sessions = False
            _log.info("no stop button of Slack's own", error=str(error))
        except PlatformError as error:
            _log.info("stop button not changed", code=answer.code, error=str(error))

    def _session_status(self, answer: Answer, *, is_working: bool) -> dict[str, Any]:
        """Return whether the stop button is to stand there after a stream ended, where there is one."""
        return {"session_status": "processing" if is_working else "active"} if answer.answer_id in self._working else {}

    async def _start_stream(self, answer: Answer, face: Face) -> Message:
        who: dict[str, Any] = {
            "recipient_user_id": answer.person.external_id,
            "recipient_team_id": answer.route.extra.get("team") or answer.place.workspace,
        }
        if answer.place.visibility == "direct":
            who = {}
        self._pace.owe(STOP, answer.answer_id)
        where = {"channel": answer.route.channel, "thread_ts": answer.route.thread}
        try:
            sent = await self._made(START, self._client.chat_startStream(**where, markdown_text=face.text or None, **who))
        except RefusedError as error:  # not every workspace has them, and not everybody can be streamed to
            _log.warning("no stream, edits instead", code=answer.code, error=str(error))
            self._has_streams = self._has_streams and not str(error).endswith(("unknown_method", "feature_not_enabled"))
            raise LaterError(str(error), 0.0) from error
        return Message(sent["channel"], sent["ts"], "stream")

    async def _say(self, method: str, answer: Answer, face: Face, *, where: str = "", **arguments: Any) -> dict[str, Any]:
        """Post or edit with blocks; with plain text and the buttons when Slack does not take the blocks."""
        values = {"channel": answer.route.channel, "text": fallback_from(face), "blocks": blocks_from(face, answer), **arguments}
        values = {key: value for key, value in values.items() if value is not None}
        try:
            return await self._made(method, self._client.api_call(method, json=values), where)
        except RefusedError as error:
            if not error.has_bad_looks:
                raise
            _log.warning("blocks refused, plain text instead", code=answer.code, error=str(error))
            return await self._made(
                method, self._client.api_call(method, json={**values, "blocks": [], "text": fallback_from(face)}), where
            )


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
