"""Whether what was found is enough to answer from: how likely the best passage answers, and from where on nod says that it knows."""

import math

import numpy as np

from knowledge.analyse import Query
from knowledge.score import Corpus, Counts, scores_from
from nod.language import Language

KNOWN_FROM: dict[Language, float] = {"en": 0.3, "ko": 0.55}  # confidence below which nod says that it does not know (docs/knowledge.md)
_KNOWN_FROM_HANDBOOK = 0.6  # of the handbook: found by many words, it meets more questions by chance (tests/knowledge/test_handbook.py)
_KOREAN = (16.40, 6.91, 1.0)  # of the logistic curve over the evidence: slope and shift; and the power in the evidence
_ENGLISH = (6.59, 6.91, 0.5)
_BY_CHANCE = (10, 0.5)  # of what the tenth best passage reaches, half is what any passage here would


def confidence_from(query: Query, counts: Counts, corpus: Corpus, by_vectors: float = 0.0) -> float:
    """Return, from 0 to 1, how likely the best of the counted passages answers a question; vectors add to its log-odds by words."""
    return 1 / (1 + math.exp(-_log_odds(query, counts, corpus) - by_vectors))


def known_from(query: Query, *, is_handbook: bool) -> float:
    """Return from which confidence a question is known; a mixed one lies between its languages."""
    if is_handbook:
        return _KNOWN_FROM_HANDBOOK
    return query.hangul_share * KNOWN_FROM["ko"] + (1 - query.hangul_share) * KNOWN_FROM["en"]


def _log_odds(query: Query, counts: Counts, corpus: Corpus) -> float:
    """Return, as log-odds, how likely it is by words that the best passage answers; a mixed question lies between two languages' curves.

    The question may stand alone or need its earlier turns: whichever finds more tells (a new subject is no reason not to know).
    """
    slope, shift, power = (query.hangul_share * ko + (1 - query.hangul_share) * en for ko, en in zip(_KOREAN, _ENGLISH, strict=True))
    evidence = max(_evidence(asked, counts, corpus, power) for asked in (query, query.alone))
    return slope * evidence - shift


def _evidence(query: Query, counts: Counts, corpus: Corpus, power: float) -> float:
    """Return by how much the best passage stands out, over what the question's terms could tell (to a power, in units of the rarest).

    Chance is taken off twice: what the tenth best passage reaches counts half against the best; and English takes the root of what
    could be told, as what is shared by chance grows with the root of a question's length (a Korean word is several terms that stand
    together or not at all: power 1). Of the forms tried this is the steadiest over the size of the corpus: the same value parts what is
    answered from what is not among 100 passages as among 2,600. Of questions of other sets .95-.99 (Korean) and .85-.96 (English) are
    refused, of answerable ones .00-.03 and .02-.07.
    Inside a Korean word that the corpus knows by its head, what no passage has is an ending and tells nothing.
    """
    is_ending = (corpus.frequencies == 0) & (corpus.frequencies[query.word_heads] > 0)
    could_tell = np.where(is_ending, 0.0, query.weights * np.minimum(corpus.idf, corpus.rarest))
    if could_tell.sum() <= 0:
        return 0.0
    could = float(could_tell.sum() ** power * could_tell.max() ** (1 - power))
    scores = np.sort(scores_from(query, counts, corpus).total)
    nth, share = _BY_CHANCE
    by_chance = share * float(scores[-nth]) if len(scores) >= nth else 0.0
    return (float(scores[-1]) - by_chance) / could
