"""What `nod up` shows in the terminal: numbered steps with their time, then rows. On a terminal the current step is alive."""

import contextlib
import sys
import time
import unicodedata
from dataclasses import dataclass, field
from typing import TextIO

from nod.saying import say

_LABEL, _DETAIL, _ROW_LABEL, _ROW_DETAIL = 19, 36, 15, 48
_BAR = 20
_SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def width(text: str) -> int:
    """Return how many cells a text takes in a terminal: Hangul takes two each."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, cells: int) -> str:
    """Return a text filled up to a width, with at least one space behind it."""
    return text + " " * max(cells - width(text), 1)


def shortened(text: str, cells: int) -> str:
    """Return somebody's text as one line of at most this width, without characters that a terminal would obey."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if width(line) <= cells:
        return line
    while width(line) >= cells:
        line = line[: -max(1, (width(line) - cells) // 2)]
    return f"{line}…"


@dataclass(slots=True)
class Screen:
    """The terminal. A terminal that was closed is no reason to stop."""

    steps: int
    out: TextIO = field(default_factory=lambda: sys.stdout)
    _step: str = ""
    _since: float = 0.0
    _drawn: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether a line can be drawn over."""
        with contextlib.suppress(OSError, ValueError):
            return self.out.isatty()
        return False

    def line(self, text: str = "") -> None:
        """Write one line."""
        self._write(f"{self._erased()}{text}\n")

    def part(self, text: str) -> None:
        """Write the beginning of a line that goes on later."""
        self._write(f"{self._erased()}{text}")

    def rest(self, text: str) -> None:
        """Write the end of a line that was begun."""
        self._write(f"{text}\n")

    def begin(self, number: int, label: str) -> None:
        """Begin a step, shown at once on a terminal; number 0: a step that stands alone."""
        self._step, self._since = padded(f" {number}/{self.steps} {label}" if number else f" {label}", _LABEL + 5), time.monotonic()
        self.tick()

    def tick(self, detail: str = "") -> None:
        """Draw the current step again, now and then."""
        now = time.monotonic()
        if self._step and self.is_live and now - self._drawn > 0.1:
            self._drawn = now
            spin, seconds = _SPIN[int(now * 10) % len(_SPIN)], say("up.seconds", seconds=f"{now - self._since:.0f}")
            self._write(f"\r\x1b[K{self._step}{padded(detail, _DETAIL) if detail else ''}{spin} {seconds}")

    def bar(self, count: int, of: int) -> None:
        """Draw the current step with how much of it is done."""
        full = _BAR * count // max(of, 1)
        self.tick(f"{'█' * full}{'░' * (_BAR - full)} {say('up.of', count=count, all=of)}")

    def done(self, detail: str, *, is_kept: bool = True) -> None:
        """End a step; its line stays unless it is not worth it."""
        seconds = time.monotonic() - self._since
        step, self._step = self._step, ""
        if is_kept:
            self.line(f"{step}{padded(detail, _DETAIL)}{say('up.seconds', seconds=f'{seconds:3.0f}')}")
        else:
            self._write(self._erased())

    def give_up(self) -> None:
        """End a step that did not succeed: why is said elsewhere."""
        if self._step:
            self._step = ""
            self._write(self._erased())

    def row(self, mark: str, label: str, detail: str, todo: str = "", about: str = "") -> None:
        """Write one row of the summary: ✓ is well, – is missing, ✗ is broken; `todo` is the one thing to do."""
        text = (
            f" {mark} {padded(label, _ROW_LABEL)} {padded(detail, _ROW_DETAIL)}"
            if todo
            else f" {mark} {padded(label, _ROW_LABEL)} {detail}"
        )
        self.line(f"{text}{f' → {todo}' if todo else ''}{f'   {about}' if about else ''}")

    def _erased(self) -> str:
        return "\r\x1b[K" if self.is_live else ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.out.write(text)
            self.out.flush()
