"""One answer on its platform: the first sign, the growing text, the final word. The one loop for chats, pages and terminals."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from typing import Any

from bot.faces import PHRASES, queue_step, step_phrase
from bot.messages import Messages
from bot.platform import LaterError, MessageGoneError, ModeLostError, PlaceGoneError, PlatformError
from bot.signing import Sign
from bot.watching import Watch, attempt_of
from nod.contracts import Answer
from nod.counting import count
from nod.language import Language
from nod.logs import log
from nod.process import STORE_ERRORS
from nod.queue import Wait
from nod.record import Record
from nod.stream import Follower

LONGEST_WAIT_SECONDS = 30.0  # between two tries to show a final text, unless the platform says when

_log = log(__name__)


class Showing:
    """Shows one answer until the platform has accepted its final text. All it knows can be found again by another process.

    Whoever runs it calls `look` with the answer's row every second; `language` is that of what nod itself says meanwhile.
    """

    def __init__(
        self, record: Record, follower: Follower, messages: Messages, language: Language, on_request: Callable[[str, dict[str, Any]], None]
    ) -> None:
        answer = messages.answer
        self._platform = messages.platform
        self._messages = messages
        self._sign = Sign(record, messages.platform, answer)
        self._code, self._language = answer.code, language
        self._grow_at = self._words_at = 0.0
        self._wait_seconds = math.inf
        self._may_grow = True
        self._saying = asyncio.Lock()
        self._marked_attempt, self._version = 0, answer.version
        self.watch = Watch(record, follower, answer, on_request)

    async def run(self, *, is_resumed: bool) -> None:
        """Show the answer to its end. `is_resumed`: another process, or an earlier version, may have shown something already."""
        following = asyncio.create_task(self.watch.run(), name="watch")
        try:
            if is_resumed:
                await self._restore()
            await self._first_sign()
            while not self.watch.ended.is_set():
                await self.watch.changed.wait()
                self.watch.changed.clear()
                await self._keep_up()
            await self._end()
        finally:
            following.cancel()
            self._sign.close()

    def look(self, answer: Answer) -> None:
        """Take in the answer's row as it is now, and keep the first sign alive."""
        self.watch.look(answer)
        if not len(self._messages):
            self._sign.renew()

    def wait(self, wait: Wait) -> None:
        """Say which place an answer has that waits, and how long it may take. What is said of the time never rises either."""
        if wait.seconds is not None:
            self._wait_seconds = min(self._wait_seconds, wait.seconds)
        self.watch.wait(queue_step(wait.place, None if wait.seconds is None else self._wait_seconds))

    async def leave(self) -> None:
        """Say below what is shown that it will go on: the process that shows it ends, and another one takes over.

        What is being said right now is said to its end, and nothing after this.
        """
        await self._saying.acquire()
        if self._messages.text and not self.watch.ended.is_set():
            with contextlib.suppress(PlatformError, *STORE_ERRORS):
                await self._messages.rewrite(PHRASES.say("step.handed_over", self._language))

    # ── growing ──

    async def _restore(self) -> None:
        is_over = self.watch.ended.is_set() or self.watch.answer.version > 1
        await self._messages.restore("" if is_over else PHRASES.say("step.continuing", self._language))

    async def _first_sign(self) -> None:
        phrase = step_phrase(None, self._language)
        if self.watch.ended.is_set() or (len(self._messages) and self.watch.answer.version == 1):
            return  # taken over: what is there stays until there is something better
        if len(self._messages) or self._platform.signs_by_message:
            await self._try(lambda: self._messages.show("", note=phrase))
        else:
            self._sign.show(phrase)

    async def _keep_up(self) -> None:
        seen, answer = self.watch.seen, self.watch.answer
        if answer.version != self._version:
            if seen.attempt == attempt_of(answer):  # else what is seen still answers the old text
                self._version, self._marked_attempt = answer.version, seen.attempt
                await self._try(lambda: self._messages.restart(answer, PHRASES.say("step.edited", self._language)))
                self.watch.changed.set()  # what was said of it meanwhile
        elif seen.is_continuing and self._marked_attempt != seen.attempt:
            if await self._turn(self._words_at, self.watch.changed) and await self._try(self._going_on):
                self._marked_attempt = seen.attempt
        elif not seen.text and seen.step:
            await self._step(step_phrase(seen.step, self._language))
        elif seen.text and await self._turn(self._grow_at if self._messages.text else self._words_at, self.watch.ended):
            await self._grow()

    async def _going_on(self) -> None:
        """Say below the old text that somebody else goes on with it, or soon will."""
        answer, seen, is_known = self.watch.answer, self.watch.seen, bool(self._messages.text)
        was_handed_over = answer.status == "waiting" and not answer.strikes  # a deploy; a crash leaves a strike
        phrase = PHRASES.say("step.handed_over" if was_handed_over else "step.continuing", self._language)
        if seen.is_continuing:
            await self._messages.rewrite(phrase)
            if not is_known:  # what stands there was shown by another process
                await self._messages.show(seen.text, note=phrase)

    async def _step(self, phrase: str) -> None:
        if not self._platform.signs_by_message:
            if not len(self._messages):  # an edit takes no status away: below a message it would stay
                self._sign.show(phrase)
        elif not self._messages.text and await self._turn(self._grow_at, self.watch.changed):
            await self._try(lambda: self._messages.show("", note=phrase))

    async def _grow(self) -> None:
        seen = self.watch.seen  # newer than before the wait
        is_old = seen.is_continuing or self.watch.answer.version != self._version
        if is_old or seen.has_gap or not self._messages.takes(seen.text):
            return
        was_busy, had_messages = self._sign.hold(), len(self._messages)
        await self._try(lambda: self._messages.show(seen.text))
        if len(self._messages) and not had_messages:
            self._sign.replaced(was_busy=was_busy)

    async def _turn(self, at: float, sooner: asyncio.Event) -> bool:
        """Wait until a message may change again; return whether it is worth it then: what happens `sooner` does not wait.

        The final text waits for nothing, and the first words wait for no step that was shown before them.
        """
        if not self._may_grow or self._platform.growth_seconds(self._messages.mode()) is None:
            return False
        if (wait_seconds := at - asyncio.get_running_loop().time()) > 0:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(sooner.wait(), wait_seconds)
        return not sooner.is_set()

    async def _try(self, show: Callable[[], Awaitable[None]]) -> bool:
        """Show something that is not the end and return whether it is shown; what is refused is made up for by what comes after."""
        wait_seconds, has_failed = 1.0, True
        try:
            await self._say(show)
            wait_seconds, has_failed = self._platform.growth_seconds(self._messages.mode()) or 0.0, False
        except (PlaceGoneError, MessageGoneError) as error:
            self._may_grow = False
            _log.info("not growing any more", code=self._code, error=str(error))
        except PlatformError as error:
            if isinstance(error, LaterError):
                count("dropped_edits")
                wait_seconds = error.wait_seconds
            self.watch.changed.set()  # try again with what there is to say then
        now = asyncio.get_running_loop().time()
        self._grow_at, self._words_at = now + wait_seconds, now + has_failed * wait_seconds
        return not has_failed

    async def _say(self, show: Callable[[], Awaitable[None]]) -> None:
        """Show something, one after the other. Raises PlatformError."""
        async with self._saying:
            try:
                await show()
            except ModeLostError:
                with contextlib.suppress(PlatformError):
                    await self._messages.rewrite()
                raise

    # ── the end ──

    async def _end(self) -> None:
        wait_seconds = 1.0
        while not await self._finished():
            await asyncio.sleep(max(wait_seconds, self._grow_at - asyncio.get_running_loop().time()))
            wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
        await self._messages.confirm()
        await self._sign.settle()

    async def _finished(self) -> bool:
        """Try to show the final text; return whether there is nothing left to do."""
        try:
            await self._say(self._final)
        except PlaceGoneError as error:
            _log.warning("nothing can be said there any more", code=self._code, error=str(error))
        except PlatformError as error:
            _log.warning("final text not accepted yet", code=self._code, error=str(error))
            if isinstance(error, LaterError):
                self._grow_at = asyncio.get_running_loop().time() + error.wait_seconds
            return False
        return True

    async def _final(self) -> None:
        was_busy = self._sign.hold()
        await self._messages.end(self.watch.answer)
        if len(self._messages):
            self._sign.replaced(was_busy=was_busy)
        else:
            self._sign.show("")
