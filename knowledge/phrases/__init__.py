"""What `nod ingest` and `nod search` say, and why a document cannot be read, in Korean and English."""

from pathlib import Path

from knowledge.loaded import visible
from nod.language import Phrases

PHRASES = Phrases(Path(__file__).parent)


def why_not(name: str, kind: str, language: str, sentence: str = "") -> str:
    """Return why a document cannot be read. In English the reader's own sentence says it best; in Korean the phrase of its kind."""
    name = visible(name)
    if sentence and language != "ko":
        return sentence
    return PHRASES.say(f"load.{kind}" if PHRASES.has(f"load.{kind}") else "load.unreadable", language, name=name)
