"""Which revision of the tables this version wants, read without loading Alembic: every start asks."""

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "migrations" / "versions"


@cache
def head() -> str:
    """Return the newest revision."""
    texts = [path.read_text("utf-8") for path in _FOLDER.glob("[0-9]*.py")]
    made_after = {found[1] for text in texts if (found := re.search(r'^down_revision = "(\w+)"', text, re.MULTILINE))}
    return next(
        found[1] for text in texts if (found := re.search(r'^revision = "(\w+)"', text, re.MULTILINE)) and found[1] not in made_after
    )


def count() -> int:
    """Return how many migrations there are."""
    return len(list(_FOLDER.glob("[0-9]*.py")))
