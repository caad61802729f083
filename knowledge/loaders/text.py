"""Reads plain text: paragraphs between empty lines."""

import re

from knowledge.decode import decoded
from knowledge.loaded import Block, Loaded

_EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*")


def load(content: bytes) -> Loaded:
    """Return plain text, in whichever usual encoding it was written."""
    return Loaded(tuple(Block(part.strip("\n")) for part in _EMPTY_LINES.split(decoded(content)) if part.strip()))
