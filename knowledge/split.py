"""Splits a document into passages of about 1,000 characters: by headings, then paragraphs, then sentences. Nothing overlaps.

Tables, lists and listings stay whole where they can. Nothing is lost: the passages in order hold every character that is not white space.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from knowledge.loaded import Block, Piece
from knowledge.sentences import sentences

TARGET = 1000  # characters; measured best for finding
LARGEST = 2000  # a table or listing may be this long to stay whole; nothing is longer
LEAST = 200  # less than this left at the end of a section joins what is before it
BETWEEN = " › "


def split(blocks: Iterable[Block]) -> list[Piece]:
    """Return the passages of a document in reading order. None crosses a heading; each has the page it begins on."""
    return [piece for _, section in groupby(blocks, key=lambda block: block.heading) for piece in _section(list(section))]


def _section(blocks: list[Block]) -> Iterator[Piece]:
    heading = BETWEEN.join(blocks[0].heading)
    text, page = "", blocks[0].page
    for part, part_page, is_last in _parts(blocks):
        room = LARGEST if is_last and len(part) < LEAST else TARGET
        if text and len(text) + len(part) > room:
            yield Piece(text.strip(), heading, page)
            text = ""
        if not text:
            page = part_page
        text += part
    if text.strip():
        yield Piece(text.strip(), heading, page)


def _parts(blocks: list[Block]) -> Iterator[tuple[str, int | None, bool]]:
    """Give the largest parts that may stand in a passage, each with its page and whether it is the section's last."""
    parts = [(part, block.page) for block in blocks if block.text.strip() for part in _fitting(block)]
    for n, (part, page) in enumerate(parts):
        yield part, page, n == len(parts) - 1


def _fitting(block: Block) -> Iterator[str]:
    whole = block.text.strip("\n") + "\n\n"
    if len(whole) <= (TARGET if block.kind == "text" else LARGEST):
        yield whole
        return
    units = whole.splitlines(keepends=True) if block.kind != "text" else sentences(whole)
    yield from _packed(unit for long in units for unit in _cut(long))


def _packed(units: Iterable[str]) -> Iterator[str]:
    """Put units together up to the target."""
    text = ""
    for unit in units:
        if text and len(text) + len(unit) > TARGET:
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
