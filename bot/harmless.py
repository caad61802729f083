"""Takes the effect out of a model's words: nothing it writes becomes a link or a picture that carries data out.

Only an address which the asker wrote stays alive; sources stand below the answer as links of nod's own. A zero-width space breaks
what is broken, so people read the same. Where the break stands depends on nothing that comes later, so a growing text never has
to take anything back; only a text whose question holds addresses has an end that is not decided yet, which is held back.
"""

import re

BREAK = "\u200b"

_URL = re.compile(r"https?://[^\s<>|\"'`)\]]+", re.IGNORECASE)
_LINK = re.compile(r"(?<=\])(?=\()|(?<=:/)(?=/)|(?<=www)(?=\.)", re.IGNORECASE)
_DEFINITION = re.compile(r"^( {0,3}\[[^\]\n]+\])(?=:)", re.MULTILINE)
_UNDECIDED = re.compile(r"(?:(?<=\])\(|(?:(?<=http:/)|(?<=https:/))/)\S*\Z", re.IGNORECASE)
_CLOSED = re.compile(r"[)\]>|\"'`*_.,:;!?…。]*(?:\s|\Z)")  # a platform would take anything else for the rest of the address
_PUNCTUATION = ".,;:!?…。"


def dead_links(text: str, asked: str, *, is_final: bool = True) -> str:
    """Return a model's text in which only addresses that stand in the question `asked` are links.

    Unless the text is final, an end which might still become such an address is left out.
    """
    alive = {found.rstrip(_PUNCTUATION) for found in _URL.findall(asked)}
    if alive and not is_final:
        text = _UNDECIDED.sub("", text)
    spans = [found.span() for found in _URL.finditer(text) if found[0].rstrip(_PUNCTUATION) in alive and _is_whole(text, *found.span())]
    kept = {at for start, end in spans for at in range(start - (text[start - 1 : start] == "("), end)}
    broken = _LINK.sub(lambda found: "" if found.start() in kept else BREAK, text)
    return _DEFINITION.sub(rf"\1{BREAK}", broken)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Return whether an address ends where ours does: at the bracket that Markdown opened for it, else before a space."""
    is_bracketed = text[max(start - 2, 0) : start] == "](" and text[end : end + 1] == ")"
    return is_bracketed or _CLOSED.match(text, end) is not None
