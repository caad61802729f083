"""The page as the platform of one answer for one open browser: each change is one event that paints the whole."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator

from bot.messages import Messages
from bot.platform import NO_LIMIT, Face, LaterError, Limit, Message
from bot.reading import show
from bot.web.markdown import closed, html_from, words_from
from bot.web.page import Visitor, Web
from bot.web.render import turns_html
from nod.contracts import Answer, PlatformName
from nod.process import STORE_ERRORS

GROWTH_SECONDS = 0.1  # a page repaints an answer this often at most
SIGN_OF_LIFE_SECONDS = 15.0  # what stands between an idle stream and a proxy's patience


async def events(web: Web, visitor: Visitor, answer: Answer) -> AsyncGenerator[str]:
    """Give an open browser the events of an answer to its end, with a sign of life in long silences.

    When the process ends they end too, and the browser comes back by itself.
    """
    page, services = WebPlatform(web, visitor), web.services
    showing = asyncio.create_task(show(services.record, services.follower, Messages(page, answer, [turn_of(answer)]), visitor.language))
    ending = asyncio.create_task(services.ending.wait())
    for task in (showing, ending):
        task.add_done_callback(lambda _: page.painted.set())
    try:
        yield "retry: 1000\n\n"
        while page.newest or not (showing.done() or ending.done()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
                    await page.painted.wait()
            yield page.take() or ": still here\n\n"
        if showing.done():
            await showing  # what it raised is ours
    finally:
        for task in (showing, ending):
            task.cancel()
        await asyncio.gather(showing, ending, return_exceptions=True)


def turn_of(answer: Answer) -> Message:
    """Return the message that shows an answer on a page: its turn, which is there before the stream is opened."""
    return Message("page", str(answer.answer_id))


class WebPlatform:
    """One open event stream. Only the newest event is kept for a browser that reads slowly: it shows all that those before it did."""

    name: PlatformName = "web"
    signs_by_message = True

    def __init__(self, web: Web, visitor: Visitor) -> None:
        self._web = web
        self._visitor = visitor
        self.newest = ""
        self.painted = asyncio.Event()

    def take(self) -> str:
        """Return the newest event, once; "" when there is none."""
        event, self.newest = self.newest, ""
        self.painted.clear()
        return event

    # ── how ──

    def harmless(self, answer: Answer, text: str, *, is_final: bool) -> str:  # noqa: ARG002  # the protocol's signature
        """Return the text: it is made harmless where it becomes HTML."""
        return text

    def mode(self, answer: Answer, part: int, *, is_final: bool) -> str:  # noqa: ARG002  # the protocol's signature
        """Return the one mode there is."""
        return turn_of(answer).mode

    def limit(self, mode: str) -> Limit:  # noqa: ARG002  # the protocol's signature
        """Return that a page takes any text."""
        return NO_LIMIT

    def growth_seconds(self, mode: str) -> float | None:  # noqa: ARG002  # the protocol's signature
        """Return the least time between two paintings."""
        return GROWTH_SECONDS

    # ── showing ──

    async def sign(self, answer: Answer, phrase: str, *, is_step: bool = False) -> None:
        """Do nothing: the turn itself is the first sign."""

    async def post(self, answer: Answer, part: int, mode: str, face: Face) -> Message:  # noqa: ARG002  # the protocol's signature
        """Paint the turn."""
        await self._show(answer, face)
        return turn_of(answer)

    async def grow(self, answer: Answer, message: Message, before: Face, face: Face) -> None:  # noqa: ARG002  # the protocol's signature
        """Paint the text and the line above it."""
        await self._show(answer, face)

    async def finish(self, answer: Answer, message: Message, before: Face, face: Face) -> Message:  # noqa: ARG002  # the protocol's signature
        """Paint the whole turn, with all that stands below an answer."""
        await self._show(answer, face)
        return message

    async def resume(self, answer: Answer, message: Message, note: str) -> Message:  # noqa: ARG002  # the protocol's signature
        """Return the message: each event paints the whole."""
        return message

    async def remove(self, answer: Answer, message: Message) -> None:  # noqa: ARG002  # the protocol's signature
        """Paint the turn of an answer that was withdrawn: the question stays, and says so."""
        await self._end(answer, self._visitor.t("answer.withdrawn"))

    # ── painting ──

    async def _show(self, answer: Answer, face: Face) -> None:
        if face.foot:
            await self._end(answer, face.foot.apology or f"{self._visitor.t('chat.answered')} {words_from(answer.text)[:500]}")
        elif face.text:
            html = html_from(closed(face.text), words=answer.question)
            self._paint("grew", {"html": html, "note": face.note or self._visitor.t("chat.answering")})
        else:
            self._paint("step", {"note": face.note})

    async def _end(self, answer: Answer, said: str) -> None:
        """Paint a committed turn; `said` is what a screen reader says then."""
        try:
            (whole,) = await turns_html(self._web, self._visitor, [answer])
        except STORE_ERRORS as error:
            raise LaterError("the record does not answer") from error
        self._paint("end", {"html": str(whole), "said": said})

    def _paint(self, name: str, data: dict[str, str]) -> None:
        self.newest = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
        self.painted.set()
