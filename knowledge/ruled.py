"""Tables in PDF: what stands between drawn lines. A page's characters go into the cells that they stand in, the others are its text."""

from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pypdfium2 as pdfium
from pypdfium2 import raw

from knowledge.loaded import Block
from knowledge.tables import table

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points
Line = str | Block

_THIN = 3.0  # points; a path no thicker is a line
_SHORT = 8.0  # a line no longer rules nothing
_NEAR = 3.0  # lines so near to each other touch, or are one
_MOST_LINES = 2000  # on one page; a drawing has more


@dataclass(slots=True)
class _Grid:
    """A table as it is drawn: where its columns and rows begin and end (rows from the bottom up), the upright lines, its cells so far."""

    columns: list[float]
    rows: list[float]
    upright: list[Box]
    cells: dict[tuple[int, int], list[str]] = field(default_factory=dict[tuple[int, int], list[str]])

    def holds(self, x: float, y: float) -> bool:
        return self.columns[0] <= x <= self.columns[-1] and self.rows[0] <= y <= self.rows[-1]

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return row and column of a place; a cell that goes over several columns is the first of them."""
        row, column = min(bisect(self.rows, y), len(self.rows) - 1), min(bisect(self.columns, x), len(self.columns) - 1)
        while column > 1 and not self._is_ruled(self.columns[column - 1], y):
            column -= 1
        return len(self.rows) - row, column

    def _is_ruled(self, x: float, y: float) -> bool:
        return any(abs(left - x) <= _NEAR and bottom - _NEAR <= y <= top + _NEAR for left, bottom, _, top in self.upright)

    def block(self, page: int) -> Block | None:
        rows = (["".join(self.cells.get((row, column), ())) for column in range(1, len(self.columns))] for row in range(1, len(self.rows)))
        return table(rows, page=page)


def lines_of(page: pdfium.PdfPage, number: int) -> list[Line]:
    """Return a page in reading order: lines of text, and its tables as blocks."""
    words = page.get_textpage()
    grids = _grids(page)
    if not grids:
        return list(words.get_text_bounded().splitlines())
    outside: list[str] = []
    begun: list[_Grid] = []
    here: _Grid | None = None
    place = (0, 0)
    for n in range(words.count_chars()):
        char = chr(raw.FPDFText_GetUnicode(words, n))
        if not char.isspace():
            left, bottom, right, top = words.get_charbox(n)
            x, y = (left + right) / 2, (bottom + top) / 2
            here = next((grid for grid in grids if grid.holds(x, y)), None)
            place = here.cell(x, y) if here else (0, 0)
            if here and here not in begun:
                begun.append(here)
                outside.append(f"\n\0{len(begun) - 1}\n")
        elif here:
            place = next(reversed(here.cells), (1, 1))  # white space has no place of its own: it stands with what is before it
        (here.cells.setdefault(place, []) if here else outside).append(char)
    return list(_put_together("".join(outside), [grid.block(number) for grid in begun]))


def _put_together(text: str, tables: list[Block | None]) -> Iterator[Line]:
    for line in text.splitlines():
        if not line.startswith("\0"):
            yield line
        elif found := tables[int(line[1:])]:
            yield found


def _grids(page: pdfium.PdfPage) -> list[_Grid]:
    """Return what is drawn as tables: lines that touch, in at least two rows and two columns."""
    drawn = [item.get_bounds() for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3)]
    lines = {line for box in drawn for line in _edges(box)}
    return [grid for group in _touching(lines) if (grid := _grid(group))] if len(lines) <= _MOST_LINES else []


def _edges(box: Box) -> Iterator[Box]:
    """Give the lines that a path is, or has around it."""
    left, bottom, right, top = box
    if right - left <= _THIN or top - bottom <= _THIN:
        if max(right - left, top - bottom) > _SHORT:
            yield box
    else:
        yield from ((left, bottom, right, bottom), (left, top, right, top), (left, bottom, left, top), (right, bottom, right, top))


def _touching(lines: Iterable[Box]) -> list[list[Box]]:
    """Return lines in groups in which each touches another."""
    groups: list[tuple[Box, list[Box]]] = []
    for line in sorted(lines):
        around, group = line, [line]
        apart: list[tuple[Box, list[Box]]] = []
        for other, members in groups:
            if _touch(around, other) and any(_touch(line, member) for member in members):
                around, group = _around((around, other)), group + members
            else:
                apart.append((other, members))
        groups = [*apart, (around, group)]
    return [group for _, group in groups]


def _touch(one: Box, other: Box) -> bool:
    return all(one[n] <= other[n + 2] + _NEAR and other[n] <= one[n + 2] + _NEAR for n in (0, 1))


def _around(boxes: Iterable[Box]) -> Box:
    left, bottom, right, top = zip(*boxes, strict=True)
    return min(left), min(bottom), max(right), max(top)


def _grid(lines: list[Box]) -> _Grid | None:
    upright = [line for line in lines if line[3] - line[1] > _SHORT]
    columns = _apart((left + right) / 2 for left, _, right, _ in upright)
    rows = _apart((bottom + top) / 2 for left, bottom, right, top in lines if right - left > _SHORT)
    return _Grid(columns, rows, upright) if len(columns) > 2 and len(rows) > 2 else None


def _apart(places: Iterable[float]) -> list[float]:
    """Return places in order, those near to each other once."""
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > _NEAR:
            found.append(place)
    return found
