"""The first sign of an answer where it is a status and no message: shown at once, waited for by nobody."""

import asyncio

from bot.platform import LaterError, Platform, PlatformError
from nod.contracts import Answer
from nod.logs import log
from nod.process import STORE_ERRORS
from nod.record import Record

FADES_SECONDS = 90.0  # Slack takes a status away after two minutes
STEP_SECONDS = 1.0  # between two phrases: what stands there for less, nobody reads
SETTLE_SECONDS = 2.0

_log = log(__name__)


class Sign:
    """One answer's status. The newest phrase wins; one call is under way at a time."""

    def __init__(self, record: Record, platform: Platform, answer: Answer) -> None:
        self._record = record
        self._platform = platform
        self._answer = answer
        self._wanted = self._shown = ""
        self._shown_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None

    def show(self, phrase: str) -> None:
        """Show a phrase soon, or in the turn of the next step; an empty one takes the sign away."""
        self._wanted = phrase
        if self._wanted != self._shown and not self.is_busy and not self._is_early():
            self._task = asyncio.create_task(self._send(), name="sign")

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._task is not None and not self._task.done()

    def hold(self) -> bool:
        """Take back a step that waits for its turn: a message is about to be posted, and a status that comes after it would stay.

        Returns whether a call is under way, which may come after it all the same.
        """
        if self._later:
            self._later.cancel()
            self._later = None
        if not self.is_busy:
            self._wanted = self._shown
        return self.is_busy

    def replaced(self, *, was_busy: bool) -> None:
        """Say that a message was posted, which takes the sign away; a call that was under way then may have come after it."""
        if was_busy:
            self.show("")
        elif not self.is_busy:
            self._wanted = self._shown = ""

    def renew(self) -> None:
        """Show the phrase again when it may have faded."""
        if self._shown and asyncio.get_running_loop().time() - self._shown_at > FADES_SECONDS:
            self._shown = ""
            self.show(self._wanted)

    async def settle(self) -> None:
        """Let a call that is under way end, for a moment."""
        if self._task:
            await asyncio.wait({self._task}, timeout=SETTLE_SECONDS)

    def close(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
        if self._later:
            self._later.cancel()

    def _is_early(self) -> bool:
        """Return whether a phrase stands there that should be read first; what is wanted then comes when it was."""
        loop, at = asyncio.get_running_loop(), self._shown_at + STEP_SECONDS
        if not self._wanted or not self._shown or loop.time() >= at:
            return False
        if not self._later or self._later.when() < at:
            self._later = loop.call_at(at + 0.01, lambda: self.show(self._wanted))
        return True

    async def _send(self) -> None:
        while self._wanted != self._shown and not self._is_early():
            phrase, is_first = self._wanted, not self._shown_at
            try:
                await self._platform.sign(self._answer, phrase, is_step=bool(phrase and self._shown))
                self._shown, self._shown_at = phrase, asyncio.get_running_loop().time()
                if is_first:
                    await self._record.first_shown(self._answer.answer_id)
            except LaterError as error:
                await asyncio.sleep(error.wait_seconds)
            except (PlatformError, *STORE_ERRORS) as error:
                _log.info("first sign not shown", code=self._answer.code, error=str(error))
                return
