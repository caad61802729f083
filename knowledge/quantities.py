"""The numbers, dates and times that a text names, in Korean and English, in one form: 3만 원 is 30,000원, 31 March is 3월 31일.

What is written differently and comes to the same is the same; nothing is converted that needs a table of rates (currencies, miles).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from knowledge.quantity_forms import READERS
from knowledge.quantity_times import is_none

NEARLY = 0.02  # a year is 365 days, though a month is called thirty
LIST_COUNTS = frozenset(("piece", "stage", "place", "time", ""))  # kinds in which a text counts what it lists


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it counts ("" when that is not said), or a `date` (year, month, day), a `clock` (minutes), a `weekday` (0-6).

    `start` and `end` say where it stands in the text as `plain` returns it.
    """

    kind: str
    values: tuple[float, ...]
    start: int
    end: int

    @property
    def is_date(self) -> bool:
        """Whether it says when, not how much."""
        return self.kind in ("date", "clock", "weekday")

    def is_as_much_as(self, other: "Quantity") -> bool:
        """Return whether the other one has the same value, whatever it counts."""
        if self.is_date or other.is_date:
            return self.agrees_with(other)
        return _is_close(self.values[0], other.values[0]) or _is_close(*(one.values[-1] for one in (self, other)))

    def agrees_with(self, other: "Quantity") -> bool:
        """Return whether a text that says the other one says this one; what it leaves open (the year, what is counted) agrees."""
        if self.kind == other.kind:
            return _AGREE.get(self.kind, _same_number)(self, other)
        kinds = {self.kind: self, other.kind: other}
        if "date" in kinds:
            number = self if other.kind == "date" else other
            return _is_in_date(kinds["date"], number)
        if kinds.keys() == {"", "clock"}:  # from eight to ten
            return (abs(kinds["clock"].values[0]) - 60 * kinds[""].values[0]) % 720 == 0
        for small, large, times in _AS_MUCH:
            if kinds.keys() == {small, large}:
                return abs(kinds[small].values[0] - times * kinds[large].values[0]) <= NEARLY * kinds[small].values[0]
        is_open = "" in kinds or kinds.keys() == {"fold", "time"} or kinds.keys() in ({"ordinal", "floor"}, {"ordinal", "day"})
        return is_open and not (self.is_date or other.is_date) and _is_close(self.values[-1], other.values[-1])


def plain(text: str) -> str:
    """Return a text in the form that quantities are read in."""
    return unicodedata.normalize("NFKC", text)


def quantities(text: str) -> list[Quantity]:
    """Return the quantities of a plain text in order. No place is in two of them."""
    taken = bytearray(len(text))
    found: list[Quantity] = []
    for pattern, read in READERS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            if quantity := read(match):
                found.append(Quantity(quantity[0], quantity[1], start, end))
            if quantity or read is is_none:
                taken[start:end] = b"x" * (end - start)
    return _added_up(text, _with_shared_units(text, sorted(found, key=lambda one: one.start)))


def _with_shared_units(text: str, found: list[Quantity]) -> list[Quantity]:
    """Return quantities in which the first of a range (10~20명) counts what the second does."""
    for n in range(len(found) - 2, -1, -1):
        one, after = found[n], found[n + 1]
        if one.kind == "" and not after.is_date and re.fullmatch(r"\s*(?:[~\-–—〜]|에서|to|or|and)\s*", text[one.end : after.start]):
            factor = after.values[0] / after.values[-1] if after.values[-1] else 1.0
            found[n] = Quantity(after.kind, (one.values[0] * factor, one.values[-1]), one.start, one.end)
    return found


def _added_up(text: str, found: list[Quantity]) -> list[Quantity]:
    """Return quantities in which one of a larger and a smaller unit is one: 1시간 30분, 1 year and 6 months, 2 m 10 cm."""
    whole: list[Quantity] = []
    for one in found:
        last = whole[-1] if whole else None
        if last and last.kind == one.kind and _goes_on(last, one) and re.fullmatch(r"\s(?:and\s)?|", text[last.end : one.start]):
            total = last.values[0] + one.values[0]
            whole[-1] = Quantity(last.kind, (total, total), last.start, one.end)
        else:
            whole.append(one)
    return whole


def _goes_on(one: Quantity, other: Quantity) -> bool:
    """Return whether a quantity is in a larger unit than the one behind it, of which it has less than one."""
    if one.is_date or not one.values[-1] or not other.values[-1]:
        return False
    larger = one.values[0] / one.values[-1]
    return larger > other.values[0] / other.values[-1] and 0 < other.values[0] < larger


# ── the same ──


def _is_close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def _same_number(one: Quantity, other: Quantity) -> bool:
    return _is_close(one.values[0], other.values[0])


def _same_date(one: Quantity, other: Quantity) -> bool:
    """Return whether the other date says what this one does; only the year it may leave open."""
    shared = [(a, b) for a, b in zip(one.values, other.values, strict=True) if a and b]
    is_as_exact = all(b or not a for a, b in zip(one.values[1:], other.values[1:], strict=True))
    return bool(shared) and is_as_exact and all(a == b for a, b in shared)


def _same_clock(one: Quantity, other: Quantity) -> bool:
    """Return whether two times are the same; one without morning or afternoon (negative) may be either."""
    a, b = one.values[0], other.values[0]
    is_open = a < 0 or b < 0
    return (abs(a) - abs(b)) % 720 == 0 if is_open else a == b


def _is_in_date(date: Quantity, number: Quantity) -> bool:
    """Return whether a number may be the year, month or day of a date: 2026, the 25th, 25일."""
    year, _, day = date.values
    if number.kind in ("", "day", "ordinal"):
        return number.values[-1] in (day or -1, year or -1)
    return False


_AS_MUCH = (("day", "month", 30), ("second", "minute", 60), ("minute", "day", 24 * 60), ("day", "workday", 7 / 5))
_AGREE: dict[str, Callable[[Quantity, Quantity], bool]] = {"date": _same_date, "clock": _same_clock}
