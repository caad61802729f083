"""Reads PowerPoint presentations (PPTX): each slide below its title, with its lists, tables and the speaker's notes."""

import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pptx import Presentation

from knowledge.loaded import Block, Loaded
from knowledge.tables import table
from knowledge.unpack import refuse_hostile

_NO_TITLE = re.compile(r"PowerPoint(?: Presentation|\s?프레젠테이션)|제목 없음", re.IGNORECASE)  # what the program itself writes there

_OF_THE_TEMPLATE = datetime(2013, 1, 27, 9, 15, 58)  # noqa: DTZ001  # what python-pptx itself writes into every presentation it makes


def load(content: bytes) -> Loaded:
    """Return a presentation without its hidden slides; a block's page is its slide's number. Raises LoadError."""
    refuse_hostile(content, "PPTX")
    deck = Presentation(io.BytesIO(content))
    properties = deck.core_properties
    slides = list(deck.slides)
    written = (properties.title or "").strip()
    title = written if written and not _NO_TITLE.fullmatch(written) else _title(slides[0]) if slides else ""
    blocks = [block for n, slide in enumerate(slides, 1) if slide.element.get("show") != "0" for block in _blocks(slide, n, title)]
    return Loaded(tuple(blocks), title=title, date=_date(properties.modified), pages=len(slides))


def _date(date: datetime | None) -> datetime | None:
    if not date or date.replace(tzinfo=None) == _OF_THE_TEMPLATE:
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)


def _title(slide: Any) -> str:
    shape = slide.shapes.title
    return " ".join(shape.text_frame.text.split()) if shape is not None else ""


def _blocks(slide: Any, number: int, title: str) -> Iterator[Block]:
    named = _title(slide)
    heading = (named,) if named and named != title else ()
    for shape in _flat(slide.shapes):
        if shape.has_text_frame and not (slide.shapes.title is not None and shape.shape_id == slide.shapes.title.shape_id):
            yield from _texts(shape.text_frame, heading, number)
        elif shape.has_table and (block := table(([cell.text for cell in row.cells] for row in shape.table.rows), heading, number)):
            yield block
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame):
        yield from _texts(notes, heading, number)


def _flat(shapes: Iterable[Any]) -> Iterator[Any]:
    """Give the shapes of a slide, those inside groups too."""
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _texts(frame: Any, heading: tuple[str, ...], number: int) -> Iterator[Block]:
    lines = [(paragraph.level, text) for paragraph in frame.paragraphs if (text := " ".join(paragraph.text.split()))]
    if len(lines) > 1:
        yield Block("\n".join(f"{'  ' * level}- {text}" for level, text in lines), "list", heading, number)
    elif lines:
        yield Block(lines[0][1], "text", heading, number)
