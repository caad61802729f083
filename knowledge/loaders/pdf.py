"""Reads PDF with pdfium: lines put together to paragraphs, headings where the document marks or numbers them, tables, scanned pages."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pypdfium2 as pdfium
from pypdfium2 import raw

from knowledge import ocr
from knowledge.headings import heading_in
from knowledge.loaded import Block, Loaded, Outline
from knowledge.ruled import Line, lines_of
from nod.errors import LoadError
from nod.language import clean

MOST_PAGES = 3000
MOST_PICTURES = 100  # scanned pages
_DPI = 250  # at which small print of both languages was read best
_MOST_PIXELS = 5000  # along a side, however large a page says it is
_ENDS = re.compile(r"[.!?:;。…]$|[다요음함됨임]\.?$")
_BEGINS = re.compile(r"^(?:[-•▪●○◦·*※]|\(?\d{1,2}[.)]|[가-하][.)]|[①-⑳])\s*\S")
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:([+-])(\d{2})'?(\d{2})?)?")
_NUMBER = re.compile(r"\d+")


def load(content: bytes) -> Loaded:
    """Return a PDF. Raises LoadError for one that is locked, damaged or only pictures."""
    document = _opened(content)
    try:
        if len(document) > MOST_PAGES:
            raise LoadError(f"has more than {MOST_PAGES:,} pages", "too_large")
        pages = [_lines(document, n) for n in range(len(document))]
        _read_pictures(document, pages)
        fields = document.get_metadata_dict()
        blocks = tuple(_blocks(_without_furniture(pages), _marks(document)))
        title = clean(fields.get("Title", "")).strip()
        return Loaded(blocks, title="" if _is_file_name(title) else title, date=_date(fields), pages=len(pages))
    finally:
        document.close()


def _opened(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise LoadError("is locked with a password", "locked") from None
        raise LoadError("is damaged: it is not a complete PDF", "unreadable") from None


def _lines(document: pdfium.PdfDocument, n: int) -> list[Line]:
    page = document[n]
    try:
        found = lines_of(page, n + 1)
    finally:
        page.close()
    return [line for raw_line in found if (line := _tidy(raw_line) if isinstance(raw_line, str) else raw_line)]


def _read_pictures(document: pdfium.PdfDocument, pages: list[list[Line]]) -> None:
    """Read the pages that are pictures alone. A document that has nothing else needs that; in others such pages are mostly covers."""
    pictures = [n for n, lines in enumerate(pages) if not lines and _is_picture(document, n)]
    if not any(pages):
        if not pictures:
            raise LoadError("holds no text", "no_text")
        if len(pictures) > MOST_PICTURES:
            raise LoadError(f"is scanned and has more than {MOST_PICTURES} pages: split it and try again", "too_large")
        ocr.require()
    if len(pictures) <= MOST_PICTURES and ocr.is_there():
        for n in pictures:
            pages[n] = [line for found in _read_picture(document, n) if (line := _tidy(found))]
        if not any(pages):
            raise LoadError("is scanned, and no words can be read on it", "no_text")


def _is_picture(document: pdfium.PdfDocument, n: int) -> bool:
    return any(True for _ in document[n].get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3))


def _read_picture(document: pdfium.PdfDocument, n: int) -> list[str]:
    page = document[n]
    dpi = min(_DPI, int(_MOST_PIXELS / max(1, *page.get_size()) * 72))
    bitmap = page.render(scale=dpi / 72, grayscale=True)  # pyright: ignore[reportArgumentType]  # it takes any number
    gray = bytes(bitmap.buffer)
    rows = (gray[row * bitmap.stride : row * bitmap.stride + bitmap.width] for row in range(bitmap.height))
    return ocr.lines_on(b"".join(rows), bitmap.width, bitmap.height, dpi)


def _tidy(line: str) -> str:
    return " ".join(clean(line.replace("\ufffe", "").replace("\u0002", "")).split())  # how pdfium writes a hyphen at the end of a line


def _marks(document: pdfium.PdfDocument) -> dict[tuple[int, str], int]:
    """Return the document's own table of contents: page and title (without spaces) to depth."""
    marks: dict[tuple[int, str], int] = {}
    for mark in document.get_toc(max_depth=6):
        destination = mark.get_dest()
        page = destination.get_index() if destination else None
        if page is not None:
            marks[page, _squeezed(mark.get_title())] = mark.level + 1
    return marks


def _without_furniture(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Return the pages without running heads and page numbers: first and last lines that stand (but for numbers) on most pages."""
    edges = Counter(edge for lines in pages for edge in {_edge(line) for line in lines[:2] + lines[-2:]})
    usual = {edge for edge, count in edges.items() if count >= 3 and count > len(pages) / 2}
    kept: list[list[Line]] = []
    for lines in pages:
        first, last = 0, len(lines)
        while first < min(2, last) and _edge(lines[first]) in usual:
            first += 1
        while last > max(first, len(lines) - 2) and _edge(lines[last - 1]) in usual:
            last -= 1
        kept.append(lines[first:last])
    return kept


def _edge(line: Line) -> str:
    return _NUMBER.sub("#", line) if isinstance(line, str) else line.text


def _blocks(pages: Sequence[list[Line]], marks: dict[tuple[int, str], int]) -> Iterator[Block]:
    """Give headings their depth and lines their paragraph; one that goes on overleaf (once) stands on the page where it begins."""
    outline = Outline()
    paragraph: list[str] = []
    page = 0
    for n, lines in enumerate(pages):
        widest = max((len(line) for line in lines if isinstance(line, str)), default=0)
        for line in lines:
            is_table = isinstance(line, Block)
            depth, heading, rest = (0, "", "") if is_table else _heading(line, n, marks)
            is_overleaf = paragraph and page <= n and line is lines[0]
            if paragraph and (
                is_table or depth or (_ENDS.search(paragraph[-1]) or page < n if is_overleaf else _is_new(paragraph[-1], line, widest))
            ):
                yield Block(" ".join(paragraph), "text", outline.path, page)
                paragraph = []
            if is_table:
                yield replace(line, heading=outline.path)
            if depth:
                outline.enter(depth, heading)
            if rest:
                page = page if paragraph else n + 1
                paragraph.append(rest)
    if paragraph:
        yield Block(" ".join(paragraph), "text", outline.path, page)


def _heading(line: str, page: int, marks: dict[tuple[int, str], int]) -> tuple[int, str, str]:
    """Return a line as depth and heading, and what of it is text. The document's own contents know best, else numbers tell."""
    if depth := marks.get((page, _squeezed(line)), 0):
        return depth, line, ""
    return heading_in(line, is_numbered=not marks)


def _is_new(before: str, line: str, widest: int) -> bool:
    """Return whether a line begins a paragraph: it has a mark, or the line before it ended early or with a sentence's end."""
    return bool(_BEGINS.match(line)) or len(before) < 0.6 * widest or (bool(_ENDS.search(before)) and len(before) < 0.9 * widest)


def _squeezed(text: str) -> str:
    return "".join(clean(text).split())


def _is_file_name(title: str) -> bool:
    """Return whether a title is none: programs write the name of the file they printed, or nothing that can be read."""
    return bool(re.search(r"\.(?:docx?|hwpx?|pptx?|xlsx?|indd|pdf|html?)$|^(?:untitled|microsoft word|제목 없음)", title, re.IGNORECASE))


def _date(fields: dict[str, str]) -> datetime | None:
    for field in ("ModDate", "CreationDate"):
        if found := _DATE.match(fields.get(field, "")):
            numbers = [int(part) if part else least for part, least in zip(found.groups()[:6], (1, 1, 1, 0, 0, 0), strict=True)]
            offset = timedelta(hours=int(found[8] or 0), minutes=int(found[9] or 0)) * (-1 if found[7] == "-" else 1)
            try:
                return datetime(*numbers, tzinfo=timezone(offset)).astimezone(UTC)  # type: ignore[arg-type]  # six numbers
            except ValueError:
                continue
    return None
