"""What of a question tells nothing about what is asked: the words and endings of asking, in Korean and English.

The lists are in stop_words.toml. Only the English stop words hold for passages too; all else is left out of questions alone.
"""

import re
import tomllib
from functools import lru_cache
from pathlib import Path

_LISTS = tomllib.loads(Path(__file__).with_name("stop_words.toml").read_text("utf-8"))
_ENGLISH_ASKING = frozenset(_LISTS["english_asking"].split())


def _any_of(name: str) -> str:
    return f"(?:{'|'.join(sorted(_LISTS[name].split(), key=len, reverse=True))})"


_PARTICLE = f"{_any_of('korean_particles')}(?:는|도|만)?"
_ENDING = f"{_any_of('korean_endings')}{{1,2}}"
# Nouns that look like verbs: cancellation, dismissal, defect, kind, mask, shop, report, cycle.
_NO_VERB = f"(?!(?:해지|해고|하자|가지|가면|가게|보고|보도|주기)(?:{_PARTICLE})?$)"
_OPEN = "".join(map(chr, range(ord("가"), ord("힣") + 1, 28)))  # syllables without a consonant at their end
_VERB_ENDING = f"(?:(?<![{_OPEN}])|(?![은을습]|으[니려면])){_ENDING}"  # these follow a consonant alone: 있을, 좋은; 가을 is autumn
_ASKING = re.compile(
    f"{_any_of('korean_asking')}|{_any_of('korean_asking_nouns')}(?:{_PARTICLE})?"
    f"|{_NO_VERB}(?:{_any_of('korean_light_verbs')}(?:{_VERB_ENDING})?|{_any_of('korean_helping_verbs')}{_VERB_ENDING})"
)
# What makes a verb of a noun (연결 + 하 + 려면) is an ending too. At least two characters are left: the word's head.
_VERB = "(?:하|해|했|할|한|되|돼|됐|될|된)"
_TAIL = re.compile(f"(?<=..)(?:{_PARTICLE}|{_VERB}?{_ENDING}|{_VERB})$")
_WHOLE_PARTICLE = re.compile(_PARTICLE)

_FAULT = re.compile(
    "(?:안|못)?[돼되됩].*|(?:고장|작동|먹통).*|not|work(?:s|ed|ing)?|(?:do|does|is|did|wo)n|br(?:eak|oke)n?|fail(?:s|ed|ing)?"
)

STOP_WORDS = frozenset(_LISTS["english"].split())


@lru_cache(maxsize=20_000)
def is_asking(word: str) -> bool:
    """Return whether a word shapes a question without saying what it is about: 어떻게, 하려면, 있나요, please, want."""
    return word in _ENGLISH_ASKING or _ASKING.fullmatch(word) is not None


def is_fault(word: str) -> bool:
    """Return whether a word says no more than that something does not work: 고장났어요, broken."""
    return _FAULT.fullmatch(word) is not None


@lru_cache(maxsize=20_000)
def stem_length(word: str) -> int:
    """Return how many characters of a Korean word stand before its particle or ending, at least two."""
    tail = _TAIL.search(word)
    return tail.start() if tail else len(word)


def is_particle(text: str) -> bool:
    """Return whether a text is a Korean particle: 에서, 으로, 는."""
    return _WHOLE_PARTICLE.fullmatch(text) is not None
