"""Answers without a language model: what the documents say, word for word, or that nothing was found."""

import re
from collections.abc import Sequence
from pathlib import Path

from knowledge.about_nod import HANDBOOKS, is_about_nod
from knowledge.across import asked_as, foreign
from knowledge.cite import quotes
from knowledge.quantities import plain, quantities
from knowledge.search import Found, Passage
from nod.language import Phrases
from workers.attempt import Attempt
from workers.files import Given

PHRASES = Phrases(Path(__file__).parent / "phrases")
NEAREST = 3
_WHEN = re.compile(r"\bwhen (?:is|are|was|were|will|does|do|did|can)\b|\buntil when\b|\bwhat time\b|언제|몇\s?시(?!간)", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"\bhow (?:many|much|long|often)\b|얼마(?!나\s?(?:잘|좋|어려))|며칠|몇\s?(?:번|명|개|일|주|달|년|시간|분|건|회|살|원)", re.IGNORECASE
)
_WHERE = "> — "  # begins the line that says where a quote stands, with a date of its own
_TIMES = frozenset(("minute", "day", "workday", "month", "quarter", "halfyear"))


def quoted(attempt: Attempt, found: Found) -> str:
    """Return up to three quotes as Markdown, each with its number and where it stands."""
    parts: list[str] = []
    chosen = quotes(asked_as(attempt.task.text, found), found.passages)
    for quote in chosen:
        n = attempt.shelf.put([quote.passage])[0][0]
        said = "\n".join(f"> {line}" for line in quote.text.splitlines())
        parts.append(f"{said}\n>\n{_WHERE}{_where(quote.passage, attempt.task.language)} [{n}]")
    return "\n\n".join([*parts, *_foreign(attempt, found, [quote.passage for quote in chosen])])


def is_asked_in_vain(question: str, quoted: str) -> bool:
    """Return whether a question asks when or how many, and what is quoted names no date and no number: near, but no answer."""
    words = (line for line in quoted.splitlines() if not line.startswith(_WHERE))
    found = quantities(plain("\n".join(words)))
    if _WHEN.search(question):
        return not any(one.is_date or one.kind in _TIMES for one in found)
    return _HOW_MANY.search(question) is not None and not found


async def unknown(attempt: Attempt, found: Found) -> str:
    """Return that nod looked and does not know, naming the nearest documents, and where its own handbook may be meant."""
    titles = list(dict.fromkeys(passage.title for passage in found.passages))[:NEAREST]
    nearest = [passage for passage in found.passages if passage.title in titles]
    key = "unknown_nearest" if titles else "unknown"
    said = PHRASES.say(key, attempt.task.language, documents=", ".join(titles))
    return "\n\n".join([said, *_foreign(attempt, found, nearest), *await _in_handbook(attempt)])


async def _in_handbook(attempt: Attempt) -> list[str]:
    """Return a sentence that names a heading of the handbook, if that would answer a question which does not name nod.

    It is not quoted: of questions about other things the handbook alone would answer up to one in eight (docs/performance.md).
    """
    question, language = attempt.task.text, attempt.task.language
    own = Found() if is_about_nod(question) else await attempt.reach.find(question, HANDBOOKS)
    if not own.is_known:
        return []
    best = own.passages[0]
    return [PHRASES.say("handbook_near", language, heading=best.heading.rpartition(" › ")[2] or best.title)]


def _foreign(attempt: Attempt, found: Found, shown: Sequence[Passage]) -> list[str]:
    sentence = foreign(attempt.task.text, found, shown, attempt.task.language)
    return [sentence] if sentence else []


def nearest(attempt: Attempt, quotes: str) -> str:
    """Return quotes that are near the question, said to be no answer."""
    return f"{PHRASES.say('nearest', attempt.task.language)}\n\n{quotes}"


def unread(attempt: Attempt, given: Given) -> list[str]:
    """Return, for each file of the question that could not be read, a sentence that says so."""
    return [PHRASES.say("file_failed", attempt.task.language, name=name) for name in given.failed]


def _where(passage: Passage, language: str) -> str:
    page = PHRASES.say("page", language, page=passage.page) if passage.page else ""
    return " · ".join(part for part in (passage.title, passage.heading, page, passage.date or "") if part)
