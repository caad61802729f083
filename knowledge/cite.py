"""Quotes from passages, and the passages that a text points to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p

from knowledge.analyse import Query, codes, query_from
from knowledge.search import Passage
from knowledge.sentences import sentences

MOST_QUOTES = 3
MOST_CHARACTERS = 600  # of all quotes together
LONGEST_QUOTE = 300  # a quote is not made longer than this by the sentences around it
NEAR_THE_BEST = 0.5  # a passage scored lower than this share of the best is not quoted
FURTHER_QUOTE = 0.5  # nor a sentence that answers less than this share of the best one

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARK = re.compile(r"\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\](?!\()")


@dataclass(frozen=True, slots=True)
class Quote:
    """Whole sentences of one passage, word for word. `n` numbers the quotes of an answer from 1."""

    n: int
    text: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: int
    place: int
    text: str
    terms: frozenset[int]


def quotes(question: str, passages: Sequence[Passage]) -> tuple[Quote, ...]:
    """Return the sentences that best answer a question: at most 3 quotes of different passages, 600 characters together, best first."""
    query = query_from(question)
    said = [sentence for n, passage in enumerate(_near_the_best(passages)) for sentence in _sentences(query, n, passage.text)]
    weights = _weights(query, said)
    room, best, found = MOST_CHARACTERS, 0.0, list[Quote]()
    ranked = sorted(said, key=lambda s: (-_worth(s, weights, passages), s.passage, s.place))
    for sentence in ranked:
        worth = _worth(sentence, weights, passages)
        best = best or worth
        if len(found) == MOST_QUOTES or worth <= 0 or worth < best * FURTHER_QUOTE:
            break
        if len(sentence.text) <= room and all(quote.passage is not passages[sentence.passage] for quote in found):
            text = _widened(sentence, said, min(LONGEST_QUOTE, room))
            room -= len(text)
            found.append(Quote(len(found) + 1, text, passages[sentence.passage]))
    return tuple(found)


def cited(text: str) -> list[int]:
    """Return the numbers of the passages that a text points to as [1] or [1, 2], each once, in order; code and links are left out."""
    marks = _MARK.findall(_CODE.sub(" ", text))
    return list(dict.fromkeys(int(number) for mark in marks for number in mark.split(",") if int(number) > 0))


def _near_the_best(passages: Sequence[Passage]) -> list[Passage]:
    return [passage for passage in passages if passage.score >= NEAR_THE_BEST * passages[0].score]


def _sentences(query: Query, passage: int, text: str) -> list[_Sentence]:
    wanted = frozenset(query.ids.tolist())
    return [
        _Sentence(passage, place, sentence.strip(), wanted & frozenset((codes(sentence) >> 1).tolist()))
        for place, sentence in enumerate(sentences(text))
        if sentence.strip()
    ]


def _weights(query: Query, said: Sequence[_Sentence]) -> dict[int, float]:
    """Return how much each term of the question tells among these sentences."""
    return {
        term: log1p(len(said) / (1 + sum(term in sentence.terms for sentence in said))) * weight
        for term, weight in zip(query.ids.tolist(), query.weights.tolist(), strict=True)
    }


def _worth(sentence: _Sentence, weights: dict[int, float], passages: Sequence[Passage]) -> float:
    """Return how well a sentence answers: what it shares with the question, and the standing of its passage."""
    if len(sentence.text) > MOST_CHARACTERS:
        return 0.0
    shared = sum(weights[term] for term in sentence.terms)
    return shared * (0.5 + 0.5 * passages[sentence.passage].score / max(passages[0].score, 1e-9))


def _widened(sentence: _Sentence, said: Sequence[_Sentence], room: int) -> str:
    """Return a sentence with those after it, then before it, as long as they fit: an answer often stands next to its words."""
    of_passage = {other.place: other.text for other in said if other.passage == sentence.passage}
    text, before, after = sentence.text, sentence.place - 1, sentence.place + 1
    while after in of_passage and len(text) + 1 + len(of_passage[after]) <= room:
        text, after = f"{text} {of_passage[after]}", after + 1
    while before in of_passage and len(of_passage[before]) + 1 + len(text) <= room:
        text, before = f"{of_passage[before]} {text}", before - 1
    return text
