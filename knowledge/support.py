"""Whether passages say what a sentence says that points to them, by rules alone: numbers, dates, names, negation, cause and effect.

The rules look for a contradiction, not for a proof: other words stay, a change of what is said does not. They hold for one language;
across two only what is written the same in both can be compared (numbers, dates, names in Latin letters).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.causes import is_reversed
from knowledge.clauses import Clause, Statement, Word, is_korean, is_same, statement
from knowledge.compare import LEAST_SHARE, Compared, is_clearly, other_members
from knowledge.named import is_of_another
from knowledge.quantities import LIST_COUNTS, Quantity, plain
from knowledge.sentences import sentences
from knowledge.worked_out import is_worked_out

_TURNED_SHARE = 0.5  # of a clause's words in one of the source, from which on the two can be said to be each other's opposite
_OTHER_SHARE = 0.35
_PREDICATE_SHARE = 0.2  # the same, when they share what happens
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
    if any(_as_it_stands(sentence) in map(_as_it_stands, sentences(passage)) for passage in passages):
        return Support()
    said, everything = statement(sentence), statement("\n".join(passages))
    same = [passage for passage in passages if is_korean(passage) == said.is_korean]
    if not same:
        return Support(_across(said, everything), is_word_for_word=False)
    source = everything if len(same) == len(passages) else statement("\n".join(same))
    return Support(next((why for why in _objections(Compared(said, source, everything)) if why), ""))


def _as_it_stands(sentence: str) -> str:
    return " ".join(plain(sentence).split()).rstrip(".!?…")


def _objections(compared: Compared) -> Iterator[str]:
    """Give what speaks against what was said, "" for each check that it passes."""
    said = compared.said
    for quantity in said.quantities:
        yield "" if is_worked_out(compared, quantity) else _missing(quantity, compared.everything.quantities)
    for clause in said.clauses:
        for quantity in clause.quantities:
            yield _misplaced(compared, clause, quantity)
            yield "opposite" if _is_bounded_otherwise(compared, quantity) else ""
            yield "unit" if _counts_another(compared, quantity) else ""
    yield "cause" if is_reversed(said, compared.source) else ""
    for clause in said.clauses:
        yield _turned(compared, clause)
    yield "opposite" if any(_is_prefixed_otherwise(compared, word) for word in said.words) else ""
    yield "name" if is_of_another(compared) else ""
    known = sum(map(compared.is_there, said.words))
    yield "words" if not said.quantities and len(said.words) >= 5 and known < _FEW_WORDS * len(said.words) else ""


def _across(said: Statement, source: Statement) -> str:
    """Return what speaks against a sentence that is not in its source's language."""
    for quantity in said.quantities:
        if why := _missing(quantity, source.quantities):
            return why
    there = source.text.lower()
    is_strange = (word.is_name and not word.is_hangul and word.text.lower() not in there for word in said.words)
    return "name" if said.is_korean and any(is_strange) else ""


# ── numbers and dates ──


def _missing(quantity: Quantity, there: Sequence[Quantity]) -> str:
    """Return "" when a quantity is among others; else what is wrong: the value, its unit, the date."""
    if any(quantity.agrees_with(other) for other in there):
        return ""
    has_rivals = any(other.kind == quantity.kind for other in there)
    is_small = not quantity.is_date and quantity.values[-1] <= (4 if quantity.kind in LIST_COUNTS else 1)
    if not has_rivals and (is_small or quantity.kind == "weekday"):
        return ""  # a text counts what it lists, and says "a day" where the other says "daily"
    if quantity.is_date:
        return "date"
    return "unit" if any(not other.is_date and quantity.is_as_much_as(other) for other in there) else "number"


def _misplaced(compared: Compared, clause: Clause, quantity: Quantity) -> str:
    """Return why not, when the source says another quantity of the kind where this one was said."""
    why = "date" if quantity.is_date else "number"
    holders = [other for other in compared.source.clauses if any(quantity.agrees_with(there) for there in other.quantities)]
    if holders and all(_is_other_member(compared, clause, other) for other in holders):
        return "opposite"
    is_rival = {there for there in compared.source.quantities if there.kind == quantity.kind and not _is_said(compared, there)}
    rivals = [other for other in compared.source.clauses if other not in holders and not is_rival.isdisjoint(other.quantities)]
    if not holders or not rivals:
        return ""
    context = compared.context(clause)
    own, theirs = (compared.best_fit(context, some) + _beside(compared, clause, quantity, some) for some in (holders, rivals))
    if is_clearly(theirs, own) and theirs >= 0.75 * LEAST_SHARE * compared.could(context):
        return why
    nearest = _nearest(compared, clause, quantity)
    near = [before for other in holders for before in compared.source.sentence_of(other) if before.start <= other.start]
    is_of_rival = nearest and compared.has(rivals, nearest) and not compared.has(near, nearest)
    return why if is_of_rival and theirs > 0.7 * own else ""


def _is_said(compared: Compared, there: Quantity) -> bool:
    return any(own.agrees_with(there) for own in compared.said.quantities)


def _beside(compared: Compared, clause: Clause, quantity: Quantity, others: Sequence[Clause]) -> float:
    """Return how many of the other quantities that were said beside one stand in a sentence of some clauses, at most."""
    beside = [one for one in clause.quantities if one is not quantity and one.kind != quantity.kind]
    return max((_count_in(compared.source.sentence_of(other), beside) for other in others), default=0)


def _count_in(clauses: Sequence[Clause], some: Sequence[Quantity]) -> int:
    return sum(any(one.agrees_with(there) for clause in clauses for there in clause.quantities) for one in some)


def _nearest(compared: Compared, clause: Clause, quantity: Quantity) -> Word | None:
    """Return the word that says what a quantity is about: in Korean the next one that the source has, in English the one before."""
    after = [word for word in clause.words if word.start >= quantity.end]
    before = [word for word in clause.words if word.start < quantity.start]
    return next((word for word in (after if compared.is_korean else before[::-1]) if compared.having(word)), None)


# A bound before a quantity or after it: up (at least, from) is 1, down (at most, until) is -1.
_BOUNDS = (
    (1, re.compile(r"\b(?:at least|more than|over|above|exceed(?:s|ing)?|minimum of|no (?:less|fewer) than|from|since|after|starting|as of"
                   r"|(?:long|old)er than)\s(?:the\s|about\s)?$", re.IGNORECASE),
     re.compile(r"\s?(?:이상|초과|부터|이후|[을를] 넘|or (?:more|longer|older|later|above))")),
    (-1, re.compile(r"\b(?:at most|up to|(?:no|not) more than|(?:less|fewer) than|under|below|within|maximum of|until|till|by|before"
                    r"|no later than|shorter than)\s(?:the\s)?$", re.IGNORECASE),
     re.compile(r"\s?(?:이하|미만|이내|까지|이전|[을를] 넘지|or (?:less|fewer|earlier|below))")),
)  # fmt: skip


def _bound(text: str, quantity: Quantity) -> int:
    """Return whether a text gives a quantity as the least (1) or the most (-1); 0 when it says neither."""
    before = text[max(quantity.start - 20, 0) : quantity.start]
    found = [way for way, pre, post in _BOUNDS if pre.search(before) or post.match(text, quantity.end)]
    return found[-1] if found else 0


def _is_bounded_otherwise(compared: Compared, quantity: Quantity) -> bool:
    """Return whether "at least" was said where the source says "at most", or "from" for "until"."""
    own = _bound(compared.said.text, quantity)
    theirs = {_bound(compared.source.text, there) for there in compared.source.quantities if quantity.agrees_with(there)}
    return bool(own) and theirs == {-own}


def _counts_another(compared: Compared, quantity: Quantity) -> bool:
    """Return whether almost the same was said of another thing than the source counts: 20 pallets, 20 boxes."""
    counted = _counted(compared.said.text, quantity)
    words = compared.said.words
    if not counted or sum(map(compared.is_there, words)) < 0.7 * (len(words) - 1) or compared.is_there(counted):
        return False
    agreeing = [there for there in compared.source.quantities if quantity.agrees_with(there)]
    theirs = [_counted(compared.source.text, there) for there in agreeing]
    return bool(theirs) and not any(word and is_same(word.stem, counted.stem) for word in theirs)


def _counted(text: str, quantity: Quantity) -> Word | None:
    """Return the word after a number that has no known unit."""
    found = re.compile(r"\s?([가-힣]+|[A-Za-z]+)").match(text, quantity.end) if quantity.kind == "" else None
    return next(iter(statement(found[1]).words), None) if found else None


# ── negation and opposites ──

_MODAL = re.compile(r"\b(?:can|may|must|will|shall|should|is|are|was|were|be|been|has|have|had|do|does|did)\b", re.IGNORECASE)
_THAN = re.compile(r"\bthan\b", re.IGNORECASE)
_PREFIXES = {True: ("미", "비", "불", "무"), False: ("un", "in", "im", "dis", "non", "non-", "ir")}


def _turned(compared: Compared, clause: Clause) -> str:
    """Return why not, when the clause of the source that says it says the opposite."""
    if _is_predicate_turned(compared, clause):
        return "negation"
    there, share = compared.best(clause)
    if there is None or len(clause.words) < 2:
        return ""
    is_turned, is_other = clause.is_negative != there.is_negative, _is_other_member(compared, clause, there)
    if is_turned and not is_other:
        return "negation" if share >= _TURNED_SHARE and _is_negated_there(compared, clause, there) else ""
    is_opposite = is_other and not is_turned and share >= _OTHER_SHARE and not _compare_otherwise(compared, clause, there)
    return "opposite" if is_opposite else ""


def _is_negated_there(compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether the word that one of two clauses negates the other one has, and no clause says it as it was said."""
    negated = clause.negated if clause.is_negative else there.negated
    others = compared.source.sentence_of(there) if clause.is_negative else [clause]
    if negated and not any(is_same(negated.stem, word.stem) for other in others for word in other.words):
        return False
    words = [(word, 1.0) for word in clause.words]
    alike = (other for other in compared.source.clauses if other.is_negative == clause.is_negative)
    return compared.best_fit(words, alike) < 0.8 * compared.fit(words, there)


def _is_predicate_turned(compared: Compared, clause: Clause) -> bool:
    """Return whether all clauses of the source that share what happens, and more, say it the other way round."""
    predicate = clause.negated or _predicate(clause, is_korean=compared.is_korean)
    rest = [(word, 1.0) for word in clause.words if word is not predicate]
    if not predicate or not rest:
        return False
    least = _PREDICATE_SHARE * compared.could(rest)
    having = [other for other in compared.source.clauses if compared.has([other], predicate)]
    of_subject = [other for other in having if any(word.role == "who" and compared.has([other], word) for word, _ in rest)]
    saying = of_subject or [other for other in having if compared.fit(rest, other) >= least]
    return bool(saying) and all(other.is_negative != clause.is_negative for other in saying)


def _predicate(clause: Clause, *, is_korean: bool) -> Word | None:
    """Return the word that says what happens: in Korean the last one, in English the one after an auxiliary verb."""
    if is_korean:
        return clause.words[-1] if clause.words else None
    found = _MODAL.search(clause.text)
    return next((word for word in clause.words if found and word.start >= clause.start + found.end()), None)


def _is_other_member(compared: Compared, clause: Clause, there: Clause) -> bool:
    around = " ".join(other.text for other in compared.source.sentence_of(there))
    return other_members(clause.text, there.text, around, is_korean=compared.is_korean)


def _compare_otherwise(compared: Compared, clause: Clause, there: Clause) -> bool:
    """Return whether both compare, each with something else: A is longer than B, B is shorter than A."""
    own, theirs = (_compared_with(one, is_korean=compared.is_korean) for one in (clause, there))
    return bool(own and theirs and not is_same(own.stem, theirs.stem))


def _compared_with(clause: Clause, *, is_korean: bool) -> Word | None:
    """Return what a clause compares with: before 보다, after "than"."""
    if is_korean:
        return next((word for word in clause.words if word.role == "than"), None)
    found = _THAN.search(clause.text)
    return next((word for word in clause.words if found and word.start >= clause.start + found.end()), None)


def _is_prefixed_otherwise(compared: Compared, word: Word) -> bool:
    """Return whether the source has a word with a prefix that turns it around (미제출, unopened), or without the one that was said."""
    if len(word.stem) < 2 or compared.is_there(word):
        return False
    prefixes = _PREFIXES[word.is_hangul]
    pairs = ((one, other) for there in compared.source.words for one, other in ((word.stem, there.stem), (there.stem, word.stem)))
    return any(one == prefix + other for one, other in pairs for prefix in prefixes)
