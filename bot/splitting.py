"""Splits a growing text over messages without losing a character.

A piece ends at the first good place near its limit: a blank line, later any line, later a sentence or a space, at last any
character. So where a piece ends depends only on the text up to there: it never moves while the text grows, and a stream that
can only append never has to take anything back.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.platform import Limit

# From which share of the limit on a piece may end there. The last resort, any character, is the limit itself.
_ENDINGS = (
    (0.80, re.compile(r"\n\n+")),
    (0.88, re.compile(r"\n+")),
    (0.92, re.compile(r"[.!?。…][\"'”’)\]]*[ \t]+")),
    (0.95, re.compile(r"[ \t]+")),
)
_FENCE = re.compile(r"^ {0,3}(`{3,7}|~{3,7})(?![`~])([\w+#.-]{0,20})[^\n`]*$", re.MULTILINE)
_CLOSING_ROOM = 8  # always kept free for closing a code block, so that a block further on moves no earlier end
_LOOK_BACK = 64  # characters: a longer "grapheme" is an attack on fonts, and is cut


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message shows: the characters from `start` to `end` of a text. `shown` has open code fences closed and re-opened."""

    start: int
    end: int
    shown: str
    is_full: bool  # the text goes on in another piece, and `end` will not move any more
    fence: str  # the line that opens a code block which goes on in the next piece


def piece_from(text: str, start: int, limit: Limit, fence: str = "") -> Piece:
    """Return the piece of a text that begins at `start`, inside the code block that `fence` opens (if any)."""
    opening = f"{fence}\n" if fence else ""
    room = Limit(limit.most - _size(opening, limit) - _CLOSING_ROOM, limit.unit)
    end = _end(text, start, room)
    body = text[start:end]
    still_open = _fence_after(body, fence)
    is_full = end < len(text)
    closing = _closing(body, still_open) if is_full else ""
    return Piece(start, end, opening + body + closing, is_full, still_open if is_full else "")


def pieces_from(text: str, limit_of: Callable[[int], Limit], kept: Sequence[Piece] = ()) -> list[Piece]:
    """Return all pieces of a text, at least one, after those which are `kept`; `limit_of` gives the limit of each by its number."""
    pieces = list(kept) or [piece_from(text, 0, limit_of(0))]
    while pieces[-1].is_full:
        pieces.append(piece_from(text, pieces[-1].end, limit_of(len(pieces)), pieces[-1].fence))
    return pieces


def _end(text: str, start: int, room: Limit) -> int:
    hard = start + _fitting(text, start, room.most, room.unit)
    for share, ending in _ENDINGS:
        soft = start + _fitting(text, start, int(room.most * share), room.unit)
        if soft >= len(text):
            break
        if found := ending.search(text, soft, hard):
            hard = found.end()
    return hard if hard >= len(text) else max(_before_cluster(text, start, hard), start + 1)


def _fitting(text: str, start: int, most: int, unit: str) -> int:
    """Return how many characters from `start` on fit."""
    window = text[start : start + most]
    if unit == "characters":
        return len(window)
    return len(window.encode()[:most].decode(errors="ignore"))


def _size(text: str, limit: Limit) -> int:
    return len(text.encode()) if limit.unit == "bytes" else len(text)


# ── code fences ──


def _fence_after(body: str, fence: str) -> str:
    """Return the line that opens the code block in which a body ends, "" when it ends outside one."""
    for found in _FENCE.finditer(body):
        marks = found[1]
        if not fence:
            fence = marks + found[2]
        elif marks.startswith(_marks(fence)) and found[0].strip() == marks:
            fence = ""
    return fence


def _marks(fence: str) -> str:
    return fence[: len(fence) - len(fence.lstrip(fence[0]))]


def _closing(body: str, fence: str) -> str:
    if not fence:
        return ""
    return _marks(fence) if body.endswith("\n") else f"\n{_marks(fence)}"


# ── characters as people see them ──


def _before_cluster(text: str, start: int, end: int) -> int:
    """Return the last place at or before `end` where no character that people see as one is cut."""
    place = end
    while place > max(start, end - _LOOK_BACK) and _joins(text, place):
        place -= 1
    return place if place > start and not _joins(text, place) else end


def _joins(text: str, place: int) -> bool:
    """Return whether the characters before and after a place belong together."""
    before, after = text[place - 1], text[place]
    if before == "\r" and after == "\n":
        return True
    if before == "\u200d" or after in "\u200d\ufe0e\ufe0f\u20e3" or unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    if _is_flag(after) and _is_flag(before):
        return _flags_before(text, place) % 2 == 1
    return _is_jamo(before) and "\u1160" <= after <= "\u11ff"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, place: int) -> int:
    count = 0
    while place - count > 0 and _is_flag(text[place - count - 1]):
        count += 1
    return count


def _is_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff" or "\uac00" <= character <= "\ud7a3"
