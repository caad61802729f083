"""nod's own documentation: the scopes in which it stands, and which questions it is for."""

import re

HANDBOOK = {"en": "handbook:en", "ko": "handbook:ko"}  # its scopes, each the whole of it in its language
HANDBOOKS = tuple(HANDBOOK.values())

_ABOUT_NOD = re.compile(
    r"(?<![\w@/-])nod(?![a-z0-9-])|(?<![\w/])/(?:nod|ask|teach|remember|forget|summarize|translate|privacy)(?![\w/])"
    r"|(?<![A-Za-z0-9_])(?:NOD|SLACK|DISCORD)_[A-Z_]+|`make (?:up|test|bench|check)`",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(r"^\s*(?:<@\w+>|@nod)\b[\s,:]*", re.IGNORECASE)


def is_about_nod(question: str) -> bool:
    """Return whether a question names nod, one of its commands or settings (being addressed as @nod is not being asked about)."""
    return _ABOUT_NOD.search(_ADDRESSED.sub("", question)) is not None
