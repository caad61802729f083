"""What each format becomes: a title, and blocks below their headings."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook
from pypdfium2 import PdfDocument

from knowledge import ocr
from knowledge.loaded import Loaded
from knowledge.loaders import FORMATS, format_of
from nod.errors import LoadError
from tests.knowledge.files import docx, hwpx, locked_word, old_word, pdf, pdf_table, pptx, saved, scanned, xlsx, zipped

HTML = """<!doctype html><html lang="ko"><head><title>사이트 이름</title><meta property="article:modified_time" content="2026-03-02"></head>
<body><nav>처음 메뉴</nav><main><h1>VPN 안내</h1><p>서울을 <b>고르</b>세요.<br>안 되면 다시 켜세요.</p>
<h2>문제</h2><ul><li>연결<ul><li>느림</li></ul></li><li>끊김</li></ul>
<table><tr><th>지역</th><th>상태</th></tr><tr><td>서울</td><td>정상</td></tr></table>
<pre>vpn --up
  -v</pre><p style="display: none">숨은 말</p><script>alert(1)</script></main><footer>꼬리말</footer></body></html>"""

MARKDOWN = """---
date: 2026-03-02
lang: ko
---
# 휴가 *규정*

머리말에 [링크](https://wiki.example/a)와 [이웃](b.md)이 있어요.

## 연차 이월

연차는 **5일**까지
이월돼요.

1. 신청
   - 서류
2. 승인

| 구분 | 일수 |
|---|---|
| 병가 | 10 |

```sh
nod ingest
```

### Half days

Half a day counts as half.
"""


FORMATS_BY_NAME = "Markdown · text · HTML · PDF · DOCX · PPTX · XLSX · CSV · JSON · HWP · source code · ZIP"


def load(name: str, content: bytes | str) -> Loaded:
    given = content.encode() if isinstance(content, str) else content
    return format_of(name, given).load(given)


def shape(loaded: Loaded) -> list[tuple[str, str, str]]:
    return [(block.kind, " › ".join(block.heading), block.text) for block in loaded.blocks]


def test_markdown_keeps_headings_lists_tables_and_code():
    loaded = load("a.md", MARKDOWN)
    assert (loaded.title, loaded.language, loaded.date) == ("휴가 규정", "ko", datetime(2026, 3, 2, tzinfo=UTC))
    assert shape(loaded) == [
        ("text", "", "머리말에 링크 (https://wiki.example/a)와 이웃이 있어요."),
        ("text", "연차 이월", "연차는 5일까지 이월돼요."),
        ("list", "연차 이월", "1. 신청\n  - 서류\n2. 승인"),
        ("table", "연차 이월", "| 구분 | 일수 |\n|---|---|\n| 병가 | 10 |"),
        ("code", "연차 이월", "```sh\nnod ingest\n```"),
        ("text", "연차 이월 › Half days", "Half a day counts as half."),
    ]


def test_a_heading_closes_those_of_its_depth_and_deeper():
    blocks = load("a.md", "# T\n\n### c\n\n1\n\n## b\n\n2\n\n### d\n\n3").blocks
    assert [block.heading for block in blocks] == [("c",), ("b",), ("b", "d")]


def test_html_is_what_a_reader_of_the_page_reads():
    loaded = load("a.html", HTML)
    assert (loaded.title, loaded.language, loaded.date) == ("VPN 안내", "ko", datetime(2026, 3, 2, tzinfo=UTC))
    assert shape(loaded) == [
        ("text", "", "서울을 고르세요.\n안 되면 다시 켜세요."),
        ("list", "문제", "- 연결\n  - 느림\n- 끊김"),
        ("table", "문제", "| 지역 | 상태 |\n|---|---|\n| 서울 | 정상 |"),
        ("code", "문제", "vpn --up\n  -v"),
    ]


def test_html_in_an_older_korean_encoding_is_read_as_declared():
    page = '<html><head><meta charset="euc-kr"><title>공지</title></head><body><p>연차 규정이 바뀌었습니다.</p></body></html>'
    assert load("a.html", page.encode("euc-kr")).blocks[0].text == "연차 규정이 바뀌었습니다."


def test_text_is_paragraphs():
    assert [block.text for block in load("a.txt", "하나.\r\n이어서.\r\n\r\n \r\n둘.").blocks] == ["하나.\n이어서.", "둘."]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_korean_text_is_read_in_whichever_usual_encoding(encoding: str):
    assert load("a.txt", "연차는 이월돼요.".encode(encoding)).blocks[0].text == "연차는 이월돼요."


def test_pdf_has_pages_paragraphs_and_articles_as_headings():
    page = ["사내 규정집 1", "제1장 휴가", "제3조(연차) 연차는 다음 해 3월 31일까지 5일까지 이월할 수 있다. 반차는 0.5일로", "계산한다."]
    loaded = load("a.pdf", pdf(page, ["사내 규정집 2", "제4조 (반차)", "Up to five days may be", "carried over."], ["사내 규정집 3", "끝"]))
    assert (loaded.pages, loaded.title) == (3, "")
    assert [(block.page, block.heading, block.text) for block in loaded.blocks] == [
        (1, ("제1장 휴가", "제3조(연차)"), "연차는 다음 해 3월 31일까지 5일까지 이월할 수 있다. 반차는 0.5일로 계산한다."),
        (2, ("제1장 휴가", "제4조 (반차)"), "Up to five days may be carried over."),
        (3, ("제1장 휴가", "제4조 (반차)"), "끝"),
    ]


def test_numbered_headings_of_a_pdf_are_headings_and_numbered_sentences_are_not():
    loaded = load(
        "a.pdf", pdf(["3.2 Carry-over", "Up to five days. See below.", "3.2.1 Half days", "They count as half.", "4.1 Press the button."])
    )
    assert [block.heading for block in loaded.blocks][:2] == [("3.2 Carry-over",), ("3.2 Carry-over", "3.2.1 Half days")]
    assert "4.1 Press the button." in loaded.blocks[-1].text


def test_a_pdf_with_contents_of_its_own_is_headed_by_them():
    loaded = load(
        "a.pdf", pdf(["Leave", "Five days may be carried over."], ["3.1 apples", "휴가", "병가는 10일이다."], bookmarks=["Leave", "휴가"])
    )
    assert [(block.heading, block.text) for block in loaded.blocks] == [
        (("Leave",), "Five days may be carried over."),
        (("Leave",), "3.1 apples"),
        (("휴가",), "병가는 10일이다."),
    ]


def test_a_sentence_that_goes_on_overleaf_stays_one():
    (block,) = load("a.pdf", pdf(["연차는 다음 해 삼월 말일까지 다섯 날을"], ["이월할 수 있다."])).blocks
    assert (block.page, block.text) == (1, "연차는 다음 해 삼월 말일까지 다섯 날을 이월할 수 있다.")


def test_a_ruled_table_in_a_pdf_is_one_and_stands_where_it_is_drawn():
    rows = [["구분", "일수", "비고"], ["경조사 휴가를 모두 합친 것", "", "본인 결혼 5일"], ["Half day", "0.5", "아침이나 낮"]]
    loaded = load("a.pdf", pdf_table(rows, "제3조(휴가) 일수는 다음과 같다.", "Ask the people team."))
    assert [(block.kind, block.heading, block.page, block.text) for block in loaded.blocks] == [
        ("text", ("제3조(휴가)",), 1, "일수는 다음과 같다."),
        (
            "table",
            ("제3조(휴가)",),
            1,
            "| 구분 | 일수 | 비고 |\n|---|---|---|\n| 경조사 휴가를 모두 합친 것 |  | 본인 결혼 5일 |\n| Half day | 0.5 | 아침이나 낮 |",
        ),
        ("text", ("제3조(휴가)",), 1, "Ask the people team."),
    ]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Put a program in the place of tesseract, or none."""

    def put(script: str) -> None:
        if script:
            (tmp_path / "tesseract").write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / "tesseract").chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    ocr._languages.cache_clear()
    yield put
    ocr._languages.cache_clear()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("", "is scanned: to read it install tesseract (packages tesseract-ocr and tesseract-ocr-kor), then try again"),
        ("echo eng; echo osd", "is scanned: to read it install tesseract's language data (tesseract-ocr-kor), then try again"),
    ],
)
def test_a_scanned_pdf_says_what_to_install_when_it_cannot_be_read(program: Callable[[str], None], script: str, sentence: str):
    program(script)
    with pytest.raises(LoadError, match=re.escape(sentence)) as refused:
        load("스캔.pdf", scanned(["연차"], dpi=50))
    assert refused.value.kind == "no_ocr"


def test_a_page_that_is_a_picture_in_a_pdf_with_text_is_no_reason_to_refuse_it(program: Callable[[str], None]):
    program("")
    with_cover = PdfDocument.new()
    for one in (scanned(["표지"], dpi=50), pdf(["Five days."])):
        with_cover.import_pages(PdfDocument(one))
    assert [(block.page, block.text) for block in load("a.pdf", saved(with_cover)).blocks] == [(2, "Five days.")]


def test_text_without_an_end_still_names_a_page_near_by():
    pages = load("a.pdf", pdf(*[["연차는 다음 해에 쓸 수 있는데 그때"], ["left over days of the year before"]] * 3)).blocks
    assert [block.page for block in pages] == [1, 3, 5]


@pytest.mark.parametrize(("written", "title"), [("인사 규정", "인사 규정"), ("Microsoft Word - 규정.docx", ""), ("untitled", "")])
def test_a_pdf_is_called_as_it_says_unless_that_is_no_title(written: str, title: str):
    assert load("a.pdf", pdf(["본문"], title=written)).title == title


def test_docx_has_headings_lists_and_tables():
    loaded = load("a.docx", docx())
    assert (loaded.title, loaded.date) == ("휴가 규정", None)
    assert shape(loaded) == [
        ("text", "연차 이월", "연차는 다음 해 3월 31일까지 5일까지 이월할 수 있어요."),
        ("list", "연차 이월", "- 반차는 0.5일로 세요."),
        ("table", "연차 이월", "| 구분 | 일수 |\n|---|---|\n| 병가 | 10 |"),
    ]


def test_a_merged_cell_of_a_docx_leaves_the_columns_in_their_places():
    document = Document()
    table = document.add_table(2, 3)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ("구분", "", "days", "병가", "10", "10"), strict=True):
        cell.text = text
    table.cell(0, 0).merge(table.cell(0, 1))
    assert shape(load("a.docx", docx(document))) == [("table", "", "| 구분 |  | days |\n|---|---|---|\n| 병가 | 10 | 10 |")]


def test_docx_knows_its_title_and_date_by_its_properties():
    document = Document()
    document.core_properties.title, document.core_properties.modified = "Leave policy", datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001  # as Word writes it: UTC without saying so
    document.add_paragraph("Five days.")
    loaded = load("a.docx", docx(document))
    assert (loaded.title, loaded.date) == ("Leave policy", datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def test_pptx_has_slides_by_number_with_tables_and_notes_and_nothing_hidden():
    loaded = load("a.pptx", pptx())
    assert (loaded.title, loaded.pages, loaded.date) == ("온보딩 안내", 3, None)
    assert [(block.page, *line) for block, line in zip(loaded.blocks, shape(loaded), strict=True)] == [
        (1, "text", "", "첫날에 할 일"),
        (3, "list", "첫 주", "- 장비를 받아요\n- 계정을 열어요"),
        (3, "table", "첫 주", "| 장비 | 담당 |\n|---|---|\n| 노트북 | IT팀 |"),
        (3, "text", "첫 주", "Laptops come on day two."),
    ]


def test_xlsx_has_sheets_with_tables_below_their_captions_and_heads():
    rows = [["2026년 연차"], ["이름", "일수", "", "시작"], ["김민지", 15, None, date(2026, 3, 2)], [], ["합계", 1.5]]
    assert shape(load("a.xlsx", xlsx(연차=rows, Empty=[], VPN=[["Region", "State"], ["Seoul", "up"]]))) == [
        ("text", "연차", "2026년 연차"),
        ("table", "연차", "| 이름 | 일수 | 시작 |\n|---|---|---|\n| 김민지 | 15 | 2026-03-02 |"),
        ("table", "연차", "| 이름 | 일수 | 시작 |\n|---|---|---|\n| 합계 | 1.5 |  |"),
        ("table", "VPN", "| Region | State |\n|---|---|\n| Seoul | up |"),
    ]


def test_xlsx_shows_shares_as_excel_does_and_no_hidden_sheet():
    book = Workbook()
    book.worksheets[0].append(["비율", 0.125])
    book.worksheets[0]["B1"].number_format = "0.0%"
    book.create_sheet("급여").append(["secret"])
    book["급여"].sheet_state = "hidden"
    book.properties.title, book.properties.modified = "할인", datetime(2026, 3, 2)  # noqa: DTZ001  # as Excel writes it: UTC without saying so
    loaded = load("a.xlsx", saved(book))
    assert [block.text for block in loaded.blocks] == ["비율 | 12.5%"]
    assert loaded.title == "할인"


def test_a_sheet_of_too_many_rows_is_refused_and_empty_ones_are_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.loaders.xlsx.MOST_ROWS", 3)
    assert load("a.xlsx", xlsx(자료=[["a", "b"], [], [], [], ["c", "d"]])).blocks
    with pytest.raises(LoadError, match=r"has a sheet \(자료\) of more than 3 rows") as refused:
        load("a.xlsx", xlsx(자료=[["a"]] * 4))
    assert refused.value.kind == "endless"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "이름;days\n김민지;15\n"), ("a.csv", '이름,days\r\n"김민지",15\r\n'), ("a.tsv", "이름\tdays\n김민지\t15")],
)
def test_a_table_in_text_is_read_with_whichever_separator(name: str, content: str):
    for encoding in ("utf-8", "cp949"):
        assert shape(load(name, content.encode(encoding))) == [("table", "", "| 이름 | days |\n|---|---|\n| 김민지 | 15 |")]


def test_json_stands_below_the_names_that_lead_to_it_and_records_alike_are_a_table():
    content = """{"service": "vpn", "region": {"name": "서울", "ports": [443, 8443], "open": true, "note": null},
        "people": [{"name": "김민지", "days": 15}, {"name": "Joon", "days": 12}], "log": [{"at": {"day": 2}}, "끝"]}"""
    assert shape(load("a.json", content)) == [
        ("list", "", "service: vpn"),
        ("list", "region", "name: 서울\nports: 443, 8443\nopen: true"),
        ("table", "people", "| name | days |\n|---|---|\n| 김민지 | 15 |\n| Joon | 12 |"),
        ("list", "log", "at.day: 2"),
        ("list", "log", "끝"),
    ]


def test_json_lines_are_records():
    assert [text for _, _, text in shape(load("a.jsonl", '{"q": "연차", "n": {"x": 1}}\n\n{"q": "leave", "n": {"x": 2}}'))] == [
        "q: 연차\nn.x: 1", "q: leave\nn.x: 2",
    ]  # fmt: skip


def test_hwpx_has_articles_as_headings_and_tables():
    loaded = load(
        "a.hwpx",
        hwpx(
            "제1장 휴가",
            "제3조(연차) 연차는 5일까지 이월한다.",
            "Half days count.",
            table=[["구분", "일수"], ["병가", "10"]],
            title="취업 규칙",
        ),
    )
    assert loaded.title == "취업 규칙"
    assert shape(loaded) == [
        ("text", "제1장 휴가 › 제3조(연차)", "연차는 5일까지 이월한다."),
        ("text", "제1장 휴가 › 제3조(연차)", "Half days count."),
        ("table", "제1장 휴가 › 제3조(연차)", "| 구분 | 일수 |\n|---|---|\n| 병가 | 10 |"),
    ]


PYTHON = '''"""휴가 계산."""
import math

# How many days are left.
@cache
def days_left(person):
    return 15

class Leave:
    """연차."""
    def carry(self):
        return 5
'''


def test_code_stands_below_what_it_defines_with_the_comments_above_it():
    assert [(heading, text.split("\n")[0]) for _, heading, text in shape(load("leave.py", PYTHON))] == [
        ("", '"""휴가 계산."""'),
        ("days_left", "# How many days are left."),
        ("Leave", "class Leave:"),
        ("Leave › carry", "    def carry(self):"),
    ]
    assert "\n".join(block.text for block in load("leave.py", PYTHON).blocks).split() == PYTHON.split()


@pytest.mark.parametrize(
    ("name", "content", "headings"),
    [
        ("a.go", "package leave\n\nfunc (p *Person) Left() int {\n\treturn 15\n}", ["leave", "Left"]),
        ("a.ts", "export const left = async (p: P): number => {\n  return 15\n}\nexport class A {\n}", ["left", "A"]),
        ("A.java", "public class A {\n    private List<Day> left(int n) throws E {\n        return of(n);\n    }\n}", ["A", "A › left"]),
        ("a.rs", "pub fn left() -> u8 {\n    if (x) {\n    }\n}", ["left"]),
        ("a.sql", "CREATE TABLE IF NOT EXISTS 휴가 (\n  days int\n);", ["휴가"]),
        ("a.toml", "[tool.nod]\ndays = 5\n[tool.other]\nx = 1", ["tool.nod", "tool.other"]),
    ],
)  # fmt: skip
def test_the_names_in_code_are_known_in_many_languages(name: str, content: str, headings: list[str]):
    assert [heading for _, heading, _ in shape(load(name, content))] == headings


def test_a_zip_is_one_document_whose_files_stand_below_their_names():
    old_name = zipped({"aaaa.txt": "오래된 압축"}).replace(b"aaaa", "휴가".encode("cp949"))
    packed = {
        "인사/휴가.md": "# 휴가\n\n## 이월\n\n5일까지 이월돼요.",
        "old.zip": old_name,
        "계약서.pdf": pdf(["비밀"], password="1"),
        "vpn.txt": "Choose Seoul.",
    }
    loaded = load("자료.zip", zipped(packed | {".hidden.md": "x", "그림.png": "x", "__MACOSX/a.md": "x"}))
    assert shape(loaded) == [("text", "인사/휴가.md › 휴가 › 이월", "5일까지 이월돼요."), ("text", "vpn.txt", "Choose Seoul.")]
    assert [(left.name, left.kind, left.sentence) for left in loaded.left_out] == [
        ("old.zip", "tricks", "is an archive in an archive"), ("계약서.pdf", "locked", "is locked with a password"),
    ]  # fmt: skip
    assert shape(load("옛날.zip", old_name)) == [("text", "휴가.txt", "오래된 압축")]


@pytest.mark.parametrize(
    ("name", "content", "kind", "sentence"),
    [
        ("보고서.html", pdf(["x"]), "wrong_type", "is PDF by its content, not HTML: rename it and try again"),
        ("report.pdf", HTML.encode(), "wrong_type", "is HTML by its content, not PDF: rename it and try again"),
        ("memo.docx", b"just text", "wrong_type", "is text by its content, not DOCX: rename it and try again"),
        ("data.txt", bytes(range(256)), "wrong_type", "is not what its name says"),
        ("photo.md", b"\x89PNG\r\n\x1a\n....", "wrong_type", "is a PNG picture, not a document"),
        ("계약서.pdf", pdf(["비밀"], password="1234"), "locked", "is locked with a password"),
        ("계약서.docx", locked_word(), "locked", "is locked with a password"),
        ("old.doc", old_word(), "old_office", "is an old Office file: save it as DOCX, XLSX or PPTX"),
        ("표.xlsx", b"PK\x03\x04 xl/workbook.xml", "unreadable", "is damaged: it is not a complete XLSX"),
        ("표.xlsx", pptx(), "wrong_type", "is PPTX by its content, not XLSX: rename it and try again"),
        ("책.epub", zipped({"mimetype": "x"}), "as_pdf", "is a kind of document that cannot be read yet: save it as PDF"),
        ("cut.hwp", b"\xd0\xcf\x11\xe0" + b"HWP Document File", "unreadable", "is damaged: it is not a complete HWP"),
        ("a.json", b'{"a": 1,\n "b": }', "unreadable", "is not JSON: line 2 is wrong"),
        ("a.jsonl", b'{"a": 1}\n{"a": }\n', "unreadable", "is not JSON: line 2 is wrong"),
        ("a.ics", b"BEGIN:VCALENDAR", "unsupported", f"is a kind of file that cannot be read yet; {FORMATS_BY_NAME} can"),
        ("빈.md", b" \n", "empty", "is empty"),
        ("스캔.pdf", pdf([], []), "no_text", "holds no text"),
        ("cut.pdf", pdf(["x"])[:300], "unreadable", "is damaged: it is not a complete PDF"),
        ("cut.docx", docx()[:9000], "unreadable", "is damaged: it is not a complete DOCX"),
        ("a.zip", zipped({"그림.png": "x"}), "no_text", "holds no file that can be read"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, kind: str, sentence: str):
    with pytest.raises(LoadError) as refused:
        load(name, content)
    assert (refused.value.kind, str(refused.value)) == (kind, sentence)


def test_a_name_without_an_ending_is_read_by_content_and_by_media_type():
    assert format_of("leave", pdf(["x"])).name == "pdf"
    assert format_of("leave", b"<html><body>x").name == "html"
    assert format_of("leave", b"# x", "text/markdown; charset=utf-8").name == "markdown"


def test_markdown_may_begin_with_html():
    assert format_of("README.md", b"<html>not really</html>\n\n# T").name == "markdown"


@pytest.mark.parametrize("name", [format_.name for format_ in FORMATS])
def test_no_loader_knows_a_sibling(name: str):
    source = __import__(f"knowledge.loaders.{name}", fromlist=["load"])
    others = {f"knowledge.loaders.{other.name}" for other in FORMATS} - {source.__name__}
    assert not others & {getattr(value, "__module__", "") for value in vars(source).values()}
