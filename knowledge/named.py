"""Whether what was said of somebody or something the source says of another one: names, teams, places, products."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from knowledge.clauses import TITLES, Clause, Word, is_same
from knowledge.compare import LEAST_SHARE, LITTLE, Compared, are_exclusive, count_in, is_clearly

_TWO = 2  # words or numbers: one alone may stand anywhere
_NEARLY_ALL = 0.75  # of the other words in one sentence of the source: then the one that differs was put in the place of another

_ENOUGH = 0.6  # of what a sentence says the source has, before its names are compared: else it may say something else of them

_VERB = re.compile("[가-힣](?:[아어여려쳐져해와워거켜]|하고|되고|하게|하지)$")  # 점검을 거쳐 운행을
_MOST = re.compile(
    r"가장|제일|최고|최대|최다|최저|최소|\b(?:most|least|best|worst|(?:larg|great|high|low|small|fast|slow|long|short|cheap|bigg|old|young)est)\b"
)


def is_of_another(compared: Compared) -> bool:
    """Return whether a name that was said belongs, in the source, to something else, or is not there where another one is."""
    words = [(clause, word) for clause in compared.said.clauses for word in clause.words]
    check = _Names(compared)
    if any(check.is_latin_absent(word) for _, word in words) or check.is_most_of_another():
        return True
    known = sum(compared.is_there(word) for _, word in words) + count_in(compared.source.clauses, compared.said.quantities)
    if known < _ENOUGH * (len(words) + len(compared.said.quantities)):
        return False
    return any(check.is_elsewhere(*one) if compared.is_there(one[1]) else check.is_absent(*one) for one in words) or (
        check.change_places() or check.change_partners()
    )


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
        return (not is_predicate and self._is_replaced(word)) or self._begins_as_another(word)

    def _begins_as_another(self, word: Word) -> bool:
        """Return whether an English sentence begins with a word that does what in the source another name does."""
        if word.role != "who" or not word.text[0].isupper() or not word.after:
            return False
        return any(
            _name(there) in self._names and there.stem in self._unsaid and there.after == word.after
            for there in self._compared.source.words
        )

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
        rivals = [other for other in self._clauses if other.number not in having and self._has_rival(other, word)]
        rivals = [other for other in rivals if other.is_negative == clause.is_negative]
        if rivals:
            context = self._compared.context(clause, word)
            own, theirs = self._compared.best_fit(context, holders), self._compared.best_fit(context, rivals)
            if is_clearly(theirs, own) and theirs >= LEAST_SHARE * self._compared.could(context) and self._say_much(clause, word, rivals):
                return True
            beside = {other.sentence for other in holders}
            if self._tells_apart(clause, word, [other for other in rivals if other.sentence in beside], holders):
                return True
        return self._is_said_of_another(clause, word) or self._is_beside_another(clause, word)

    def _tells_apart(self, clause: Clause, word: Word, rivals: Sequence[Clause], holders: Sequence[Clause]) -> bool:
        """Return whether what was said of a name, and does not hold for all, the source says of others alone."""
        has = self._compared.has
        said = [one for one in clause.words if not (one is word or one.is_name or one.stem in TITLES) and self._compared.having(one)]
        if any(has(holders, one) and not has(self._in_reach(rivals, clause, one), one) for one in said):
            return False
        theirs = sum(has(rivals, one) and not has(holders, one) for one in said)
        if theirs and len(said) >= 0.5 * (len(clause.words) - 1):
            return True
        return any(one.agrees_with(there) for one in clause.quantities for other in rivals for there in other.quantities)

    def _in_reach(self, clauses: Sequence[Clause], said: Clause, word: Word) -> Sequence[Clause]:
        """Return where a word of some clauses may stand: in Korean what happens is said once, at the end (A는 X를, B는 Y를 맡는다)."""
        if not self._compared.is_korean or word is not said.words[-1]:
            return clauses
        return [other for clause in clauses for other in self._compared.source.sentence_of(clause)]

    def _is_said_of_another(self, clause: Clause, word: Word) -> bool:
        """Return whether another sentence has nearly all that was said of a subject, but of another subject."""
        if word.role != "who" or len(clause.words) < 3 or (word.is_hangul and word.text[-1] in "이가"):  # 잠금이 (해제되면)
            return False
        context = self._compared.context(clause, word)
        having = {self._clauses[number].sentence for number in self._compared.having(word)}
        holders = [other for other in self._clauses if other.sentence in having]
        rivals = [other for other in self._clauses if other.sentence not in having and self._has_other_subject(other)]
        own, theirs = self._compared.best_fit(context, holders), self._compared.best_fit(context, rivals)
        is_theirs = theirs > 1.4 * own + LITTLE and theirs >= 0.6 * self._compared.could(context)
        return is_theirs and self._say_much(clause, word, rivals)

    def _say_much(self, clause: Clause, word: Word, others: Sequence[Clause]) -> bool:
        """Return whether one of some clauses has two things at least that were said of a word."""
        return any(self._things_in(other, clause, word) >= _TWO for other in others)

    def _things_in(self, other: Clause, clause: Clause, word: Word) -> int:
        numbers = sum(any(one.agrees_with(there) for there in other.quantities) for one in clause.quantities)
        return numbers + sum(self._compared.has([other], one) for one in clause.words if one is not word)

    def _has_other_subject(self, clause: Clause) -> bool:
        return any(there.role == "who" and there.stem in self._unsaid for there in clause.words)

    def _is_beside_another(self, clause: Clause, word: Word) -> bool:
        """Return whether the source says it of another one beside the same word: 결제 모듈 and 주문 모듈."""
        if not word.after or not word.is_plain:
            return False
        pairs = [(other, there) for other in self._clauses for there in other.words if _is_beside(there, word)]
        holders = [other for other, there in pairs if is_same(there.stem, word.stem)]
        rivals = [other for other, there in pairs if other not in holders and there.stem in self._unsaid]
        if not holders or not rivals:
            return False
        context = self._compared.context(clause, word)
        own, theirs = self._compared.best_fit(context, holders), self._compared.best_fit(context, rivals)
        return is_clearly(theirs, own) and theirs >= LEAST_SHARE * self._compared.could(context)

    # ── things of a kind ──

    def _has_rival(self, clause: Clause, word: Word) -> bool:
        """Return whether a clause has, unsaid, a thing of the same kind: a name, the same ending (재무팀, 운영팀), of the same group."""
        return any(there.stem in self._unsaid and self._is_of_a_kind(there, word) for there in clause.words)

    def _is_of_a_kind(self, there: Word, word: Word) -> bool:
        if _name(word) in self._names and _name(there) in self._names and word.is_hangul == there.is_hangul:
            return True
        return (word.ending == there.ending and word.ending not in ("", word.stem, there.stem)) or are_exclusive(word, there)

    # ── in each other's places ──

    def change_places(self) -> bool:
        """Return whether two words stand in the source each in the place of the other: from A to B, from B to A."""
        for clause in self._compared.said.clauses:
            placed = [(word, place) for word in clause.words if (place := _place(word)) not in ("", "who", "what")]
            for n, (one, here) in enumerate(placed):
                if any(here != there and self._are_swapped((one, here), (other, there)) for other, there in placed[n + 1 :]):
                    return True
        return False

    def _are_swapped(self, one: tuple[Word, str], other: tuple[Word, str]) -> bool:
        is_crossed = self._is_at(one[0], other[1]) and self._is_at(other[0], one[1])
        return is_crossed and not self._is_at(*one) and not self._is_at(*other)

    def _is_at(self, word: Word, place: str) -> bool:
        return any(_place(there) == place and is_same(word.stem, there.stem) for there in self._compared.source.words)

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


def _is_beside(there: Word, word: Word) -> bool:
    """Return whether a word that is no verb stands before the same word as another one does."""
    return there.after == word.after and there.is_plain and not _VERB.search(there.text)


def _meet(one: frozenset[int], other: frozenset[int]) -> bool:
    return not one.isdisjoint(other)


def _name(word: Word) -> str:
    """Return a word as names are compared: a Korean one without its particle."""
    return word.stem if word.is_hangul else word.text


def _place(word: Word) -> str:
    """Return what part a word has in its clause: its particle or preposition; in English without one, the word before it."""
    return word.role if word.is_hangul or word.role else word.before


def _initials(text: str) -> Iterator[str]:
    words = re.findall(r"[A-Za-z]+", text)
    for length in (2, 3, 4):
        yield from ("".join(word[0] for word in words[n : n + length]).lower() for n in range(len(words)))
