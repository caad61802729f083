"""What a text states, clause by clause: its words as they can be compared, its quantities, whether it is negated."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from unicodedata import normalize

import Stemmer

from knowledge.asking import STOP_WORDS, is_asking, stem_length
from knowledge.loanwords import english_of
from knowledge.quantities import Quantity, plain, quantities
from knowledge.sentences import sentences

LISTS = tomllib.loads(Path(__file__).with_name("support.toml").read_text("utf-8"))
_WORD = re.compile(r"[가-힣]+|[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*")
_KOREAN_BREAK = (
    r"(?<=[가-힣])(?:(?<![경사광재창보신원공권최중참금])고(?!\s?(?:있|싶|나|계|할|하|한|합))|며|므로|니까|지만"
    r"|으나|는데|은데|면서|거나|이나)\s"
)
_HALF = re.compile(r"(?<=;\s)")
_NO_FIRST = -1  # Korean has no capitals, so a Latin one is a name anywhere
_BREAK = re.compile(rf"{_KOREAN_BREAK}|[,;:—|]\s|\s(?:and|but|while|whereas|although|though|or)\s|\s(?=(?:because|if|when|unless)\s)")
NEGATION = {
    is_korean: re.compile("|".join(LISTS[name]), re.IGNORECASE)
    for is_korean, name in ((True, "korean_negations"), (False, "english_negations"))
}
_BESIDE = re.compile(LISTS["negations_beside"], re.IGNORECASE)
_NO_CONTENT = re.compile(r"않|없|못|아니|아닌|아닙|말고$|말아|이를$|이는$|그는$|(?:이다|입니다|전까지)$")
_PREPOSITION = re.compile(r"\b(from|to|by|for|with|in|on|at|after|before|than|of)\s(?:the\s|an?\s|its\s|their\s)?$", re.IGNORECASE)
TITLES = frozenset(LISTS["titles"].split())
_TITLE = re.compile(r"\s(?:님|씨)(?=[은는이가을를의과와도께]|에게|$|\s)")  # 하은 님 is no verb
_COPULA = re.compile(r"이(?:고|며|다|라|라고|라는|지만|므로|어서|었다|었고)|인|인데|입니다|이에요|예요|였다|였고")
_PERSON = re.compile(f"[{LISTS['surnames']}][가-힣]{{2}}")
_SHORT_VERB = re.compile(r"([가-힣])(?:습니다|습니까|는다|지|으면|아야|어야)$")  # 맡지 (않습니다), 맡는다
_VERB_ENDS = "아어았었고기게며면는은을지"  # after a verb of one syllable
_OBJECT = re.compile(r"\s(?:an?|the|your|it|them|all|any|no|every|each)\b")  # behind a word that tells to do something
_THINGS = ("서버", "요금제", "플랜", "모델", "프로젝트", "프로그램", "지점", "캠퍼스", "창고", "공장")
_ENDINGS = re.compile(rf"(?<=[가-힣])(?:{'|'.join(sorted(LISTS['name_endings'].split(), key=len, reverse=True))})$")
_TAILS = {
    **dict.fromkeys(("은", "는", "이", "가", "께서"), "who"), **dict.fromkeys(("을", "를"), "what"),
    **dict.fromkeys(("에게", "한테", "께", "로", "으로"), "whom"), **dict.fromkeys(("에서", "에", "에서는", "에는"), "where"),
    **dict.fromkeys(("부터", "에게서"), "from"), "보다": "than", "의": "of", **dict.fromkeys(("와", "과", "이랑", "랑"), "with"),
}  # fmt: skip
_QUOTES = tuple("'‘“\"「『《<")
_stem = Stemmer.Stemmer("english").stemWord
_IRREGULAR = {
    form: group.split()[0] for line in LISTS["irregular"].splitlines() for group in line.split(" | ") for form in group.split()[1:]
}
_FUNCTION_WORDS = STOP_WORDS | frozenset(
    [
        "may",
        "must",
        "shall",
        "within",
        "per",
        "you",
        "us",
        "without",
        "never",
        "none",
        "not",
        "cannot",
        "except",
        "unless",
        "until",
        "neither",
        "also",
        "one",
        "every",
        "each",
        "any",
    ]
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word that tells something. `role` is what its Korean particle makes of it, `ending` the end it shares with others of its kind."""

    text: str
    stem: str
    start: int
    is_name: bool = False
    role: str = ""
    ending: str = ""
    before: str = ""  # the stems of its neighbours in the clause
    after: str = ""

    @property
    def is_hangul(self) -> bool:
        """Whether it is written in Hangul."""
        return "가" <= self.text[0] <= "힣"

    @property
    def is_plain(self) -> bool:
        """Whether it stands without a Korean particle or ending."""
        return not self.is_hangul or self.stem == self.text


_END = Word("-", "", 0)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence with what it states. `sentence` numbers the sentence it is in."""

    number: int  # in its text, from 0
    text: str
    start: int
    sentence: int
    words: tuple[Word, ...]
    quantities: tuple[Quantity, ...]
    is_negative: bool  # what happens is negated
    is_negative_in_all: bool  # the same, when what is negated beside it (쓰지 않은 연차, unless renewed) turns it around, too


@dataclass(frozen=True, slots=True)
class Statement:
    """A text as its clauses."""

    clauses: tuple[Clause, ...]
    text: str
    is_korean: bool

    @property
    def words(self) -> list[Word]:
        """All words, in order."""
        return [word for clause in self.clauses for word in clause.words]

    @property
    def quantities(self) -> list[Quantity]:
        """All quantities, in order."""
        return [quantity for clause in self.clauses for quantity in clause.quantities]

    def sentences(self) -> list[list[Clause]]:
        """Return the clauses by sentence."""
        return [list(group) for _, group in groupby(self.clauses, key=lambda clause: clause.sentence)]

    def sentence_of(self, clause: Clause) -> list[Clause]:
        """Return the clauses of a clause's sentence, itself among them."""
        return [other for other in self.clauses if other.sentence == clause.sentence]


def is_korean(text: str) -> bool:
    """Return whether a tenth of a text is Hangul: code and names are Latin in Korean texts too."""
    return len(re.findall("[가-힣]", text)) > len(text) / 10


@lru_cache(maxsize=256)
def statement(text: str) -> Statement:
    """Return what a text states. The sentences of an answer point to the same few passages, so those last read are kept."""
    text = plain(text)
    found, in_korean, start = quantities(text), is_korean(text), 0
    clauses: list[Clause] = []
    for n, sentence in enumerate(part for whole in sentences(text) for part in _HALF.split(whole) if part):
        first = _NO_FIRST if in_korean else start + len(sentence) - len(sentence.lstrip("-*•#> \"'“‘"))
        for begin, end in _spans(sentence, start):
            inside = tuple(quantity for quantity in found if begin <= quantity.start < end)
            clause = _clause(text[begin:end], begin, n, _words(text, begin, end, inside, first), inside, in_korean)
            if clauses and clauses[-1].sentence == n and _belong_together(clauses[-1], clause):
                last = clauses.pop()
                clause = _clause(text[last.start : end], last.start, n, last.words + clause.words, last.quantities + inside, in_korean)
            if clause.words or inside:
                clauses.append(replace(clause, number=len(clauses)))
        start += len(sentence)
    return Statement(tuple(clauses), text, in_korean)


def _belong_together(one: Clause, other: Clause) -> bool:
    """Return whether a break between two clauses is none: one of them says too little by itself."""
    return (len(one.words) < 2 and not one.quantities) or not other.words or (len(other.words) < 2 and not other.quantities)


def _spans(sentence: str, start: int) -> list[tuple[int, int]]:
    ends = [found.end() for found in _BREAK.finditer(sentence)]
    return [(start + begin, start + end) for begin, end in zip([0, *ends], [*ends, len(sentence)], strict=True) if begin < end]


def _clause(  # what a clause is made of
    text: str, start: int, sentence: int, words: tuple[Word, ...], inside: tuple[Quantity, ...], in_korean: bool
) -> Clause:
    """Return a clause; what is negated twice is not."""
    turns = list(NEGATION[in_korean].finditer(text))
    main = [turn for turn in turns if not _BESIDE.match(text, turn.start())]
    return Clause(0, text, start, sentence, words, inside, len(main) % 2 == 1, len(turns) % 2 == 1)


def _words(text: str, begin: int, end: int, inside: Sequence[Quantity], first: int) -> tuple[Word, ...]:
    """Return the words between two places of a text that are no quantities and tell something. `first`: where its sentence begins."""
    found: list[Word] = []
    for match in _WORD.finditer(text, begin, end):
        if any(match.start() < quantity.end and quantity.start < match.end() for quantity in inside):
            continue
        word = _word(text, match, first)
        if word and found and _names_the_one_before(word, found[-1]):
            found[-1] = replace(found[-1], stem=found[-1].stem if found[-1].is_plain else found[-1].text, is_name=True)
        if word and word.role == "" and first != _NO_FIRST and not word.is_hangul:
            role = _PREPOSITION.search(text, begin, match.start())
            is_subject = match.start() <= first + 4 and not found and not _OBJECT.match(text, match.end())
            word = replace(word, role="who" if is_subject else role[1].lower() if role else "")
        if word:
            found.append(word)
    around = zip([_END, *found], found, [*found[1:], _END], strict=False)
    return tuple(
        Word(word.text, word.stem, word.start, word.is_name, word.role, word.ending, before.stem, after.stem)
        for before, word, after in around
    )


def _names_the_one_before(word: Word, before: Word) -> bool:
    """Return whether a word makes a name of the one before it: 조 과장, 최윤서 대리, 가람 서버."""
    if word.stem in TITLES and (before.is_plain or _PERSON.fullmatch(before.text)):
        return True
    return before.is_plain and len(before.stem) > 1 and before.is_hangul and word.text.startswith(_THINGS)


def _word(text: str, match: re.Match[str], first: int) -> Word | None:
    """Return a word; what stands in quotation marks, or with a capital behind a semicolon, is a name."""
    is_hangul = "가" <= match[0][0] <= "힣"
    before = text[max(match.start() - 2, 0) : match.start()]
    is_quoted = before != "" and before[-1] in _QUOTES and not before[:-1].strip("( ")
    if is_hangul and before[-1:].strip() and not is_quoted and _COPULA.fullmatch(match[0]):  # 'corp-5G'이고
        return None
    if is_hangul and not is_quoted and _TITLE.match(text, match.end()):
        return Word(match[0], match[0], match.start(), is_name=True)
    if is_hangul and not is_quoted and is_asking(match[0]):
        return None
    word = _korean_word(match[0], match.start()) if is_hangul else _latin_word(match[0], match.start(), first)
    return replace(word, is_name=True) if word and (is_quoted or (before == "; " and match[0][0].isupper())) else word


def _korean_word(run: str, start: int) -> Word | None:
    if _NO_CONTENT.match(run):
        return None
    length = stem_length(run)
    stem, tail = run[:length], run[length:]
    if tail[:1] == "과" and len(tail) > 1:  # 정형외과는; of 작년과는 the stem is the same word
        stem, tail = stem + "과", tail[1:]
    if len(run) == 2 and run[1] in "은는이가을를에로의도":
        stem, tail = run[0], run[1]
    if verb := _SHORT_VERB.match(run):
        stem, tail = verb[1], ""
    ending = _ENDINGS.search(stem)
    english = next(english_of(run), None)
    return Word(run, _stem(english[1]) if english else stem, start, role=_TAILS.get(tail, ""), ending=ending[0] if ending else "")


def _latin_word(run: str, start: int, first: int) -> Word | None:
    lower = run.lower()
    if len(run) == 1 and run.isupper() and first == _NO_FIRST:
        return Word(run, lower, start, is_name=True)
    if lower in _FUNCTION_WORDS or (run.isdigit() and len(run) < 3):
        return None
    has_sign = any(sign.isdigit() or sign in "_./" for sign in run)
    is_name = has_sign or run[1:] != lower[1:] or (run[0].isupper() and start > first)
    return Word(run, _stem(_IRREGULAR.get(lower, lower)), start, is_name=is_name)


@lru_cache(maxsize=50_000)
def is_same(one: str, other: str) -> bool:
    """Return whether two stems are forms of one word."""
    if one == other:
        return True
    if not ("가" <= one[0] <= "힣" and "가" <= other[0] <= "힣"):
        shared = _shared(one, other)
        return shared >= 5 and shared >= max(len(one), len(other)) - 4 and one.isalpha() and other.isalpha()
    shorter, longer = sorted((one, other), key=len)
    if (len(shorter) >= 2 and shorter in longer) or (longer[:-1] == shorter and longer[-1] in _VERB_ENDS):
        return True
    shared = _shared(one, other)
    is_bent = len(shorter) == shared + 1 and shared >= 1 and _first_sound(one[shared]) == _first_sound(other[shared])
    return is_bent and (shared >= 2 or len(longer) <= 3)


def _shared(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _first_sound(syllable: str) -> str:
    return normalize("NFD", syllable)[0]
