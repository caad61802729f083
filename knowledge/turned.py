"""Whether a source says the opposite of what was said: the same words with one negation more or less, or with the other of two opposites.

A negation says nothing by itself, as the same can be said with and without one (closed on Sundays, not open on Sundays). So it counts
only when what was said stands there in the same words, and what happens among them.
"""

import re

from knowledge.clauses import Clause, Word, is_same
from knowledge.compare import SAME_WORDS, Compared, count_in, other_members

_TURNED_SHARE = 0.5  # of a clause's words in one of the source, from which on the two can be said to be each other's opposite
_OTHER_SHARE = 0.35
_PREDICATE_SHARE = 0.2  # the same, when they share what happens
_MODAL = re.compile(r"\b(?:can|may|must|will|shall|should|is|are|was|were|be|been|has|have|had|do|does|did)\b", re.IGNORECASE)
_THAN = re.compile(r"\bthan\b", re.IGNORECASE)
_EXCEPT = re.compile(r"\b(?:except|unless)\b|[외밖]에", re.IGNORECASE)
_LIMIT = re.compile(r"\b(?:only|just|once|until|before|after|without)\b|[가-힣](?<!지)만[\s,]|부터|이후|[뒤후]에", re.IGNORECASE)
_ONLY = re.compile(r"\b(?:only|just|once)\b|[가-힣](?<!지)만[\s,]", re.IGNORECASE)
_TWO = 2  # words may be those of another sentence
_IN = re.compile(r"포함|들어[가간갔있]|\b(?:includ|cover|contain)", re.IGNORECASE)
_OUT = re.compile(r"제외|빼고|뺀|[미불]포함|\b(?:exclud|exempt)", re.IGNORECASE)
_BUT = re.compile(rf"{_OUT.pattern}|[외밖]에|말고|\b(?:except|apart from|besides|other than)\b", re.IGNORECASE)
_NOT_YET = re.compile(r"\b(?:before|until|till)\b|전에|전까지", re.IGNORECASE)


def turned(compared: Compared, clause: Clause) -> str:
    """Return "negation" or "opposite" when the clause of the source that says what was said says the opposite, else ""."""
    strange = sum(not compared.is_there(word) for word in clause.words)
    may_be_strange = (1 - SAME_WORDS) * len(clause.words)
    there, share = compared.best(clause)
    if _is_included(compared, clause) or (strange <= may_be_strange and _is_predicate_turned(compared, clause)):
        return "negation"
    if there is None or len(clause.words) < 2 or strange - 1 > may_be_strange:  # of two opposites one is strange
        return ""
    is_turned, is_other = (
        _is_denied(compared, clause, there),
        any(is_other_member(name, compared, clause, there) for name in ("rates", "groups")),
    )
    if is_turned and not is_other:
        is_same_said = strange <= may_be_strange and share >= _TURNED_SHARE
        return "negation" if is_same_said and _is_negated_there(compared, clause, there) else ""
    is_opposite = is_other and clause.is_negative == there.is_negative and share >= _OTHER_SHARE
    return "opposite" if is_opposite and not _compare_otherwise(compared, clause, there) else ""


def is_other_member(name: str, compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether a clause of the source says another of one of the "rates" or "groups" than was said."""
    return other_members(name, clause.text, there.text, _around(compared, there), is_korean=compared.is_korean)


def _around(compared: Compared, there: Clause) -> str:
    return " ".join(other.text for other in compared.source.sentence_of(there))


def _is_negated_there(compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether the word that one of two clauses negates the other one has, and no clause says it as it was said."""
    negated = clause.negated if clause.is_negative else there.negated
    others = compared.source.sentence_of(there) if clause.is_negative else [clause]
    if negated and not any(is_same(negated.stem, word.stem) for other in others for word in other.words):
        return False
    words = [(word, 1.0) for word in clause.words]
    alike = (other for other in compared.source.clauses if other.is_negative == clause.is_negative)
    return compared.best_fit(words, alike) < 0.8 * compared.fit(words, there)


def _is_predicate_turned(compared: Compared, clause: Clause) -> bool:
    """Return whether all clauses of the source that share what happens, and more, say it the other way round."""
    predicate = clause.negated or _predicate(clause, is_korean=compared.is_korean)
    rest = [(word, 1.0) for word in clause.words if word is not predicate]
    if not predicate or not (rest or clause.quantities):
        return False
    least = _PREDICATE_SHARE * compared.could(rest)
    having = [other for other in compared.source.clauses if compared.has([other], predicate) and _has_all(other, clause)]
    of_subject = [other for other in having if any(word.role == "who" and compared.has([other], word) for word, _ in rest)]
    saying = of_subject or [other for other in having if compared.fit(rest, other) >= least]
    return bool(saying) and all(_is_denied(compared, clause, other) for other in saying)


def _is_included(compared: Compared, clause: Clause) -> bool:
    """Return whether something is said to be included that the source only says to be left out."""
    if clause.is_negative_in_all or not _IN.search(clause.text) or _BUT.search(clause.text):
        return False
    left_out = [(there, word) for there in compared.source.clauses if (word := _left_out(there, is_korean=compared.is_korean))]
    kept = [there for there in compared.source.clauses if not any(there is other for other, _ in left_out)]
    return any(is_same(word.stem, own.stem) and not compared.has(kept, own) for own in clause.words for _, word in left_out)


def _left_out(clause: Clause, *, is_korean: bool) -> Word | None:
    """Return what a clause says to be left out: the word before 제외, after "excludes"."""
    before, after = _beside(clause, _OUT)
    return next(iter(before[-1:] if is_korean else after), None)


def _has_all(there: Clause, clause: Clause) -> bool:
    """Return whether a clause of the source has the quantities of what was said; what is not so at all may have none (is not insured)."""
    is_without = there.is_negative and not {one.kind for one in there.quantities} & {one.kind for one in clause.quantities}
    return is_without or count_in([there], clause.quantities) == len(clause.quantities)


def _is_denied(compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether of two clauses one is negated; what the source limits (only members, after a year) may be said of all others so."""
    if clause.is_negative == there.is_negative or clause.is_negative_in_all == there.is_negative_in_all:
        return False
    if not _has_all(there, clause):  # of another part of them: 80% are, 20% are not
        return False
    negative, positive = (clause, there) if clause.is_negative else (there, clause)
    if _is_of_another_time(negative, positive, is_korean=compared.is_korean):
        return False
    if _EXCEPT.search(_around(compared, there)):
        return False
    is_limited = _LIMIT.search(there.text) is not None and _LIMIT.search(clause.text) is None
    return not is_limited or (
        _ONLY.search(there.text) is None and len(clause.words) > _TWO and all(compared.has([there], word) for word in clause.words)
    )


def _is_of_another_time(negative: Clause, positive: Clause, *, is_korean: bool) -> bool:
    """Return whether what is not so before something is not so before that in the other clause: it is so once that has happened."""
    until, other = (_until(one, is_korean=is_korean) for one in (negative, positive))
    return until is not None and not (other and is_same(until.stem, other.stem))


def _until(clause: Clause, *, is_korean: bool) -> Word | None:
    """Return the word that says before what: in Korean the one before 전에, in English the last one of the clause."""
    before, after = _beside(clause, _NOT_YET)
    return next(iter((before if is_korean else after)[-1:]), None)


def _predicate(clause: Clause, *, is_korean: bool) -> Word | None:
    """Return the word that says what happens: in Korean the last one, in English the one after an auxiliary verb."""
    if is_korean:
        return clause.words[-1] if clause.words else None
    return next(iter(_beside(clause, _MODAL)[1]), None)


def _compare_otherwise(compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether both compare, each with something else: A is longer than B, B is shorter than A."""
    own, theirs = (_compared_with(one, is_korean=compared.is_korean) for one in (clause, there))
    return bool(own and theirs and not is_same(own.stem, theirs.stem))


def _compared_with(clause: Clause, *, is_korean: bool) -> Word | None:
    """Return what a clause compares with: before 보다, after "than"."""
    if is_korean:
        return next((word for word in clause.words if word.role == "than"), None)
    return next(iter(_beside(clause, _THAN)[1]), None)


def _beside(clause: Clause, pattern: re.Pattern[str]) -> tuple[list[Word], list[Word]]:
    """Return the words of a clause before the first place that fits a pattern, and those after it; none when no place does."""
    found = pattern.search(clause.text)
    if not found:
        return [], []
    start, end = (clause.start + place for place in found.span())
    return [word for word in clause.words if word.start < start], [word for word in clause.words if word.start >= end]
