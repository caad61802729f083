"""How numbers, dates and times are written in Korean and English: patterns, the longest forms first, and what each comes to."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

_LISTS = tomllib.loads(Path(__file__).with_name("quantities.toml").read_text("utf-8"))
_UNITS = {
    word: (kind, float(factor)) for kind, sizes in _LISTS["units"].items() for factor, words in sizes.items() for word in words.split()
}
_NUMERALS: dict[str, list[str]] = {name: words.split() for name, words in _LISTS["numerals"].items()}
_Read = tuple[str, tuple[float, ...]] | None
_NUM = r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|(?<![\d.,])(?<![A-Za-z]-)(?<![A-Za-z_])\d+(?:\.\d+)?(?![\d]|[.,]\d)"
_SCALES = {"십": 1e1, "백": 1e2, "천": 1e3, "만": 1e4, "십만": 1e5, "백만": 1e6, "천만": 1e7, "억": 1e8, "십억": 1e9, "백억": 1e10,
           "천억": 1e11, "조": 1e12, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9}  # fmt: skip
_KOREAN_SCALE = r"(?:천억|백억|십억|천만|백만|십만|조|억|만|천|백|십)"
_AFTER = (  # what may follow a unit that stands apart from its number, or after a number in words: else it begins another word
    r"(?![가-힣])|(?=(?:이|가|은|는|을|를|의|에|도|만|로|으로|와|과|까지|부터|마다|씩|당|간|동안|이내|이상|이하|미만|초과|전|후|뒤|쯤|정도"
    r"|입|예|였|인|짜리|안|내|째|치|가량|넘|보다|뿐|밖|기준|단위|중|연속|이나|이며|이고|한정)(?![일반]))"
)
_KOREAN_UNITS = "|".join(sorted((re.escape(word) for word in _UNITS if re.search("[가-힣]", word)), key=len, reverse=True))
_LATIN_UNITS = "|".join(sorted((re.escape(word) for word in _UNITS if re.fullmatch(r"[a-z/²0-9]+", word)), key=len, reverse=True))
_ADJECTIVE = r"(?:(?:extra|more|full|whole|additional|further|calendar|consecutive)\s)?"
_AND_A_HALF = r"(?P<half>\s?반)(?=$|[\s,.)]|무렵|이|으로|에|의|만|가량|쯤|정도)"
_UNIT = (
    rf"(?:\s?(?P<sign>%p|%|℃|℉|°[CcFf]|㎡)|-?(?P<ko>{_KOREAN_UNITS})(?:{_AND_A_HALF})?|\s(?P<ko_apart>{_KOREAN_UNITS})(?:{_AFTER})"
    r"|[\s-]?(?P<work>business|working|work)[\s-](?:day|days)\b|\s(?P<points>percentage points?)\b"
    rf"|[\s-]?{_ADJECTIVE}(?P<en>(?i:{_LATIN_UNITS}))(?![A-Za-z])(?P<old>\s+old)?|(?P<th>st|nd|rd|th)\b)"
)
_ENGLISH_NUMBER = {word: float(n) for n, word in enumerate(_NUMERALS["english"])} | {
    word: 10.0 * n for n, word in enumerate(_NUMERALS["english_tens"], 2)
}
_ENGLISH_WORD = "|".join(sorted(_ENGLISH_NUMBER, key=len, reverse=True))
_ENGLISH_TENS = rf"(?:{_ENGLISH_WORD})(?:[-\s](?:{_ENGLISH_WORD}))?"
_ENGLISH_WORDS = rf"{_ENGLISH_TENS}(?:\s(?:hundred|thousand|million|billion)(?:\s(?:and\s)?{_ENGLISH_TENS})?)*"
_SMALL = ["", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"]
_NATIVE = {"하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "넷": 4, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9}
_NATIVE_TENS = {word: 10 * n for n, word in enumerate(_NUMERALS["tens"], 1)} | {"스무": 20}
_NATIVE_WORD = rf"(?:(?:{'|'.join(_NATIVE_TENS)})(?:{'|'.join(_NATIVE)})?|(?:{'|'.join(_NATIVE)}))"
_DAYS = {word: float(n) for n, word in enumerate(_NUMERALS["days"], 1)} | {"보름": 15.0}
_MONTHS = {word[:3]: n for n, word in enumerate(_NUMERALS["months"], 1)}
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_LAST_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NTH = {"첫": 1, "둘": 2, "셋": 3, "넷": 4, "다섯": 5, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_WEEKDAY = "|".join(word.capitalize() for word in _NUMERALS["weekdays"])


def _whole_date(match: re.Match[str]) -> _Read:
    year, month, day = (int(match[name] or 0) for name in ("y", "m", "d"))
    return ("date", (year, month, day)) if 1 <= month <= 12 and day <= 31 else None


def _english_date(match: re.Match[str]) -> _Read:
    groups = match.groupdict()
    return "date", (int(groups.get("y") or 0), _MONTHS[match["m"][:3].lower()], int(groups.get("d") or 0))


def _end_of_month(match: re.Match[str]) -> _Read:
    month = int(match["m"]) if match["m"].isdigit() else _MONTHS[match["m"][:3].lower()]
    return ("date", (int(match["y"] or 0), month, _LAST_DAYS[month - 1])) if 1 <= month <= 12 else None


def _clock(match: re.Match[str]) -> _Read:
    """Read a time. Without morning or afternoon an hour up to 12 is left open: negative."""
    groups = match.groupdict()
    hour, minute = int(match["h"]), 30 if groups.get("half") else int(groups.get("min") or 0)
    if hour > 24 or minute > 59:
        return None
    half_day = (groups.get("ap") or "").lower()[:1]
    is_afternoon = half_day == "p" or (groups.get("ko_ap") or "") in ("오후", "저녁", "밤")
    is_morning = half_day == "a" or (groups.get("ko_ap") or "") in ("오전", "새벽", "아침")
    if is_afternoon or is_morning:
        return "clock", ((hour % 12 + 12 * is_afternoon) * 60 + minute,)
    is_open = 1 <= hour <= 12 and not match["h"].startswith("0") and not groups.get("colon")
    return "clock", ((hour % 24 * 60 + minute) * (-1 if is_open else 1),)


def _half_past(match: re.Match[str]) -> _Read:
    hour = int(match["h"]) if match["h"].isdigit() else int(_ENGLISH_NUMBER[match["h"].lower()])
    return ("clock", (-(hour * 60 + 30),)) if 1 <= hour <= 12 else None


def _weekday(match: re.Match[str]) -> _Read:
    word = match[0].lower()
    korean = _NUMERALS["korean_weekdays"]
    return "weekday", (korean.index(word[0]) if word[0] in korean else _NUMERALS["weekdays"].index(word.removesuffix("s")),)


def _counted(value: float, unit: str) -> _Read:
    kind, factor = _UNITS.get(unit, ("", 1.0))
    return kind, (value * factor, value)


def _number(match: re.Match[str]) -> _Read:
    """Read digits with their scale and unit; `values` are what it comes to and the number as it stands."""
    groups = match.groupdict()
    value = _value(match["n"])
    if groups["money"]:
        return _counted(value, groups["money"].lower())
    if groups["work"] or groups["days"]:
        return _counted(value, "workday")
    for name, kind in (("points", "point"), ("th", "ordinal"), ("old", "age")):
        if groups[name]:
            return kind, (value, value)
    unit = next((groups[name] for name in ("sign", "ko", "ko_apart", "en") if groups[name]), "").lower()
    if unit in ("년", "") and 1900 <= value < 2100 and "," not in match["n"]:
        return "date", (value, 0, 0)
    return _counted(value + 0.5 * bool(groups["half"]), unit)


def _value(text: str) -> float:
    """Return what digits with scales come to: 1억 2천만, 3만 5천, 12,000, 2.5 million."""
    whole = last = 0.0
    for digits, scale in re.findall(rf"([\d,]*\.?\d+)\s?({_KOREAN_SCALE}|thousand|million|billion|bn|[kKM])?", text):
        last = float(digits.replace(",", "")) * _SCALES.get(scale.lower() if scale.isascii() else scale, 1.0)
        whole += last
    return whole


def _english_number(match: re.Match[str]) -> _Read:
    whole = part = 0.0
    for word in re.split(r"[-\s]+", match["n"].lower()):
        if word == "hundred":
            part *= 100
        elif word in _SCALES:
            whole, part = whole + part * _SCALES[word], 0.0
        else:
            part += _ENGLISH_NUMBER.get(word, 0.0)
    unit = (match["en"] or ("workday" if match["work"] else "")).lower()
    if match["n"].lower() == "one" and not unit:
        return None
    return _counted(whole + part, unit)


def _korean_number(match: re.Match[str]) -> _Read:
    """Read a number in Sino-Korean words before a unit: 오 일, 삼십만 원."""
    whole = part = digit = 0.0
    for sign in match["n"]:
        if sign in _SMALL:
            digit = float(_SMALL.index(sign))
        elif (scale := _SCALES[sign]) < 1e4:
            part, digit = part + (digit or 1) * scale, 0.0
        else:
            whole, part, digit = whole + ((part + digit) or 1) * scale, 0.0, 0.0
    return _counted(whole + part + digit, match["ko"])


def _native_number(match: re.Match[str]) -> _Read:
    ten = next((word for word in _NATIVE_TENS if match["n"].startswith(word)), "")
    return _counted(_NATIVE_TENS.get(ten, 0) + _NATIVE.get(match["n"][len(ten) :], 0) + 0.5 * bool(match["half"]), match["ko"])


def _share(match: re.Match[str]) -> _Read:
    """Read a part of a whole as percent."""
    groups = match.groupdict()
    if groups.get("of"):
        return ("percent", (100 * int(groups["part"]) / int(groups["of"]),) * 2) if int(groups["of"]) else None
    return "percent", (50.0, 50.0)


def _fixed(kind: str, *values: float) -> Callable[[re.Match[str]], _Read]:
    return lambda _: (kind, values)


def _days(match: re.Match[str]) -> _Read:
    return "day", (_DAYS[match["n"]],) * 2


def _twice(match: re.Match[str]) -> _Read:
    return "time", ({"once": 1.0, "twice": 2.0, "thrice": 3.0}[match[0].lower()],) * 2


def _nth(match: re.Match[str]) -> _Read:
    return "ordinal", (_NTH[match["n"].lower()],) * 2


def is_none(_: re.Match[str]) -> _Read:
    """Read what looks like a quantity and is none."""
    return None


def _one(match: re.Match[str]) -> _Read:
    """Read "an hour", unless it is that of a rate: twice a day, 65 dollars an hour."""
    before = match.string[max(match.start() - 20, 0) : match.start()]
    return None if re.search(r"(?i:\d|once|twice|won|percent|[a-z]s)\s$", before) else _counted(1.0, match["en"].lower())


def _part_of_year(match: re.Match[str]) -> _Read:
    """Read a quarter or half of a year: 2분기, Q2, the second quarter, 하반기."""
    groups = match.groupdict()
    words = ("first", "second", "third", "fourth")
    n = int(groups["n"]) if groups.get("n") else words.index(groups["word"].lower()) + 1
    return groups.get("kind") or "quarter", (n, n)


def _patterns() -> Iterator[tuple[str, Callable[[re.Match[str]], _Read]]]:
    """Give what is read, the longest forms first."""
    yield r"(?P<y>(?:19|20)\d\d)\s?[년.\-/]\s?(?P<m>\d{1,2})\s?[월.\-/]\s?(?P<d>\d{1,2})(?:일|\.|\b)", _whole_date
    yield r"(?P<y>(?:19|20)\d\d)년\s?(?P<m>\d{1,2})월(?P<d>)(?![가-힣]?\d)", _whole_date
    yield r"(?P<y>)(?<!\d)(?P<m>\d{1,2})월\s?(?P<d>\d{1,2})일", _whole_date
    yield r"(?P<y>)(?<!\d)(?P<m>\d{1,2})월\s?(?:말일|말(?![가-힣])|말까지)", _end_of_month
    yield rf"(?i:\b(?:the\s)?end of )(?P<m>{_MONTH})(?:,?\s(?P<y>(?:19|20)\d\d))?(?!\w)", _end_of_month
    yield r"(?P<y>)(?<!\d)(?P<m>\d{1,2})월(?P<d>)", _whole_date
    yield rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<m>{_MONTH})(?:,?\s(?P<y>(?:19|20)\d\d))?(?!\w)", _english_date
    yield rf"\b(?P<m>{_MONTH})\s(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:|\s?[ap]\.?m)(?:,?\s(?P<y>(?:19|20)\d\d))?", _english_date
    yield rf"\b(?P<m>{_MONTH})\s(?P<y>(?:19|20)\d\d)", _english_date
    yield rf"\b(?P<m>(?!May\b|Mar\b){_MONTH})(?!\w)", _english_date
    yield r"(?<=\b[iI]n )(?P<m>May)\b|(?<=\b[bB]y )(?P<m2>May)\b", lambda _: ("date", (0, 5, 0))
    yield r"(?P<ko_ap>오전|오후|새벽|아침|저녁|밤)?\s?(?<!\d)(?P<h>\d{1,2})시(?!간)(?:\s?(?P<min>\d{1,2})분(?!기)|\s?(?P<half>반))?", _clock
    yield r"\b(?P<h>\d{1,2})(?:[:.](?P<min>\d\d))?\s?(?P<ap>[ap])\.?m\b\.?", _clock
    yield r"(?P<ko_ap>오전|오후|새벽|아침|저녁|밤)?\s?(?<![\d:])(?P<h>\d{1,2})(?P<colon>:)(?P<min>\d\d)(?![\d:])", _clock
    yield r"\b(?P<h>\d{1,2})\s?o'clock", _clock
    yield rf"(?i:\bhalf past (?P<h>{_ENGLISH_WORD}|\d{{1,2}})\b)", _half_past
    yield r"\bnoon\b|정오", _fixed("clock", 720)
    yield r"\bmidnight\b|자정", _fixed("clock", 0)
    yield rf"\b(?:{_WEEKDAY})s?\b|[월화수목금토일]요일", _weekday
    yield r"(?P<n>[1-4])\s?분기|\bQ(?P<n2>[1-4])\b", lambda match: ("quarter", (float(match["n"] or match["n2"]),) * 2)
    yield r"(?i:\b(?P<word>first|second|third|fourth)\s(?P<kind>quarter)\b)", _part_of_year
    yield r"상반기|(?i:\bfirst half\b)|\bH1\b", _fixed("halfyear", 1, 1)
    yield r"하반기|(?i:\bsecond half\b)|\bH2\b", _fixed("halfyear", 2, 2)
    yield r"(?<![가-힣])(?P<n>첫|둘|셋|넷|다섯)째", _nth
    yield rf"(?i:\b(?P<n>first|second|third|fourth|fifth)(?=\s(?:{_WEEKDAY}|week|day|month|year|floor)\b))", _nth
    yield r"제\s?(?P<n>\d+)\s?(?:조|항|호|장|차|회)", lambda match: ("ordinal", (float(match["n"]),) * 2)
    yield r"(?P<of>\d{1,3})분의\s?(?P<part>\d{1,3})", _share
    yield r"(?:하루|일주일|한 달|한 주|1년|1주일?|1일|1개월|분기)에(?=\s?(?:[한두세네]|다섯|여섯|\d)[^,.]{0,6}[번회])", is_none
    yield r"연말|(?i:\b(?:the )?end of the (?:calendar )?year\b)", _fixed("date", 0, 12, 31)
    yield r"(?<=인 )\d조", is_none
    yield r"반나절", _fixed("day", 0.5, 0.5)
    yield r"반년", _fixed("month", 6, 6)
    yield r"(?i:\bhalf (?:an|a) hour\b|\bhalf-hour\b)", _fixed("minute", 30, 30)
    yield r"절반|(?<![가-힣])반(?=으로|만|을|은|이(?!\w)|의)|(?i:\bhalf\b)", _share
    yield r"(?i:\b(?:a|one) third\b)", _fixed("percent", 100 / 3, 100 / 3)
    yield r"(?i:\btwo[- ]thirds\b)", _fixed("percent", 200 / 3, 200 / 3)
    yield r"(?i:\b(?:a|one) dozen\b)", _fixed("", 12, 12)
    yield r"(?i:\b(?:once(?=\s(?:a|an|per|every|each)\b|[.,])|twice|thrice)\b)", _twice
    yield r"(?i:\ban?\s(?P<en>hour|day|week|month|year|minute)\b)", _one
    yield rf"(?<![가-힣])(?P<n>{'|'.join(sorted(_DAYS, key=len, reverse=True))})(?:{_AFTER})", _days
    scale = rf"(?:\s?{_KOREAN_SCALE}(?![가-힣]*(?:큼|족|약|일하))|\s?(?:thousand|million|billion|bn)\b|[kKM]\b)"
    more = rf"(?:\s?\d[\d,]*\s?{_KOREAN_SCALE}|(?<=[만억])\s?\d{{1,4}}(?=\s?(?:원|명|개|달러|건|대)))*"
    yield (
        rf"(?P<days>(?:영업일|근무일)(?:\s?기준)?(?:으로)?\s)?(?P<money>[$€₩¥]|USD\s|KRW\s|EUR\s)?(?P<n>(?:{_NUM})(?:{scale}{more})?)(?:{_UNIT}|(?![A-Za-z]))",
        _number,
    )
    yield (
        rf"(?i:\b(?P<n>{_ENGLISH_WORDS})\b(?:[\s-](?:(?P<work>business|working|work)[\s-](?:day|days)|{_ADJECTIVE}(?P<en>{_LATIN_UNITS}))(?![A-Za-z]))?)",
        _english_number,
    )
    yield (
        rf"(?<![가-힣\d])(?P<n>(?!이(?:\s|유|\w?$))[일이삼사오육칠팔구십백천만억조]+)\s?(?P<ko>{_KOREAN_UNITS})(?:{_AFTER})",
        _korean_number,
    )
    yield (
        rf"(?<![가-힣\d])(?!한번)(?P<n>{_NATIVE_WORD})\s?(?P<ko>{_KOREAN_UNITS})(?:{_AND_A_HALF}|(?:{_AFTER}))",
        _native_number,
    )


READERS = [(re.compile(pattern), read) for pattern, read in _patterns()]
