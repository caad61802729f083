"""Numbers as they are written, in digits and in Korean and English words: how each is found, and what it comes to."""

import re
import tomllib
from pathlib import Path

LISTS = tomllib.loads(Path(__file__).with_name("quantities.toml").read_text("utf-8"))
_WORDS: dict[str, list[str]] = {name: words.split() for name, words in LISTS["numerals"].items()}
_SINO_DIGITS = ["", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"]
_SCALES = {"십": 1e1, "백": 1e2, "천": 1e3, "만": 1e4, "십만": 1e5, "백만": 1e6, "천만": 1e7, "억": 1e8, "십억": 1e9, "백억": 1e10,
           "천억": 1e11, "조": 1e12, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9}  # fmt: skip
_KOREAN_SCALE = r"(?:천억|백억|십억|천만|백만|십만|조|억|만|천|백|십)"
_NATIVE = {"하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "석": 3, "넷": 4, "네": 4, "넉": 4,
           "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9}  # fmt: skip
_NATIVE_TENS = {word: 10 * n for n, word in enumerate(_WORDS["tens"], 1)} | {"스무": 20}
_DAYS = {word: n for n, word in enumerate(_WORDS["days"], 1)} | {"보름": 15}
_DAYS_BEFORE = {"초": 0, "열": 10, "스무": 20}
_ENGLISH = {word: n for n, word in enumerate(_WORDS["english"])} | {word: 10 * n for n, word in enumerate(_WORDS["english_tens"], 2)}

# Patterns. Longer words come first, so that the whole of one is taken.
_DIGITS = r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|(?<![\d.,])(?<![A-Za-z]-)(?<![A-Za-z_])\d+(?:\.\d+)?(?![\d]|[.,]\d)"
_SCALE = rf"(?:\s?{_KOREAN_SCALE}(?![가-힣]*(?:큼|족|약|일하))|\s?(?:thousand|million|billion|bn)\b|[kKM]\b)"
_MORE = rf"(?:\s?\d[\d,]*\s?{_KOREAN_SCALE}|(?<=[만억천])\s?\d[\d,]{{0,4}}(?=\s?(?:원|명|개|달러|건|대)))*"
DIGITS = rf"(?:{_DIGITS})(?:{_SCALE}{_MORE})?"
SINO = "[일이삼사오육칠팔구십백천만억조]+"
NATIVE = rf"(?:(?:{'|'.join(_NATIVE_TENS)})(?:{'|'.join(_NATIVE)})?|(?:{'|'.join(_NATIVE)}))"
DAYS = "|".join(sorted(_DAYS, key=len, reverse=True))
ENGLISH_WORD = "|".join(sorted(_ENGLISH, key=len, reverse=True))
_ENGLISH_TENS = rf"(?:{ENGLISH_WORD})(?:[-\s](?:{ENGLISH_WORD}))?"
ENGLISH = rf"{_ENGLISH_TENS}(?:\s(?:hundred|thousand|million|billion)(?:\s(?:and\s)?{_ENGLISH_TENS})?)*"


def value(text: str) -> float:
    """Return what a number comes to, in whichever form it is written: 1억 2천만, 2.5 million, 삼십오, 열두, twenty-five."""
    if re.search(r"\d", text):
        return _of_digits(text)
    if re.fullmatch(SINO, text):
        return _of_sino(text)
    return _of_native(text) if "가" <= text[0] <= "힣" else _of_english(text.lower())


def days(text: str) -> float:
    """Return how many days a Korean word for them says (사흘: 3), or which day of a month (초하루: 1, 스무이틀: 22, 스무날: 20)."""
    before = next((word for word in _DAYS_BEFORE if text.startswith(word) and text not in _DAYS), "")
    return _DAYS_BEFORE.get(before, 0) + _DAYS.get(text.removeprefix(before), 0)


def _of_digits(text: str) -> float:
    whole = 0.0
    for digits, scale in re.findall(rf"([\d,]*\.?\d+)\s?({_KOREAN_SCALE}|thousand|million|billion|bn|[kKM])?", text):
        whole += float(digits.replace(",", "")) * _SCALES.get(scale.lower() if scale.isascii() else scale, 1.0)
    return whole


def _of_sino(text: str) -> float:
    whole = part = digit = 0.0
    for sign in text:
        if sign in _SINO_DIGITS:
            digit = float(_SINO_DIGITS.index(sign))
        elif (scale := _SCALES[sign]) < 1e4:
            part, digit = part + (digit or 1) * scale, 0.0
        else:
            whole, part, digit = whole + ((part + digit) or 1) * scale, 0.0, 0.0
    return whole + part + digit


def _of_native(text: str) -> float:
    ten = next((word for word in _NATIVE_TENS if text.startswith(word)), "")
    return _NATIVE_TENS.get(ten, 0) + _NATIVE.get(text[len(ten) :], 0)


def _of_english(text: str) -> float:
    whole = part = 0.0
    for word in re.split(r"[-\s]+", text):
        if word == "hundred":
            part *= 100
        elif word in _SCALES:
            whole, part = whole + part * _SCALES[word], 0.0
        else:
            part += _ENGLISH.get(word, 0)
    return whole + part
