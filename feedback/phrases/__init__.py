"""What `nod feedback` says in a terminal, in Korean and English."""

from pathlib import Path

from nod.language import Phrases, terminal_language

_PHRASES = Phrases(Path(__file__).parent)


def say(key: str, **values: object) -> str:
    """Return a phrase in the terminal's language."""
    return _PHRASES.say(key, terminal_language(), **values)
