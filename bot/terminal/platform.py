"""The terminal as the platform of one answer: text grows by what is new, a step stands in its place while there is none."""

from dataclasses import replace
from pathlib import Path
from typing import TextIO

from bot.faces import UNSUPPORTED
from bot.platform import NO_LIMIT, Face, Foot, Limit, Message
from bot.terminal.render import doubts_of, harmless, lines_below
from nod.contracts import Answer, PlatformName
from nod.language import Language, Phrases

_OWN = Phrases(Path(__file__).parent / "phrases")
_QUOTED = frozenset(("no_model", "model_down", "daily_limit"))  # notices of answers in the documents' own words
_CLEAR_LINE = "\r\x1b[2K"
_SCREEN = Message("terminal", "")


class TerminalPlatform:
    """Writes the answer to `out` as it grows (None: only at the end, by somebody else) and everything beside it to `err`."""

    name: PlatformName = "cli"
    signs_by_message = True

    def __init__(self, out: TextIO | None, err: TextIO, language: Language) -> None:
        self.language: Language = language
        self._out = out
        self._err = err
        self._said = ""
        self._has_step = False

    # ── how ──

    def harmless(self, answer: Answer, text: str, *, is_final: bool) -> str:  # noqa: ARG002  # the protocol's signature
        """Return text without what a terminal would obey, and without marks: what was written stays, so they are told below."""
        return harmless(text.replace(f"]{UNSUPPORTED}", "]"))

    def mode(self, answer: Answer, part: int, *, is_final: bool) -> str:  # noqa: ARG002  # the protocol's signature
        """Return the one mode there is."""
        return _SCREEN.mode

    def limit(self, mode: str) -> Limit:  # noqa: ARG002  # the protocol's signature
        """Return that a terminal takes any text."""
        return NO_LIMIT

    def growth_seconds(self, mode: str) -> float | None:  # noqa: ARG002  # the protocol's signature
        """Return that a terminal is never too busy; for a program nothing grows."""
        return None if self._out is None else 0.0

    # ── showing ──

    async def sign(self, answer: Answer, phrase: str, *, is_step: bool = False) -> None:
        """Do nothing: the first sign is a step."""

    async def post(self, answer: Answer, part: int, mode: str, face: Face) -> Message:  # noqa: ARG002  # the protocol's signature
        """Write what there is."""
        self._show(_with_own_foot(answer, face))
        return _SCREEN

    async def grow(self, answer: Answer, message: Message, before: Face, face: Face) -> None:  # noqa: ARG002  # the protocol's signature
        """Write the new end of the text, or the step that is being taken while there is none."""
        self._show(face)

    async def finish(self, answer: Answer, message: Message, before: Face, face: Face) -> Message:  # noqa: ARG002  # the protocol's signature
        """Write what is missing of the text, then what stands below it."""
        self._show(_with_own_foot(answer, face))
        return message

    async def resume(self, answer: Answer, message: Message, note: str) -> Message:  # noqa: ARG002  # the protocol's signature
        """Return the message: a text that begins otherwise is written below."""
        return message

    async def remove(self, answer: Answer, message: Message) -> None:  # noqa: ARG002  # the protocol's signature
        """Take a step away; what was written stays."""
        self._clear_step()

    # ── beside the answer ──

    def note(self, sentence: str) -> None:
        """Write a sentence beside the answer."""
        self._clear_step()
        self._err.write(f"{sentence}\n")
        self._err.flush()

    def phrase(self, key: str, **values: object) -> str:
        """Return one of the terminal's phrases."""
        return _OWN.say(key, self.language, **values)

    # ── writing ──

    def _show(self, face: Face) -> None:
        if self._out and face.text:
            self._write(self._out, face.text)
        elif self._out and face.note:
            self._step(face.note)
        if face.foot:
            self._below(face.foot)

    def _write(self, out: TextIO, text: str) -> None:
        """Write the rest of a text whose beginning stands there; a text that begins otherwise is written whole, below."""
        self._clear_step()
        if not text.startswith(self._said):
            out.write(f"\n\n{self.phrase('continuing')}\n\n")
            self._said = ""
        out.write(text[len(self._said) :])
        out.flush()
        self._said = text

    def _below(self, foot: Foot) -> None:
        """Write what stands below the answer; an apology stands beside it, where programs do not look for answers."""
        self._clear_step()
        if self._out:
            lines = [""] if self._said else []
            self._out.writelines(f"{line}\n" for line in [*lines, *lines_below(foot, self.language)])
            self._out.flush()
        if foot.apology:
            self.note(foot.apology)

    def _step(self, phrase: str) -> None:
        if self._err.isatty():
            self._err.write(f"{_CLEAR_LINE}{harmless(phrase)}")
            self._err.flush()
            self._has_step = True

    def _clear_step(self) -> None:
        if self._has_step:
            self._err.write(_CLEAR_LINE)
            self._err.flush()
            self._has_step = False


def _with_own_foot(answer: Answer, face: Face) -> Face:
    """Return what is shown with the sentences below it that are not in their sources; a quote names its source itself."""
    if not face.foot:
        return face
    is_quoted = not _QUOTED.isdisjoint(answer.notices)
    notices = (*doubts_of(answer), *face.foot.notices)
    return replace(face, foot=replace(face.foot, sources=() if is_quoted else face.foot.sources, notices=notices))
