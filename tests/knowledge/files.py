"""Files as people drop them, good and bad, made here: nothing binary is kept in the repository."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from docx import Document
from docx.document import Document as DocumentType
from openpyxl import Workbook
from pptx import Presentation
from pypdfium2 import PdfDocument
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "HYSMyeongJo-Medium"


def pdf(*pages: Sequence[str], password: str | None = None, title: str = "", bookmarks: Sequence[str] = ()) -> bytes:
    """A PDF with a line of text per string; lines that are bookmarks go into its table of contents."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, encrypt=password)
    canvas.setTitle(title)
    for lines in pages:
        canvas.setFont(FONT, 11)
        for n, line in enumerate(lines):
            canvas.drawString(50, 800 - 16 * n, line)
            if line in bookmarks:
                canvas.bookmarkPage(line)
                canvas.addOutlineEntry(line, line, level=0)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def pdf_table(rows: Sequence[Sequence[str]], before: str, after: str) -> bytes:
    """A PDF page with a ruled table between two lines; in the second row the first two cells are one."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setFont(FONT, 11)
    canvas.drawString(50, 800, before)
    lefts = [50 + 120 * n for n in range(len(rows[0]) + 1)]
    for n, row in enumerate(rows):
        top = 780 - 30 * n
        canvas.line(lefts[0], top, lefts[-1], top)
        for left, text in zip(lefts, row, strict=False):
            canvas.drawString(left + 4, top - 20, text)
        for left in lefts if n != 1 else [lefts[0], *lefts[2:]]:
            canvas.line(left, top, left, top - 30)
    canvas.line(lefts[0], 780 - 30 * len(rows), lefts[-1], 780 - 30 * len(rows))
    canvas.drawString(50, 740 - 30 * len(rows), after)
    canvas.save()
    return file.getvalue()


def scanned(*pages: Sequence[str], dpi: int = 250) -> bytes:
    """A PDF of pictures of pages."""
    pictures = [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in PdfDocument(pdf(*pages))]
    file = io.BytesIO()
    pictures[0].save(file, "PDF", save_all=True, append_images=pictures[1:], resolution=dpi)
    return file.getvalue()


def pdf_bomb(mebibytes: int) -> bytes:
    """A small PDF whose one page inflates to so much."""
    packer, drawing = zlib.compressobj(9), b"BT /F1 12 Tf 10 10 Td (aaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj ET\n"
    content = b"".join(packer.compress(drawing * (2**20 // len(drawing))) for _ in range(mebibytes)) + packer.flush()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    made, starts = b"%PDF-1.4\n", []
    for n, one in enumerate(objects, 1):
        starts.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (n, one)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % start for start in starts)
    return made + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(made)


def docx(document: DocumentType | None = None) -> bytes:
    """A Word document; without one given, a Korean page about leave."""
    if document is None:
        document = Document()
        document.add_heading("휴가 규정", 1)
        document.add_heading("연차 이월", 2)
        document.add_paragraph("연차는 다음 해 3월 31일까지 5일까지 이월할 수 있어요.")
        document.add_paragraph("반차는 0.5일로 세요.", style="List Bullet")
        table = document.add_table(2, 2)
        for cell, text in zip((cell for row in table.rows for cell in row.cells), ("구분", "일수", "병가", "10"), strict=True):
            cell.text = text
    return saved(document)


def changed_docx(before: bytes, added: Iterable[bytes]) -> bytes:
    """The Word document above with something put into its XML."""
    source = zipfile.ZipFile(io.BytesIO(docx()))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for part in source.infolist():
            head, found, tail = source.read(part).partition(before if part.filename == "word/document.xml" else b"\0")
            with made.open(part.filename, "w") as written:
                for piece in (head, *(added if found else ()), found, tail):
                    written.write(piece)
    return file.getvalue()


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    """A ZIP archive of files by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file.getvalue()


def xlsx(**sheets: Sequence[Sequence[object]]) -> bytes:
    """An Excel workbook with these rows by sheet."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def pptx() -> bytes:
    """A PowerPoint presentation of three slides, the second hidden."""
    deck = Presentation()
    for title, body in (("온보딩 안내", "첫날에 할 일"), ("초안", "숨긴 말"), ("첫 주", "장비를 받아요\n계정을 열어요")):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, body
    deck.slides[1].element.set("show", "0")
    cells = deck.slides[2].shapes.add_table(2, 2, 0, 0, 1000, 1000).table.iter_cells()
    for cell, text in zip(cells, ("장비", "담당", "노트북", "IT팀"), strict=True):
        cell.text = text
    deck.slides[2].notes_slide.notes_text_frame.text = "Laptops come on day two."
    return saved(deck)


def saved(document: Any) -> bytes:
    """What a document is as a file."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


HWPX_TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<hs:sec xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph">{}</hs:sec>"""


def hwpx(*paragraphs: str, table: Sequence[Sequence[str]] = (), title: str = "") -> bytes:
    """A Hangul document (HWPX) with these paragraphs, then a table."""
    rows = "".join(
        "<hp:tr>" + "".join(f"<hp:tc><hp:subList>{_hwpx_text(cell)}</hp:subList></hp:tc>" for cell in row) + "</hp:tr>" for row in table
    )
    body = "".join(map(_hwpx_text, paragraphs)) + (f"<hp:p><hp:run><hp:tbl>{rows}</hp:tbl></hp:run></hp:p>" if table else "")
    about = f"""<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:metadata><opf:title>{title}</opf:title></opf:metadata>
        <opf:manifest><opf:item id="section0" href="Contents/section0.xml" media-type="application/xml"/></opf:manifest>
        <opf:spine><opf:itemref idref="section0"/></opf:spine></opf:package>"""
    return zipped({"mimetype": "application/hwp+zip", "Contents/content.hpf": about, "Contents/section0.xml": HWPX_TEXT.format(body)})


def _hwpx_text(text: str) -> str:
    return f"<hp:p><hp:run><hp:t>{text}</hp:t></hp:run></hp:p>"


def claiming(packed: bytes, mebibytes: int) -> bytes:
    """A ZIP archive whose first part says that it unpacks to so much."""
    at = packed.index(b"PK\1\2") + 24
    return packed[:at] + (mebibytes * 2**20).to_bytes(4, "little") + packed[at + 4 :]


def encrypted(packed: bytes) -> bytes:
    """A ZIP archive whose first part says that it is encrypted."""
    at = packed.index(b"PK\1\2") + 8
    return packed[:at] + b"\1" + packed[at + 1 :]


def with_part(packed: bytes, name: str, content: bytes) -> bytes:
    """A ZIP archive with one more part, or another one in the place of that of the same name."""
    with zipfile.ZipFile(io.BytesIO(packed)) as before:
        return zipped({part: before.read(part) for part in before.namelist() if part != name} | {name: content})


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY e SYSTEM "file:///etc/passwd">]><x>&b;&e;</x>'


def link_in_zip() -> bytes:
    """A ZIP archive that holds a symbolic link."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        link = zipfile.ZipInfo("passwd.txt")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    return file.getvalue()


def sheet(rows: str) -> bytes:
    """An Excel workbook whose one sheet holds this XML."""
    part = "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>" + rows + "</sheetData></worksheet>"
    return with_part(xlsx(자료=[]), "xl/worksheets/sheet1.xml", part.encode())


def pdf_of_many(pages: int) -> bytes:
    """A PDF that says of its one page that it is so many."""
    return pdf(["x"]).replace(b"/Count 1", b"/Count %d" % pages)


def docx_bomb(mebibytes: int = 400) -> bytes:
    """A small Word document that inflates to so much."""
    paragraphs = (b"<w:p><w:r><w:t>" + b"a" * 993 + b"</w:t></w:r></w:p>") * 1024
    return changed_docx(b"</w:body>", repeat(paragraphs, mebibytes))


def docx_with_entity() -> bytes:
    """A Word document that asks its reader for a file of the machine."""
    return changed_docx(b"<w:document", [b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n'])


def old_word() -> bytes:
    """A Word document of the nineties, from its first bytes on."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)


def locked_word() -> bytes:
    """What Word saves with a password: a container around the encrypted document."""
    return old_word() + "EncryptedPackage".encode("utf-16-le") + bytes(500)
