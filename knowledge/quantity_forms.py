"""How numbers with what they count are written in Korean and English, the longest forms first, and what each comes to."""

import re

from knowledge.numerals import DAYS, DIGITS, ENGLISH, LISTS, NATIVE, SINO, days, value
from knowledge.quantity_times import AFTER, TIMES, Match, Read, fixed, is_none, readers

_UNITS = {
    word: (kind, float(factor)) for kind, sizes in LISTS["units"].items() for factor, words in sizes.items() for word in words.split()
}
_KOREAN_UNITS = "|".join(sorted((re.escape(word) for word in _UNITS if re.search("[가-힣]", word)), key=len, reverse=True))
_LATIN_UNITS = "|".join(sorted((re.escape(word) for word in _UNITS if re.fullmatch(r"[a-z/²0-9]+", word)), key=len, reverse=True))
_WORKDAY = r"(?P<work>business|working|work)[\s-](?:day|days)"
_ADJECTIVE = r"(?:(?:extra|more|full|whole|additional|further|calendar|consecutive)\s)?"
_AND_A_HALF = r"(?P<half>\s?반)(?=$|[\s,.)]|무렵|이|으로|에|의|만|가량|쯤|정도)"
_UNIT = (
    rf"(?:\s?(?P<sign>%p|%|℃|℉|°[CcFf]|㎡)|-?(?P<ko>{_KOREAN_UNITS})(?:{_AND_A_HALF})?|(?:여\s?|\s)(?P<ko_apart>{_KOREAN_UNITS})(?:{AFTER})"
    rf"|[\s-]?{_WORKDAY}\b|\s(?P<points>percentage points?)\b"
    rf"|[\s-]?{_ADJECTIVE}(?P<en>(?i:{_LATIN_UNITS}))(?![A-Za-z])(?P<old>\s+old)?|(?P<th>st|nd|rd|th)\b)"
)
_AFTER_DIGIT = frozenset(
    ["년", "층", "개월", "개월간", "년간", "주년", "주일", "주일간", "퍼센트", "프로", "영업일", "킬로", "미터"]
)  # 삼년, 육개월
_AFTER_SCALE = _AFTER_DIGIT | frozenset(["원", "명", "개", "달러", "건"])  # 만원, 천명
_NO_NUMBERS = frozenset(
    [
        "한번",
        "한도",
        "한쪽",
        "한층",
        "한시",
        "한자리",
        "한인",
        "한일",
        "한대",
        "한점",
        "한권",
        "세대",
        "세종",
        "세도",
        "열차",
        "열대",
        "한분",
        "한석",
    ]
)
_SPAN = r"(?P<en>hour|day|week|month|year|minute)"
_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "sixth": 1 / 6, "eighth": 1 / 8, "tenth": 1 / 10}
_PART = "(?P<part>third|quarter|fifth|sixth|eighth|tenth)"
_PART_ENDS = r"(?=\s(?:of|off|more|less|fewer|higher|lower)\b|[.,;)]|\s*$)"  # else it is a third party, or a quarter of a year


def _counted(value: float, unit: str) -> Read:
    kind, factor = _UNITS.get(unit.lower(), ("", 1.0))
    return kind, (value * factor, value)


# ── parts and multiples ──


def _one(match: Match) -> Read:
    """Read "an hour", unless it is that of a rate: twice a day, 65 dollars an hour."""
    before = match.string[max(match.start() - 20, 0) : match.start()]
    return None if re.search(r"(?i:\d|once|twice|won|percent|[a-z]s|user|person|head|seat|each)\s$", before) else _counted(1.0, match["en"])


def _one_and_part(match: Match) -> Read:
    """Read "an hour and a half", "three and a half hours", "three quarters of an hour"."""
    groups = match.groupdict()
    whole = value(groups["n"].lower()) if groups.get("n") else groups.get("of") is None
    part = _PARTS.get((groups.get("part") or "half").lower(), 0.0)
    return _counted((3 if groups.get("three") else 1) * part + whole, match["en"])


def _half(match: Match) -> Read:
    return _counted(0.5, match["en"])


def _share(match: Match) -> Read:
    """Read a part of a whole as percent."""
    groups = match.groupdict()
    if groups.get("of"):
        whole = value(groups["of"])
        return ("percent", (100 * value(match["of_it"]) / whole,) * 2) if whole else None
    times = {"two": 2, "three": 3}.get((groups.get("times") or "").lower(), 1)
    return "percent", (100 * times * _PARTS[(groups.get("part") or "half").lower()],) * 2


def _days(match: Match) -> Read:
    return "day", (days(match["n"]),) * 2


def _times(match: Match) -> Read:
    return "fold", (value((match["n"] or match["ko"]).lower()),) * 2


def _speed(match: Match) -> Read:
    return "speed", (value(match["n"]),) * 2


def _ordinal(match: Match) -> Read:
    return "ordinal", (float(match["n"]),) * 2


_PER = r"(?:하루|일주일|한 달|한 주|한 해|일 년|1년|1주일?|1일|1개월|분기|한 번|한 사람)"
_SAID_IN_WORDS = (
    ("day", 0.5, r"반나절"), ("month", 6, r"반년"), ("day", 14, r"격주|\b(?:biweekly|a fortnight)\b"),
    ("percent", 200 / 3, r"\btwo[- ]thirds\b"), ("", 12, r"\b(?:a|one) dozen\b"),
    ("fold", 2, r"[갑곱]절|\b(?:doubl(?:ed|es|ing)|twice as)\b"), ("fold", 3, r"\b(?:tripled|three times as)\b"),
    ("time", 1, r"\bonce(?=\s(?:a|an|per|every|each)\b|[.,])"), ("time", 2, r"\btwice\b"), ("time", 3, r"\bthrice\b"),
)  # fmt: skip
_PARTS_AND_TIMES = readers(
    (r"제\s?(?P<n>\d+)\s?(?:조|항|호|장|차|회)", _ordinal),
    (rf"(?P<of>\d{{1,3}}|(?<![가-힣]){SINO})\s?분의\s?(?P<of_it>\d{{1,3}}|[일이삼사오육칠팔구])", _share),
    (rf"(?i:\b(?P<of_it>one) in (?P<of>{ENGLISH}|\d+)\b)", _share),
    (rf"(?i:\b(?P<of_it>{ENGLISH}|\d+) (?:out of(?: every)?|of every|in every) (?P<of>{ENGLISH}|\d+)\b)", _share),
    (rf"(?<![가-힣])(?P<of>{NATIVE}|\d+)\s?(?:명|사람|개|건|곳)\s(?:중|가운데)\s(?P<of_it>하나|한)(?=\s?[명사개건곳는가꼴])", _share),
    (rf"{_PER}(?:에|씩|당)(?![가-힣])|{_PER}(?=\s(?:[한두세네]|다섯|여섯|\d+)\s?[번차회])", is_none),  # how often, not for how long
    (r"(?<=인 )\d조|(?<![가-힣])하루(?=\s(?:최대\s)?\d)", is_none),
    (r"(?<![가-힣])(?:한두|두세|두서너|서너|너댓|네댓|대여섯|예닐곱)(?=\s?[가-힣])", is_none),
    (r"(?i:\b(?P<of>a|(?P<three>three)) (?P<part>quarter)s? of an (?P<en>hour)\b)", _one_and_part),
    (rf"(?i:\b(?:an?|one)\s{_SPAN} and a (?P<part>half|quarter)\b)", _one_and_part),
    (rf"(?i:\b(?P<n>{ENGLISH}|\d+) and a half[\s-](?P<en>{_LATIN_UNITS})\b)", _one_and_part),
    (rf"(?i:\bhalf[\s-](?:an?\s)?(?P<en>{_LATIN_UNITS})\b)", _half),
    (rf"(?i:\b(?P<n>{ENGLISH}|\d+) times (?:as|more|higher|larger|faster|the)\b)|(?<![가-힣])(?P<ko>{NATIVE})\s?배(?![가-힣]*송)", _times),
    (rf"시속\s?(?:약\s)?(?P<n>{DIGITS})\s?(?:km|㎞|킬로(?:미터)?)", _speed),
    *((rf"(?i:{form})", fixed(kind, much, much)) for kind, much, form in _SAID_IN_WORDS),
    (rf"절반|반값|(?<![가-힣])반(?=으로|만|을|은|이(?!\w)|의)|(?i:\bhalf\b|\b(?:a|one)\s{_PART}\b{_PART_ENDS})", _share),
    (r"(?i:\b(?P<times>two|three)[- ](?P<part>third|quarter|fifth|tenth)s\b(?=\s(?:of|off)\b|[.,;)]|\s*$))", _share),
    (rf"(?i:\ban?\s{_SPAN}\b)", _one),
    (rf"(?<![가-힣])(?P<n>{DAYS})(?:{AFTER})", _days),
)  # fmt: skip


# ── numbers ──


def _number(match: Match) -> Read:
    """Read digits with their scale and unit; `values` are what it comes to and the number as it stands."""
    groups = match.groupdict()
    number = value(match["n"])
    if groups["money"]:
        return _counted(number, groups["money"].strip())
    if groups["work"] or groups["days"]:
        return _counted(number, "workday")
    for name, kind in (("points", "point"), ("th", "ordinal"), ("old", "age")):
        if groups[name]:
            return kind, (number, number)
    unit = next((groups[name] for name in ("sign", "ko", "ko_apart", "en") if groups[name]), "")
    if unit in ("년", "") and (1000 if unit else 1900) <= number < 2100 and "," not in match["n"]:
        return "date", (number, 0, 0)
    return _below_zero(match, _counted(number + 0.5 * bool(groups["half"]), unit))


def _below_zero(match: Match, read: Read) -> Read:
    if not match["minus"] or not read or read[0] not in ("degree", "fahrenheit"):
        return read
    return read[0], tuple(-value for value in read[1])


def _english_number(match: Match) -> Read:
    unit = match["en"] or ("workday" if match["work"] else "")
    return None if match["n"].lower() == "one" and not unit else _counted(value(match["n"]), unit)


def _korean_number(match: Match) -> Read:
    """Read a number in words before a unit, unless both together are another word: 사건, 구분, 이번, 한층."""
    number, unit, is_attached = match["n"], match["ko"], match.end("n") == match.start("ko")
    if re.fullmatch(SINO, number):
        is_scaled = re.search("[십백천만]", number) is not None
        if not is_scaled and (len(number) > 1 or "조" in number or "억" in number):
            return None
        if is_attached and len(number) == 1 and unit not in (_AFTER_SCALE if is_scaled else _AFTER_DIGIT):
            return None
    elif is_attached and number + unit in _NO_NUMBERS:
        return None
    return _counted(value(match["n"]) + 0.5 * bool(match.groupdict().get("half")), match["ko"])


_NUMBERS = readers(
    (
        (rf"(?P<days>(?:영업일|근무일)(?:\s?기준)?(?:으로)?\s)?(?P<minus>영하\s?|(?i:\bminus\s)|(?<![\w.)\]%℃])[-−])?"
        rf"(?P<money>[$€₩¥£]|USD\s|KRW\s|EUR\s|GBP\s)?(?P<n>{DIGITS})(?:{_UNIT}|(?![A-Za-z]))"),
        _number,
    ),
    (rf"(?i:\b(?P<n>{ENGLISH})\b(?:[\s-](?:{_WORKDAY}|{_ADJECTIVE}(?P<en>{_LATIN_UNITS}))(?![A-Za-z]))?)", _english_number),
    (rf"(?<![가-힣\dA-Za-z])(?P<n>(?!이(?:\s|유|\w?$)){SINO})\s?(?P<ko>{_KOREAN_UNITS})(?:{AFTER})", _korean_number),
    (rf"(?<![가-힣\d])(?P<n>{NATIVE})\s?(?P<ko>{_KOREAN_UNITS})(?:{_AND_A_HALF}|(?:{AFTER}))", _korean_number),
)  # fmt: skip

READERS = (*TIMES, *_PARTS_AND_TIMES, *_NUMBERS)
