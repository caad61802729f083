"""A sentence beside the source it points to: which clause of the source says what it says, by words that tell something."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, takewhile
from math import log

from knowledge.clauses import LISTS, Clause, Statement, Word, is_same
from knowledge.quantities import Quantity

ELSEWHERE = 0.4  # what a word counts that stands in the same sentence but not in the clause that is compared
CLEARLY = 1.25  # by so much another clause has to fit better before a number or a name is said to belong there
LITTLE = 0.3  # and by so much at least
LEAST_SHARE = 0.4  # of what a sentence's words could tell another clause has to have, to be where they come from
SAME_WORDS = 0.75  # of what was said the source has: then what differs is said of the same
_AT_HOME = 3  # neighbours in common: what was said stands where it does in the source
_GROUPS = {name: [[member.split() for member in group.split("|")] for group in LISTS[name]] for name in ("rates", "groups")}

Unit = Word | Quantity
Row = list[Unit]  # of a sentence
Weighed = list[tuple[Word, float]]


class Compared:
    """What was said and its source, both in one language. `everything` is the source with what of it is in another language."""

    def __init__(self, said: Statement, source: Statement, everything: Statement) -> None:
        self.said, self.source, self.everything = said, source, everything
        self.is_korean = said.is_korean
        self._clauses: dict[str, set[int]] = {}  # of the source, by the stems that stand in them
        self.source_sentences = source.sentences()
        self.rows = [row_of(clauses) for clauses in self.source_sentences]
        self.said_rows = [row_of(clauses) for clauses in said.sentences()]
        self._rows_with: dict[int, frozenset[int]] = {}
        self._having: dict[str, frozenset[int]] = {}
        self._sentences = [frozenset(other.number for other in source.sentence_of(clause)) for clause in source.clauses]
        for clause in source.clauses:
            for word in clause.words:
                self._clauses.setdefault(word.stem, set()).add(clause.number)

    # ── words ──

    def having(self, word: Word) -> frozenset[int]:
        """Return the numbers of the source's clauses that have a word in any of its forms."""
        if word.stem not in self._having:
            found = (numbers for stem, numbers in self._clauses.items() if is_same(word.stem, stem))
            self._having[word.stem] = frozenset(number for numbers in found for number in numbers)
        return self._having[word.stem]

    def has(self, clauses: Iterable[Clause], word: Word) -> bool:
        """Return whether any of some clauses has a word."""
        having = self.having(word)
        return any(clause.number in having for clause in clauses)

    def is_there(self, word: Word) -> bool:
        """Return whether a word stands anywhere in the source; of a name only the whole counts."""
        if word.ending or word.is_name:
            return any(other.stem.startswith(word.stem) for other in self.everything.words)
        return bool(self.having(word)) or any(is_same(word.stem, other.stem) for other in self.everything.words)

    def is_said(self, there: Word) -> bool:
        """Return whether a word of the source was said."""
        if there.is_name:
            return any(there.stem.startswith(word.stem) or word.stem.startswith(there.stem) for word in self.said.words)
        return any(is_same(there.stem, word.stem) for word in self.said.words)

    def coverage(self, words: Sequence[Word]) -> float:
        """Return which share of some words the source has; 1 without any."""
        return sum(map(self.is_there, words)) / len(words) if words else 1.0

    def weight(self, word: Word) -> float:
        """Return how much a word tells: little when many clauses have it; nothing when the source has it nowhere."""
        having = self.having(word)
        return log(1 + len(self.source.clauses) / len(having)) if having else 0.0

    # ── clauses ──

    def rows_with(self, unit: Unit) -> frozenset[int]:
        """Return in which of `rows` a word, in any of its forms, or a quantity stands."""
        if unit.start not in self._rows_with:
            is_there = (any(agree(unit, there) for there in row) for row in self.rows)
            self._rows_with[unit.start] = frozenset(n for n, is_in in enumerate(is_there) if is_in)
        return self._rows_with[unit.start]

    def is_at_home(self, unit: Unit) -> bool:
        """Return whether what was said stands in the source, too, between the same neighbours."""
        own, n = next((row, row.index(unit)) for row in self.said_rows if unit in row)
        places = ((self.rows[m], k) for m in self.rows_with(unit) for k, there in enumerate(self.rows[m]) if agree(unit, there))
        return any(sum(shared(own, n, row, k)) >= _AT_HOME for row, k in places)

    def context(self, clause: Clause, without: Word | None = None) -> Weighed:
        """Return the words of a clause that was said, and, for less, of the other clauses."""
        return [(word, 1.0 if other is clause else ELSEWHERE) for other in self.said.clauses for word in other.words if word is not without]

    def could(self, words: Weighed) -> float:
        """Return how well a clause would fit that had all of some words."""
        return sum(counts * (self.weight(word) or 1.0) for word, counts in words)

    def fit(self, words: Weighed, clause: Clause) -> float:
        """Return how well a clause of the source fits some words, each with what it counts."""
        around, total = self._sentences[clause.number], 0.0
        for word, counts in words:
            having = self.having(word)
            if clause.number in having:
                total += counts * self.weight(word)
            elif not around.isdisjoint(having):
                total += counts * self.weight(word) * ELSEWHERE
        return total

    def best_fit(self, words: Weighed, clauses: Iterable[Clause]) -> float:
        """Return how well the best of some clauses fits; 0 without any."""
        return max((self.fit(words, clause) for clause in clauses), default=0.0)

    def best(self, clause: Clause) -> tuple[Clause | None, float]:
        """Return the clause of the source that fits what was said best, and which share of what its words could tell it has."""
        words = [(word, 1.0) for word in clause.words]
        could = self.could(words)
        fits = [self.fit(words, other) for other in self.source.clauses]
        if not could or not any(fits):
            return None, 0.0
        first = fits.index(max(fits))
        return self.source.clauses[first], fits[first] / could


def row_of(clauses: Iterable[Clause]) -> Row:
    """Return the words and quantities of a sentence in order."""
    return sorted((one for clause in clauses for one in (*clause.words, *clause.quantities)), key=lambda one: one.start)


def agree(one: Unit, other: Unit) -> bool:
    """Return whether two words are forms of one, or two quantities the same."""
    if isinstance(one, Word):
        return isinstance(other, Word) and is_same(one.stem, other.stem)
    return isinstance(other, Quantity) and one.agrees_with(other)


def shared(own: Row, n: int, there: Row, k: int) -> tuple[int, int]:
    """Return how many neighbours one place in a row has in common with one in another, without a gap: those before, those after it."""
    pairs = (zip(reversed(own[:n]), reversed(there[:k]), strict=False), zip(own[n + 1 :], there[k + 1 :], strict=False))
    before, after = (sum(1 for _ in takewhile(lambda both: agree(*both), islice(side, _AT_HOME))) for side in pairs)
    return before, after


def count_in(clauses: Sequence[Clause], some: Sequence[Quantity]) -> int:
    """Return how many of some quantities stand in some clauses."""
    return sum(any(one.agrees_with(there) for clause in clauses for there in clause.quantities) for one in some)


def is_clearly(theirs: float, own: float) -> bool:
    """Return whether other clauses fit clearly better than those that have what was said."""
    return theirs > own * CLEARLY + LITTLE


# ── words of which a text means one ──


def other_members(name: str, text: str, there: str, around: str, *, is_korean: bool) -> bool:
    """Return whether a source says another of a group of which a text means one: weekly for daily ("rates"), 이하 for 이상 ("groups")."""
    return sum(_has_other(group, text, there, around) for group in _forms(name, is_korean)) % 2 == 1  # closed at weekends: open on weekdays


def _has_other(group: Sequence[re.Pattern[str] | None], text: str, there: str, around: str) -> bool:
    for n, member in enumerate(group):
        others = [form for k, form in enumerate(group) if k != n and form]
        if member and member.search(text) and not _any(others, text) and _any(others, there) and not member.search(around):
            return True
    return False


def are_exclusive(one: Word, other: Word) -> bool:
    """Return whether two words are of a group of which a text means one."""
    theirs = dict(_memberships(other.text.lower()))
    return any(theirs.get(group, member) != member for group, member in _memberships(one.text.lower()))


def _any(forms: Collection[re.Pattern[str]], text: str) -> bool:
    return any(form.search(text) for form in forms)


@lru_cache(maxsize=4)
def _forms(name: str, is_korean: bool) -> list[list[re.Pattern[str] | None]]:  # lru_cache takes no keywords well
    return [[_form(words, is_korean=is_korean) for words in group] for group in _GROUPS[name]]


def _form(words: Sequence[str], *, is_korean: bool) -> re.Pattern[str] | None:
    """Return the pattern of a member's words in one language; a Korean one of one syllable stands before a number (월 5만 원)."""
    forms: Iterator[str]
    if is_korean:
        forms = (rf"(?<![가-힣\d]){word}" + r"(?=\s?\d)" * (len(word) == 1) for word in words if not word.isascii())
    else:
        forms = (rf"\b{word}\b" for word in words if word.isascii())
    joined = "|".join(forms).replace("_", r"\s")
    return re.compile(joined, re.IGNORECASE) if joined else None


@lru_cache(maxsize=20_000)
def _memberships(word: str) -> tuple[tuple[int, int], ...]:
    return tuple(
        (n, m)
        for n, group in enumerate(_GROUPS["groups"])
        for m, member in enumerate(group)
        if any(len(form) > 1 and word.startswith(form) for form in member)
    )
