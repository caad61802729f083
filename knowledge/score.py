"""The exact score of passages for a question: words + heads / 2 + pairs + title / 2; with vectors, a weighted sum. Pure numpy, no store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.analyse import Query

K1 = 1.2
B = 0.75
TITLE_B = 0.3
HEADS = 0.5
TITLE = 0.5
HANGUL_PAIR = 0.4  # unordered, at most three words apart
OTHER_PAIR = 0.3  # adjacent, in order
PAIR_REACH = 3
NTH_BEST = 100  # is where a scale begins, when scores of words and of vectors are made to fit

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each term of a question stands in each passage (one row a passage): anywhere, as a head, in the title, in pairs.

    A word that the question's has in another script (Slack, 슬랙) counts as the question's, where it stands more often.
    """

    body: Ints
    heads: Ints
    title: Ints
    pairs: Ints
    lengths: Ints
    title_lengths: Ints

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(np.concatenate((getattr(self, name), getattr(other, name))) for name in Counts.__slots__))


@dataclass(frozen=True, slots=True)
class Corpus:
    """What the whole index knows: its size, its mean lengths, and in how many passages each term of the question stands."""

    passages: float
    mean_length: float
    mean_title: float
    frequencies: Floats

    @property
    def idf(self) -> Floats:
        """How much each term of the question tells."""
        without = np.maximum(self.passages - self.frequencies, 0)  # removed passages are still counted for a while
        return np.log1p((without + 0.5) / (self.frequencies + 0.5))

    @property
    def rarest(self) -> float:
        """Return the most that any term can tell: that of one passage."""
        return float(np.log1p((self.passages - 0.5) / 1.5))


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of passages, by part."""

    words: Floats
    pairs: Floats
    title: Floats
    vectors: Floats | float = 0.0

    @property
    def total(self) -> Floats:
        """The sum that passages are ordered by."""
        return self.words + self.pairs + self.title + self.vectors


def counts_from(query: Query, rows: Sequence[bytes], title_terms: Sequence[int]) -> Counts:
    """Count the terms and pairs of a question in rows of stored codes."""
    codes = np.frombuffer(b"".join(rows), "<i4")
    lengths = np.fromiter(map(len, rows), np.int64, len(rows)) // 4
    titles = np.fromiter(title_terms, np.int64, len(rows))
    row_of = np.repeat(np.arange(len(rows)), lengths)
    place = _places(query, codes >> 1)
    known = np.flatnonzero(place >= 0)
    cell = row_of[known] * len(query.ids) + place[known]
    starts = (codes[known] & 1).astype(bool)
    in_title = known - (np.cumsum(lengths) - lengths)[row_of[known]] < titles[row_of[known]]
    shape = (len(rows), len(query.ids))
    body, heads, title = (in_either_script(query, _table(cells, shape)) for cells in (cell, cell[starts], cell[in_title]))
    return Counts(
        body=body, heads=heads, title=title,
        pairs=_pairs(query, codes, row_of, place, len(rows)), lengths=lengths, title_lengths=titles,
    )  # fmt: skip


def _places(query: Query, ids: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return for each id its place among the question's terms, -1 for others. A small table first: most ids are others."""
    maybe = np.zeros(4096, bool)
    maybe[query.ids & 4095] = True
    place = np.full(len(ids), -1, np.int64)
    some = np.flatnonzero(maybe[ids & 4095])
    found = np.searchsorted(query.ids, ids[some]).clip(max=max(len(query.ids) - 1, 0))
    is_same = query.ids[found] == ids[some] if len(query.ids) else np.zeros(0, bool)
    place[some[is_same]] = found[is_same]
    return place


def in_either_script(query: Query, counts: NDArray[Any]) -> NDArray[Any]:
    """Return counts (one column a term) in which a word in two scripts has the larger one: that in the question's or in the other."""
    if not query.same_words:
        return counts
    either = counts.copy()
    for same in query.same_words:
        other = counts[:, list(same.other)].min(axis=1)
        for term in same.asked:
            either[:, term] = np.maximum(either[:, term], other)
    return either


def _table(cell: Ints, shape: tuple[int, int]) -> Ints:
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def _pairs(query: Query, codes: NDArray[Any], row_of: Ints, place: Ints, rows: int) -> Ints:
    """Count pairs of neighbouring question words: with Hangul in either order and up to three words apart, else adjacent and in order."""
    near = np.full((len(query.ids), len(query.ids)), -1)
    next_to = near.copy()
    for n, (a, b, has_hangul) in enumerate(query.pairs):
        if has_hangul:
            near[a, b] = near[b, a] = n
        else:
            next_to[a, b] = n
    starts = codes & 1
    asked = np.flatnonzero(starts & (place >= 0))  # few; between two of them that are near stand at most two others
    nth, row, word = np.cumsum(starts)[asked], row_of[asked], _asked_heads(query)[place[asked]]
    cells: list[Ints] = []
    for step in range(1, PAIR_REACH + 1):
        is_near = (nth[step:] - nth[:-step] <= PAIR_REACH) & (row[step:] == row[:-step])
        hit = np.where(is_near, near[word[:-step], word[step:]], -1)
        if step == 1:
            hit = np.where(is_near & (nth[1:] - nth[:-1] == 1) & (hit < 0), next_to[word[:-1], word[1:]], hit)
        good = np.flatnonzero(hit >= 0)
        cells.append(row[good] * len(query.pairs) + hit[good])
    return _table(np.concatenate(cells), (rows, len(query.pairs)))


def _asked_heads(query: Query) -> Ints:
    """Return for each term its own place; for the head of a word in the other script that of the word as it was asked."""
    heads = np.arange(len(query.ids))
    for same in query.same_words:
        if query.weights[same.other[0]] == 0:
            heads[same.other[0]] = same.asked[0]
    return heads


def scores_from(query: Query, counts: Counts, corpus: Corpus) -> Scores:
    """Return the exact scores of counted passages."""
    idf = corpus.idf
    norm = _norm(counts.lengths, corpus.mean_length, B)
    title_norm = _norm(counts.title_lengths, corpus.mean_title, TITLE_B)
    return Scores(
        words=_saturated(counts.body, norm) @ (query.weights * idf) + HEADS * (_saturated(counts.heads, norm) @ (query.heads * idf)),
        pairs=_saturated(counts.pairs, norm) @ _pair_weights(query, corpus),
        title=TITLE * (_saturated(counts.title, title_norm) @ (query.weights * idf)),
    )


def with_vectors(scores: Scores, cosines: Floats, weight: float) -> Scores:
    """Return scores from 0 to 1: those of the words, and cosines by their weight, each on a scale from its 100th best to its best.

    Ranks, which other fusions add, would give a weak model an equal vote. NaN stands for a passage that has no vector (yet): its words
    alone count, in full.
    """
    words, near = _scaled(scores.total, 0.0), _scaled(cosines, float(np.nanmin(cosines)))
    has_none = np.isnan(cosines)
    share = np.where(has_none, 1.0, 1 - weight) * words / np.where(scores.total > 0, scores.total, 1.0)
    vectors = np.where(has_none, 0.0, weight * near)
    return Scores(scores.words * share, scores.pairs * share, scores.title * share, vectors)


def _scaled(values: Floats, least: float) -> Floats:
    known = np.sort(values[~np.isnan(values)])
    low = float(known[-NTH_BEST]) if len(known) >= NTH_BEST else least
    if low >= known[-1]:  # one passage, or all alike: none is the worst
        low = min(0.0, low)
    return ((values - low) / max(float(known[-1]) - low, 1e-9)).clip(0, 1)


def _pair_weights(query: Query, corpus: Corpus) -> Floats:
    idf = corpus.idf
    return np.array([
        (HANGUL_PAIR if has_hangul else OTHER_PAIR) * min(corpus.rarest, idf[a] + idf[b]) for a, b, has_hangul in query.pairs
    ])  # fmt: skip


def _norm(lengths: Ints, mean: float, b: float) -> Floats:
    return K1 * (1 - b + b * lengths / max(mean, 1.0))


def _saturated(counts: Ints, norm: Floats) -> Floats:
    return counts * (K1 + 1) / (counts + norm[:, None])
