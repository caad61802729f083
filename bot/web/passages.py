"""How the passages of a document look one below the other: headings where they change, code as code, all else as it was written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from bot.web.markdown import visible
from knowledge.loaders import named
from knowledge.split import BETWEEN

# What loaders leave of Markdown. Lists stay as they were written: `2026. 3. 1.` is a date, and `1)` may be named elsewhere.
_MARKDOWN = MarkdownIt("zero").enable(["fence", "table", "backticks"])
_TAGS = {"p", "pre", "code", "table", "thead", "tbody", "tr", "th", "td"}


@dataclass(frozen=True, slots=True)
class Part:
    """A passage to show. `heading`: what of its heading path is new below the part before it."""

    heading: str
    page: int | None
    html: Markup
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A passage as the record has it."""

    text: str
    heading: str = ""
    page: int | None = None
    is_marked: bool = False


def parts_from(passages: Iterable[Told], title: str, above: str = "") -> Iterator[Part]:
    """Give the passages of a document in reading order; `above` is the heading path that is already shown."""
    for told in passages:
        yield Part(_new(told.heading, above), told.page, passage_html(told.text, title), told.is_marked)
        above = told.heading


def passage_html(text: str, title: str) -> Markup:
    """Return a passage as harmless HTML. The title of a source file is its name: that is code from end to end."""
    if (found := named(title)) and found.name == "code":
        return Markup("<pre><code>{}</code></pre>").format(visible(text))
    tokens = [token for token in _MARKDOWN.parse(visible(text)) if not _is_end_of_listing(token)]
    rendered: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(nh3.clean(rendered, tags=_TAGS, attributes={}))  # noqa: S704  # this makes it harmless


def _is_end_of_listing(token: Token) -> bool:
    """Whether it is the fence that ends a listing which began in the passage before."""
    return token.type == "fence" and not token.content.strip()


def _new(heading: str, above: str) -> str:
    path = heading.split(BETWEEN)
    known = takewhile(lambda pair: pair[0] == pair[1], zip(path, above.split(BETWEEN), strict=False))
    return BETWEEN.join(path[len(list(known)) :])
