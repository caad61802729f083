"""Whether what was said is denied in its source, or the other way round: the same word in the same place, with one negation more or less.

A negation is about a word: in Korean the one before it (환불되지 않는다), in English the one after it (no refund, is not covered). Each
word that was said is compared with its places in the sentences of the source that have most of what was said. Two negations more are none
(opened goods are not refunded: goods that were not opened are).
"""

import re
from functools import lru_cache

from knowledge.clauses import LISTS, NEGATION, Clause, Word
from knowledge.compare import ELSEWHERE, Compared, agree
from knowledge.quantities import Quantity

_ALIKE = 0.4  # of the other words of a sentence one of the source has: then the two may say the same
_FEW = 0.1  # the same, where the source as a whole has _MOST of them
_MOST = 0.7
_AS_GOOD = 0.7  # of the best: other places of a word that count, too
_TURNING, _LIMIT = (re.compile("|".join(LISTS[name]), re.IGNORECASE) for name in ("turning_limits", "limits"))
_BEFORE_VERB = re.compile(r"[안못]\s")
_PASSED_OVER = re.compile(LISTS["passed_over_by_negations"])


def is_denied(compared: Compared) -> bool:
    """Return whether a word was said without a negation where the source has one, or with one where that has none."""
    return any(_is_turned(compared, clause, word) for clause in compared.said.clauses for word in clause.words)


def _is_turned(compared: Compared, clause: Clause, word: Word) -> bool:
    """Return whether the sentences of the source that say the same of a word all have it the other way round."""
    near = _near(compared, clause, word)
    return bool(near) and all(_is_comparable(compared, clause, word, m) and _is_other_way(compared, clause, word, m) for m in near)


def _near(compared: Compared, clause: Clause, word: Word) -> list[int]:
    """Return which sentences of the source have a word with most of what was said with it: if there are any, those with its subject."""
    shares, known = _shares(compared, clause, word)
    subjects = [compared.rows_with(one) for one in clause.words if one.role == "who" and one is not word]
    of_subject = {m: share for m, share in shares.items() if any(m in rows for rows in subjects)}
    least = _FEW if known >= _MOST or of_subject else _ALIKE
    shares = of_subject or shares
    best = max(shares.values(), default=0.0)
    return [m for m, share in shares.items() if share >= _AS_GOOD * best] if best >= least else []


def _shares(compared: Compared, clause: Clause, word: Word) -> tuple[dict[int, float], float]:
    """Return by sentence of the source that has a word which share of what was said with it that has, too; and which all have together."""
    row = next(row for row in compared.said_rows if word in row)
    others = [(one, 1.0 if one in clause.words or one in clause.quantities else ELSEWHERE) for one in row if one is not word]
    could = sum(counts for _, counts in others) or 1.0
    shares = {m: sum(counts for one, counts in others if m in compared.rows_with(one)) / could for m in compared.rows_with(word)}
    return shares, sum(counts for one, counts in others if compared.rows_with(one)) / could


def _is_comparable(compared: Compared, clause: Clause, word: Word, m: int) -> bool:
    """Return whether a sentence of the source has words of a clause, with no other numbers, and neither or both of them a limit."""
    own = [one for one in (*clause.words, *clause.quantities) if one is not word]
    kinds = {one.kind for one in compared.rows[m] if isinstance(one, Quantity)}
    has_other_numbers = any(one.kind in kinds and m not in compared.rows_with(one) for one in clause.quantities)
    if has_other_numbers or not any(m in compared.rows_with(one) for one in own):
        return False
    texts = [" ".join(other.text for other in clauses) for clauses in (compared.said.sentence_of(clause), compared.source_sentences[m])]
    return not any(_TURNING.search(text) for text in texts) and bool(_LIMIT.search(texts[0])) == bool(_LIMIT.search(texts[1]))


def _is_other_way(compared: Compared, clause: Clause, word: Word, m: int) -> bool:
    """Return whether a sentence of the source has a word, as it was not said: denied, or not; of several clauses the most alike."""
    holders = [(other, there) for other in compared.source_sentences[m] for there in other.words if agree(word, there)]
    alike = [sum(compared.has([other], one) for one in clause.words) for other, _ in holders]
    is_so = word.start in _denied(clause, compared.is_korean)
    return all(
        (there.start in _denied(other, compared.is_korean)) != is_so and other.is_negative_in_all != clause.is_negative_in_all
        for (other, there), much in zip(holders, alike, strict=True)
        if much == max(alike)
    )


@lru_cache(maxsize=2_000)
def _denied(clause: Clause, is_korean: bool) -> frozenset[int]:  # lru_cache takes no keywords well
    """Return where the words of a clause begin that are negated; twice is not at all."""
    found: frozenset[int] = frozenset()
    for turn in NEGATION[is_korean].finditer(clause.text):
        word = _negated(clause, clause.start + turn.start(), clause.start + turn.end(), is_korean=is_korean)
        found ^= {word.start} if word else set()
    return found


def _negated(clause: Clause, start: int, end: int, *, is_korean: bool) -> Word | None:
    """Return the word that a negation is about."""
    before = [word for word in clause.words if word.start < start]
    after = [word for word in clause.words if word.start >= end and not _PASSED_OVER.fullmatch(word.text.lower())]
    if is_korean:
        is_before_verb = _BEFORE_VERB.match(clause.text, start - clause.start) and after and after[0].start <= end + 1
        return after[0] if is_before_verb else before[-1] if before else None
    return after[0] if after else before[-1] if before else None
