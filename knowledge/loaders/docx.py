"""Reads Word documents (DOCX): headings, paragraphs, lists and tables, in their order."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.document import Document as DocumentType
from docx.table import Table
from docx.text.paragraph import Paragraph

from knowledge.loaded import Block, Loaded, Outline
from knowledge.tables import table
from knowledge.unpack import refuse_hostile

_HEADING = re.compile(r"(?:heading|제목)\s*(\d)", re.IGNORECASE)
_OF_THE_TEMPLATE = datetime(2013, 12, 23, 23, 15)  # noqa: DTZ001  # what python-docx itself writes into every document it makes


def load(content: bytes) -> Loaded:
    """Return a Word document; its title is what its properties say, else its title paragraph or first heading. Raises LoadError."""
    refuse_hostile(content, "DOCX")
    document = Document(io.BytesIO(content))
    properties = document.core_properties
    title = (properties.title or "").strip() or _title(document)
    return Loaded(
        tuple(_blocks(document, title)),
        title=title,
        date=_date(properties.modified or properties.created),
        language=(properties.language or "")[:2].lower() or None,
    )


def _date(date: datetime | None) -> datetime | None:
    if not date or date.replace(tzinfo=None) == _OF_THE_TEMPLATE:
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)


def _title(document: DocumentType) -> str:
    for paragraph in document.paragraphs:
        if paragraph.text.strip() and (_depth(paragraph) or (paragraph.style and paragraph.style.name in ("Title", "제목"))):
            return paragraph.text.strip()
    return ""


def _blocks(document: DocumentType, title: str) -> Iterator[Block]:
    outline = Outline()
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            if block := table(_rows(part), outline.path):
                yield block
        elif depth := _depth(part):
            heading = part.text.strip()
            outline.enter(depth, "" if heading == title else heading)
        elif part.text.strip():
            yield Block(_marked(part), "list" if _is_item(part) else "text", outline.path)


def _depth(paragraph: Paragraph) -> int:
    """Return the depth of a heading (its style's name, in English or Korean, or its outline level); 0 for other paragraphs."""
    style = paragraph.style
    if style and style.name and (named := _HEADING.match(style.name)):
        return int(named[1])
    levels: Any = paragraph._element.xpath("./w:pPr/w:outlineLvl/@w:val")  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # python-docx offers no outline level
    return int(levels[0]) + 1 if levels and int(levels[0]) < 9 else 0


def _is_item(paragraph: Paragraph) -> bool:
    numbers: Any = paragraph._element.xpath("./w:pPr/w:numPr")  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # python-docx offers no numbering
    return bool(numbers) or bool(paragraph.style and (paragraph.style.name or "").startswith("List"))


def _marked(paragraph: Paragraph) -> str:
    return f"- {paragraph.text.strip()}" if _is_item(paragraph) else paragraph.text.strip()


def _rows(found: Table) -> Iterator[list[str]]:
    for row in found.rows:
        before: Any = None
        cells: list[str] = []
        for cell in row.cells:
            is_merged = cell._tc is before  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # one that spans columns is given for each
            cells.append("" if is_merged else cell.text)
            before = cell._tc  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        yield cells
