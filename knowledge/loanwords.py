"""Words that teams write in either script: 슬랙 and Slack. A question that has one also asks for the other.

The table is loanwords.txt: a Korean word and an English one on each line.
"""

from collections.abc import Iterator
from pathlib import Path

import Stemmer

from knowledge.asking import is_particle

_stem = Stemmer.Stemmer("english").stemWord
_LINES = [line.split() for line in Path(__file__).with_name("loanwords.txt").read_text("utf-8").splitlines()]
_ENGLISH = dict(_LINES)
_KOREAN: dict[str, list[str]] = {}
for _korean, _english in _LINES:
    _KOREAN.setdefault(_stem(_english), []).append(_korean)


def korean_of(word: str) -> list[str]:
    """Return how an English word, in any of its forms, is written in Korean; usually not at all."""
    return _KOREAN.get(_stem(word), [])


def english_of(word: str) -> Iterator[tuple[int, str]]:
    """Give the English word with which a Korean word begins, as how many characters it takes (슬랙에서: 2), if only a particle follows."""
    for end in range(len(word), 0, -1):
        if (english := _ENGLISH.get(word[:end])) and (end == len(word) or is_particle(word[end:])):
            yield end, english
            return
