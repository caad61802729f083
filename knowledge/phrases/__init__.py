"""What `nod ingest` and `nod search` say, and why a document cannot be read, in Korean and English."""

from pathlib import Path

from knowledge.loaded import visible
from nod.language import Phrases

PHRASES = Phrases(Path(__file__).parent)


def span(seconds: float, language: str) -> str:
    """Return how long something is, in the largest unit of which there are two; less than nothing is nothing."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return PHRASES.say(f"sources.{unit}", language, n=int(seconds) // size)
    return PHRASES.say("sources.seconds", language, n=max(int(seconds), 0))


def why_not(name: str, kind: str, language: str, sentence: str = "") -> str:
    """Return why a document cannot be read. In English the reader's own sentence says it best; in Korean the phrase of its kind."""
    name = visible(name)
    if sentence and language != "ko":
        return sentence
    return PHRASES.say(f"load.{kind}" if PHRASES.has(f"load.{kind}") else "load.unreadable", language, name=name)
