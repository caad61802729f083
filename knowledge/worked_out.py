"""Whether a number that was said is one that two numbers of its source come to."""

import re

from knowledge.compare import Compared
from knowledge.quantities import Quantity

_CHANGE = re.compile(
    r"\b(?:by|more|less|fewer|later|earlier|difference)\b|인상|인하|증가|감소|차이|보다|비싸|저렴|올[리라랐]|내[리려렸]|늘|줄|더\s|덜\s",
    re.IGNORECASE,
)
_EXACTLY = re.compile(r"[\d.,]+\s?(?:%|percent|퍼센트|프로|할|배|fold)")  # else in words, which are said of what is nearly so


def is_worked_out(compared: Compared, quantity: Quantity) -> bool:
    """Return whether two numbers of the source come to one that was said: a difference, a part of a whole, or which part it is."""
    if quantity.is_date:
        return False
    return _is_difference(compared, quantity) or _is_ratio(compared, quantity) or _is_part(compared, quantity)


def _is_part(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a number is the part of another that the source gives as a percentage: half of 120 people is 60."""
    there = [other for other in compared.source.quantities if not other.is_date]
    shares = [other.values[0] / 100 for other in there if other.kind == "percent"]
    wholes = [other.values[0] for other in there if other.kind in (quantity.kind, "")]
    return any(abs(share * whole - quantity.values[0]) < 1e-6 for share in shares for whole in wholes)


def _is_ratio(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a part or multiple in words ("a quarter", 절반, 두 배) is one of two numbers that count the same: 310 of 1,240."""
    if quantity.kind not in ("percent", "fold") or _EXACTLY.fullmatch(compared.said.text, quantity.start, quantity.end):
        return False
    ratio = quantity.values[0] / (100 if quantity.kind == "percent" else 1)
    values = [(other.kind, other.values[0]) for other in compared.source.quantities if not other.is_date and other.values[0]]
    pairs = ((one, other) for kind, one in values for same, other in values if kind == same or "" in (kind, same))
    return any(abs(one / other - ratio) <= 0.04 * ratio for one, other in pairs)


def _is_difference(compared: Compared, quantity: Quantity) -> bool:
    """Return whether a number is by how much two of the source differ, and is said to be one: 1,400원 to 1,600원 is 200원 more."""
    if quantity.kind == "percent" or not _CHANGE.search(compared.said.text):
        return False
    kinds = {"point": ("point", "percent")}.get(quantity.kind, (quantity.kind,))
    values = [other.values[0] for other in compared.everything.quantities if other.kind in kinds]
    return any(abs(abs(one - other) - quantity.values[0]) < 1e-6 for one in values for other in values)
