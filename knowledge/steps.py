"""What a text says to come first, and what then: a condition and what follows from it, one step and the next."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.clauses import LISTS, Clause, Statement, Word, is_same
from knowledge.quantities import Quantity


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a sentence says: its words and quantities."""

    words: tuple[Word, ...] = ()
    quantities: tuple[Quantity, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.quantities)

    def __add__(self, other: "Part") -> "Part":
        return Part(self.words + other.words, self.quantities + other.quantities)

    def share_in(self, other: "Part") -> float:
        """Return which share of it another part has, from 0 to 1."""
        words = sum(any(is_same(word.stem, there.stem) for there in other.words) for word in self.words)
        quantities = sum(any(one.agrees_with(there) for there in other.quantities) for one in self.quantities)
        return (words + quantities) / (len(self.words) + len(self.quantities)) if self else 0.0


_CONDITION = re.compile(r"\s*(?:if|when|whenever|once|because|unless)\b", re.IGNORECASE)  # tells no next step: roll back first if it fails
_EMPTY = re.compile(LISTS["words_of_steps"])
Order = tuple[Part, Part]  # what comes first, what comes then


def part_of(clauses: Sequence[Clause], start: int = 0, end: int | None = None) -> Part:
    """Return what stands between two places of a text."""
    words = (word for clause in clauses for word in clause.words if not _EMPTY.fullmatch(word.text))
    quantities = (one for clause in clauses for one in clause.quantities)
    return Part(
        tuple(word for word in words if start <= word.start and (end is None or word.start < end)),
        tuple(one for one in quantities if start <= one.start and (end is None or one.start < end)),
    )


def without_topic(first: Part, then: Part) -> Order:
    """Return the parts of a Korean sentence with its topic where it belongs, with what happens at the end (회의실은 누수 때문에 닫는다)."""
    end = next((n + 1 for n, word in enumerate(first.words) if word.role == "who" and word.text[-1] in "은는"), 0)
    if not 0 < end < len(first.words):
        return first, then
    before = first.words[end].start
    early, late = (tuple(one for one in first.quantities if (one.start < before) == is_early) for is_early in (True, False))
    return Part(first.words[end:], late), Part(first.words[:end], early) + then


def steps(text: Statement) -> Iterator[Order]:
    """Give what a text says to come first, each with what it says to come then."""
    everything = [(clauses, _begin(text, clauses)) for clauses in text.sentences()]
    parts = [part_of(*one) for one in everything]
    for n, (clauses, begin) in enumerate(everything):
        yield from _joined(text, clauses, begin)
        for k, clause in enumerate(clauses):
            if _NEXT[text.is_korean].search(clause.text):
                yield (part_of(clauses[:k], begin) if k else sum(parts[max(n - 1, 0) : n], Part())), part_of(clauses[k:], begin)
            elif _FIRST[text.is_korean].search(clause.text[max(begin - clause.start, 0) :]):
                yield part_of([clause], begin), part_of([other for other in clauses[k + 1 :] if not _CONDITION.match(other.text)])
                yield part_of(clauses[k:], begin), sum(parts[n + 1 : n + 2], Part())


def _begin(text: Statement, clauses: Sequence[Clause]) -> int:
    """Return where a sentence begins to tell what happens, behind the occasion."""
    start, end = clauses[0].start, clauses[-1].start + len(clauses[-1].text)
    found = _OCCASION[text.is_korean].search(text.text[start:end])
    return start + found.end() if found else start


def _joined(text: Statement, clauses: Sequence[Clause], begin: int) -> Iterator[Order]:
    """Give the steps that one sentence joins; what must not happen before something comes after it."""
    is_denied = any(clause.is_negative for clause in clauses)
    end = clauses[-1].start + len(clauses[-1].text)
    for pattern, is_later in ((_AFTER[text.is_korean], False), (_BEFORE[text.is_korean], True)):
        for found in pattern.finditer(text.text, begin, end):
            stated, rest = (_korean if text.is_korean else _english)(text, clauses, begin, found)
            yield (rest, stated) if is_later and not is_denied else (stated, rest)


def _korean(text: Statement, clauses: Sequence[Clause], begin: int, found: re.Match[str]) -> Order:
    if any(not text.text[one.end : found.start()].strip() for one in text.quantities if one.end <= found.start()):  # 30일 뒤
        return Part(), Part()
    first, _ = without_topic(part_of(clauses, begin, found.start()), Part())  # the topic is that of both
    return first, part_of(clauses, found.end())


def _english(text: Statement, clauses: Sequence[Clause], begin: int, found: re.Match[str]) -> Order:
    """Return what a word such as "after" stands before, and the rest of its sentence."""
    end = clauses[-1].start + len(clauses[-1].text)
    comma = text.text.find(", ", found.end(), end)
    stated = part_of(clauses, found.end(), comma if comma > 0 else None)
    return stated, part_of(clauses, begin, found.start()) or (part_of(clauses, comma) if comma > 0 else Part())


def _patterns(name: str) -> dict[bool, re.Pattern[str]]:
    """Return a list's pattern for Korean (True) and English; NN stands for a syllable that ends in ㄴ (한, 된), as verbs do before 뒤."""
    ending_in_n = "[" + "".join(map(chr, range(ord("간"), ord("힣"), 28))) + "]"
    lists = {is_korean: LISTS[f"{'korean' if is_korean else 'english'}_{name}"] for is_korean in (True, False)}
    return {is_korean: re.compile("|".join(forms).replace("NN", ending_in_n), re.IGNORECASE) for is_korean, forms in lists.items()}


_AFTER, _BEFORE, _NEXT, _FIRST, _OCCASION = map(_patterns, ("after", "before", "next", "first", "occasions"))
