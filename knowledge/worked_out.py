"""Whether a number or time that was said is one that the numbers of its source come to."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations

from knowledge.compare import Compared
from knowledge.quantities import Quantity

_CHANGE = re.compile(
    r"\b(?:by|(?:more|less|fewer)(?! than\s(?:\w+\s)?\d)|later|earlier|difference|gap|cheaper|again|sav(?:es?|ed|ing)|r[io]se|fell|grew)\b"
    r"|인상|인하|증가|감소|차이|보다|비싸|저렴|싸|할인|아[끼낀꼈]|올[리라랐]|내[리려렸]|늘|줄|더\s|덜\s",
    re.IGNORECASE,
)
_REST = re.compile(r"\b(?:rest|remaining|remains?|leaves?|others?|not)\b|n['’]t\b|나머지|남[은는았]|않|못|아닌", re.IGNORECASE)
_LESS = re.compile(r"적[다은게어습]|덜\s|할인|\b(?:less|lower|off)\b", re.IGNORECASE)
_TOTAL = re.compile(
    r"\b(?:total|altogether|together|in all|all told|overall|in sum|between them|combined|including)\b"
    r"|합[쳐치하계]|총|모두|통틀어|포함|가운데|더[하한해]",
    re.IGNORECASE,
)
_LONGER = re.compile(  # it adds up
    r"\b(?:exten(?:d|sion)\w*|renew\w*|another|additional|further)\b|연장|추가|더\s", re.IGNORECASE
)
_NEXT_DAY = re.compile(r"\b(?:next|following) (?:day|morning)\b|\bday after\b|다음 ?날|이튿날|익일", re.IGNORECASE)
_DAY_BEFORE = re.compile(r"\b(?:the|a|one) day (?:before|earlier)\b|\b(?:previous|preceding) day\b|전날|하루 전", re.IGNORECASE)
_PAST = re.compile(r"\b(?:past|after|beyond) (?:the )?$", re.IGNORECASE), re.compile(r"\s?[을를이가]? ?(?:지나|넘|이후|뒤|후)")
_TAKEN_OFF = re.compile(r"빼|뺀|공제|\bdeduct|\bminus\b", re.IGNORECASE)
_EXACTLY = re.compile(r"[\d.,]+\s?(?:%|percent|퍼센트|프로|할|배|fold)")  # else in words, which are said of what is nearly so
_ABOUT_BEFORE = re.compile(
    r"(?:약|대략|거의|\b(?:about|around|roughly|nearly|almost|just under|just over|close to|over|more than|some|approximately))\s$",
    re.IGNORECASE,
)
_ABOUT_AFTER = re.compile(r"\s?(?:가량|정도|쯤|남짓|가까이|안팎|내외|[을를]?\s?(?:조금 |약간 )?넘|or so\b)")
_OVER = re.compile(r"(?:over|more than)\s$", re.IGNORECASE), re.compile(r"\s?(?:남짓|[을를]?\s?(?:조금 |약간 )?넘)")
_NEARLY = re.compile(r"(?:거의|nearly|almost|just under)\s$", re.IGNORECASE), re.compile(r"\s?가까이")
_ROUNDED = 0.06  # by which share a rounded number may differ
_WELL_OVER = 1.4  # more than half are up to 70%, of two thirds one says so
_DAY = 24 * 60


def is_worked_out(compared: Compared, quantity: Quantity) -> bool:
    """Return whether numbers of the source come to one that was said: rounded, a difference, a sum, a part, the time between two."""
    if quantity.kind == "clock":
        return _is_end(compared, quantity)
    if quantity.kind in ("date", "weekday"):
        return _is_day_beside(compared, quantity)
    return any(check(compared, quantity) for check in (_is_rounded, _is_difference, _is_sum, _is_ratio, _is_part, _is_span))


def _is_rounded(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a number that is said to be rounded is nearly one of the source, or the time between two, or a part of a whole."""
    if not _is_beside((_ABOUT_BEFORE, _ABOUT_AFTER), compared.said.text, quantity):
        return False
    is_over, is_nearly = (_is_beside(words, compared.said.text, quantity) for words in (_OVER, _NEARLY))
    values = [*_values(compared, quantity.kind), *_between(compared, quantity.kind), *_ratios(compared, quantity.kind)]
    beyond = [value - quantity.values[0] for value in values if abs(value - quantity.values[0]) <= _ROUNDED * value + 1e-6]
    if any(not (is_over and more < 0) and not (is_nearly and more > 0) for more in beyond):
        return True
    part, is_exact = quantity.values[0], _EXACTLY.fullmatch(compared.said.text, quantity.start, quantity.end)
    return is_over and not is_exact and any(part < ratio <= _WELL_OVER * part for ratio in _ratios(compared, quantity.kind))


def _between(compared: Compared, kind: str) -> list[float]:
    """Return how many minutes are between two times of day of the source."""
    clocks = [abs(value) for value in _values(compared, "clock")] if kind == "minute" else []
    return [abs(one - other) for one, other in combinations(clocks, 2)]


def _ratios(compared: Compared, kind: str) -> Iterator[float]:
    """Give, as a part or multiple is counted, what each number of the source is of another that counts the same."""
    of = {"percent": 100.0, "fold": 1.0}.get(kind)
    if of is None:
        return
    values = [(other.kind, other.values[0]) for other in compared.source.quantities if not other.is_date and other.values[0]]
    for one, other in ((one, other) for kind, one in values for same, other in values if kind == same or "" in (kind, same)):
        yield of * one / other
        if _CHANGE.search(compared.said.text):
            yield of * abs(one - other) / other


def _is_beside(words: tuple[re.Pattern[str], re.Pattern[str]], text: str, quantity: Quantity) -> bool:
    """Return whether words that stand before a quantity or after it do."""
    before, after = words
    return bool(before.search(text, max(quantity.start - 20, 0), quantity.start) or after.match(text, quantity.end))


def _is_part(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a number is the part of another that the source gives as a percentage: half of 120 people is 60."""
    shares = [value / 100 for value in _values(compared, "percent")]
    return any(abs(share * whole - quantity.values[0]) < 1e-6 for share in shares for whole in _values(compared, quantity.kind, ""))


def _is_ratio(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a part or multiple is one of two numbers that count the same; in words nearly so: a quarter is 310 of 1,240."""
    is_exact = _EXACTLY.fullmatch(compared.said.text, quantity.start, quantity.end)
    nearly = (0.002 if is_exact else 0.04) * quantity.values[0]
    return any(abs(ratio - quantity.values[0]) <= nearly for ratio in _ratios(compared, quantity.kind))


def _is_difference(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a number is by how much two of the source differ, and is said to be one: 1,400원 to 1,600원 is 200원 more."""
    if quantity.kind == "percent":
        return _is_other_part(compared, quantity)
    is_rest = _REST.search(compared.said.text) is not None
    values = _values(compared, *(("point", "percent") if quantity.kind == "point" else (quantity.kind, "")))
    is_change = is_rest or _CHANGE.search(compared.said.text) or _TAKEN_OFF.search(compared.source.text)
    return bool(is_change) and any(abs(abs(one - other) - quantity.values[0]) < 1e-6 for one, other in combinations(values, 2))


def _is_other_part(compared: Compared, quantity: Quantity) -> bool:
    """Return whether of 100 percent the source gives the other part, and one of the two says that it is the rest."""
    parts = [
        other for other in compared.source.clauses for part in other.quantities
        if part.kind == "percent" and abs(100 - part.values[0] - quantity.values[0]) < 1e-6
    ]  # fmt: skip
    is_rest, *others = (bool(_REST.search(text) or _LESS.search(text)) for text in (compared.said.text, *(part.text for part in parts)))
    return any(other != is_rest for other in others)


def _is_sum(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a number is what two of the source, or all of its kind, come to together, if one of the texts adds them up."""
    values = _values(compared, quantity.kind)
    sums = [sum(values), *(one + other for one, other in combinations(values, 2))]
    is_total = _TOTAL.search(compared.said.text) or _LONGER.search(compared.source.text)
    return is_total is not None and any(abs(total - quantity.values[0]) < 1e-6 for total in sums)


def _is_span(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a number of minutes or days lies between two times or days of the source: from 14:20 to 15:05 are 45 minutes."""
    there = compared.everything.quantities
    if quantity.kind == "minute":
        if quantity.values[0] >= _DAY:
            return False
        clocks = [other.values[0] for other in there if other.kind == "clock"]
        spans = [(abs(one) - abs(other), _round(one, other)) for one, other in combinations(clocks, 2)]
        return any((span - way * quantity.values[0]) % after == 0 for span, after in spans for way in (1, -1))
    days = list(_days(there)) if quantity.kind == "day" else []
    return any(abs(one - other) in (quantity.values[0], quantity.values[0] - 1) for one, other in combinations(days, 2))


def _days(there: list[Quantity]) -> Iterator[int]:
    """Give the days of some dates as numbers; without a year in any one."""
    for other in there:
        if other.kind == "date" and all(other.values[1:]):
            try:
                yield date(int(other.values[0]) or 2000, *map(int, other.values[1:])).toordinal()
            except ValueError:  # 31 April
                continue


def _is_day_beside(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a date or weekday is the day after one of the source, or before it, and a text says so; after 30 June is 1 July."""
    ways = [way for way, words in ((1, _NEXT_DAY), (-1, _DAY_BEFORE)) if words.search(compared.everything.text)]
    ways += [-way for way, words in ((1, _NEXT_DAY), (-1, _DAY_BEFORE)) if words.search(compared.said.text)]
    if quantity.kind == "weekday":
        return any((quantity.values[0] - day) % 7 == way % 7 for day in _values(compared, "weekday") for way in ways)
    ways += [-1] * _is_beside(_PAST, compared.said.text, quantity)
    return any(day - other in ways for day in _days([quantity]) for other in _days(compared.everything.quantities))


def _is_end(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a time is so long after one of the source, or before it, as the source says: from 9:40 for 75 minutes: 10:55."""
    end, minutes = quantity.values[0], _values(compared, "minute")
    ends = ((abs(end) - abs(clock), long, _round(end, clock)) for clock in _values(compared, "clock") for long in minutes)
    return any((rest - long) % after == 0 or (rest + long) % after == 0 for rest, long, after in ends)


def _round(*clocks: float) -> float:
    """Return after how many minutes the same time comes again: half a day when one of some leaves open which half it is in."""
    return _DAY / 2 if min(clocks) < 0 else _DAY


def _values(compared: Compared, *kinds: str) -> list[float]:
    return [other.values[0] for other in compared.everything.quantities if other.kind in kinds]
