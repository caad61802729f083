"""Quotes from passages, and the passages that a text points to."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log1p

from knowledge.analyse import Query, codes, query_from
from knowledge.parts import Part, parts, rows
from knowledge.search import Passage
from knowledge.sentences import sentences

MOST_QUOTES = 3
MOST_CHARACTERS = 600  # of all quotes together
LONGEST_QUOTE = 300  # sentences are put together up to so many characters; a longer one, or a list of steps, stands alone
NEAR_THE_BEST = 0.5  # a passage scored lower than this share of the best is not quoted, nor what answers less than this share
IN_THE_SAME = 0.4  # of the same document a passage may be further from the best: the steps often stand below an introduction

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARK = re.compile(r"\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\](?!\()")
_LEADING = re.compile(rf"(?:{_MARK.pattern}\s*)+")
_HOW = re.compile(r"\bhow\b|\bsteps?\b|어떻게|어떡|방법|순서|하려면|려면", re.IGNORECASE)
STEPS = 2.0  # what a list of steps counts to someone who asks how


@dataclass(frozen=True, slots=True)
class Quote:
    """Whole sentences of one passage, word for word and in one piece. `n` numbers the quotes of an answer from 1."""

    n: int
    text: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence of a text that points to passages: its characters (`end` is behind its last [n]), the numbers, the words without them."""

    start: int
    end: int
    numbers: tuple[int, ...]
    words: str


@dataclass(frozen=True, slots=True)
class _Run:
    """Parts of a passage that follow each other, and which terms of the question they have."""

    passage: Passage
    text: str
    terms: frozenset[int]
    is_lead: bool  # begins the passage, whose title and heading count for it
    has_steps: bool


def quotes(question: str, passages: Sequence[Passage]) -> tuple[Quote, ...]:
    """Return the sentences that best answer a question, best first: at most 3 quotes, of different passages, 600 characters together.

    Only a sentence that is too long by itself is cut, when there is no other, and then it says so (…).
    """
    is_korean = bool(passages) and passages[0].is_korean
    near = [passage for passage in passages if _is_near(passage, passages[0]) and passage.is_korean == is_korean]
    query = query_from(question)
    runs = [run for passage in near for run in _runs(query, passage)]
    weights = _weights(runs)
    steps = STEPS if _HOW.search(question) else 1.0
    ranked = sorted(((_worth(run, weights, passages[0].score, steps), run) for run in runs), key=_order)
    best = {run.passage.passage_id: (worth, run) for worth, run in reversed(ranked)}  # of each passage the first of its runs stays
    ranked = [*best.values()][::-1]
    ranked.sort(key=lambda found: -found[0])  # equals stay as they were ranked
    return _fitting(ranked) or _cut(passages)


def _is_near(passage: Passage, best: Passage) -> bool:
    is_same = passage.document_id == best.document_id
    return passage.score >= (IN_THE_SAME if is_same else NEAR_THE_BEST) * best.score


def _order(found: tuple[float, _Run]) -> tuple[float, int]:
    """Order by worth; among equals the shortest, but of the beginning of a passage that its heading names the whole."""
    worth, run = found
    return -worth, -len(run.text) if run.is_lead else len(run.text)


def cited(text: str) -> list[int]:
    """Return the numbers of the passages that a text points to as [1] or [1, 2], each once, in order; code and links are left out."""
    marks = _MARK.findall(_CODE.sub(" ", text))
    return list(dict.fromkeys(int(number) for mark in marks for number in mark.split(",") if int(number) > 0))


def citing(text: str) -> list[Cited]:
    """Return the sentences of a text that point to passages. A mark behind a full stop belongs to the sentence before it."""
    bare = _CODE.sub(lambda code: re.sub(r"\S", " ", code[0]), text)  # of code the places stay
    found: list[Cited] = []
    start, first = 0, 0  # of this sentence, and of the words that a leading mark belongs to
    for sentence in sentences(bare):
        end = start + len(sentence)
        leading = _LEADING.match(sentence) if start and bare[start - 1] != "\n" else None
        if leading:
            _cite(found, text, bare, first, start + leading.end())
            start += leading.end()
        _cite(found, text, bare, start, end)
        start, first = end, start
    return found


def _cite(found: list[Cited], text: str, bare: str, start: int, end: int) -> None:
    """Add the sentence between two places, if it points to passages; one that was added already gets its further marks."""
    marks = list(_MARK.finditer(bare, start, end))
    numbers = tuple(dict.fromkeys(int(number) for mark in marks for number in mark[1].split(",") if int(number) > 0))
    if numbers:
        words = _MARK.sub("", text[start:end]).strip()
        if found and found[-1].start == start:
            found.pop()
        found.append(Cited(start, marks[-1].end(), numbers, words))


def _runs(query: Query, passage: Passage) -> Iterator[_Run]:
    """Give every run of whole parts that may be a quote. Of a table one row is, or all of it at the beginning of a passage."""
    named = _terms(query, f"{passage.title} {passage.heading}")
    found = parts(passage.text)
    for start, first in enumerate(found):
        for row in rows(first.text) if first.kind == "table" else []:
            yield _Run(passage, row.strip(), _terms(query, row), is_lead=False, has_steps=False)
        yield from _runs_from(query, passage, found[start:], named if start == 0 else frozenset())


def _runs_from(query: Query, passage: Passage, found: Sequence[Part], named: frozenset[int]) -> Iterator[_Run]:
    """Give the runs that begin together, the shortest first; `named` are the terms in the headings above them."""
    text, terms, kinds = "", named, set[str]()
    for part in found:
        kinds.add(part.kind)
        if "table" in kinds and not named:
            return
        longest = MOST_CHARACTERS if kinds & {"steps", "table"} else LONGEST_QUOTE
        if text and len((text + part.text).strip()) > longest:
            return
        text, terms = text + part.text, terms | _terms(query, part.text)
        if len(text.strip()) <= MOST_CHARACTERS and any(map(str.isalnum, text)) and kinds != {"listing"}:
            yield _Run(passage, text.strip(), terms, is_lead=bool(named), has_steps="steps" in kinds)


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


def _worth(run: _Run, weights: dict[int, float], best_score: float, steps: float) -> float:
    """Return how well a run answers: what it shares with the question, and a little how its passage was found."""
    shared = sum(weights[term] for term in sorted(run.terms)) * (steps if run.has_steps else 1.0)  # sorted: the same sum each time
    return shared * (0.5 + 0.5 * run.passage.score / max(best_score, 1e-9))


def _fitting(ranked: Sequence[tuple[float, _Run]]) -> tuple[Quote, ...]:
    room, chosen = MOST_CHARACTERS, list[Quote]()
    for worth, run in ranked:
        is_worth_it = worth >= NEAR_THE_BEST * ranked[0][0] and all(run.text != quote.text for quote in chosen)  # two copies: once
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
