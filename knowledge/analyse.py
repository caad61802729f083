"""Text as search sees it: terms, and the numbers that stand for them.

A run of Hangul becomes its character bigrams (the first is the word's head), an English word its stem, any other run one term.
A term is 30 bits of a CRC-32: no dictionary, no lock; collisions cost nothing that could be measured.
"""

import re
import tomllib
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import Stemmer
from numpy.typing import NDArray

VERSION = 1  # kept with each row; a changed analyser re-analyses, old rows stay searchable
EARLIER_TURN = 0.5  # weight of the turn before, halved each turn back
SMALLEST_WEIGHT = 0.03

Codes = NDArray[np.int32]

_HANGUL = "가-힣ᄀ-ᇿㄱ-ㆎ"
_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LATIN = "a-z0-9\u00df-\u00f6\u00f8-\u024f"
_RUN = re.compile(f"([{_HANGUL}]+)|([{_LATIN}]+)|[{_CJK}]+|[^\\W_{_HANGUL}{_LATIN}{_CJK}]+")
_LISTS = tomllib.loads(Path(__file__).with_name("stop_words.toml").read_text("utf-8"))
_STOP_WORDS, _ASKING_WORDS, _ENDINGS = (frozenset(_LISTS[name].split()) for name in ("english", "korean_asking", "korean_endings"))
_stem = Stemmer.Stemmer("english").stemWord


@dataclass(frozen=True, slots=True)
class Query:
    """A question as numbers: its terms (sorted) with weights and whether each is a Hangul head, and pairs of words as places in `ids`."""

    ids: NDArray[np.int32]
    weights: NDArray[np.float64]
    heads: NDArray[np.float64]  # weight of a term as the head of a Hangul word; 0 where it is none
    pairs: tuple[tuple[int, int, bool], ...]  # first, second, whether a Hangul word is in it
    hangul_share: float  # of the last turn's terms

    @property
    def alone(self) -> "Query":
        """The last turn without those before it."""
        return replace(self, weights=np.where(self.weights == 1, 1.0, 0.0), heads=np.where(self.heads == 1, 1.0, 0.0))


def passage_codes(title: str, text: str) -> tuple[bytes, int]:
    """Return the stored codes of a passage, title first, and how many of them belong to the title."""
    head = codes(title)
    return np.concatenate((head, codes(text))).astype("<i4").tobytes(), len(head)


def codes(text: str) -> Codes:
    """Return the terms of a text in order, each as `id << 1 | starts_a_word`."""
    return np.fromiter((code for word in _words(text) for code in word.codes), np.int32)


def query_from(question: str, earlier: Sequence[str] = ()) -> Query:
    """Return a question as search reads it. `earlier` are the turns before it, oldest first; they count less the older they are."""
    weights: dict[int, float] = {}
    heads: dict[int, float] = {}
    words = _asked(question)
    weight = 1.0
    for turn in (words, *(_asked(text) for text in reversed(earlier))):
        _weigh(turn, weight, weights, heads)
        weight *= EARLIER_TURN
        if weight < SMALLEST_WEIGHT:
            break
    ids = sorted(weights)
    place = {term: n for n, term in enumerate(ids)}
    total = sum(len(word.codes) for word in words)
    return Query(
        ids=np.array(ids, np.int32),
        weights=np.array([weights[term] for term in ids]),
        heads=np.array([heads.get(term, 0.0) for term in ids]),
        pairs=_pairs(words, place),
        hangul_share=sum(len(word.codes) for word in words if word.is_hangul) / total if total else 0.0,
    )


def _weigh(words: list["_Word"], weight: float, weights: dict[int, float], heads: dict[int, float]) -> None:
    """Enter a turn's terms unless a later turn has them: saying a thing again does not make it count twice."""
    for word in words:
        for code in word.codes:
            weights.setdefault(code >> 1, weight)
        if word.is_hangul:
            heads.setdefault(word.codes[0] >> 1, weight)


def _pairs(words: list["_Word"], place: dict[int, int]) -> tuple[tuple[int, int, bool], ...]:
    found: dict[tuple[int, int], bool] = {}
    for one, two in pairwise(words):
        a, b = place[one.codes[0] >> 1], place[two.codes[0] >> 1]
        has_hangul = one.is_hangul or two.is_hangul
        if a != b and not (has_hangul and (b, a) in found):
            found[a, b] = has_hangul
    return tuple((a, b, has_hangul) for (a, b), has_hangul in found.items())


@dataclass(frozen=True, slots=True)
class _Word:
    run: str
    codes: tuple[int, ...]
    is_hangul: bool


def _asked(question: str) -> list[_Word]:
    """Return the words of a question that tell something: without the words and endings of asking itself."""
    return [_without_ending(word) for word in _words(question) if word.run not in _ASKING_WORDS]


def _without_ending(word: _Word) -> _Word:
    if not word.is_hangul or len(word.run) <= 2:
        return word
    kept = (code for n, code in enumerate(word.codes) if n == 0 or word.run[n : n + 2] not in _ENDINGS)
    return _Word(word.run, tuple(kept), is_hangul=True)


def _words(text: str) -> Iterator[_Word]:
    for run in _RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        hangul, latin = run.group(1), run.group(2)
        if hangul:
            yield _hangul_word(hangul)
        elif not latin:
            yield _other_word(run.group())
        elif latin not in _STOP_WORDS:
            yield _latin_word(latin)


@lru_cache(maxsize=20_000)
def _hangul_word(run: str) -> _Word:
    if len(run) <= 2:
        return _Word(run, (_id(run) << 1 | 1,), is_hangul=True)
    bigrams = [_id(run[n : n + 2]) << 1 for n in range(len(run) - 1)]
    return _Word(run, (bigrams[0] | 1, *bigrams[1:]), is_hangul=True)


@lru_cache(maxsize=20_000)
def _latin_word(run: str) -> _Word:
    return _other_word(_stem(run))


def _other_word(run: str) -> _Word:
    return _Word(run, (_id(run) << 1 | 1,), is_hangul=False)


def _id(term: str) -> int:
    return zlib.crc32(term.encode()) & 0x3FFFFFFF
