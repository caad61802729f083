"""Splits a document into passages of about 1,000 characters: by headings, then paragraphs, then sentences. Nothing overlaps.

Tables, lists and listings stay whole where they can; a table that cannot has its head above each passage. Nothing is lost: the passages in
order hold every character that is not white space.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from knowledge.loaded import Block, Piece
from knowledge.parts import head
from knowledge.sentences import sentences

TARGET = 1000  # characters; measured best for finding
LARGEST = 2000  # a table or listing may be this long to stay whole; nothing is longer
LEAST = 200  # less than this left at the end of a section joins what is before it
LONGEST_HEAD = 500  # of a table; a longer one would leave its rows no room
BETWEEN = " › "


def split(blocks: Iterable[Block]) -> list[Piece]:
    """Return the passages of a document in reading order. None crosses a heading; each has the page it begins on."""
    return [piece for _, section in groupby(blocks, key=lambda block: block.heading) for piece in _section(list(section))]


def _section(blocks: list[Block]) -> Iterator[Piece]:
    heading = BETWEEN.join(blocks[0].heading)
    text, page = "", blocks[0].page
    for part in _parts(blocks):
        room = LARGEST if part.is_last and len(part.text) < LEAST else TARGET
        if text and len(text) + len(part.text) > room:
            yield Piece(text.strip(), heading, page)
            text = ""
        if not text:
            text, page = part.head, part.page
        text += part.text
    if text.strip():
        yield Piece(text.strip(), heading, page)


@dataclass(frozen=True, slots=True)
class _Part:
    """What may stand in a passage: its text, the head to repeat when it begins one, its page, and whether it is the section's last."""

    text: str
    head: str
    page: int | None
    is_last: bool = False


def _parts(blocks: list[Block]) -> Iterator[_Part]:
    """Give the largest parts that may stand in a passage."""
    parts = [part for block in blocks if block.text.strip() for part in _fitting(block)]
    yield from parts[:-1]
    yield from (replace(part, is_last=True) for part in parts[-1:])


def _fitting(block: Block) -> Iterator[_Part]:
    whole = block.text.strip("\n") + "\n\n"
    if len(whole) <= (TARGET if block.kind == "text" else LARGEST):
        yield _Part(whole, "", block.page)
        return
    units = whole.splitlines(keepends=True) if block.kind != "text" else sentences(whole)
    above = head(whole) if block.kind == "table" else ""
    above = above if len(above) <= LONGEST_HEAD else ""
    for n, text in enumerate(_packed((unit for long in units for unit in _cut(long)), TARGET - len(above))):
        yield _Part(text, above if n else "", block.page)


def _packed(units: Iterable[str], room: int) -> Iterator[str]:
    """Put units together as long as there is room."""
    text = ""
    for unit in units:
        if text and len(text) + len(unit) > room:
            yield text
            text = ""
        text += unit
    if text:
        yield text


def _cut(unit: str) -> Iterator[str]:
    """Give a unit in pieces that fit: at sentences, else at the last white space, else anywhere."""
    if len(unit) <= TARGET:
        yield unit
        return
    parts = sentences(unit)
    if len(parts) > 1:
        for part in parts:
            yield from _cut(part)
        return
    while len(unit) > TARGET:
        at = unit.rfind(" ", TARGET // 2, TARGET) + 1 or TARGET
        yield unit[:at]
        unit = unit[at:]
    if unit:
        yield unit
