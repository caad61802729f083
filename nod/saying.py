"""What nod's commands say in a terminal, in its language: NOD_LANGUAGE, else LC_ALL, LC_MESSAGES, LANG. Standard library only."""

from pathlib import Path

from nod.language import Phrases, terminal_language

PHRASES = Phrases(Path(__file__).parent / "phrases")


def say(key: str, **values: object) -> str:
    """Return a phrase of nod/phrases in the terminal's language."""
    return PHRASES.say(key, terminal_language(), **values)


def say_count(key: str, count: int, **values: object) -> str:
    """Return a phrase about a number of things; English has another one for a single thing (`<key>_one`)."""
    return say(f"{key}_one" if count == 1 else key, count=count, **values)
