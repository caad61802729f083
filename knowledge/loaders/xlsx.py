"""Reads Excel workbooks (XLSX): each sheet below its name, its rows as tables, values as Excel shows them."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, time
from itertools import groupby
from typing import Any

from openpyxl import load_workbook

from knowledge.loaded import Block, Loaded
from knowledge.tables import table
from knowledge.unpack import refuse_hostile
from nod.errors import LoadError

MOST_ROWS = 100_000  # that hold anything, in one sheet
MOST_COLUMNS = 500

Row = tuple[Any, ...]


def load(content: bytes) -> Loaded:
    """Return a workbook without its hidden sheets. Raises LoadError, also for a sheet without end."""
    refuse_hostile(content, "XLSX")
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    blocks: list[Block] = []
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # what a file says of its own size may be wrong
            blocks += _blocks(sheet.title, sheet.iter_rows())
    changed = book.properties.modified
    return Loaded(
        tuple(blocks), title=(book.properties.title or "").strip(), date=changed.replace(tzinfo=changed.tzinfo or UTC) if changed else None
    )


def _blocks(name: str, cells: Iterator[Row]) -> Iterator[Block]:
    """Give the tables of a sheet, parted by empty rows. A table that begins with numbers goes on below the head before it."""
    head: Row = ()
    for is_filled, found in groupby(_rows(name, cells), key=any):
        if not is_filled:
            continue
        rows = list(found)
        while len(rows) > 1 and _is_caption(rows[0], rows[1]):
            yield Block(" ".join(str(cell.value) for cell in rows.pop(0) if cell), "text", (name,))
        if head and not all(isinstance(cell.value, str) for cell in rows[0] if cell):
            rows.insert(0, head)
        else:
            head = rows[0]
        if block := table(([_shown(cell) for cell in row] for row in rows), (name,)):
            yield block


def _rows(name: str, cells: Iterator[Row]) -> Iterator[Row]:
    """Give the rows of a sheet with None for what is empty."""
    filled = 0
    for found in cells:
        row = tuple(cell if cell.value is not None else None for cell in found)
        filled += any(row)
        if filled > MOST_ROWS or any(row[MOST_COLUMNS:]):
            raise LoadError(f"has a sheet ({name}) of more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns", "endless")
        yield row


def _is_caption(first: Row, second: Row) -> bool:
    """Return whether a row is what stands above a table: one text alone, above several cells."""
    alone = [cell for cell in first if cell]
    return len(alone) == 1 and isinstance(alone[0].value, str) and sum(cell is not None for cell in second) > 1


def _shown(cell: Any) -> str:
    value = cell.value if cell else ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value * 100:.10g}%" if "%" in cell.number_format else f"{value:.15g}"
