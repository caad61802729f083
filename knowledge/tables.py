"""Rows of cells as a table that can be read, found and quoted: Markdown."""

from collections.abc import Iterable, Sequence

from knowledge.loaded import Block


def table(rows: Iterable[Sequence[str]], heading: tuple[str, ...] = (), page: int | None = None) -> Block | None:
    """Return rows as a block, the first as head of the others; None when no cell holds anything."""
    filled = [row for row in map(_trimmed, rows) if row]
    width = max(map(len, filled), default=0)
    if width < 2 or len(filled) < 2:
        text = "\n".join(" | ".join(row) for row in filled)
        return Block(text, "text", heading, page) if text else None
    columns = [n for n in range(width) if any(row[n] for row in filled if n < len(row))]
    lines = [f"| {' | '.join(row[n] if n < len(row) else '' for n in columns)} |" for row in filled]
    lines.insert(1, f"|{'---|' * len(columns)}")
    return Block("\n".join(lines), "table", heading, page)


def _trimmed(row: Sequence[str]) -> list[str]:
    """Return the cells of a row, each on one line, without the empty ones at its end."""
    cells = [" ".join(cell.replace("|", "¦").split()) for cell in row]  # the bar between cells is ours
    while cells and not cells[-1]:
        cells.pop()
    return cells
