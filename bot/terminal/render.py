"""The looks of an answer in a terminal: text without anything a terminal would obey, and what stands below it."""

import re

from bot.faces import UNSUPPORTED, source_line
from bot.platform import Foot
from nod.contracts import Answer
from nod.language import Language

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Return text without what a terminal would obey: escape sequences, other control characters, turned directions."""
    return _CONTROL.sub("", text)


def doubts_of(answer: Answer) -> list[str]:
    """Return the sentences of an answer that were not found in their sources, each with the sign that stands behind it elsewhere."""
    doubtful = (citation for citation in answer.citations if citation.verdict == "unsupported")
    return [f"{UNSUPPORTED} {harmless(' '.join(answer.text[found.start : found.end].split()))}" for found in doubtful]


def lines_below(foot: Foot, language: Language) -> list[str]:
    """Return the lines below an answer: an empty one, its sources and notices; none when there is nothing to say."""
    lines = [f"[{source.n}] {harmless(source_line(source, language))}" for source in foot.sources]
    return ["", *lines, *foot.notices] if lines or foot.notices else []
