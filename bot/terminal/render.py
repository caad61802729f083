"""The looks of an answer in a terminal: text without anything a terminal would obey, and what stands below it."""

import re

from bot.faces import source_line
from bot.platform import Foot
from nod.language import Language

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Return text without what a terminal would obey: escape sequences, other control characters, turned directions."""
    return _CONTROL.sub("", text)


def lines_below(foot: Foot, language: Language) -> list[str]:
    """Return the lines below an answer: an empty one, its sources and notices; none when there is nothing to say."""
    lines = [f"[{source.n}] {harmless(source_line(source, language))}" for source in foot.sources]
    return ["", *lines, *foot.notices] if lines or foot.notices else []
