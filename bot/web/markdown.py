"""Markdown of a model as harmless HTML. The text is untrusted: no raw HTML, no pictures, no link that could carry data out.

A link stays one only when its address is a source's or stands in the asker's own words; every other address is shown as text.
"""

import html
import re
from collections.abc import Collection, Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.faces import UNSUPPORTED
from nod.contracts import Source

# Reference definitions are off: `[1]: https://…` would turn every [1] of the text into a link.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable(["reference"])
_CITATION = re.compile(rf"\[(\d{{1,2}})\]({UNSUPPORTED}?)")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`)\]]+")
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
_TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "button",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "target", "rel"}, "button": {"type", "class", "data-n", "title"}, "ol": {"start"}, "code": {"class"}}


def html_from(text: str, *, sources: Sequence[Source] = (), words: str = "") -> str:
    """Return an answer's Markdown as HTML. `[n]` of a source becomes a button; `words` are the asker's, whose addresses may be links."""
    titles = {source.n: source.title for source in sources}
    allowed = {source.url for source in sources if source.url} | set(addresses_in(words))
    environment: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(visible(text), environment)
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = _checked(token.children, titles, allowed)
    rendered: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, environment)
    return nh3.clean(rendered, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https"}, link_rel=None)


def words_from(text: str) -> str:
    """Return the words of an answer's Markdown in one line, as they are said aloud."""
    return " ".join(html.unescape(nh3.clean(html_from(text), tags=set())).split())


def closed(growing: str) -> str:
    """Return a text that still grows with the marks closed which its last paragraph has only opened, so that none of them flickers."""
    paragraph = growing.rpartition("\n\n")[2]
    if sum(line.lstrip().startswith("```") for line in growing.splitlines()) % 2:
        return growing  # an open fence closes itself
    if paragraph.count("`") % 2:
        return growing + "`" if not growing.endswith("`") else growing[:-1]
    if paragraph.count("**") % 2:
        bare = growing.rstrip("* ")
        return f"{bare}**" if bare.rpartition("\n\n")[2].count("**") % 2 else bare
    return growing


def visible(text: str) -> str:
    """Return text without characters that hide or turn what is read."""
    return _INVISIBLE.sub("", text)


def addresses_in(words: str) -> list[str]:
    """Return the addresses which a text names."""
    return [found.rstrip(".,;:!?") for found in _ADDRESS.findall(words)]


def _checked(children: Sequence[Token], titles: dict[int, str], allowed: Collection[str]) -> list[Token]:
    """Return the inline tokens with citations as buttons, pictures as words, and links only where they are allowed."""
    checked: list[Token] = []
    refused: list[str] = []  # the addresses of the refused links that are open
    for token in children:
        if token.type == "text":
            checked += _cited(token.content, titles)
        elif token.type == "image":
            checked.append(_text(f"{token.content} ({token.attrGet('src') or ''})"))
        elif token.type == "link_open":
            href = str(token.attrGet("href") or "")
            refused.append("" if href in allowed else href)
            if href in allowed:
                token.attrSet("target", "_blank")
                token.attrSet("rel", "noopener noreferrer nofollow")
                checked.append(token)
        elif token.type == "link_close":
            href = refused.pop() if refused else ""
            checked.append(_text(f" ({href})") if href else token)
        else:
            checked.append(token)
    return checked


def _cited(text: str, titles: dict[int, str]) -> list[Token]:
    pieces: list[Token] = []
    end = 0
    for found in _CITATION.finditer(text):
        if (n := int(found[1])) in titles:
            pieces += [_text(text[end : found.start()]), _button(n, titles[n], found[2])]
            end = found.end()
    return [*pieces, _text(text[end:])]


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token


def _button(n: int, title: str, sign: str = "") -> Token:
    token = Token("html_inline", "", 0)  # made here, never parsed: `html` is off
    kind = "cite doubted" if sign else "cite"
    token.content = f'<button type="button" class="{kind}" data-n="{n}" title="{html.escape(title)}">[{n}]{sign}</button>'
    return token
