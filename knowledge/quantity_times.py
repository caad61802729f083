"""How dates, times of day, weekdays and parts of a year are written in Korean and English, the longest forms first."""

import re
from collections.abc import Callable

from knowledge.numerals import DAYS, ENGLISH_WORD, LISTS, NATIVE, SINO, days, value

Read = tuple[str, tuple[float, ...]] | None
Match = re.Match[str]
Reader = tuple[re.Pattern[str], Callable[[Match], Read]]

AFTER = (  # what may follow a unit that stands apart from its number, or after a number in words: else it begins another word
    r"(?![가-힣])|(?=(?:이|가|은|는|을|를|의|에|도|만|로|으로|와|과|까지|부터|마다|씩|당|간|동안|이내|이상|이하|미만|초과|전|후|뒤|쯤|정도"
    r"|입|예|였|인|짜리|안|내|째|치|가량|넘|보다|뿐|밖|기준|단위|중|연속|이나|이며|이고|한정|분[을의\s]|다(?![가-힣])|지만)(?![일반]))"
)
_WEEKDAYS: list[str] = LISTS["numerals"]["weekdays"].split()
_KOREAN_WEEKDAYS: list[str] = LISTS["numerals"]["korean_weekdays"].split()
_MONTHS = {word[:3]: n for n, word in enumerate(LISTS["numerals"]["months"].split(), 1)}
_LAST_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NTH = {"첫": 1, "둘": 2, "셋": 3, "넷": 4, "다섯": 5, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}

_YEAR = r"(?:19|20)\d\d"
_YEAR_IN_WORDS = r"(?:이천|천구백)[일이삼사오육칠팔구십]*"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_MONTH_IN_WORDS = r"십일|십이|십|시|유|[일이삼사오육칠팔구]"
_DAY_IN_WORDS = rf"{SINO}(?=\s?일)|(?:초|열|스무)?(?:{DAYS})|스무(?=날)"
_WEEKDAY = "|".join(word.capitalize() for word in _WEEKDAYS)
_PAST_OR_TO = r"(?P<minute>half|quarter|five|ten|twenty|twenty-five)(?: minutes)? (?P<way>past|(?<=quarter )to)"
_HALF_DAY = r"(?P<ko_ap>오전|오후|새벽|아침|저녁|낮|밤)?\s?"
_MINUTES = rf"(?:\s?(?P<min>\d{{1,2}}|{SINO})\s?분(?!기)|\s?(?P<half>반))?"


def fixed(kind: str, *values: float) -> Callable[[Match], Read]:
    """Return what reads any match as one quantity."""
    return lambda _: (kind, values)


def readers(*forms: tuple[str, Callable[[Match], Read]]) -> list[Reader]:
    """Return forms with their patterns compiled."""
    return [(re.compile(pattern), read) for pattern, read in forms]


# ── dates ──


def _date(match: Match) -> Read:
    """Read a date of which a month is said, in digits or words."""
    groups = match.groupdict()
    year, month, day = (_in_date(groups.get(name) or "") for name in ("y", "m", "d"))
    return ("date", (year, month, day)) if 1 <= month <= 12 and day <= 31 else None


def _in_date(text: str) -> int:
    if not text:
        return 0
    if text[:3].lower() in _MONTHS:
        return _MONTHS[text[:3].lower()]
    if text in ("유", "시"):  # 유월, 시월
        return 6 if text == "유" else 10
    if text == "스무":
        return 20
    return int(days(text) or value(text))


def _end_of_month(match: Match) -> Read:
    month = _in_date(match["m"])
    return ("date", (int(match["y"] or 0), month, _LAST_DAYS[month - 1])) if 1 <= month <= 12 else None


def _year(match: Match) -> Read:
    return "date", (int(value(match["y"])), 0, 0)


_DATES = readers(
    (rf"(?P<y>{_YEAR})\s?[년.\-/]\s?(?P<m>\d{{1,2}})\s?[월.\-/]\s?(?P<d>\d{{1,2}})(?:일|\.|\b)", _date),
    (rf"(?P<y>{_YEAR})년\s?(?P<m>\d{{1,2}})월(?![가-힣]?\d)", _date),
    (r"(?<!\d)(?P<m>\d{1,2})월\s?(?P<d>\d{1,2})일", _date),
    (r"(?P<y>)(?<!\d)(?P<m>\d{1,2})월\s?(?:말일|말(?![가-힣])|말까지)", _end_of_month),
    (rf"(?i:\b(?:the\s)?end of )(?P<m>{_MONTH})(?:,?\s(?P<y>{_YEAR}))?(?!\w)", _end_of_month),
    (r"(?<!\d)(?P<m>\d{1,2})월", _date),
    (rf"(?<![가-힣])(?:(?P<y>{_YEAR_IN_WORDS})년\s?)?(?P<m>{_MONTH_IN_WORDS})월\s?(?P<d>{_DAY_IN_WORDS})(?:\s?일|날)?", _date),
    (rf"(?<![가-힣])(?P<y>{_YEAR_IN_WORDS})년\s?(?P<m>{_MONTH_IN_WORDS})월", _date),
    (rf"(?<![가-힣])(?P<m>유|시|[삼사오칠팔구]|십[일이]?)월(?:{AFTER})", _date),
    (rf"(?<![가-힣])(?P<y>{_YEAR_IN_WORDS})년", _year),
    (rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<m>{_MONTH})(?:,?\s(?P<y>{_YEAR}))?(?!\w)", _date),
    (rf"\b(?P<m>{_MONTH})\s(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:|,\d|\s?[ap]\.?m)(?:,?\s(?P<y>{_YEAR}))?", _date),
    (rf"\b(?P<m>{_MONTH})\s(?P<y>{_YEAR})", _date),
    (rf"\b(?P<m>(?!May\b|Mar\b){_MONTH})(?!\w)", _date),
    (r"(?<=\b[iI]n )May\b|(?<=\b[bB]y )May\b", fixed("date", 0, 5, 0)),
)  # fmt: skip


# ── times of day ──


def _clock(match: Match) -> Read:
    """Read a time. Without morning or afternoon an hour up to 12 is left open: negative."""
    groups = match.groupdict()
    hour, minute = int(value(match["h"])), 30 if groups.get("half") else int(value(groups.get("min") or "0"))
    if hour > 24 or minute > 59:
        return None
    half_day = _half_day(groups.get("ap") or groups.get("ko_ap") or "", hour)
    if half_day is not None:
        return "clock", ((hour % 12 + 12 * half_day) * 60 + minute,)
    is_open = 1 <= hour <= 12 and not match["h"].startswith("0") and not groups.get("colon")
    return "clock", ((hour % 24 * 60 + minute) * (-1 if is_open else 1),)


def _half_day(said: str, hour: int) -> bool | None:
    """Return whether an hour is after noon, None when that is not said. At night twelve is midnight, and what follows it the morning."""
    if said[:1].lower() in ("a", "p"):
        return said[:1].lower() == "p"
    if said == "밤":
        return 5 <= hour < 12
    return {"오후": True, "저녁": True, "낮": True, "오전": False, "새벽": False, "아침": False}.get(said)


def _beside_hour(match: Match) -> Read:
    """Read half past, ten past or quarter to an hour."""
    hour = int(value(match["h"]))
    minute, way = match["minute"].lower(), match["way"].lower()
    minutes = {"half": 30, "quarter": 15}.get(minute) or value(minute)
    minutes *= -1 if way == "to" else 1
    return ("clock", (-(hour * 60 + minutes),)) if 1 <= hour <= 12 else None


_CLOCKS = readers(
    (rf"{_HALF_DAY}(?<!\d)(?P<h>\d{{1,2}})시(?!간){_MINUTES}", _clock),
    (rf"{_HALF_DAY}(?<![가-힣])(?P<h>{NATIVE})\s?시(?!간){_MINUTES}(?:{AFTER})", _clock),
    (r"\b(?P<h>\d{1,2})(?:[:.](?P<min>\d\d))?\s?(?P<ap>[ap])\.?m\b\.?", _clock),
    (rf"{_HALF_DAY}(?<![\d:])(?P<h>\d{{1,2}})(?P<colon>:)(?P<min>\d\d)(?![\d:])", _clock),
    (rf"\b(?P<h>\d{{1,2}}|(?i:{ENGLISH_WORD}))\s?o'clock", _clock),
    (rf"(?i:\b{_PAST_OR_TO} (?P<h>{ENGLISH_WORD}|\d{{1,2}})\b)", _beside_hour),
    (r"\bnoon\b|정오", fixed("clock", 720)),
    (r"\bmidnight\b|자정", fixed("clock", 0)),
)


# ── weekdays, parts of a year, the first of several ──


def _weekday(match: Match) -> Read:
    word = match[0].lower()
    return "weekday", (_KOREAN_WEEKDAYS.index(word[0]) if word[0] in _KOREAN_WEEKDAYS else _WEEKDAYS.index(word.removesuffix("s")),)


def _quarter(match: Match) -> Read:
    digit = match["n"] or match["n2"]
    n = int(digit) if digit else ("first", "second", "third", "fourth").index(match["word"].lower()) + 1
    return "quarter", (n, n)


def _nth(match: Match) -> Read:
    return "ordinal", (_NTH[match["n"].lower()],) * 2


def is_none(_: Match) -> Read:
    """Read what looks like a quantity and is none."""
    return None


_LISTED_WEEKDAY = (
    r"(?<![가-힣])[월화수목금토일](?=\s?[·/~]\s?[월화수목금토일](?![가-힣]))|(?<=[월화수목금토일][·/~])[월화수목금토일](?![가-힣])"
)

TIMES = (
    *_DATES,
    *_CLOCKS,
    *readers(
        (rf"\b(?:{_WEEKDAY})s?\b|[월화수목금토일]요일|{_LISTED_WEEKDAY}", _weekday),
        (r"(?P<n>[1-4])\s?분기|\bQ(?P<n2>[1-4])\b|(?i:\b(?P<word>first|second|third|fourth)\squarter\b)", _quarter),
        (r"상반기|(?i:\bfirst half\b)|\bH1\b", fixed("halfyear", 1, 1)),
        (r"하반기|(?i:\bsecond half\b)|\bH2\b", fixed("halfyear", 2, 2)),
        (r"연말|(?i:\b(?:the )?end of the (?:calendar )?year\b)", fixed("date", 0, 12, 31)),
        (rf"(?i:\bevery (?:second|other)(?=\s(?:{_WEEKDAY}|week)\b))", fixed("day", 14, 2)),
        (r"(?i:\bevery (?:second|other)(?=\sday\b))", fixed("day", 2, 2)),
        (r"(?i:\bevery (?:second|other)(?=\s(?:month|year)\b))", is_none),
        (r"(?<![가-힣])(?P<n>첫|둘|셋|넷|다섯)째(?!,)", _nth),
        (rf"(?i:\b(?P<n>first|second|third|fourth|fifth)(?=[\s-](?:{_WEEKDAY}|week|day|month|year|floor|birthday)\b))", _nth),
    ),
)  # fmt: skip
