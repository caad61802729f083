"""Whether what was said of somebody or something the source says of another one: names, teams, places, products."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from knowledge.clauses import TITLES, Clause, Word, is_same
from knowledge.compare import LEAST_SHARE, Compared, Weighed, are_exclusive, count_in
from knowledge.placed import Place, fits_better
from knowledge.quantities import Quantity

_TWO = 2  # words or numbers: one alone may stand anywhere
_NEARLY_ALL = 0.75  # of the other words in one sentence of the source: then the one that differs was put in the place of another

_ENOUGH = 0.6  # of what a sentence says the source has, before its names are compared: else it may say something else of them

_VERB = re.compile("[가-힣](?:[아어여려쳐져해와워거켜]|하고|되고|하게|하지)$")  # 점검을 거쳐 운행을
_MOST = re.compile(
    r"가장|제일|최고|최대|최다|최저|최소|\b(?:most|least|best|worst|(?:larg|great|high|low|small|fast|slow|long|short|cheap|bigg|old|young)est)\b"
)


def is_of_another(compared: Compared) -> bool:
    """Return whether a name that was said belongs, in the source, to something else, or is not there where another one is."""
    words = [(clause, word) for clause in compared.said.clauses if not compared.is_quoted(clause) for word in clause.words]
    check = _Names(compared)
    if any(check.is_latin_absent(word) for _, word in words) or check.is_most_of_another():
        return True
    known = sum(compared.is_there(word) for _, word in words) + count_in(compared.source.clauses, compared.said.quantities)
    if known < _ENOUGH * (len(words) + len(compared.said.quantities)):
        return False
    is_other = (check.is_elsewhere(*one) if compared.is_there(one[1]) else check.is_absent(*one) for one in words)
    return any(is_other) or check.change_partners()


class _Names:
    def __init__(self, compared: Compared) -> None:
        self._compared = compared
        self._clauses = compared.source.clauses
        words = (*compared.source.words, *compared.said.words)
        self._names = {_name(word) for word in words if word.is_name}  # at the beginning of a sentence every English word has a capital
        self._unsaid = {word.stem for word in compared.source.words if not compared.is_said(word)}

    # ── nowhere in the source ──

    def is_absent(self, clause: Clause, word: Word) -> bool:
        """Return whether a word that the source does not have is a name where the source has another one."""
        if word.is_name or word.ending not in ("", word.stem):
            context = self._compared.context(clause, word)
            rivals = [other for other in self._clauses if self._has_rival(other, word)]
            if rivals and self._compared.best_fit(context, rivals) >= LEAST_SHARE * self._compared.could(context):
                return True
        is_predicate = self._compared.is_korean and word is clause.words[-1]
        return not is_predicate and self._is_replaced(word)

    def is_latin_absent(self, word: Word) -> bool:
        """Return whether the source has a name in Latin letters nowhere, not even as initials."""
        text = self._compared.everything.text
        if not word.is_name or word.is_hangul or word.text.lower() in text.lower() or word.text.lower() in _initials(text):
            return False
        return not self._compared.is_korean or any(there.is_name and not there.is_hangul for there in self._compared.source.words)

    def _is_replaced(self, word: Word) -> bool:
        """Return whether the source says nearly the same word for word, with another word in the place of this one."""
        said = self._compared.said
        others = [one for one in said.words if one is not word]
        count = len(others) + len(said.quantities)
        if count < 3 or not word.role or len(word.stem) < _TWO:
            return False
        for clause in self._clauses:
            if any(self._stands_for(there, word) for there in clause.words):
                near = self._compared.source.sentence_of(clause)
                if sum(self._compared.has(near, one) for one in others) + count_in(near, said.quantities) >= _NEARLY_ALL * count:
                    return True
        return False

    def _stands_for(self, there: Word, word: Word) -> bool:
        """Return whether an unsaid word has the same neighbours and the same part in its clause."""
        if there.stem not in self._unsaid or there.role != word.role or there.is_plain != word.is_plain:
            return False
        sides = [(word.before, there.before), (word.after, there.after)]
        return any(own and own == other for own, other in sides) and all(own == other for own, other in sides if own and other)

    # ── elsewhere in the source ──

    def is_elsewhere(self, clause: Clause, word: Word) -> bool:
        """Return whether the source says what was said of a word, but of another one."""
        having = self._compared.having(word)
        holders = [other for other in self._clauses if other.number in having]
        others = [other for other in self._clauses if other.number not in having and other.is_negative == clause.is_negative]
        rivals = [other for other in others if self._has_rival(other, word) or self._says_much_of_another(other, clause, word)]
        if not holders or not rivals:
            return False
        beside = {there.stem for other in holders for there in other.words if _is_next_to(there, word)}
        own = [(one, 1.0) for one in clause.words if one is not word]
        context = own if len(own) >= _TWO else self._compared.context(clause, word)
        said = [(one, counts) for one, counts in context if one.stem not in beside and one.stem not in TITLES]
        return all(any(self._is_theirs(holder, rival, said, clause) for rival in rivals) for holder in holders)

    def _is_theirs(self, holder: Clause, rival: Clause, said: Weighed, clause: Clause) -> bool:
        source = self._compared.source
        if holder.sentence == rival.sentence:
            end = source.sentence_of(holder)[-1].words[-1:] if self._compared.is_korean else ()
            places = [Place(one.sentence, (*one.words, *end), one.quantities) for one in (holder, rival)]
        else:
            places = [Place(one.sentence, *_all_of(source.sentence_of(one))) for one in (holder, rival)]
        return fits_better(self._compared, places[1], places[0], said, clause.quantities)

    def _says_much_of_another(self, other: Clause, clause: Clause, word: Word) -> bool:
        """Return whether a clause has another subject, a name, and two things said of a subject that may be one: it begins a sentence."""
        is_name = any(there.is_name and there.role == "who" and there.stem in self._unsaid for there in other.words)
        said = (self._compared.has([other], one) for one in clause.words if one is not word)
        return is_name and word.role == "who" and not word.is_hangul and sum(said) >= _TWO

    # ── things of a kind ──

    def _has_rival(self, clause: Clause, word: Word) -> bool:
        """Return whether a clause has, unsaid, a thing of the same kind: a name, the same ending (재무팀, 운영팀), of the same group."""
        return any(there.stem in self._unsaid and self._is_of_a_kind(there, word) for there in clause.words)

    def _is_of_a_kind(self, there: Word, word: Word) -> bool:
        if _name(word) in self._names and _name(there) in self._names and word.is_hangul == there.is_hangul:
            return True
        is_alike = word.ending == there.ending and word.ending not in ("", word.stem, there.stem)
        return is_alike or are_exclusive(word, there) or (_is_beside(there, word) and self._is_so_in_source(word))

    def _is_so_in_source(self, word: Word) -> bool:
        """Return whether a word stands in the source before the same word as where it was said."""
        return any(there.after == word.after and is_same(there.stem, word.stem) for there in self._compared.source.words)

    # ── said of each other ──

    def change_partners(self) -> bool:
        """Return whether of two clauses the source says each one's words with a word of the other: A reads, B writes; B reads, A writes."""
        clauses = self._compared.said.clauses
        return any(self._are_exchanged(one, other) for n, one in enumerate(clauses) for other in clauses[n + 1 :])

    def _are_exchanged(self, one: Clause, other: Clause) -> bool:
        theirs = self._alone(other, one)
        crossed = [(own, there) for own in self._alone(one, other) for there in theirs if _meet(own, there)]
        return any(not _meet(a, b) and not _meet(c, d) for (a, c), (b, d) in combinations(crossed, 2))

    def _alone(self, one: Clause, other: Clause) -> list[frozenset[int]]:
        """Return for each word that only the first of two clauses has in which clauses of the source it stands."""
        words = (word for word in one.words if not any(is_same(word.stem, there.stem) for there in other.words))
        return [having for word in words if (having := self._compared.having(word))]

    def is_most_of_another(self) -> bool:
        """Return whether of a name that is said to be the most of its kind the source says that of another alone."""
        most = [clause for clause in self._clauses if _MOST.search(clause.text)]
        said = [clause for clause in self._compared.said.clauses if _MOST.search(clause.text)]
        names = [word for clause in said for word in clause.words if _name(word) in self._names and self._compared.having(word)]
        return bool(most) and any(
            not self._compared.has(most, word) and all(self._has_rival(other, word) for other in most) for word in names
        )


def _all_of(clauses: Sequence[Clause]) -> tuple[list[Word], list[Quantity]]:
    return [word for clause in clauses for word in clause.words], [one for clause in clauses for one in clause.quantities]


def _is_next_to(there: Word, word: Word) -> bool:
    """Return whether a word of the source stands beside a word there as it does where it was said: customers on the Vega plan."""
    return there.stem in (word.before, word.after) and word.stem in (there.before, there.after)


def _is_beside(there: Word, word: Word) -> bool:
    """Return whether a word that is no verb stands before the same word as another one does."""
    is_before_same = word.after != "" and there.after == word.after
    return is_before_same and word.is_plain and there.is_plain and not _VERB.search(there.text)


def _meet(one: frozenset[int], other: frozenset[int]) -> bool:
    return not one.isdisjoint(other)


def _name(word: Word) -> str:
    """Return a word as names are compared: a Korean one without its particle."""
    return word.stem if word.is_hangul else word.text


def _initials(text: str) -> Iterator[str]:
    words = re.findall(r"[A-Za-z]+", text)
    for length in (2, 3, 4):
        yield from ("".join(word[0] for word in words[n : n + length]).lower() for n in range(len(words)))
