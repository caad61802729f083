"""What a text calls a cause, and of what: said the other way round it is wrong, though every word stands in the source."""

import re
from collections.abc import Iterator, Sequence

from knowledge.clauses import LISTS, Statement, Word, is_same

_NEARLY_ALL = 0.75
_ENOUGH = 0.6  # of words shared crosswise, out of 2: a cause that is an effect there, an effect that is a cause there
_BEFORE = {
    is_korean: re.compile("|".join(LISTS[f"{name}_because"]), re.IGNORECASE) for is_korean, name in ((True, "korean"), (False, "english"))
}
_BRINGS = {
    is_korean: re.compile("|".join(LISTS[f"{name}_brings"]), re.IGNORECASE) for is_korean, name in ((True, "korean"), (False, "english"))
}
_CAUSED_BY = re.compile("|".join(LISTS["korean_caused_by"]))
_THEN = re.compile("|".join(LISTS["korean_then"]))
_THAT_IS_WHY = re.compile(r"(?:때문|탓|덕분)(?:이다|입니다|이었|이에요|이죠|이라고)")  # of what the sentence before says

_Cause = tuple[list[Word], list[Word]]


def is_reversed(said: Statement, source: Statement) -> bool:
    """Return whether what was said calls a cause what the source calls its effect."""
    theirs = [*_causes(source), *_sequels(source)]
    return any(_is_crossed(own, theirs) or _is_another(own, theirs, source.words) for own in _causes(said))


def _is_crossed(own: _Cause, theirs: Sequence[_Cause]) -> bool:
    """Return whether a cause is an effect in the source, and the effect its cause, and nowhere there the other way round."""
    straight = max((_shared(own[0], cause) + _shared(own[1], effect) for cause, effect in theirs), default=0.0)
    shares = [(_shared(own[0], effect), _shared(own[1], cause)) for cause, effect in theirs]
    crossed = max((sum(both) for both in shares if min(both) > 0), default=0.0)
    return crossed >= max(_ENOUGH, straight + 0.5)


def _is_another(own: _Cause, theirs: Sequence[_Cause], source: Sequence[Word]) -> bool:
    """Return whether the source gives another cause of the effect, and has what was called its cause as that of nothing."""
    cause, effect = own
    given = [there for there, brought in theirs if _shared(effect, brought) >= _NEARLY_ALL]
    is_cause = any(_shared(cause, there) > 0 for there, _ in theirs)
    return bool(given) and not is_cause and _shared(cause, source) >= _NEARLY_ALL


def _shared(one: Sequence[Word], other: Sequence[Word]) -> float:
    """Return which share of some words others have."""
    return sum(any(is_same(word.stem, there.stem) for there in other) for word in one) / len(one) if one else 0.0


def _causes(text: Statement) -> Iterator[_Cause]:
    """Give what a text calls a cause, with its effect, as words; a sentence's cause may be the sentence before it."""
    before: list[Word] = []
    for clauses in text.sentences():
        words = [word for clause in clauses for word in clause.words]
        start, end = clauses[0].start, clauses[-1].start + len(clauses[-1].text)
        if text.is_korean and _THAT_IS_WHY.search(text.text, start, end) and not _CAUSED_BY.search(text.text, start, end):
            yield words, before
        else:
            found = _causes_in(text.text[start:end], words, start, is_korean=text.is_korean)
            yield from ((cause or before, effect) for cause, effect in found)
        before = words


def _sequels(text: Statement) -> Iterator[_Cause]:
    """Give what a Korean source says to come first, with what comes of it, without calling it the cause: 만료되어 거부되었다."""
    for clauses in text.sentences() if text.is_korean else ():
        words = [word for clause in clauses for word in clause.words]
        start, end = clauses[0].start, clauses[-1].start + len(clauses[-1].text)
        for found in _THEN.finditer(text.text, start, end):
            yield _between(words, start, found.end()), _between(words, found.end())


def _causes_in(sentence: str, words: list[Word], start: int, *, is_korean: bool) -> Iterator[_Cause]:
    if is_korean and (found := _CAUSED_BY.search(sentence)):
        yield _between(words, start + found.end()), _between(words, 0, start + found.start())
        return
    for found in _BEFORE[is_korean].finditer(sentence):
        first, then = _between(words, 0, start + found.start()), _between(words, start + found.end())
        if is_korean or first:
            yield (first, then) if is_korean else (then, first)
        elif (comma := sentence.find(", ", found.end())) > 0:  # because A, B
            yield _between(words, start + found.end(), start + comma), _between(words, start + comma)
    for found in _BRINGS[is_korean].finditer(sentence):
        first, then = _between(words, 0, start + found.start()), _between(words, start + found.end())
        yield _subject_and_rest(first) if is_korean else (first, then)


def _subject_and_rest(words: list[Word]) -> _Cause:
    """Return the words up to the first that does something, and those after it: A가 B를 초래하다."""
    end = next((n for n, word in enumerate(words) if word.role == "who"), 0) + 1
    return words[:end], words[end:]


def _between(words: list[Word], start: int, end: int | None = None) -> list[Word]:
    return [word for word in words if start <= word.start and (end is None or word.start < end)]
