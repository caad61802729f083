"""Quotes from passages, and the passages that a text points to."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log1p

from knowledge.analyse import Query, codes, query_from
from knowledge.search import Passage
from knowledge.sentences import sentences

MOST_QUOTES = 3
MOST_CHARACTERS = 600  # of all quotes together
LONGEST_QUOTE = 300  # sentences are put together up to so many characters; a longer one stands alone
NEAR_THE_BEST = 0.5  # a passage scored lower than this share of the best is not quoted, nor what answers less than this share

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARK = re.compile(r"\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\](?!\()")
_FENCE = re.compile(r"\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Quote:
    """Whole sentences of one passage, word for word and in one piece. `n` numbers the quotes of an answer from 1."""

    n: int
    text: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences that follow each other in a passage, and which terms of the question they have."""

    passage: Passage
    text: str
    terms: frozenset[int]


def quotes(question: str, passages: Sequence[Passage]) -> tuple[Quote, ...]:
    """Return the sentences that best answer a question, best first: at most 3 quotes, of different passages, 600 characters together.

    Only a sentence that is too long by itself is cut, when there is no other, and then it says so (…).
    """
    near = [passage for passage in passages if passage.score >= NEAR_THE_BEST * passages[0].score]
    query = query_from(question)
    runs = [run for passage in near for run in _runs(query, passage)]
    weights = _weights(runs)
    ranked = sorted(((_worth(run, weights, passages[0].score), run) for run in runs), key=lambda found: (-found[0], len(found[1].text)))
    best = {run.passage.passage_id: (worth, run) for worth, run in reversed(ranked)}  # of each passage the first of its runs stays
    return _fitting(sorted(best.values(), key=lambda found: -found[0])) or _cut(passages)


def cited(text: str) -> list[int]:
    """Return the numbers of the passages that a text points to as [1] or [1, 2], each once, in order; code and links are left out."""
    marks = _MARK.findall(_CODE.sub(" ", text))
    return list(dict.fromkeys(int(number) for mark in marks for number in mark.split(",") if int(number) > 0))


def _runs(query: Query, passage: Passage) -> Iterator[_Run]:
    """Give every run of whole sentences that may be a quote, the shortest of those that begin together first, none across a code fence."""
    parts = [(part, _terms(query, part)) for part in sentences(passage.text)]
    for start in range(len(parts)):
        text, terms = "", frozenset[int]()
        for part, has in parts[start:]:
            if _FENCE.match(part) or (text and len((text + part).strip()) > LONGEST_QUOTE):
                break
            text, terms = text + part, terms | has
            if len(text.strip()) <= MOST_CHARACTERS and any(map(str.isalnum, text)):
                yield _Run(passage, text.strip(), terms)


def _terms(query: Query, text: str) -> frozenset[int]:
    """Return which terms of the question a text has, by their places; a word in the other script counts as the one that was asked."""
    has = frozenset((codes(text) >> 1).tolist())
    found = {n for n, term in enumerate(query.ids.tolist()) if term in has and query.weights[n] > 0}
    found.update(n for same in query.same_words if all(int(query.ids[m]) in has for m in same.other) for n in same.asked)
    return frozenset(found)


def _weights(runs: Sequence[_Run]) -> dict[int, float]:
    """Return how much each term tells: what stands in few of the runs tells more."""
    counts: dict[int, int] = {}
    for run in runs:
        for term in run.terms:
            counts[term] = counts.get(term, 0) + 1
    return {term: log1p(len(runs) / count) for term, count in counts.items()}


def _worth(run: _Run, weights: dict[int, float], best_score: float) -> float:
    """Return how well a run answers: what it shares with the question, and a little how its passage was found."""
    shared = sum(weights[term] for term in sorted(run.terms))  # sorted: the same terms are the same sum
    return shared * (0.5 + 0.5 * run.passage.score / max(best_score, 1e-9))


def _fitting(ranked: Sequence[tuple[float, _Run]]) -> tuple[Quote, ...]:
    room, chosen = MOST_CHARACTERS, list[Quote]()
    for worth, run in ranked:
        is_worth_it = worth >= NEAR_THE_BEST * ranked[0][0]
        if len(chosen) < MOST_QUOTES and is_worth_it and len(run.text) <= room:
            chosen.append(Quote(len(chosen) + 1, run.text, run.passage))
            room -= len(run.text)
    return tuple(chosen)


def _cut(passages: Sequence[Passage]) -> tuple[Quote, ...]:
    """Return the beginning of the best passage, when all its sentences are too long to be quoted whole."""
    for passage in passages[:1]:
        text = passage.text.strip()[: MOST_CHARACTERS - 1]
        return (Quote(1, (text.rpartition(" ")[0] or text) + "…", passage),)
    return ()
