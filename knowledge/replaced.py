"""Whether a noun of what was said stands where its source has another one: the storage team, where that has the network team.

What was said is laid beside each sentence of the source, word by word. A noun which that one lacks was put in the place of one that was not
said when both stand alike: two names, or the same particle, with a neighbour in common, in two sentences that have most words in common.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from knowledge.clauses import LISTS, Clause, Word
from knowledge.compare import Compared, Row, shared

_MOST = 0.6  # of a sentence's other words and numbers stand in the other one: then one neighbour in common is enough
_HALF = 0.5  # the same for names, and for what is of a kind by its end: 인사팀, 보안팀
_PARTNERS = ("who", "what", "whom", "from")  # of what happens
_OF_A_KIND = 3  # syllables; shorter words end alike by chance
_NO_NAMES = frozenset(LISTS["no_names"].split())
_DETERMINER = re.compile(r"\b(?:the|an?|our|your|their|its|this|that|each|every|any)\s$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A word and where it stands."""

    word: Word
    text: str
    row: Row
    n: int

    @property
    def is_noun(self) -> bool:
        """Whether it may be a noun: in Korean no predicate."""
        is_predicate = self.word.is_hangul and not self.word.role and not any(isinstance(one, Word) for one in self.row[self.n + 1 :])
        return not is_predicate and (len(self.word.stem) > 1 or self.word.is_name) and self.word.stem not in _NO_NAMES

    @property
    def is_modifier(self) -> bool:
        """Whether it stands between an article and a word that it belongs to: the storage team."""
        end = self.word.start + len(self.word.text)
        is_joined = self.n + 1 < len(self.row) and self.row[self.n + 1].start == end + 1
        return is_joined and _DETERMINER.search(self.text, max(self.word.start - 8, 0), self.word.start) is not None


def _slots(text: str, row: Row) -> Iterator[_Slot]:
    return (_Slot(one, text, row, n) for n, one in enumerate(row) if isinstance(one, Word))


def is_replaced(compared: Compared) -> bool:
    """Return whether a noun was said in the place of another one of the source, or two each in the other's."""
    if any(_have_exchanged_roles(compared, clause) for clause in compared.said.clauses):
        return True
    said = (slot for row in compared.said_rows for slot in _slots(compared.said.text, row))
    return any(_is_put_for_another(compared, slot) for slot in said if slot.is_noun)


def _have_exchanged_roles(compared: Compared, clause: Clause) -> bool:
    """Return whether of two Korean nouns each has the particle that the other one has in one clause of the source: 집주인이 세입자에게."""
    nouns = [word for word in clause.words if word.is_hangul and word.role in _PARTNERS and not compared.is_at_home(word)]
    pairs = [(one, other) for one, other in combinations(nouns, 2) if one.role != other.role]
    return any(
        _is_so(there, one.stem, other.role) and _is_so(there, other.stem, one.role)
        for one, other in pairs
        for there in compared.source.clauses
    )


def _is_so(clause: Clause, stem: str, role: str) -> bool:
    return any(word.stem == stem and word.role == role for word in clause.words)


def _is_put_for_another(compared: Compared, own: _Slot) -> bool:
    shares = [_share(compared, own, m) for m in range(len(compared.rows))]
    least = max((shares[m] for m in compared.rows_with(own.word)), default=0.0)
    rows = [(row, share) for row, share in zip(compared.rows, shares, strict=True) if share > least and not _is_part(own.word, row)]
    theirs = ((there, share) for row, share in rows for there in _slots(compared.source.text, row) if there.is_noun)
    return any(_stand_alike(own, there, share) and not compared.is_said(there.word) for there, share in theirs)


def _share(compared: Compared, own: _Slot, m: int) -> float:
    """Return which share of the other words and numbers of a sentence one of the source has."""
    others = [one for one in own.row if one is not own.word]
    return sum(m in compared.rows_with(one) for one in others) / max(len(others), 1)


def _is_part(word: Word, row: Row) -> bool:
    """Return whether a sentence has a word, or a longer one that it is part of."""
    return any(word.stem in one.text.lower() for one in row if isinstance(one, Word))


def _stand_alike(own: _Slot, there: _Slot, share: float) -> bool:
    """Return whether a word stands where another one stands in a sentence that has a share of the words around it."""
    word, other = own.word, there.word
    before, after = shared(own.row, own.n, there.row, there.n)
    is_beside = (before + after > 0 and share >= _MOST) or (before > 0 and after > 0)
    if word.is_hangul != other.is_hangul or (word.is_hangul and (word.role != other.role or word.is_plain != other.is_plain)):
        return False
    if word.is_hangul and word.is_plain:
        return is_beside and after > 0 and isinstance(own.row[own.n + 1], Word)
    if word.is_hangul:
        return word.role != "" and (is_beside or (share >= _HALF and _are_of_a_kind(word, other)))
    if other.is_name and (word.is_name or word.role == "who"):
        return before + after > 0 and share >= (_HALF if word.is_name else _MOST)
    if word.role == other.role and word.role not in ("", "who"):
        return before > 1 and share >= _MOST
    return before > 0 and after > 0 and own.is_modifier and there.is_modifier


def _are_of_a_kind(one: Word, other: Word) -> bool:
    """Return whether two Korean nouns end alike and are long enough for that to tell something."""
    return one.stem[-1] == other.stem[-1] and min(len(one.stem), len(other.stem)) >= _OF_A_KIND
