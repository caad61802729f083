"""Whether passages say what a sentence says that points to them, by rules alone: numbers, dates, names, negation, cause and effect.

The rules look for a contradiction, not for a proof: other words stay, a change of what is said does not. They hold for one language;
across two only what is written the same in both can be compared (numbers, dates, names in Latin letters).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.bounds import is_bounded_otherwise, is_instance
from knowledge.causes import is_reversed
from knowledge.clauses import LISTS, Clause, Statement, Word, is_korean, is_same, statement
from knowledge.compare import Compared
from knowledge.denied import is_denied
from knowledge.named import is_of_another
from knowledge.numerals import LISTS as NUMERALS
from knowledge.placed import is_misplaced
from knowledge.quantities import LIST_COUNTS, Quantity, plain
from knowledge.replaced import is_replaced
from knowledge.sentences import sentences
from knowledge.turned import is_opposite, is_other_member
from knowledge.worked_out import is_worked_out

_MANY_WORDS = 8  # a sentence of fewer may say it in others alone
_MEASURED = frozenset(NUMERALS["kinds"]["measured"])  # of which no text says "both"
_IN_WORDS = {float(number): re.compile(words, re.IGNORECASE) for number, words in NUMERALS["in_words"].items()}
_MARKER = re.compile(r"^\s*(?:[-*•]\s+)?(?:\d{1,3}[.)]\s+)?")  # of a list in the answer
_LEAD = re.compile("^(?:" + "|".join(LISTS["leads"]) + ")+", re.IGNORECASE)
_TRAIL = re.compile("(?:" + "|".join(LISTS["trails"]) + r")(?=\s*[.!]?\s*$)", re.IGNORECASE)
_DENIED = re.compile(r"\s?(?:도|[이가])?\s?아[니닌]|도\s(?=.*(?:없|않|못|안\s))")  # 한 번도 아니고, 한 건도 없다
_FEW_WORDS = 0.1  # of a sentence's words: below, it is not from there


@dataclass(frozen=True, slots=True)
class Support:
    """What came of a check. `why` says what speaks against it: number, unit, date, name, negation, opposite, cause, words."""

    why: str = ""
    is_word_for_word: bool = True  # else the languages differ: only what is written the same in both was compared

    @property
    def is_supported(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.why


def support(sentence: str, passages: Sequence[str]) -> Support:
    """Check what a sentence says against the passages that it points to (each with its title and headings)."""
    sentence = _said_of_source(_MARKER.sub("", sentence))
    if any(_as_it_stands(sentence) in map(_as_it_stands, sentences(passage)) for passage in passages):
        return Support()
    said, everything = statement(sentence), statement("\n".join(passages))
    same = [passage for passage in passages if is_korean(passage) == said.is_korean]
    if not same:
        return Support(_across(said, everything), is_word_for_word=False)
    source = everything if len(same) == len(passages) else statement("\n".join(same))
    return Support(next((why for why in _objections(Compared(said, source, everything)) if why), ""))


def _said_of_source(sentence: str) -> str:
    """Return a sentence without "According to the handbook, " and the like."""
    return _TRAIL.sub("", _LEAD.sub("", sentence))


def _as_it_stands(sentence: str) -> str:
    return " ".join(plain(sentence).split()).rstrip(".!?…")


def _objections(compared: Compared) -> Iterator[str]:
    """Give what speaks against what was said, "" for each check that it passes."""
    said = compared.said
    for clause in said.clauses:
        for quantity in clause.quantities:
            if _is_none(compared, clause, quantity) or _DENIED.match(said.text, quantity.end):
                continue
            is_meant = is_worked_out(compared, quantity) or is_instance(compared, clause, quantity)
            yield "" if is_meant else _missing(quantity, compared.everything)
            yield ("date" if quantity.is_date else "number") if is_misplaced(compared, clause, quantity) else ""
            yield "opposite" if _is_at_another_rate(compared, clause, quantity) else ""
            yield "opposite" if is_bounded_otherwise(compared, clause, quantity) else ""
            yield "unit" if _counts_another(compared, quantity) else ""
    yield "cause" if is_reversed(said, compared.source) else ""
    yield "negation" if is_denied(compared) else ""
    yield "opposite" if any(is_opposite(compared, clause) for clause in said.clauses) else ""
    yield "name" if is_of_another(compared) or is_replaced(compared) else ""
    known = sum(map(compared.is_there, said.words))
    yield "words" if not said.quantities and len(said.words) >= _MANY_WORDS and known < _FEW_WORDS * len(said.words) else ""


def _across(said: Statement, source: Statement) -> str:
    """Return what speaks against a sentence that is not in its source's language."""
    for quantity in said.quantities:
        if why := _missing(quantity, source):
            return why
    there = source.text.lower()
    is_strange = (word.is_name and not word.is_hangul and word.text.lower() not in there for word in said.words)
    return "name" if said.is_korean and any(is_strange) else ""


# ── numbers and dates ──


def _is_none(compared: Compared, clause: Clause, quantity: Quantity) -> bool:
    """Return whether a nought is what the source denies: 0 won, of "there is no fee"."""
    if quantity.is_date or quantity.values[-1] != 0:
        return False
    words, denials = compared.context(clause), [other for other in compared.source.clauses if other.is_negative]
    return bool(denials) and compared.best_fit(words, denials) >= compared.best_fit(words, compared.source.clauses)


def _missing(quantity: Quantity, source: Statement) -> str:
    """Return "" when a source has a quantity; else what is wrong: the value, its unit, the date."""
    there = source.quantities
    in_words = None if quantity.is_date or quantity.kind in _MEASURED else _IN_WORDS.get(quantity.values[0])
    if any(quantity.agrees_with(other) for other in there) or (in_words and in_words.search(source.text)):
        return ""
    has_rivals = any(other.kind == quantity.kind for other in there)
    is_small = not quantity.is_date and quantity.values[-1] <= (4 if quantity.kind in LIST_COUNTS else 1)
    if not has_rivals and (is_small or quantity.kind == "weekday"):
        return ""  # a text counts what it lists, and says "a day" where the other says "daily"
    if quantity.is_date:
        return "date"
    return "unit" if any(not other.is_date and quantity.is_as_much_as(other) for other in there) else "number"


def _is_at_another_rate(compared: Compared, clause: Clause, quantity: Quantity) -> bool:
    """Return whether wherever the source has a quantity it says another of the rates: a month, not a year."""
    holders = [other for other in compared.source.clauses if any(quantity.agrees_with(there) for there in other.quantities)]
    return not quantity.is_date and bool(holders) and all(is_other_member("rates", compared, clause, other) for other in holders)


def _counts_another(compared: Compared, quantity: Quantity) -> bool:
    """Return whether almost the same was said of another thing than the source counts: 20 pallets, 20 boxes."""
    counted = _counted(compared.said.text, quantity)
    if counted and _is_counted_otherwise(compared, quantity, counted):
        return True
    words = compared.said.words
    if not counted or sum(map(compared.is_there, words)) < 0.7 * (len(words) - 1) or compared.is_there(counted):
        return False
    agreeing = [there for there in compared.source.quantities if quantity.agrees_with(there)]
    theirs = [_counted(compared.source.text, there) for there in agreeing]
    return bool(theirs) and not any(word and is_same(word.stem, counted.stem) for word in theirs)


def _is_counted_otherwise(compared: Compared, quantity: Quantity, counted: Word) -> bool:
    """Return whether the source counts the same thing, always with another number."""
    text, there = compared.source.text, compared.source.quantities
    same = [one for one in there if (word := _counted(text, one)) and is_same(word.stem, counted.stem)]
    return bool(same) and not any(quantity.agrees_with(one) for one in same) and not is_worked_out(compared, quantity)


def _counted(text: str, quantity: Quantity) -> Word | None:
    """Return the word after a number that has no known unit."""
    found = re.compile(r"\s?([가-힣]+|[A-Za-z]+)").match(text, quantity.end) if quantity.kind == "" else None
    return next(iter(statement(found[1]).words), None) if found else None
