"""Reads HTML: what a reader of the page would read, without navigation, scripts and what is hidden."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from knowledge.loaded import Block, Loaded, Outline
from knowledge.tables import table
from nod.language import clean

_NEVER = frozenset(
    ("script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "button", "select", "input", "textarea", "head")
)
_AROUND = frozenset(("nav", "aside", "header", "footer", "form", "dialog"))  # furniture of a page; inside its main part it is content
_HEADINGS = {f"h{depth}": depth for depth in range(1, 7)}
_BLOCKS = frozenset(
    """address article blockquote body center dd details div dl dt fieldset figcaption figure footer form header hr html main nav aside
    p section summary""".split()  # noqa: SIM905  # read as words
)
_SPACE = re.compile(r"[ \t\r\n\f\v\u00a0]+")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ENOUGH = 0.3  # share of the page's text that its main part must hold to be taken for it


def load(content: bytes) -> Loaded:
    """Return an HTML page in whichever encoding it declares; its title is its only first-level heading, else `<title>`."""
    page = BeautifulSoup(content, "lxml")
    main, is_part = _main(page)
    first = [_words(heading) for heading in main.find_all("h1")]
    title = first[0] if len(first) == 1 and first[0] else _words(page.title)
    blocks = tuple(_Reading(title, without=frozenset() if is_part else _AROUND).blocks(main))
    language = page.html.get("lang") if page.html else None
    return Loaded(blocks, title=title, date=_date(page), language=str(language)[:2].lower() if language else None)


def _main(page: BeautifulSoup) -> tuple[Tag, bool]:
    """Return the main part of a page, or all of its body."""
    body = page.body or page
    for part in (page.find("main"), page.find(role="main"), page.find("article")):
        if isinstance(part, Tag) and len(part.get_text()) >= _ENOUGH * len(body.get_text()):
            return part, True
    return body, False


def _date(page: BeautifulSoup) -> datetime | None:
    for name in ("article:modified_time", "article:published_time", "og:updated_time", "date", "dcterms.modified"):
        meta = page.find("meta", attrs={"property": name}) or page.find("meta", attrs={"name": name})
        if isinstance(meta, Tag):
            try:
                date = datetime.fromisoformat(str(meta.get("content", "")).strip())
            except ValueError:
                continue
            return date if date.tzinfo else date.replace(tzinfo=UTC)
    return None


class _Reading:
    """Walks through a page once and gathers its blocks; inline text gathers until the next block begins."""

    def __init__(self, title: str, without: frozenset[str]) -> None:
        self._title = title
        self._without = _NEVER | without
        self._outline = Outline()
        self._words: list[str] = []
        self._found: list[Block] = []

    def blocks(self, part: Tag) -> list[Block]:
        """Return the blocks of a part of a page."""
        self._walk(part)
        self._end_paragraph()
        return self._found

    def _walk(self, parent: Tag) -> None:
        for child in parent.children:
            if isinstance(child, Tag):
                self._tag(child)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):  # no comments, no CDATA
                self._words.append(_SPACE.sub(" ", child))

    def _tag(self, tag: Tag) -> None:
        if tag.name in self._without or _is_hidden(tag):
            return
        if tag.name in _HEADINGS:
            self._end_paragraph()
            heading = _words(tag)
            self._outline.enter(_HEADINGS[tag.name], "" if heading == self._title else heading)
        elif tag.name == "pre":
            self._add("code", clean(tag.get_text()).strip("\n"))
        elif tag.name in ("ul", "ol"):
            self._add("list", "\n".join(_list_lines(tag)))
        elif tag.name == "table" and not tag.find(["table", "h1", "h2", "h3", "p"]):
            self._end_paragraph()
            if block := table(_rows(tag), self._outline.path):
                self._found.append(block)
        elif tag.name == "br":
            self._words.append("\n")
        elif tag.name in _BLOCKS or tag.name in ("table", "tr", "td", "th"):
            self._end_paragraph()
            self._walk(tag)
            self._end_paragraph()
        else:
            self._walk(tag)

    def _add(self, kind: str, text: str) -> None:
        self._end_paragraph()
        if text.strip():
            self._found.append(Block(text, kind, self._outline.path))  # pyright: ignore[reportArgumentType]  # one of Kind, above

    def _end_paragraph(self) -> None:
        text, self._words = _tidy("".join(self._words)), []
        if text:
            self._found.append(Block(text, "text", self._outline.path))


def _is_hidden(tag: Tag) -> bool:
    return tag.has_attr("hidden") or tag.get("aria-hidden") == "true" or bool(_HIDDEN.search(str(tag.get("style", ""))))


def _list_lines(tag: Tag, depth: int = 0) -> Iterator[str]:
    ordered = tag.name == "ol"
    for n, item in enumerate(tag.find_all("li", recursive=False), 1):
        inner = item.find_all(["ul", "ol"])
        nested = [one for one in inner if one.find_parent(["ul", "ol"]) is tag]
        for one in nested:
            one.extract()
        yield "  " * depth + (f"{n}. " if ordered else "- ") + _words(item)
        for one in nested:
            yield from _list_lines(one, depth + 1)


def _rows(tag: Tag) -> Iterator[list[str]]:
    for row in tag.find_all("tr"):
        yield [_words(cell) for cell in row.find_all(["td", "th"])]


def _words(tag: Tag | None) -> str:
    return _tidy(_SPACE.sub(" ", tag.get_text(" " if tag.find(["p", "div", "br"]) else ""))) if tag else ""


def _tidy(text: str) -> str:
    return clean("\n".join(line.strip() for line in re.sub(r" +", " ", text).split("\n"))).strip()
