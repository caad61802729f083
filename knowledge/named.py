"""Whether what was said of somebody or something the source says of another one: names, teams, places, products."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from knowledge.clauses import TITLES, Clause, Word, is_same
from knowledge.compare import LEAST_SHARE, Compared, Weighed, are_exclusive, count_in
from knowledge.placed import Place, fits_better
from knowledge.quantities import Quantity

_TWO = 2  # words or numbers: one alone may stand anywhere
_ENOUGH = 0.6  # of what a sentence says the source has, before its names are compared: else it may say something else of them
_VERB = re.compile("[가-힣](?:[아어여려쳐져해와워거켜]|하고|되고|하게|하지)$")  # 점검을 거쳐 운행을
_ONE_NAME = 3  # characters at most between two words of one name: Babbage's Analytical Engine


def is_of_another(compared: Compared) -> bool:
    """Return whether a name that was said belongs, in the source, to something else, or is not there where another one is."""
    words = [(clause, word) for clause in compared.said.clauses for word in clause.words]
    check = _Names(compared)
    if any(check.is_latin_absent(word) for _, word in words):
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
        self._unsaid -= {word.stem for clause in self._clauses for word in _of_said_names(clause, self._unsaid)}

    # ── nowhere in the source ──

    def is_absent(self, clause: Clause, word: Word) -> bool:
        """Return whether a word that the source does not have is a name where the source has another one."""
        if not word.is_name and word.ending in ("", word.stem):
            return False
        context = self._compared.context(clause, word)
        rivals = [other for other in self._clauses if self._has_rival(other, word)]
        return bool(rivals) and self._compared.best_fit(context, rivals) >= LEAST_SHARE * self._compared.could(context)

    def is_latin_absent(self, word: Word) -> bool:
        """Return whether the source has a name in Latin letters nowhere, not even as initials."""
        text = self._compared.everything.text
        if not word.is_name or word.is_hangul or word.text.lower() in text.lower() or word.text.lower() in _initials(text):
            return False
        return not self._compared.is_korean or any(there.is_name and not there.is_hangul for there in self._compared.source.words)

    # ── elsewhere in the source ──

    def is_elsewhere(self, clause: Clause, word: Word) -> bool:
        """Return whether the source says what was said of a word, but of another one."""
        having = self._compared.having(word)
        holders = [other for other in self._clauses if other.number in having]
        others = [other for other in self._clauses if other.number not in having and other.is_negative == clause.is_negative]
        rivals = [other for other in others if self._has_rival(other, word)]
        if not holders or not rivals or self._compared.is_at_home(word):
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


def _of_said_names(clause: Clause, unsaid: set[str]) -> Iterator[Word]:
    """Give the words of names of which a part was said: Charles Babbage, of Babbage."""
    name: list[Word] = []
    for word in (*clause.words, None):
        if name and not (word and word.is_name and word.start - name[-1].start - len(name[-1].text) <= _ONE_NAME):
            yield from name if any(one.stem not in unsaid for one in name) else ()
            name = []
        if word and word.is_name:
            name.append(word)


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
