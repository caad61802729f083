"""A question asked in two languages: one list of what two searches found, and what to say when only one could be made."""

from collections.abc import Iterable, Sequence

from knowledge.phrases import PHRASES
from knowledge.search import OTHER_LANGUAGE, Found, Passage
from nod.language import Language, language_of, other_language

IN_A_ROW = 3  # passages of one language, after which the other has its turn


def both(found: Found, also: Found, asked: str) -> Found:
    """Return what a question found and what it found as it was `asked` in the other language, as one, best first.

    Scores of two questions are no common measure, but how likely the best passage answers is one: a passage stands as high as that is
    for its search, times its share of the best one's score. What only the other language finds counts less, as in any search. However
    they stand, of each four passages one is in the other language while there are any: a wrong translation hides nothing, a right one
    is seen.
    """
    heights: dict[int, tuple[float, Passage]] = {}
    for weight, each in ((1.0, found), (OTHER_LANGUAGE, also)):
        for passage in each.passages:
            height = weight * each.confidence * passage.score / each.passages[0].score
            if height > heights.get(passage.passage_id, (-1.0, passage))[0]:
                heights[passage.passage_id] = (height, passage)
    ranked = [passage for _, passage in sorted(heights.values(), key=lambda one: -one[0])]
    return Found(
        passages=tuple(_taking_turns(ranked))[: max(len(found.passages), len(also.passages))],
        confidence=max(found.confidence, also.confidence),
        is_known=found.is_known or also.is_known,
        also_asked=asked,
        missing=found.missing or also.missing,
    )


def _taking_turns(ranked: Iterable[Passage]) -> list[Passage]:
    """Return passages in their order, without more than three of one language in a row while there are any of the other."""
    waiting, taken = list(ranked), list[Passage]()
    while waiting:
        last = {passage.is_korean for passage in taken[-IN_A_ROW:]}
        is_turn = len(taken) >= IN_A_ROW and len(last) == 1
        next_one = next((n for n, passage in enumerate(waiting) if not (is_turn and passage.is_korean in last)), 0)
        taken.append(waiting.pop(next_one))
    return taken


def asked_as(question: str, found: Found) -> str:
    """Return a question in the language of the best passage, as it was asked in it."""
    is_korean = language_of(question) == "ko"
    return found.also_asked if found.also_asked and found.passages[0].is_korean != is_korean else question


def asked_too(found: Found, language: Language) -> str:
    """Return a sentence that names what else was searched for; "" when nothing was."""
    return PHRASES.say("search.asked_too", language, asked=found.also_asked) if found.also_asked else ""


def foreign(question: str, found: Found, shown: Sequence[Passage], language: str) -> str:
    """Return a sentence for what is shown: when all of it is in the other language and only the question's own words found it; else ""."""
    other = other_language(question)
    is_reached = any(passage.is_korean != (other == "ko") or passage.parts.get("vectors") for passage in shown)
    if found.also_asked or not shown or is_reached:
        return ""
    return PHRASES.say(f"search.only_{other}", language)
