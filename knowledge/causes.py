"""What a text calls a cause, and of what, and what it says to come first: the other way round it is wrong, though every word is there."""

import re
from collections.abc import Iterator, Sequence

from knowledge.clauses import LISTS, Clause, Statement
from knowledge.steps import Order, Part, part_of, steps, without_topic

_NEARLY_ALL = 0.75
_ENOUGH = 0.6  # of words shared crosswise, out of 2: a cause that is an effect there, an effect that is a cause there
_ENOUGH_OF_STEPS = 1.1  # the same of two steps, of which each may be said more than once
_SOME = 0.3  # of each of the two
_BECAUSE = {
    is_korean: re.compile("|".join(LISTS[f"{name}_because"]), re.IGNORECASE) for is_korean, name in ((True, "korean"), (False, "english"))
}
_BRINGS = {
    is_korean: re.compile("|".join(LISTS[f"{name}_brings"]), re.IGNORECASE) for is_korean, name in ((True, "korean"), (False, "english"))
}
_CAUSED_BY = re.compile("|".join(LISTS["korean_caused_by"]))
_THEN = re.compile("|".join(LISTS["korean_then"]))
_THAT_IS_WHY = re.compile(r"(?:때문|탓|덕분)(?:이다|입니다|이었|이에요|이죠|이라고|이며|이고|인데)")  # of what the sentence before says


def is_reversed(said: Statement, source: Statement) -> bool:
    """Return whether what was said calls a cause what the source calls its effect, or says to come first what there comes then."""
    causes = [*_causes(source), *_sequels(source)]
    orders = [*causes, *steps(source)]
    everything = part_of(source.clauses)
    for own in _causes(said):
        if _crossed(own, causes) >= max(_ENOUGH, _straight(own, orders) + 0.5) or _is_another(own, causes, orders, everything):
            return True
    joined = (*_causes(said), *_sequels(said), *steps(said))
    return any(_crossed(own, orders, _SOME) >= max(_ENOUGH_OF_STEPS, _straight(own, orders) + 0.5) for own in joined)


def _straight(own: Order, theirs: Sequence[Order]) -> float:
    """Return how much of a cause and its effect, out of 2, the source has in this order."""
    return max((own[0].share_in(first) + own[1].share_in(then) for first, then in theirs), default=0.0)


def _crossed(own: Order, theirs: Sequence[Order], least: float = 0.01) -> float:
    """Return how much of a cause is an effect in the source and of the effect its cause, out of 2."""
    shares = ((own[0].share_in(then), own[1].share_in(first)) for first, then in theirs)
    return max((sum(both) for both in shares if min(both) >= least), default=0.0)


def _is_another(own: Order, causes: Sequence[Order], orders: Sequence[Order], source: Part) -> bool:
    """Return whether the source gives another cause of the effect, and has what was called its cause as that of nothing."""
    cause, effect = own
    given = [there for there, brought in causes if effect.share_in(brought) >= _NEARLY_ALL]
    is_cause = any(cause.share_in(there) > 0 and effect.share_in(brought) > 0 for there, brought in orders)
    return bool(given) and not is_cause and cause.share_in(source) >= _NEARLY_ALL


def _causes(text: Statement) -> Iterator[Order]:
    """Give what a text calls a cause, with its effect; a sentence's cause may be the sentence before it."""
    before = Part()
    for clauses in text.sentences():
        start, end = clauses[0].start, clauses[-1].start + len(clauses[-1].text)
        is_why = _THAT_IS_WHY.search(text.text, start, end) if text.is_korean else None
        if is_why and not _CAUSED_BY.search(text.text, start, end):
            yield part_of(clauses, 0, is_why.start()), before
        else:
            found = _causes_in(text.text[start:end], clauses, start, is_korean=text.is_korean)
            yield from ((cause or before, effect) for cause, effect in found)
        before = part_of(clauses)


def _sequels(text: Statement) -> Iterator[Order]:
    """Give what a Korean text says to come first, with what comes of it, without calling it the cause: 만료되어 거부되었다."""
    for clauses in text.sentences() if text.is_korean else ():
        start, end = clauses[0].start, clauses[-1].start + len(clauses[-1].text)
        for found in _THEN.finditer(text.text, start, end):
            yield part_of(clauses, 0, found.end()), part_of(clauses, found.end())


def _causes_in(sentence: str, clauses: Sequence[Clause], start: int, *, is_korean: bool) -> Iterator[Order]:
    if is_korean and (found := _CAUSED_BY.search(sentence)):
        yield part_of(clauses, start + found.end()), part_of(clauses, 0, start + found.start())
        return
    for found in _BECAUSE[is_korean].finditer(sentence):
        first, then = part_of(clauses, 0, start + found.start()), part_of(clauses, start + found.end())
        if is_korean or first:
            yield without_topic(first, then) if is_korean else (then, first)
        elif (comma := sentence.find(", ", found.end())) > 0:  # because A, B
            yield part_of(clauses, start + found.end(), start + comma), part_of(clauses, start + comma)
    for found in _BRINGS[is_korean].finditer(sentence):
        first, then = part_of(clauses, 0, start + found.start()), part_of(clauses, start + found.end())
        yield _subject_and_rest(first) if is_korean else (first, then)


def _subject_and_rest(part: Part) -> Order:
    """Return the words up to the first that does something, and those after it: A가 B를 초래하다."""
    end = next((n for n, word in enumerate(part.words) if word.role == "who"), 0) + 1
    return Part(part.words[:end]), Part(part.words[end:])
