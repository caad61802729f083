"""What a crawler must know of a page or sitemap: where it leads, and what it asks of crawlers.

This is not where a page is read (that happens in a process with limits): a few tags are found by expressions whose time grows with the
length alone, whatever a page is made of, and no XML is ever parsed, so it declares no entities to us either.
"""

import html
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 4 * 2**20  # of a page; links below are not seen
MOST_SITEMAP_BYTES = 50 * 2**20  # as sitemaps.org has it, unpacked
MOST_LOCATIONS = 50_000

_TAG = re.compile(r"<(a|area|base|link|meta)\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]{1,40})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_LOCATION = re.compile(r"<loc>\s{0,99}(?:<!\[CDATA\[)?([^<\]]{1,2000})")
_SKIPPED = (("<!--", "-->"), ("<script", "</script"))


@dataclass(frozen=True, slots=True)
class Links:
    """Where a page leads; by which address it wants to be known; whether it may be kept, and its links followed."""

    targets: tuple[str, ...] = ()
    base: str = ""
    canonical: str = ""
    is_kept: bool = True


def links_from(content: bytes) -> Links:
    """Return the links of an HTML page."""
    text = _without_skipped(content[:MOST_CHARACTERS].decode("utf-8", "replace"))
    targets: dict[str, None] = {}
    base = canonical = rules = ""
    for tag, said in _tags(text):
        match tag:
            case "a" | "area" if "nofollow" not in said.get("rel", "").lower():
                targets[said.get("href", "")] = None
            case "base":
                base = base or said.get("href", "")
            case "link" if said.get("rel", "").lower() == "canonical":
                canonical = canonical or said.get("href", "")
            case "meta" if said.get("name", "").lower() in ("robots", "nod"):
                rules += said.get("content", "").lower()
            case _:
                pass
    may_follow = "nofollow" not in rules and "none" not in rules
    return Links(tuple(filter(None, targets)) if may_follow else (), base, canonical, not ("noindex" in rules or "none" in rules))


def locations_from(content: bytes) -> tuple[list[str], bool]:
    """Return the addresses in a sitemap, and whether they are those of further sitemaps. One that is packed with gzip is unpacked."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, MOST_SITEMAP_BYTES)
        except zlib.error:
            return [], False
    text = content[:MOST_SITEMAP_BYTES].decode("utf-8", "replace")
    found = [html.unescape(match[1].strip()) for match, _ in zip(_LOCATION.finditer(text), range(MOST_LOCATIONS), strict=False)]
    return found, "<sitemapindex" in text[:4096]


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for found in _TAG.finditer(text):
        attributes = _ATTRIBUTE.findall(found[2])
        yield found[1].lower(), {name.lower(): html.unescape(a or b or c).strip() for name, a, b, c in attributes}


def _without_skipped(text: str) -> str:
    """Return a page without its comments and scripts; one that does not end takes the rest of the page with it."""
    for begin, end in _SKIPPED:
        parts: list[str] = []
        here = 0
        while (start := text.find(begin, here)) >= 0:
            parts.append(text[here:start])
            stop = text.find(end, start)
            here = stop + len(end) if stop >= 0 else len(text)
        text = "".join((*parts, text[here:]))
    return text
