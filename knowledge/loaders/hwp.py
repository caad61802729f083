"""Reads Hangul documents (HWP 3 and 5, HWPX) with unhwp: articles and headings, paragraphs, lists and tables."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from knowledge.headings import heading_in
from knowledge.loaded import Block, Loaded, Outline
from knowledge.tables import table
from knowledge.unpack import refuse_hostile
from nod.errors import LoadError

try:
    import unhwp
except (ImportError, OSError):  # its wheel holds no library for this machine, or none for this processor
    unhwp = None

_LOCKED = ("ENCRYPTED", "DISTRIBUTION_RESTRICTED")


def load(content: bytes) -> Loaded:
    """Return a Hangul document; its title is what its properties say. Raises LoadError."""
    if content.startswith(b"PK"):
        refuse_hostile(content, "HWPX")
    document = _parsed(content)
    about = document["metadata"]
    parts = [part for section in document["sections"] for part in section["content"]]
    return Loaded(tuple(_blocks(parts)), title=(about["title"] or "").strip(), date=_date(about["modified"]))


def _parsed(content: bytes) -> dict[str, Any]:
    if unhwp is None:
        raise LoadError("is an HWP file, which cannot be read on this kind of machine: save it as PDF", "as_pdf")
    try:
        with unhwp.parse_bytes(content) as read:
            found: dict[str, Any] = json.loads(read.json)
            return found
    except unhwp.UnhwpError as error:
        if getattr(error.kind, "name", "") in _LOCKED:
            raise LoadError("is locked with a password", "locked") from None
        raise LoadError("is damaged: it is not a complete HWP", "unreadable") from None


def _date(text: str | None) -> datetime | None:
    """Return when a document was changed last. When it was begun says nothing: many are begun from another one's copy."""
    try:
        date = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)


def _blocks(parts: list[dict[str, Any]]) -> Iterator[Block]:
    outline = Outline()
    for part in parts:
        if given := part.get("Table"):
            rows = ([_cell(cell) for cell in row["cells"]] for row in given["rows"])
            if block := table(rows, outline.path):
                yield block
        elif (paragraph := part.get("Paragraph")) and (text := _text(paragraph)):
            style = paragraph["style"]
            depth, heading, rest = (style["heading_level"], text, "") if style["heading_level"] else heading_in(text)
            if depth:
                outline.enter(depth, heading)
            if rest:
                yield Block(f"- {rest}" if style["list_style"] else rest, "list" if style["list_style"] else "text", outline.path)


def _cell(cell: dict[str, Any]) -> str:
    return " ".join(map(_text, cell["content"]))


def _text(paragraph: dict[str, Any]) -> str:
    """Return the words of a paragraph, its footnotes in brackets."""
    return "".join(map(_inline, paragraph["content"])).strip()


def _inline(part: dict[str, Any] | str) -> str:
    if isinstance(part, str):  # the only part without a value of its own
        return "\n" if part == "LineBreak" else ""
    kind, value = next(iter(part.items()))
    if kind == "Footnote":
        return f" ({value})"
    return value.get({"Text": "text", "Link": "text", "Equation": "script"}.get(kind, ""), "")
