"""What a loader makes of a file: a title and blocks, in the order in which they are read; and what splitting makes of those."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from nod.language import clean

Kind = Literal["text", "list", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, table or listing, with the headings above it."""

    text: str
    kind: Kind = "text"
    heading: tuple[str, ...] = ()
    page: int | None = None  # or slide


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file of an archive that cannot be read: its name, and why (as a LoadError's kind and sentence)."""

    name: str
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file as text. `title` is empty when the file does not name itself; `date` is what the file says of itself."""

    blocks: tuple[Block, ...]
    title: str = ""
    date: datetime | None = None
    language: str | None = None
    pages: int | None = None
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage before it has a number: its text, the headings above it as one line, the page it begins on.

    `asked` is found like the text and shown to nobody: other words for what the passage answers.
    """

    text: str
    heading: str = ""
    page: int | None = None
    asked: str = ""


_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def visible(text: str) -> str:
    """Return text that every store can hold, without what nobody sees but a model reads: soft hyphens, tags, turns of direction."""
    return _INVISIBLE.sub("", clean(text))


class Outline:
    """The headings above the place where a loader is; a heading closes those of its depth and deeper."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, depth: int, heading: str) -> None:
        """Go on below a heading."""
        self._open = [(d, h) for d, h in self._open if d < depth]
        if heading:
            self._open.append((depth, heading))

    @property
    def path(self) -> tuple[str, ...]:
        """The headings from the outermost in."""
        return tuple(heading for _, heading in self._open)
