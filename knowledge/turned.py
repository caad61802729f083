"""Whether a source says the other of two opposites of what was said in the same words: weekly for daily, at most for at least."""

import re

from knowledge.clauses import Clause, Word, is_same
from knowledge.compare import SAME_WORDS, Compared, other_members

_SHARE = 0.35  # of what a clause's words tell one of the source has: then the two can be said to be each other's opposite
_THAN = re.compile(r"\bthan\b", re.IGNORECASE)


def is_opposite(compared: Compared, clause: Clause) -> bool:
    """Return whether the clause of the source that says what was said has the other of two opposites, and no negation more or less."""
    strange = sum(not compared.is_there(word) for word in clause.words)
    there, share = compared.best(clause)
    if there is None or len(clause.words) < 2 or strange - 1 > (1 - SAME_WORDS) * len(clause.words):  # of two opposites one is strange
        return False
    is_other = any(is_other_member(name, compared, clause, there) for name in ("rates", "groups"))
    return is_other and clause.is_negative == there.is_negative and share >= _SHARE and not _compare_otherwise(compared, clause, there)


def is_other_member(name: str, compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether a clause of the source says another of one of the "rates" or "groups" than was said."""
    around = " ".join(other.text for other in compared.source.sentence_of(there))
    return other_members(name, clause.text, there.text, around, is_korean=compared.is_korean)


def _compare_otherwise(compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether both compare, each with something else: A is longer than B, B is shorter than A."""
    own, theirs = (_compared_with(one, is_korean=compared.is_korean) for one in (clause, there))
    return bool(own and theirs and not is_same(own.stem, theirs.stem))


def _compared_with(clause: Clause, *, is_korean: bool) -> Word | None:
    """Return what a clause compares with: before 보다, after "than"."""
    if is_korean:
        return next((word for word in clause.words if word.role == "than"), None)
    than = _THAN.search(clause.text)
    return next((word for word in clause.words if than and word.start >= clause.start + than.end()), None)
