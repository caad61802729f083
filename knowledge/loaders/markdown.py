"""Reads Markdown (CommonMark with tables): links and emphasis become plain words, code and tables stay as they were written."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.decode import decoded
from knowledge.loaded import Block, Loaded, Outline

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(title|date|lang(?:uage)?):\s*[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_ENDS = {"paragraph_open": "paragraph_close", "bullet_list_open": "bullet_list_close", "ordered_list_open": "ordered_list_close",
         "blockquote_open": "blockquote_close", "table_open": "table_close", "heading_open": "heading_close"}  # fmt: skip
_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.DOTALL)


def load(content: bytes) -> Loaded:
    """Return a Markdown file; its title is the first heading, unless front matter names it."""
    source = decoded(content)
    fields: dict[str, str] = {}
    if front := _FRONT_MATTER.match(source):
        fields = {name: value for name, value in _FIELD.findall(front[1]) if value}
        source = source[front.end() :]
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    headings = [_inline(tokens[n + 1]) for n, token in enumerate(tokens) if token.type == "heading_open"]
    title = fields.get("title") or (headings[0] if headings else "")
    blocks = tuple(block for block in _blocks(tokens, source.split("\n"), title) if block.text.strip())
    return Loaded(
        blocks, title=title, date=_date(fields.get("date", "")), language=(fields.get("lang") or fields.get("language") or "")[:2] or None
    )


def _date(text: str) -> datetime | None:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _blocks(tokens: Sequence[Token], lines: Sequence[str], title: str) -> Iterator[Block]:
    outline = Outline()
    n = 0
    while n < len(tokens):
        token = tokens[n]
        end = _end(tokens, n)
        if token.type == "heading_open":
            heading = _inline(tokens[n + 1])
            outline.enter(int(token.tag[1]), "" if heading == title else heading)
        elif token.type == "table_open":
            yield Block(_source(token, lines), "table", outline.path)
        elif token.type in ("fence", "code_block"):
            yield Block(_source(token, lines), "code", outline.path)
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            yield Block("\n".join(_list_lines(tokens[n : end + 1])), "list", outline.path)
        elif token.type == "html_block":
            yield Block(_TAG.sub("", token.content).strip(), "text", outline.path)
        else:
            yield Block("\n".join(_texts(tokens[n : end + 1])), "text", outline.path)
        n = end + 1


def _end(tokens: Sequence[Token], start: int) -> int:
    closing = _ENDS.get(tokens[start].type)
    if not closing:
        return start
    level = tokens[start].level
    return next(n for n in range(start, len(tokens)) if tokens[n].type == closing and tokens[n].level == level)


def _source(token: Token, lines: Sequence[str]) -> str:
    first, last = token.map or (0, 0)
    return "\n".join(lines[first:last]).rstrip()


def _texts(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield _inline(token)
        elif token.type in ("fence", "code_block"):
            yield token.content.rstrip("\n")


def _list_lines(tokens: Sequence[Token]) -> Iterator[str]:
    """Give the lines of a list, marked and indented as they are read."""
    counters: list[int | None] = []
    mark = ""
    for token in tokens:
        if token.type == "bullet_list_open":
            counters.append(None)
        elif token.type == "ordered_list_open":
            counters.append(int(token.attrs.get("start", 1)))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            counters.pop()
        elif token.type == "list_item_open":
            number = counters[-1]
            mark = "  " * (len(counters) - 1) + ("- " if number is None else f"{number}. ")
            counters[-1] = None if number is None else number + 1
        elif token.type in ("inline", "fence", "code_block"):
            text = _inline(token) if token.type == "inline" else token.content.rstrip("\n")
            indent = "  " * len(counters)
            yield mark + text.replace("\n", "\n" + indent) if mark else indent + text.replace("\n", "\n" + indent)
            mark = ""


def _inline(token: Token) -> str:
    """Return the words of a line: emphasis and relative links without their marks, addresses behind the words that carry them."""
    words: list[str] = []
    href = ""
    for child in token.children or []:
        if child.type == "link_open":
            href = str(child.attrs.get("href", ""))
            words.append("")
        elif child.type == "link_close":
            if href.startswith(("http://", "https://")) and not words[-1].endswith(href):
                words.append(f" ({href})")
            href = ""
        elif child.type == "softbreak":
            words.append(" ")  # where the writer's editor broke a line no sentence ends
        elif child.type == "hardbreak":
            words.append("\n")
        elif child.type == "code_inline":
            words.append(f"`{child.content}`")
        elif child.type == "html_inline":
            words.append("\n" if child.content.lower().startswith("<br") else "")
        else:  # text, and a picture's description
            words.append(child.content)
    return "".join(words).strip()
