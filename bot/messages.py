"""The messages that show one answer, in order: posted, grown, finished, found again, taken away.

A reader's page or terminal lives as long as its connection, so `Messages` keeps nothing. A chat keeps what was posted there when
our process dies, so `RecordedMessages` writes down what it does.
"""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from bot.faces import foot_of, marked
from bot.platform import ChatPlatform, Face, Foot, LaterError, Limit, Message, MessageGoneError, Platform, UnknownOutcomeError
from bot.splitting import Piece, pieces_from
from nod.contracts import Answer, Part
from nod.pause import pause
from nod.record import Record

TURN_SECONDS = (
    60.0  # for the answer before: whoever was to show it may have died (noticed after six), its platform may refuse it for thirty
)

_NOTHING = Face("")


@dataclass(frozen=True, slots=True)
class _Shown:
    """A message and what it shows, as far as this process knows. A closed one will only change by being rewritten."""

    message: Message
    face: Face = _NOTHING
    piece: Piece | None = None
    is_closed: bool = False


class Messages:
    """What an answer's messages show, known to this process alone. `there` are those which its reader sees already."""

    def __init__(self, platform: Platform, answer: Answer, there: Iterable[Message] = ()) -> None:
        self.platform = platform
        self.answer = answer
        self.text = ""  # of the answer, as shown
        self._shown = [_Shown(message) for message in there]
        self._harmless = ""
        self._is_in_doubt = False  # what its messages show may be more than we know

    def __len__(self) -> int:
        return len(self._shown)

    def mode(self) -> str:
        """Return the mode of the message that grows now, or of the first one to come."""
        return self._shown[-1].message.mode if self._shown else self.platform.mode(self.answer, 0, is_final=False)

    def takes(self, text: str) -> bool:  # noqa: ARG002  # what a chat's messages take depends on it
        """Return whether a text may be shown now: always, since a reader's one message is repainted as a whole."""
        return True

    async def restore(self, note: str) -> None:
        """Make the messages of whoever showed this answer before ready to be rewritten; `note` stands below the old text where it can."""
        await self.rewrite(note)

    async def end(self, answer: Answer) -> None:
        """Show an answer as committed, for good. A withdrawn one leaves no message."""
        self.answer = answer
        if answer.status == "withdrawn":
            await self.shorten(0)
        else:
            await self.show(marked(answer.text, answer.citations), foot=foot_of(answer))

    async def confirm(self) -> None:
        """Say that the end is shown: to nobody, an answer on the page or in the terminal counts as shown when it is committed."""

    async def show(self, text: str, *, note: str = "", foot: Foot | None = None) -> None:
        """Show a text over as many messages as it takes; with a foot it is the last word."""
        words = self.platform.harmless(self.answer, text, is_final=foot is not None)
        if not words and not note and not foot:
            return
        if self._is_in_doubt or not words.startswith(self._harmless):
            await self.rewrite()
        self._harmless, self.text = words, text  # what is tried counts as shown: a failure half-way leaves some of it there
        kept = [shown.piece for shown in self._shown if shown.is_closed and shown.piece and shown.piece.is_full]
        is_final = foot is not None
        pieces = pieces_from(words, lambda part: self._limit(part, is_final=is_final), kept)
        for part, piece in enumerate(pieces):
            face = Face(piece.shown) if piece.is_full else Face(piece.shown, note, foot)
            if part == len(self._shown):
                message = await self._post(part, face, is_final=is_final)
                self._shown.append(_Shown(message, face, piece, is_closed=is_final))
            await self._show_part(part, face, piece, is_closed=piece.is_full or is_final)
        if foot:
            await self.shorten(len(pieces))

    async def restart(self, answer: Answer, note: str) -> None:
        """Take back what was shown, in the same message: it answered a text that was edited meanwhile."""
        self.answer = answer
        if self._shown:
            await self.rewrite()
            await self.shorten(1)
            await self.show("", note=note)

    async def rewrite(self, note: str = "") -> None:
        """Make all messages ready to be rewritten from nothing; until then they stay, with `note` below the last.

        What fails on the way is done again before anything else is shown.
        """
        self._is_in_doubt = True
        for part, shown in enumerate(self._shown):
            last_note = note if part == len(self._shown) - 1 else ""
            message = await self.platform.resume(self.answer, shown.message, last_note)
            if message.mode != shown.message.mode:
                await self._changed_mode(part, message)
            face = shown.face if message == shown.message else _NOTHING
            if last_note and face.text:
                face = replace(face, note=last_note, foot=None)
                await self.platform.grow(self.answer, message, shown.face, face)
            self._shown[part] = _Shown(message, face)
        self._is_in_doubt = False

    async def _changed_mode(self, part: int, message: Message) -> None:
        """Keep nothing: a reader's messages live as long as its connection."""

    async def shorten(self, count: int) -> None:
        """Take away the messages from number `count` on."""
        for shown in self._shown[count:]:
            await self.platform.remove(self.answer, shown.message)
        self._shown = self._shown[:count]

    def _limit(self, part: int, *, is_final: bool) -> Limit:
        is_there = part < len(self._shown)
        return self.platform.limit(self._shown[part].message.mode if is_there else self.platform.mode(self.answer, part, is_final=is_final))

    async def _show_part(self, part: int, face: Face, piece: Piece, *, is_closed: bool) -> None:
        shown = self._shown[part]
        if shown.face == face and (shown.is_closed or not is_closed):
            return
        try:
            self._shown[part] = _Shown(await self._changed(shown, face, is_closed=is_closed), face, piece, is_closed)
        except MessageGoneError:
            await self.shorten(part)
            raise

    async def _changed(self, shown: _Shown, face: Face, *, is_closed: bool) -> Message:
        if is_closed:
            return await self.platform.finish(self.answer, shown.message, shown.face, face)
        await self.platform.grow(self.answer, shown.message, shown.face, face)
        return shown.message

    async def _post(self, part: int, face: Face, *, is_final: bool) -> Message:
        return await self.platform.post(self.answer, part, self.platform.mode(self.answer, part, is_final=is_final), face)


class RecordedMessages(Messages):
    """Messages in a chat. A plan is written down before each post and the id after it, so no crash makes two of one."""

    def __init__(self, platform: ChatPlatform, answer: Answer, record: Record, process_id: UUID) -> None:
        super().__init__(platform, answer)
        self._chat = platform
        self._record = record
        self._process_id = process_id
        self._patient_until = math.inf  # until it is known that it has something to show

    def takes(self, text: str) -> bool:
        """Return whether a text goes on with what is shown, or has as much to say: several messages cannot change at once."""
        return len(text) > len(self.text) or text.startswith(self.text)

    async def restore(self, note: str) -> None:
        """Find the messages of whoever showed this answer before, those whose id was never heard too, and make them ready."""
        self._shown = []
        for part in await self._record.parts(self.answer.answer_id):
            message = Message(part.channel, part.message_id, part.mode) if part.message_id else await self._adopted(part)
            if message:
                self._shown.append(_Shown(message))
        await super().restore(note)

    async def end(self, answer: Answer) -> None:
        """Show an answer as committed, for good. Stopped before a word was said it says so; its question deleted, it leaves no message."""
        if answer.status != "withdrawn":
            await super().end(answer)
            return
        self.answer = answer
        if answer.stopped_at:
            await self.show("", foot=foot_of(answer))
        else:
            await self.rewrite()
            await self.shorten(0)

    async def confirm(self) -> None:
        """Write down that the end is shown."""
        await pause("finished")
        await self._record.confirm(self.answer.answer_id, self._process_id)

    async def _changed_mode(self, part: int, message: Message) -> None:
        """Write down how a message goes on: whoever takes it over need not end its stream once more."""
        await self._record.name_part(self.answer.answer_id, part, message.message_id, message.mode)

    async def shorten(self, count: int) -> None:
        """Take away the messages from number `count` on."""
        if count < len(self):
            await super().shorten(count)
            await self._record.drop_parts(self.answer.answer_id, count)

    async def _post(self, part: int, face: Face, *, is_final: bool) -> Message:
        if part == 0 and not await self._is_its_turn():
            raise LaterError("what was asked before it has no message yet", 0.5)
        answer_id, mode = self.answer.answer_id, self._chat.mode(self.answer, part, is_final=is_final)
        await self._record.plan_part(answer_id, part, self.answer.route.channel, mode)
        try:
            message = await self._chat.post(self.answer, part, mode, face)
        except UnknownOutcomeError as error:
            planned = next(plan for plan in await self._record.parts(answer_id) if plan.part == part)
            message = await self._chat.adopt(self.answer, planned)
            if not message:
                raise LaterError(f"{error}: it was not posted") from error
        await pause("posted")
        await self._record.name_part(answer_id, part, message.message_id, message.mode)
        return message

    async def _is_its_turn(self) -> bool:
        """Return whether what was asked before it in its conversation has a message; it had long enough to come when it has none by now."""
        now = time.monotonic()
        self._patient_until = min(self._patient_until, now + TURN_SECONDS)
        if self.answer.position == 1 or now > self._patient_until:
            return True
        return await self._record.is_its_turn(self.answer)

    async def _adopted(self, part: Part) -> Message | None:
        message = await self._chat.adopt(self.answer, part)
        if message:
            await self._record.name_part(part.answer_id, part.part, message.message_id, message.mode)
        return message
