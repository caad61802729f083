"""Answers without a language model: what the documents say, word for word, or that nothing was found."""

from collections.abc import Sequence
from pathlib import Path

from knowledge.across import asked_as, foreign
from knowledge.cite import quotes
from knowledge.search import Found, Passage
from nod.language import Phrases
from workers.attempt import Attempt
from workers.files import Given

PHRASES = Phrases(Path(__file__).parent / "phrases")
NEAREST = 3


def quoted(attempt: Attempt, found: Found) -> str:
    """Return up to three quotes as Markdown, each with its number and where it stands."""
    parts: list[str] = []
    chosen = quotes(asked_as(attempt.task.text, found), found.passages)
    for quote in chosen:
        n = attempt.shelf.put([quote.passage])[0][0]
        said = "\n".join(f"> {line}" for line in quote.text.splitlines())
        parts.append(f"{said}\n>\n> — {_where(quote.passage, attempt.task.language)} [{n}]")
    return "\n\n".join([*parts, *_foreign(attempt, found, [quote.passage for quote in chosen])])


def unknown(attempt: Attempt, found: Found) -> str:
    """Return that nod looked and does not know, naming the nearest documents."""
    titles = list(dict.fromkeys(passage.title for passage in found.passages))[:NEAREST]
    if not titles:
        return PHRASES.say("unknown", attempt.task.language)
    said = PHRASES.say("unknown_nearest", attempt.task.language, documents=", ".join(titles))
    return "\n\n".join([said, *_foreign(attempt, found, [passage for passage in found.passages if passage.title in titles])])


def _foreign(attempt: Attempt, found: Found, shown: Sequence[Passage]) -> list[str]:
    sentence = foreign(attempt.task.text, found, shown, attempt.task.language)
    return [sentence] if sentence else []


def unread(attempt: Attempt, given: Given) -> list[str]:
    """Return, for each file of the question that could not be read, a sentence that says so."""
    return [PHRASES.say("file_failed", attempt.task.language, name=name) for name in given.failed]


def _where(passage: Passage, language: str) -> str:
    page = PHRASES.say("page", language, page=passage.page) if passage.page else ""
    return " · ".join(part for part in (passage.title, passage.heading, page, passage.date or "") if part)
