"""Headings that are told by their numbers alone: chapters and articles of Korean rules, decimal ones of reports."""

import re

_NUMBERED = re.compile(r"^(?:제\s?\d+\s?(편|장|절|관)(?:의\d+)?\s|((?:\d{1,2}\.){1,4}\d{1,2})\.?\s+\S)")
_ARTICLE = re.compile(r"^(제\s?\d+\s?조(?:의\s?\d+)?\s*\([^()]{1,40}\))\s*(.*)", re.DOTALL)  # its text goes on in the same line
_KOREAN_DEPTH = {"편": 1, "장": 2, "절": 3, "관": 4}
_ARTICLE_DEPTH = 5
_ENDS = re.compile(r"[.!?:;。…]$|[다요음함됨임]\.?$")
_LONGEST = 80


def heading_in(line: str, *, is_numbered: bool = True) -> tuple[int, str, str]:
    """Return a line as depth (0: none) and heading, and what of it is text. Articles always count, other numbers where they are wanted."""
    if article := _ARTICLE.match(line):
        return _ARTICLE_DEPTH, article[1], article[2]
    found = _NUMBERED.match(line) if is_numbered and len(line) <= _LONGEST and not _ENDS.search(line) else None
    if not found:
        return 0, "", line
    return (_KOREAN_DEPTH[found[1]] if found[1] else found[2].count(".") + 1), line, ""
