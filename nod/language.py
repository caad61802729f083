"""Korean and English: which one a text is, and the phrases of either. Owns no phrase itself."""

import os
import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import Literal

from nod.program import make_up, typed

Language = Literal["ko", "en"]

_TYPED = {"nod": typed, "make_up": make_up}

_HANGUL = re.compile(r"[ᄀ-ᇿ㄰-㆏가-힣]")
_LATIN = re.compile(r"[A-Za-z]")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL stores no NUL; UTF-8 has no lone surrogates (PROMISES.md, M17)


def clean(text: str) -> str:
    """Return text that every store can hold: NFC, no NUL, no lone surrogates."""
    return unicodedata.normalize("NFC", _FORBIDDEN.sub("", text))


def language_of(text: str, default: Language = "en") -> Language:
    """Return the language of a text: Korean as soon as Hangul is a fifth of its letters (product names are Latin)."""
    hangul, latin = len(_HANGUL.findall(text)), len(_LATIN.findall(text))
    if not hangul and not latin:
        return default
    return "ko" if hangul * 4 >= latin else "en"


def other_language(text: str) -> Language:
    """Return the language which a text is not in."""
    return "en" if language_of(text) == "ko" else "ko"


def language_from(*wishes: str | None) -> Language:
    """Return the first wish that names a language we speak (`ko-KR`, `ko_KR.UTF-8`, `en`), else English."""
    for wish in wishes:
        if wish and (code := wish[:2].lower()) in ("ko", "en"):
            return "ko" if code == "ko" else "en"
    return "en"


def terminal_language() -> Language:
    """Return the language for a terminal: NOD_LANGUAGE, else LC_ALL, LC_MESSAGES, LANG."""
    return language_from(*(os.environ.get(name) for name in ("NOD_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")))


class Phrases:
    """The phrases of one room: a folder with `en.toml` and `ko.toml`, same keys, same placeholders."""

    def __init__(self, folder: Path) -> None:
        self._tables = {language: _table(folder / f"{language}.toml") for language in ("en", "ko")}

    def say(self, key: str, language: str, **values: object) -> str:
        """Return the phrase `key` (dotted) in a language, filled in; `{nod}` and `{make_up}` are as they are typed here.

        Raises KeyError for a phrase that is not there.
        """
        phrase = self.raw(key, "ko" if language == "ko" else "en")
        return phrase.format(**{name: word() for name, word in _TYPED.items() if f"{{{name}}}" in phrase} | values)

    def raw(self, key: str, language: Language) -> str:
        """Return a phrase with its placeholders."""
        return self._tables[language][key]

    def has(self, key: str) -> bool:
        """Return whether there is such a phrase."""
        return key in self._tables["en"]

    def keys(self, language: Language) -> set[str]:
        """Return all keys of a language."""
        return set(self._tables[language])


@cache
def _table(path: Path) -> dict[str, str]:
    return dict(_flat(tomllib.loads(path.read_text("utf-8"))))


def _flat(table: dict[str, object], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")  # pyright: ignore[reportUnknownArgumentType]  # tomllib tables are dict[str, object]
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows
