"""Takes personal data and secrets out of what leaves: at export, never when storing, so that a better rule helps old rows too.

Placeholders are the same for the same thing within one row: `[USER_1]` said twice is one person. After writing, `leaks` looks once
more, with the same rules: an export with a finding fails rather than warns.
"""

import re
from dataclasses import dataclass, field

# Sources of the rules: Slack and Discord mention syntax (their documentation); Korean resident numbers YYMMDD-GNNNNNN with G 1–8;
# cards by the Luhn check; Korean phones 01X and area codes 02–06X; tokens by their documented prefixes.
_CREDENTIAL_SHAPES = (
    r"xox[abeoprs]-[\w-]{6,}|xapp-[\w-]{6,}|\bsk-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}"
)
_LINK = r"https?://(?:[\w-]+\.slack\.com/(?:archives|team)/[\w/?=&.%-]+|(?:ptb\.|canary\.)?discord(?:app)?\.com/(?:channels|users)/[\w/?=&.%-]+)"
_CHANNEL = r"<#[A-Z0-9]+(?:\|[^>]*)?>|\b[CGD](?=[A-Z]*\d)[A-Z0-9]{8,12}\b"
_USER = r"<@[!&]?[A-Z0-9]+(?:\|[^>]*)?>|<!subteam\^\w+(?:\|[^>]*)?>|\b[UW](?=[A-Z]*\d)[A-Z0-9]{8,12}\b|\b\d{17,20}\b"
_ID_NUMBER = r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\s?-\s?[1-8]\d{6}(?!\d)"
_CARD = r"(?<![\d-])(?:\d[ -]?){12,18}\d(?![\d-])"
_PHONE = (
    r"(?<![\d.-])(?:\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,4}\d{2,4}"
    r"|0(?:1[016789]|2|[3-6]\d|70)[ .-]?\d{3,4}[ .-]?\d{4})(?![\d-])"
)
_RULES = tuple(
    (kind, re.compile(rule, re.ASCII))  # a Korean particle right behind an id is no part of it
    for kind, rule in (
        ("SECRET", _CREDENTIAL_SHAPES),
        ("LINK", _LINK),
        ("EMAIL", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
        ("CHANNEL", _CHANNEL),
        ("USER", _USER),
        ("ID_NUMBER", _ID_NUMBER),
        ("CARD", _CARD),
        ("PHONE", _PHONE),
    )
)


@dataclass(slots=True)
class Redactor:
    """Redacts the texts of one row; the same thing gets the same placeholder in all of them."""

    _names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def redact(self, text: str) -> str:
        """Return the text with personal data and secrets replaced by `[KIND_n]`."""
        for kind, rule in _RULES:
            text = rule.sub(lambda found, kind=kind: self._placeholder(kind, found[0]), text)
        return text

    def _placeholder(self, kind: str, found: str) -> str:
        if kind == "CARD" and not _is_card(found):
            return found
        number = sum(1 for known, _ in self._names if known == kind) + 1
        return self._names.setdefault((kind, found), f"[{kind}_{number}]")


def leaks(text: str) -> list[str]:
    """Return the kinds of personal data or secrets still in a text; empty is what an export needs."""
    return [kind for kind, rule in _RULES if any(kind != "CARD" or _is_card(found[0]) for found in rule.finditer(text))]


def _is_card(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and sum(doubled) % 10 == 0
