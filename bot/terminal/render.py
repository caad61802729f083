"""An answer as text in a terminal: it grows by what is new, and ends with what the platform adds below it."""

import re
from pathlib import Path
from typing import TextIO

from bot.faces import foot_of, source_line, step_phrase
from bot.reading import Seen
from nod.contracts import Answer
from nod.language import Language, Phrases

_OWN = Phrases(Path(__file__).parent / "phrases")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_CLEAR_LINE = "\r\x1b[2K"


def harmless(text: str) -> str:
    """Return text without what a terminal would obey: escape sequences, other control characters, turned directions."""
    return _CONTROL.sub("", text)


class Screen:
    """Writes the answer to `out` as it grows (None: only at the end, by somebody else) and everything beside it to `err`."""

    def __init__(self, out: TextIO | None, err: TextIO, language: Language) -> None:
        self._out = out
        self._err = err
        self._language: Language = language
        self._said = ""
        self._has_step = False

    def grow(self, seen: Seen) -> None:
        """Write the new end of the text, or the step that is being taken while there is none."""
        if self._out is None or seen.is_continuing or seen.has_gap:
            return
        if not seen.text and seen.step:
            self._step(seen)
        elif seen.text:
            self._write(seen.text)

    def end(self, answer: Answer) -> None:
        """Write what is missing of the committed text, then sources, notices and, after a failure, the apology."""
        self._clear_step()
        if self._out is None:
            if answer.status == "failed":
                self.note(foot_of(answer).apology)
            return
        if answer.text:
            self._write(answer.text)
            self._out.write("\n")
        for line in self._below(answer):
            self._out.write(f"{line}\n")
        if answer.status == "failed":
            self.note(foot_of(answer).apology)
        self._out.flush()

    def note(self, sentence: str) -> None:
        """Write a sentence beside the answer."""
        self._clear_step()
        self._err.write(f"{sentence}\n")
        self._err.flush()

    def phrase(self, key: str, **values: object) -> str:
        """Return one of the terminal's phrases."""
        return _OWN.say(key, self._language, **values)

    def _write(self, text: str) -> None:
        """Write the rest of a text whose beginning stands there; a text that begins otherwise is written whole, below."""
        assert self._out is not None, "without an output nothing grows"
        self._clear_step()
        text = harmless(text)
        if not text.startswith(self._said):
            self._out.write(f"\n\n{self.phrase('continuing')}\n\n")
            self._said = ""
        self._out.write(text[len(self._said) :])
        self._out.flush()
        self._said = text

    def _below(self, answer: Answer) -> list[str]:
        foot = foot_of(answer)
        lines = [f"[{source.n}] {harmless(source_line(source, self._language))}" for source in foot.sources]
        return ["", *lines, *foot.notices] if lines or foot.notices else []

    def _step(self, seen: Seen) -> None:
        if not self._err.isatty():
            return
        self._err.write(f"{_CLEAR_LINE}{harmless(step_phrase(seen.step, self._language))}")
        self._err.flush()
        self._has_step = True

    def _clear_step(self) -> None:
        if self._has_step:
            self._err.write(_CLEAR_LINE)
            self._err.flush()
            self._has_step = False
