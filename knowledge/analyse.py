"""Text as search sees it: terms, and the numbers that stand for them.

A run of Hangul becomes its character bigrams (the first is the word's head), an English word its stem, any other run one term.
A term is 30 bits of a CRC-32: no dictionary, no lock; collisions cost nothing that could be measured.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import Stemmer
from numpy.typing import NDArray

from knowledge.asking import STOP_WORDS, is_asking, is_fault, stem_length
from knowledge.loanwords import english_of, korean_of

VERSION = 1  # kept with each row; a changed analyser re-analyses, old rows stay searchable
EARLIER_TURN = 0.5  # weight of the turn before, halved each turn back
_MOST_TURNS = 6  # the next would weigh a thirty-second

Codes = NDArray[np.int32]

_HANGUL = "가-힣ᄀ-ᇿㄱ-ㆎ"
_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LATIN = "a-z0-9\u00df-\u00f6\u00f8-\u024f"
_RUN = re.compile(f"([{_HANGUL}]+)|([{_LATIN}]+)|[{_CJK}]+|[^\\W_{_HANGUL}{_LATIN}{_CJK}]+")
_stem = Stemmer.Stemmer("english").stemWord


@dataclass(frozen=True, slots=True)
class SameWord:
    """A word in two scripts, as places in a question's `ids`. A passage with the other one counts as if it had the one that was asked."""

    asked: tuple[int, ...]
    other: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A question as numbers: its terms (sorted) with weights and whether each is a Hangul head, and pairs of words as places in `ids`."""

    ids: NDArray[np.int32]
    weights: NDArray[np.float64]
    heads: NDArray[np.float64]  # weight of a term as the head of a Hangul word; 0 where it is none
    pairs: tuple[tuple[int, int, bool], ...]  # first, second, whether a Hangul word is in it
    word_heads: NDArray[np.int64]  # for a term that stands only inside Hangul words the place of its word's head, for others their own
    same_words: tuple[SameWord, ...]
    hangul_share: float  # of the last turn's terms, those of asking too

    @property
    def alone(self) -> "Query":
        """The last turn without those before it."""
        return replace(self, weights=np.where(self.weights == 1, 1.0, 0.0), heads=np.where(self.heads == 1, 1.0, 0.0))


def passage_codes(title: str, text: str) -> tuple[bytes, int]:
    """Return the stored codes of a passage, title first, and how many of them belong to the title."""
    head = codes(title)
    return np.concatenate((head, codes(text))).astype("<i4").tobytes(), len(head)


@dataclass(frozen=True, slots=True)
class AskedWord:
    """A word that tells what is asked: its terms, and those of the same word in the other script."""

    head: int
    terms: frozenset[int]
    others: tuple[frozenset[int], ...]

    def likeness(self, word: "AskedWord") -> float:
        """Return how much of two words is the same, from 0 to 1; of two that begin alike the longer may have an ending more."""
        if word.terms in self.others or self.terms in word.others:
            return 1.0
        if self.head != word.head:
            return 0.0
        return len(self.terms & word.terms) / min(len(self.terms), len(word.terms))


def asked_words(question: str) -> tuple[AskedWord, ...]:
    """Return the words of a question that tell what it is about, each once."""
    words = [word for word in _asked(question) if not is_fault(word.run)]
    return tuple(
        dict.fromkeys(
            AskedWord(word.codes[0] >> 1, frozenset(_terms(word.codes)), tuple(frozenset(other) for _, other in _other_script(word)))
            for word in words
        )
    )


def codes(text: str) -> Codes:
    """Return the terms of a text in order, each as `id << 1 | starts_a_word`."""
    return np.fromiter((code for word in _words(text) for code in word.codes), np.int32)


def query_from(question: str, earlier: Sequence[str] = ()) -> Query:
    """Return a question as search reads it. `earlier` are the turns before it, oldest first; they count less the older they are."""
    weights: dict[int, float] = {}
    heads: dict[int, float] = {}
    turns = [_asked(text) for text in (question, *reversed(earlier))][:_MOST_TURNS]
    for n, turn in enumerate(turns):
        _weigh(turn, EARLIER_TURN**n, weights, heads)
    words = [word for turn in turns for word in turn]
    also = {same for word in words for same in _other_script(word)}
    ids = sorted({*weights, *(term for _, other in also for term in other)})
    place = {term: n for n, term in enumerate(ids)}
    return Query(
        ids=np.array(ids, np.int32),
        weights=np.array([weights.get(term, 0.0) for term in ids]),
        heads=np.array([heads.get(term, 0.0) for term in ids]),
        pairs=_pairs(turns[0], place),
        word_heads=_word_heads(words, place),
        same_words=tuple(SameWord(_places(asked, place), _places(other, place)) for asked, other in sorted(also)),
        hangul_share=_hangul_share(question),
    )


def _places(terms: tuple[int, ...], place: dict[int, int]) -> tuple[int, ...]:
    return tuple(place[term] for term in terms)


def _hangul_share(question: str) -> float:
    words = list(_words(question))
    return sum(len(word.codes) for word in words if word.is_hangul) / max(sum(len(word.codes) for word in words), 1)


def _word_heads(words: list["_Word"], place: dict[int, int]) -> NDArray[np.int64]:
    heads = np.arange(len(place))
    for word in words:
        for code in word.codes[1:]:
            if (inside := place.get(code >> 1)) is not None:
                heads[inside] = place[word.codes[0] >> 1]
    for word in words:
        heads[place[word.codes[0] >> 1]] = place[word.codes[0] >> 1]
    return heads


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
    return [_without_ending(word) for word in _words(question) if not is_asking(word.run)]


def _without_ending(word: _Word) -> _Word:
    """Leave out what stands in the ending alone: of 연결하려면 하려 and 려면, not 결하."""
    if not word.is_hangul or len(word.run) <= 2:
        return word
    return _Word(word.run, word.codes[: stem_length(word.run)], is_hangul=True)


def _other_script(word: _Word) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Give the terms of a loanword in a question, each time with those of its other script."""
    if word.is_hangul:
        for length, english in english_of(word.run):
            yield _terms(word.codes[: max(length - 1, 1)]), _terms(_latin_word(english).codes)
    else:
        for korean in korean_of(word.run):
            yield _terms(word.codes), _terms(_hangul_word(korean).codes)


def _terms(codes: Sequence[int]) -> tuple[int, ...]:
    return tuple(code >> 1 for code in codes)


def _words(text: str) -> Iterator[_Word]:
    for run in _RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        hangul, latin = run.group(1), run.group(2)
        if hangul:
            yield _hangul_word(hangul)
        elif not latin:
            yield _other_word(run.group())
        elif latin not in STOP_WORDS:
            yield _latin_word(latin)


@lru_cache(maxsize=20_000)
def _hangul_word(run: str) -> _Word:
    if len(run) <= 2:
        return _Word(run, (_id(run) << 1 | 1,), is_hangul=True)
    bigrams = [_id(run[n : n + 2]) << 1 for n in range(len(run) - 1)]
    return _Word(run, (bigrams[0] | 1, *bigrams[1:]), is_hangul=True)


@lru_cache(maxsize=20_000)
def _latin_word(run: str) -> _Word:
    return _Word(run, (_id(_stem(run)) << 1 | 1,), is_hangul=False)


def _other_word(run: str) -> _Word:
    return _Word(run, (_id(run) << 1 | 1,), is_hangul=False)


def _id(term: str) -> int:
    return zlib.crc32(term.encode()) & 0x3FFFFFFF
