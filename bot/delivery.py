"""The delivery of one bot process: every answer it holds is shown on its platform, whoever heard the question.

Once a second the record is asked for answers which nobody living shows. A lost `done`, a dead bot and an emptied Redis are
therefore one case: a row that is not shown yet.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bot.alerting import tell_admins
from bot.messages import RecordedMessages
from bot.platform import ChatPlatform, PlatformError
from bot.showing import Showing
from bot.teaching import tell_news
from feedback.votes import join_early
from nod.contracts import Accepted, Answer
from nod.errors import first_line
from nod.logs import log
from nod.process import STORE_ERRORS, Services, look
from nod.queue import EXPIRE_SECONDS, PLACES_EVERY_LOOKS, TELL_SECONDS, expire, waited_seconds, waits
from nod.readers import tell_readers
from nod.tasks import end_tasks

MOST_AT_ONCE = 500
MOST_OPEN = 1_000  # of a crowd larger than that the others are shown when they are answered, or when there is room
MOST_PLACES = 4  # told at once: what Slack and one channel of Discord take of calls beside those for answers
JOIN_EVERY_LOOKS = 5
ALERT_EVERY_LOOKS = 15
NEWS_EVERY_LOOKS = 5
LEAVE_SECONDS = 3.0  # for the last word about answers that another process will go on with

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class _Open:
    showing: Showing
    task: asyncio.Task[None]


class Delivery:
    """Shows answers in one chat. Run it for as long as the process lives."""

    def __init__(self, services: Services, platform: ChatPlatform) -> None:
        self._services = services
        self._platform = platform
        self.accepting: dict[tuple[str, str, str], asyncio.Task[Accepted]] = {}  # what is being accepted now, by message
        self._open: dict[UUID, _Open] = {}
        self._helping: set[asyncio.Task[None]] = set()
        self._asked: set[UUID] = set()
        self._placed: dict[UUID, int] = {}  # at which look the place of an answer that waits was told
        self._found: set[UUID] = set()  # by the last look, shown by nobody yet
        self._looks = 0

    async def run(self) -> None:
        """Look every second until the process ends; then let go of everything, and say so: somebody else goes on."""
        telling = asyncio.create_task(tell_readers(self._services.redis, self._platform.name, self._platform.readers), name="tell readers")
        try:
            await look(self._services.ending, asyncio.Event(), self._look)
        finally:
            leaving = list(self._open.values())
            goodbyes = {asyncio.create_task(each.showing.leave(), name="leave") for each in leaving}
            if goodbyes:
                await asyncio.wait(goodbyes, timeout=LEAVE_SECONDS)
            await end_tasks({telling, *goodbyes, *self._helping, *(each.task for each in leaving)})

    def show(self, answer: Answer) -> None:
        """Show the answer to a question that was just heard, without waiting for the look."""
        if len(self._open) < MOST_OPEN:
            self._start(answer, is_resumed=False)

    async def go_on(self, answer_id: UUID) -> None:
        """Show another version of an answer, which may have messages already, without waiting for the look."""
        with contextlib.suppress(*STORE_ERRORS):  # the look finds it
            self._start(await self._services.record.answer(answer_id), is_resumed=True)

    async def _look(self) -> None:
        before = list(self._open)
        answers = await self._services.record.undelivered(self._platform.name, self._services.claims.process_id, MOST_AT_ONCE)
        if any(waited_seconds(answer) > EXPIRE_SECONDS for answer in answers):
            await expire(self._services.engine)
        for answer in answers:
            if known := self._open.get(answer.answer_id):
                known.showing.look(answer)
            elif answer.answer_id in self._found:
                self._start(answer, is_resumed=True)
        self._found = {answer.answer_id for answer in answers} - set(self._open)  # one that was just heard is about to begin by itself
        if len(answers) < MOST_AT_ONCE:
            self._let_go(set(before) - {answer.answer_id for answer in answers})
        self._looks += 1
        if self._looks % JOIN_EVERY_LOOKS == 0:
            await join_early(self._services.engine)
        if self._looks % PLACES_EVERY_LOOKS == 0:
            await self._tell_places(answers)
        if self._looks % NEWS_EVERY_LOOKS == 2:
            self._help(tell_news(self._services, self._platform))
        if self._looks % ALERT_EVERY_LOOKS == 1:
            self._help(tell_admins(self._services, self._platform))

    async def _tell_places(self, answers: Sequence[Answer]) -> None:
        """Tell a few of those who have been waiting for long which place they have, in turn."""
        waiting = {each.answer_id for each in answers if waited_seconds(each) > TELL_SECONDS} & set(self._open)
        self._placed = {answer_id: self._placed.get(answer_id, 0) for answer_id in waiting}
        next_told = sorted(waiting, key=lambda answer_id: self._placed[answer_id])[:MOST_PLACES]
        if not next_told:
            return
        for answer_id, wait in (await waits(self._services.engine, next_told)).items():
            self._placed[answer_id] = self._looks
            if known := self._open.get(answer_id):
                known.showing.wait(wait)

    def _let_go(self, answer_ids: set[UUID]) -> None:
        """Stop showing what another process shows by now (or what has just been confirmed)."""
        for answer_id in answer_ids:
            if known := self._open.get(answer_id):
                known.task.cancel()

    def _start(self, answer: Answer, *, is_resumed: bool) -> None:
        if answer.answer_id in self._open or answer.shown_at or self._services.ending.is_set():
            return  # what is heard while this process ends is shown by the next one
        services = self._services
        messages = RecordedMessages(self._platform, answer, services.record, services.claims.process_id)
        showing = Showing(
            services.record, services.follower, messages, answer.language, lambda kind, data: self._hear_request(answer, kind, data)
        )
        task = asyncio.create_task(self._show(answer, showing, is_resumed=is_resumed), name=f"show {answer.code}")
        self._open[answer.answer_id] = _Open(showing, task)

    async def _show(self, answer: Answer, showing: Showing, *, is_resumed: bool) -> None:
        try:
            if is_resumed:
                self._help(self._open_requests(answer))
            await showing.run(is_resumed=is_resumed)
        except (PlatformError, *STORE_ERRORS) as error:
            _log.warning("showing interrupted, the next look goes on", code=answer.code, error=first_line(error))
        except Exception:  # noqa: BLE001  # the edge of a task: a bug in one answer must not end the others
            _log.exception("showing failed, the next look goes on", code=answer.code)
        finally:
            self._open.pop(answer.answer_id, None)
            self._found.add(answer.answer_id)  # if it is not confirmed, the next look goes on

    # ── requests of workers ──

    def _hear_request(self, answer: Answer, kind: str, data: dict[str, Any]) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._help(self._answer_request(answer, UUID(data["request_id"]), kind, data.get("arguments") or {}))

    async def _open_requests(self, answer: Answer) -> None:
        for request_id, kind, arguments in await self._services.requests.open_for(answer.answer_id):
            await self._answer_request(answer, request_id, kind, arguments)

    async def _answer_request(self, answer: Answer, request_id: UUID, kind: str, arguments: dict[str, Any]) -> None:
        if request_id in self._asked:
            return
        self._asked.add(request_id)
        try:
            result = await self._platform.request(answer, kind, arguments)
        except PlatformError as error:
            result = {"error": str(error)}
        finally:
            self._asked.discard(request_id)
        await self._services.requests.answer(request_id, result)

    def _help(self, work: Any) -> None:
        task = asyncio.create_task(self._helped(work))
        self._helping.add(task)
        task.add_done_callback(self._helping.discard)

    async def _helped(self, work: Any) -> None:
        try:
            await work
        except STORE_ERRORS as error:
            _log.warning("not done beside showing", error=first_line(error))
