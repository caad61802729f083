"""Numbers and times that are a limit: said the other way round (at most for at least), and what lies on one side of them."""

import re
from itertools import pairwise

from knowledge.clauses import Clause
from knowledge.compare import SAME_WORDS, Compared
from knowledge.quantities import Quantity

# A bound before a quantity or after it: up (at least, from) is 1, down (at most, until) is -1.
_BOUNDS = (
    (1, re.compile(r"(?:\b(?:at least|more than|over|above|exceed(?:s|ing)?|minimum of|no (?:less|fewer) than|from|since|after|starting"
                   r"|as of|(?:long|old)er than)\s(?:the\s|about\s)?|(?:최소한?|적어도)\s)$", re.IGNORECASE),
     re.compile(r"\s?(?:이상|초과|부터|이후|[이가을를] (?:넘|지[나난])|전까지|or (?:more|longer|older|later|above))")),
    (-1, re.compile(r"(?:\b(?:at most|up to|limited to|(?:no|not) more than|(?:less|fewer) than|under|below|within|maximum of|until|till|by"
                    r"|before|no later than|shorter than)\s(?:the\s)?|(?:최대|최장|많아야|길어야)\s)$", re.IGNORECASE),
     re.compile(r"\s?(?:이하|미만|이내|까지|이전|(?:으)?로 제한|[을를] 넘(?:지|으면 안|을 수 없|어서는)|or (?:less|fewer|earlier|below))")),
)  # fmt: skip
_LIMIT = re.compile(r"한도|상한|하한|기한|넘|초과|exceed|\b(?:limit|maximum|minimum|most|least)\b", re.IGNORECASE)
_LASTS = re.compile(r"기간|유효|보관|\b(?:valid|warranty|guarantee|period|kept)\b", re.IGNORECASE)  # then a time is the most
_AGE = re.compile(r"\s?(?:된|쓴|지난|째|[이가] (?:된|지[나난])|old\b)")
_EDGE = re.compile(r"시작|끝|마[감치칩]|종료|[열닫엽엶닫]|여는|연다|출발|도착|\b(?:open|clos|start|begin|end|leav|arriv)", re.IGNORECASE)
_TO = re.compile(r"\s?(?:to|until|till|and|부터|에서|~|-|–)\s?")
_DAY = 24 * 60
_NEAR = 0.6  # clauses of the source that fit what was said so well, of the best, may give the limit
_MINUTES = {"second": 1 / 60, "minute": 1, "day": 24 * 60, "month": 30 * 24 * 60}


def _bound(text: str, quantity: Quantity) -> int:
    """Return whether a text gives a quantity as the least (1) or the most (-1); 0 when it says neither."""
    before = text[max(quantity.start - 20, 0) : quantity.start]
    found = [way for way, pre, post in _BOUNDS if pre.search(before) or post.match(text, quantity.end)]
    return found[-1] if found else 0


def is_bounded_otherwise(compared: Compared, clause: Clause, quantity: Quantity) -> bool:
    """Return whether "at least" was said where the source says "at most", or "from" for "until", of the same."""
    own = _bound(compared.said.text, quantity)
    if not own or compared.coverage(clause.words) < SAME_WORDS:
        return False
    holders = [(other, there) for other in compared.source.clauses for there in other.quantities if quantity.agrees_with(there)]
    ways = {_bound(compared.source.text, there) if other.is_negative == clause.is_negative else 0 for other, there in holders}
    return ways == {-own}


def is_instance(compared: Compared, clause: Clause, quantity: Quantity) -> bool:
    """Return whether a number is a case of what the source says up to or from a limit: 80 euros are paid, of "up to 100 euros"."""
    if quantity.kind == "clock":
        return _is_within(compared, clause, quantity)
    if quantity.is_date or _bound(compared.said.text, quantity) or _LIMIT.search(clause.text):
        return False
    words = compared.context(clause)
    fits = [compared.fit(words, there) for there in compared.source.clauses]
    best = max(fits, default=0.0)
    near = [there for there, fit in zip(compared.source.clauses, fits, strict=True) if best and fit >= _NEAR * best]
    end = [one for one in compared.said.sentence_of(clause) if one is clause or one.is_negative][-1]
    return any(_is_case(compared, quantity, end, there) for there in near)


def _is_within(compared: Compared, clause: Clause, quantity: Quantity) -> bool:
    """Return whether a time lies between two of the source, or, where it is negated, outside: not at 22:00, of "6:00 to 21:00"."""
    if _bound(compared.said.text, quantity) or _EDGE.search(clause.text) or quantity.values[0] < 0:
        return False
    there, _ = compared.best(clause)
    for one, other in pairwise(there.quantities if there else ()):
        if one.kind == other.kind == "clock" and _TO.fullmatch(compared.source.text, one.end, other.start):
            begin, end = abs(one.values[0]), abs(other.values[0])
            if other.values[0] < 0 and end <= begin:  # from nine to six
                end += _DAY / 2
            is_inside = (quantity.values[0] - begin) % _DAY < (end - begin) % _DAY
            return is_inside != clause.is_negative
    return False


def _is_case(compared: Compared, quantity: Quantity, clause: Clause, there: Clause) -> bool:
    """Return whether a number is within a limit that a clause of the source gives; beyond it the same is said with a negation."""
    is_age = _AGE.match(compared.said.text, quantity.end) is not None
    limits = [(other, _limit(compared, there, other, is_age=is_age)) for other in there.quantities if _unit(other) == _unit(quantity)]
    is_same = clause.is_negative == there.is_negative
    cases = [((_amount(quantity) - _amount(limit)) * way >= 0) == is_same for limit, way in limits if way]
    return bool(cases) and all(cases)


def _limit(compared: Compared, clause: Clause, quantity: Quantity, *, is_age: bool) -> int:
    """Return what `_bound` does; for an age a time for which something lasts is the most."""
    lasts = is_age and quantity.kind in _MINUTES and any(_LASTS.search(other.text) for other in compared.source.sentence_of(clause))
    return _bound(compared.source.text, quantity) or -lasts


def _unit(quantity: Quantity) -> str:
    return "time" if quantity.kind in _MINUTES else quantity.kind


def _amount(quantity: Quantity) -> float:
    return quantity.values[0] * _MINUTES.get(quantity.kind, 1)
