"""Answers without a language model: what the documents say, word for word, or that nothing was found."""

from pathlib import Path

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
    for quote in quotes(attempt.task.text, found.passages):
        n = attempt.shelf.put([quote.passage])[0][0]
        said = "\n".join(f"> {line}" for line in quote.text.splitlines())
        parts.append(f"{said}\n>\n> — {_where(quote.passage, attempt.task.language)} [{n}]")
    return "\n\n".join(parts)


def unknown(attempt: Attempt, found: Found) -> str:
    """Return that nod looked and does not know, naming the nearest documents."""
    titles = list(dict.fromkeys(passage.title for passage in found.passages))[:NEAREST]
    if not titles:
        return PHRASES.say("unknown", attempt.task.language)
    return PHRASES.say("unknown_nearest", attempt.task.language, documents=", ".join(titles))


def unread(attempt: Attempt, given: Given) -> list[str]:
    """Return, for each file of the question that could not be read, a sentence that says so."""
    return [PHRASES.say("file_failed", attempt.task.language, name=name) for name in given.failed]


def _where(passage: Passage, language: str) -> str:
    page = PHRASES.say("page", language, page=passage.page) if passage.page else ""
    return " · ".join(part for part in (passage.title, passage.heading, page, passage.date or "") if part)
