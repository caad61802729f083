"""Discord as delivery sees it: a reply that grows by edits, answers to commands by their token, further messages for long answers."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import discord
from discord.http import Route

from bot.discord.calls import AlreadyAcknowledgedError, Json, TokenGoneError, call
from bot.discord.members import Members
from bot.discord.pacing import Pace
from bot.discord.reading import Reader
from bot.discord.render import (
    EPHEMERAL,
    HEADED,
    LIMITS,
    harmless,
    head_from,
    message_from,
    nonce,
    offer_message,
    plain_message,
    without_markup,
)
from bot.platform import Face, LaterError, Limit, Message, MessageGoneError, PlaceGoneError, PlatformError
from nod.contracts import Answer, Part, Person, Place, PlatformName, Readers
from nod.logs import log
from nod.record import Record

_BY_TOKEN = ("command", "further")
_DIRECT = ("direct", "direct_more")
GROWTH_SECONDS = 1.2
TYPING_SECONDS = 8.0
CLOCKS_SECONDS = 30.0  # by how much Discord's clock and the database's may differ
OLD_MINUTES = 55  # edits of messages older than an hour are limited hard (discord-api-docs, issue 4413)
READ_MESSAGES = 100

_MESSAGES = "/channels/{channel_id}/messages"
_log = log(__name__)


class DiscordPlatform:
    """Discord, as the bot that it knows us by."""

    name: PlatformName = "discord"
    signs_by_message = True

    def __init__(self, client: discord.Client, record: Record, reader: Reader, members: Members, pace: Pace) -> None:
        self._client = client
        self._record = record
        self._reader = reader
        self._members = members
        self._pace = pace
        self._lost: Counter[UUID] = Counter()  # messages that were deleted below us: a new one needs a nonce of its own
        self._directs: dict[str, str] = {}
        self._typed: dict[str, float] = {}
        self._helping: set[asyncio.Task[None]] = set()

    # ── how ──

    def harmless(self, answer: Answer, text: str, *, is_final: bool) -> str:
        """Return text without mentions and foreign links."""
        return harmless(text, answer.question, is_final=is_final)

    def mode(self, answer: Answer, part: int, *, is_final: bool) -> str:  # noqa: ARG002  # the protocol's signature
        """Return how the next message is sent: by the command's token while it is good, else as a message."""
        route = answer.route
        if not route.token:
            return "post"
        if _is_good(answer):
            return "command" if part == 0 else "further" if route.private else "post"
        return _told_mode(answer, part)

    def limit(self, mode: str) -> Limit:
        """Return how much text a message of this mode takes."""
        return Limit(LIMITS[mode])

    def growth_seconds(self, mode: str) -> float | None:  # noqa: ARG002  # the protocol's signature
        """Return the least time between two growths of one message."""
        return GROWTH_SECONDS

    # ── showing ──

    async def sign(self, answer: Answer, phrase: str, *, is_step: bool = False) -> None:
        """Do nothing: the first sign is a message."""

    async def post(self, answer: Answer, part: int, mode: str, face: Face) -> Message:
        """Post a message. What a token can no longer bring is told in the channel, or to its giver alone."""
        if mode in _BY_TOKEN:
            try:
                return await self._post_by_token(answer, mode, face)
            except TokenGoneError as error:
                _log.info("the command is too old to be answered, told instead", code=answer.code, error=str(error))
                mode = _told_mode(answer, part)
        channel = await self._channel(answer, mode)
        await self._wait(answer, channel, part, face)
        shown = message_from(face, answer, self._head(answer, part, mode), is_growing=_is_growing(answer, face))
        body: Json = {
            **shown, **await self._reference(answer, part, mode),
            "nonce": nonce(answer.answer_id, part, self._lost[answer.answer_id]), "enforce_nonce": True,
        }  # fmt: skip
        sent = await call(self._client.http, Route("POST", _MESSAGES, channel_id=channel), json=body)
        return Message(answer.route.channel, str(sent["id"]), mode)

    async def grow(self, answer: Answer, message: Message, before: Face, face: Face) -> None:  # noqa: ARG002  # the protocol's signature
        """Edit a message if its channel has room for one that is not the last."""
        if message.mode not in _BY_TOKEN and (wait_seconds := await self._taken(answer, message, face)):
            raise LaterError("the channel is busy", wait_seconds)
        await self._edit(answer, message, face, is_growing=_is_growing(answer, face))

    async def finish(self, answer: Answer, message: Message, before: Face, face: Face) -> Message:  # noqa: ARG002  # the protocol's signature
        """Edit a message for the last time; whoever is first to ask goes first."""
        if message.mode not in _BY_TOKEN:
            await self._pace.turn(await self._channel(answer, message.mode), answer.answer_id)
        await self._edit(answer, message, face)
        return message

    async def resume(self, answer: Answer, message: Message, note: str) -> Message:  # noqa: ARG002  # the protocol's signature
        """Return the message: an edit replaces whatever it shows."""
        return message

    async def remove(self, answer: Answer, message: Message) -> None:
        """Delete a message."""
        try:
            if _is_private(answer, message):
                await self._by_token(answer, "DELETE", f"/messages/{message.message_id}")
            else:
                await call(self._client.http, await self._message("DELETE", answer, message))
        except (MessageGoneError, PlaceGoneError, TokenGoneError) as error:
            _log.info("message was gone already", code=answer.code, error=str(error))

    # ── finding again ──

    async def adopt(self, answer: Answer, part: Part) -> Message | None:
        """Find a message that was posted and whose id was never heard: by the token, or our own reply that the record does not know.

        What is too young to be listed yet is found by its nonce: the same one posts nothing a second time.
        """
        if part.mode == "further":
            return None
        if part.mode == "command":
            return await self._original(answer)
        channel = await self._channel(answer, part.mode)
        reference = (await self._reference(answer, part.part, part.mode)).get("message_reference", {}).get("message_id")
        since = discord.utils.time_snowflake(part.planned_at - timedelta(seconds=CLOCKS_SECONDS))
        query = {"after": max(since, int(reference or 0)), "limit": READ_MESSAGES}
        listed: list[Json] = await call(self._client.http, Route("GET", _MESSAGES, channel_id=channel), query=query)
        ours = [str(each["id"]) for each in reversed(listed) if self._is_ours(each) and _referred(each) == reference]
        known = await self._record.known_messages("discord", answer.route.channel, ours)
        unknown = [message_id for message_id in ours if message_id not in known]
        return Message(answer.route.channel, unknown[0], part.mode) if unknown else None

    async def _original(self, answer: Answer) -> Message | None:
        try:
            found = await self._by_token(answer, "GET", "/messages/@original")
        except (TokenGoneError, MessageGoneError):
            return None
        return Message(answer.route.channel, str(found["id"]), "command")

    def _is_ours(self, message: Json) -> bool:
        return self._client.user is not None and str(message["author"]["id"]) == str(self._client.user.id)

    async def request(self, answer: Answer, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  # a conversation is the asker's own
        """Read the conversation in which was asked, as far as its asker may, or tell them alone that there is an answer."""
        if kind == "offer_alone":
            body = {**offer_message(answer), "nonce": nonce(kind, answer.answer_id), "enforce_nonce": True}
            channel = await self._direct(answer.person.external_id)
            await call(self._client.http, Route("POST", _MESSAGES, channel_id=channel), json=body)
            return {"told": True}
        if kind != "read_thread":
            return {"error": f"The Discord bot cannot do {kind!r}."}
        return await self._reader.read(answer)

    async def readers(self, place: Place, person: Person) -> Readers:
        """Return who can read a place now."""
        return await self._members.readers(place, person)

    async def tell(self, person: str, text: str) -> None:
        """Write somebody a direct message."""
        channel = await self._direct(person)
        await call(self._client.http, Route("POST", _MESSAGES, channel_id=channel), json=plain_message(without_markup(text)))

    # ── calls ──

    async def acknowledge(self, interaction_id: str, token: str, *, is_private: bool) -> None:
        """Tell Discord that a command was heard; whether only its giver sees the answer is fixed by this."""
        body = {"type": 5, "data": {"flags": EPHEMERAL} if is_private else {}}
        for _ in range(2):
            try:
                await respond(self._client, interaction_id, token, body)
            except AlreadyAcknowledgedError:
                return
            except PlatformError as error:
                _log.warning("command not acknowledged", error=str(error))
            else:
                return

    async def _post_by_token(self, answer: Answer, mode: str, face: Face) -> Message:
        """Fill the message that has been "thinking" since the command was acknowledged, or post one that only its giver sees."""
        head = self._head(answer, 0, mode) if mode == "command" else ""
        body = message_from(face, answer, head, is_growing=_is_growing(answer, face))
        if mode == "command":
            sent = await self._by_token(answer, "PATCH", "/messages/@original", body)
        else:
            sent = await self._by_token(answer, "POST", "", {**body, "flags": body["flags"] | EPHEMERAL})
        return Message(answer.route.channel, str(sent["id"]), mode)

    async def _edit(self, answer: Answer, message: Message, face: Face, *, is_growing: bool = False) -> None:
        """Replace what a message shows. Raises MessageGoneError for one that cannot be reached by any way."""
        if discord.utils.snowflake_time(int(message.message_id)) < datetime.now(UTC) - timedelta(minutes=OLD_MINUTES):
            raise MessageGoneError("the message is too old to be edited again and again")
        head = "" if message.mode not in HEADED else self._head(answer, 0, message.mode)
        body = message_from(face, answer, head, is_growing=is_growing)
        try:
            if message.mode in _BY_TOKEN and await self._edited_by_token(answer, message, body):
                return
            await call(self._client.http, await self._message("PATCH", answer, message), json=body)
        except MessageGoneError:
            self._lost[answer.answer_id] += 1
            raise

    async def _edited_by_token(self, answer: Answer, message: Message, body: Json) -> bool:
        """Edit by the command's token; return False when only the bot's own right can still do it."""
        try:
            await self._by_token(answer, "PATCH", f"/messages/{message.message_id}", body)
        except TokenGoneError as error:
            if answer.route.private:
                raise MessageGoneError(f"{error}: only its giver saw it, and it cannot be edited any more") from error
            return False
        return True

    async def _by_token(self, answer: Answer, method: str, path: str, body: Json | None = None) -> Json:
        if not _is_good(answer):
            raise TokenGoneError("the command was given more than fourteen minutes ago")
        path = "/webhooks/{webhook_id}/{webhook_token}" + path
        route = Route(method, path, webhook_id=self._client.application_id, webhook_token=answer.route.token)
        return await call(self._client.http, route, json=body)

    async def _taken(self, answer: Answer, message: Message, face: Face) -> float:
        return self._pace.take(await self._channel(answer, message.mode), answer.answer_id, is_urgent=face.has_news_of_words)

    async def _wait(self, answer: Answer, channel: str, part: int, face: Face) -> None:
        """Wait for the turn of a post that must come; put off one that may come later, and type meanwhile."""
        if face.foot or part:
            await self._pace.turn(channel, answer.answer_id)
        elif wait_seconds := self._pace.take(channel, answer.answer_id, is_sign=not face.text):
            self._type(channel)
            raise LaterError("the channel is busy", wait_seconds)

    def _type(self, channel: str) -> None:
        """Show that we are typing, at most once in a while: one sign serves all who wait in a channel. Nobody waits for it."""
        now = asyncio.get_running_loop().time()
        if now - self._typed.get(channel, -TYPING_SECONDS) < TYPING_SECONDS or self._pace.take(
            f"typing in {channel}", channel, is_sign=True
        ):
            return
        self._typed = {name: at for name, at in self._typed.items() if now - at < TYPING_SECONDS} | {channel: now}
        task = asyncio.create_task(self._typing(channel), name="typing")
        self._helping.add(task)
        task.add_done_callback(self._helping.discard)

    async def _typing(self, channel: str) -> None:
        try:
            await call(self._client.http, Route("POST", "/channels/{channel_id}/typing", channel_id=channel))
        except PlatformError as error:
            _log.info("not typing", error=str(error))

    # ── where ──

    async def _channel(self, answer: Answer, mode: str) -> str:
        """Return the channel of a message: that of the question, or the direct message with its asker."""
        if mode not in _DIRECT:
            return answer.route.channel
        return await self._direct(answer.person.external_id)

    async def _direct(self, person: str) -> str:
        if person not in self._directs:
            opened = await call(self._client.http, Route("POST", "/users/@me/channels"), json={"recipient_id": person})
            self._directs[person] = str(opened["id"])
        return self._directs[person]

    async def _message(self, method: str, answer: Answer, message: Message) -> Route:
        channel = await self._channel(answer, message.mode)
        return Route(method, f"{_MESSAGES}/{{message_id}}", channel_id=channel, message_id=message.message_id)

    async def _reference(self, answer: Answer, part: int, mode: str) -> Json:
        """Return to what a message replies: the question, or the first answer to a command; the first of all to nothing."""
        target = answer.route.reply_to
        if not target and part and mode == "post":
            parts = await self._record.parts(answer.answer_id)
            target = next((each.message_id for each in parts if each.part == 0), None) or ""
        return {"message_reference": {"message_id": target, "fail_if_not_exists": True}} if target else {}

    def _head(self, answer: Answer, part: int, mode: str) -> str:
        """Return the line that says who asked what, where Discord itself does not show it."""
        is_public = mode == "command" and answer.place.visibility != "direct"
        if part or not (is_public or mode in ("told", "direct")):
            return ""
        return head_from(answer.person.name, answer.question, answer.language)


async def respond(client: discord.Client, interaction_id: object, token: str, body: Json) -> None:
    """Give an interaction its first answer, within three seconds."""
    path = "/interactions/{webhook_id}/{webhook_token}/callback"
    await call(client.http, Route("POST", path, webhook_id=str(interaction_id), webhook_token=token), json=body)


def _is_good(answer: Answer) -> bool:
    """Return whether the token of a command still answers it."""
    return bool(answer.route.token) and (answer.route.expires_at is None or answer.route.expires_at > datetime.now(UTC))


def _told_mode(answer: Answer, part: int) -> str:
    """Return how a message is sent when the token of its command is too old."""
    if answer.route.private:
        return "direct_more" if part else "direct"
    return "post" if part else "told"


def _is_growing(answer: Answer, face: Face) -> bool:
    """Return whether more is to come below what a message shows."""
    return not answer.is_terminal and face.foot is None


def _is_private(answer: Answer, message: Message) -> bool:
    return answer.route.private and message.mode in _BY_TOKEN


def _referred(message: Json) -> str | None:
    reference = message.get("message_reference") or {}
    return str(reference["message_id"]) if reference.get("message_id") and not message.get("interaction_metadata") else None
