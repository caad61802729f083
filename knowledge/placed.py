"""Whether a source gives another number, date or time for the thing that one was said of: of 14 for adults and 6 for children the other.

What a quantity is of are the words of its sentence; where a sentence lists several (서울 15만 원, 부산 11만 원) those beside it, and those
that are said of all: what stands before the first and is more than what stands before the others, and a Korean predicate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.clauses import Clause, Statement, Word, is_same
from knowledge.compare import CLEARLY, LITTLE, Compared, Weighed
from knowledge.quantities import Quantity

_ELSEWHERE = 0.4
_LEAST = 0.9


@dataclass(frozen=True, slots=True)
class Place:
    """What a quantity or a name of a text is of: words, and the other quantities beside it."""

    sentence: int
    words: Sequence[Word]
    beside: Sequence[Quantity]

    def has(self, word: Word) -> bool:
        """Return whether a word stands there in any of its forms."""
        return any(is_same(word.stem, there.stem) for there in self.words)

    def gives(self, quantity: Quantity) -> bool:
        """Return whether a quantity stands there."""
        return any(quantity.agrees_with(there) for there in self.beside)

    def gives_another(self, quantity: Quantity) -> bool:
        """Return whether another quantity of the same kind stands there instead."""
        return not self.gives(quantity) and any(quantity.kind == there.kind for there in self.beside)


def is_misplaced(compared: Compared, clause: Clause, quantity: Quantity) -> bool:
    """Return whether wherever the source gives a quantity less of the words that were said with it stands than beside another one."""
    given = [(there, other) for other in compared.source.clauses for there in other.quantities]
    holders = [one for one in given if quantity.agrees_with(one[0])]
    rivals = [one for one in given if one[0].kind == quantity.kind and one not in holders]
    if not holders or not rivals or compared.is_at_home(quantity) or any(other.text.rstrip().endswith(":") for _, other in holders):
        return False
    said, beside = _said(compared, clause, quantity)
    theirs = [_place(compared.source, *one) for one in rivals]
    return all(
        any(_belongs_to(compared, rival, own, said, beside) for rival in theirs)
        for own in (_place(compared.source, *one) for one in holders)
    )


def _belongs_to(compared: Compared, rival: Place, own: Place, said: Weighed, beside: Sequence[Quantity]) -> bool:
    """Return whether what was said belongs to another place; in a listing, and where a sentence goes on, one word at its own is enough."""
    is_near = own.sentence - rival.sentence in (0, 1)
    return fits_better(compared, rival, own, said, beside) and not (is_near and _alone(compared, own, rival, said, beside))


def _said(compared: Compared, clause: Clause, quantity: Quantity) -> tuple[Weighed, list[Quantity]]:
    """Return what was said with a quantity: the words of its row of a list, else those of its clause, and, for less, all others."""
    beside = [one for one in clause.quantities if one.kind != quantity.kind]
    alike = [other for other in compared.said.sentence_of(clause) for one in other.quantities if one.kind == quantity.kind]
    if len(alike) > 1 and alike.count(clause) == 1 and len(clause.words) > 1:
        return [(word, 1.0) for word in clause.words], beside
    if len(alike) > 1:
        return [(word, 1.0) for word in _place(compared.said, quantity, clause).words], beside
    near = [clause] if clause.words else compared.said.sentence_of(clause)
    words = [(word, 1.0 if other in near else _ELSEWHERE) for other in compared.said.clauses for word in other.words]
    return words, beside


def fits_better(compared: Compared, rival: Place, own: Place, said: Weighed, beside: Sequence[Quantity]) -> bool:
    """Return whether clearly more of what was said stands at one place of the source alone than at another alone."""
    theirs, ours = _alone(compared, rival, own, said, beside, is_rival=True), _alone(compared, own, rival, said, beside)
    return theirs >= _LEAST and theirs > CLEARLY * ours + LITTLE


def _alone(  # what a place has
    compared: Compared, place: Place, other: Place, said: Weighed, beside: Sequence[Quantity], *, is_rival: bool = False
) -> float:
    """Return how much of what was said stands at a place and not at another; of a rival or a listing a quantity if there is another."""
    words = sum(counts * compared.weight(word) for word, counts in said if place.has(word) and not other.has(word))
    is_strict = is_rival or place.sentence == other.sentence
    return words + sum(place.gives(one) and (other.gives_another(one) if is_strict else not other.gives(one)) for one in beside)


def _place(text: Statement, quantity: Quantity, clause: Clause) -> Place:
    """Return what a quantity of a text is of."""
    clauses = text.sentence_of(clause)
    words = [word for other in clauses if not other.text.rstrip().endswith(":") for word in other.words]
    beside = [one for other in clauses for one in other.quantities]
    rows = list(_rows(clauses, quantity.kind))
    if len(rows) > 1:
        spans = _spans(text, rows)
        own = next(span for row, span in zip(rows, spans, strict=True) if any(one is quantity for one, _ in row))
        words = [word for word in words if _is_in(word, own) or not any(_is_in(word, span) for span in spans)]
        beside = [one for one in beside if _is_in(one, own)]
    return Place(clause.sentence, words, beside)


def _is_in(one: Word | Quantity, span: tuple[int, int]) -> bool:
    return span[0] <= one.start < span[1]


_Row = list[tuple[Quantity, Clause]]


def _rows(clauses: Sequence[Clause], kind: str) -> Iterator[_Row]:
    """Give the quantities of a kind, those together between which nothing stands that tells something (9시부터 6시까지)."""
    row: _Row = []
    others = [word.start for clause in clauses for word in clause.words]
    others += [one.start for clause in clauses for one in clause.quantities if one.kind != kind]
    for one, inside in ((one, clause) for clause in clauses for one in clause.quantities if one.kind == kind):
        if row and any(row[-1][0].end <= start < one.start for start in others):
            yield row
            row = []
        row.append((one, inside))
    if row:
        yield row


def _spans(text: Statement, rows: Sequence[_Row]) -> list[tuple[int, int]]:
    """Return where what each row is of begins and ends: before it, and, where no other row stands in its clause, after it, too."""
    words = [word for clause in text.sentence_of(rows[0][0][1]) for word in clause.words]
    begins, ends = [rows[0][0][1].start], list[int]()
    for row, then in pairwise(rows):
        (last, clause), (_, other) = row[-1], then[0]
        end = clause.start + len(clause.text)
        ends.append(last.end if other is clause else end)
        begins.append(other.start if other is not clause and other.words else ends[-1])
    ends.append(rows[-1][-1][1].start + len(rows[-1][-1][1].text))
    firsts, lasts = [row[0][0].start for row in rows], [row[-1][0].end for row in rows]
    before = [[word for word in words if begin <= word.start < first] for begin, first in zip(begins, firsts, strict=True)]
    after = [[word for word in words if last <= word.start < end] for last, end in zip(lasts, ends, strict=True)]
    if all(after) and not any(before[1:]):
        return list(zip(firsts, ends, strict=True))
    if not before[0]:  # in 1975 one thing, in 2000 another
        return list(zip(firsts, [*firsts[1:], ends[-1]], strict=True))
    if text.is_korean and after[-1]:
        ends[-1] = after[-1][-1].start  # what happens is said once, at the end
    shared = before[0][: max(len(before[0]) - max(map(len, before[1:])), 0)]
    return list(zip([shared[-1].start + 1 if shared else 0, *begins[1:]], ends, strict=True))
