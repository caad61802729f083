"""Passages of made-up Korean and English words, the same for a seed, and the exact search that nod's is compared with.

Words come as in texts (Zipf), so common terms stand in very many passages. A tenth of the passages lies in a hundred channels of
a thousandth each, the rest in `everyone`. They are copied into the tables; the merges that make the index are nod's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from knowledge.analyse import VERSION, codes, query_from
from knowledge.score import Corpus, Floats, counts_from, scores_from
from nod.contracts import EVERYONE

WORDS = 40_000  # of each language
MEAN_WORDS = 62  # about 95 terms with the title
IN_DOCUMENT = 5
CHANNELS = 100
AT_ONCE = 5000  # documents copied, and passages scored
_ZIPF = 1.05

Ints = NDArray[np.int64]


def channel(n: int) -> str:
    """Return the scope of the nth channel."""
    return f"channel:slack:C{n}"


ALL_SCOPES = (EVERYONE, *(channel(n) for n in range(CHANNELS)))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one language, commonest first, with the codes of each."""

    words: NDArray[Any]
    codes: NDArray[np.int32]
    starts: Ints  # of each word's codes, and the end
    shares: NDArray[np.float64]  # summed: how likely one of the words up to here is

    @classmethod
    def of(cls, words: Sequence[str]) -> "Vocabulary":
        """Analyse words; the nth is as likely as one divided by n."""
        analysed = [codes(word) for word in words]
        likely = np.cumsum(1 / (np.arange(len(words)) + 3.0) ** _ZIPF)
        return cls(
            np.array(words, object), np.concatenate(analysed), np.cumsum([0, *map(len, analysed)]), likely / likely[-1]
        )  # fmt: skip

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """Return words by number."""
        return np.searchsorted(self.shares, rng.random(count))

    def codes_of(self, numbers: Ints) -> NDArray[np.int32]:
        """Return the codes of words one after the other."""
        lengths = self.starts[numbers + 1] - self.starts[numbers]
        ends = np.cumsum(lengths)
        return self.codes[np.repeat(self.starts[numbers] - (ends - lengths), lengths) + np.arange(ends[-1])]


def vocabularies(rng: np.random.Generator) -> tuple[Vocabulary, Vocabulary]:
    """Return Korean and English words that nobody uses."""
    syllables = [chr(0xAC00 + n) for n in rng.permutation(11_172)[:900]]
    sounds = [a + b for a in "bcdfghjklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "el", "in", "on", "ur")]
    return _words(rng, syllables, ""), _words(rng, sounds, "k")


def _words(rng: np.random.Generator, sounds: list[str], end: str) -> Vocabulary:
    """Return words of two to four sounds, the first of which are commoner than the last."""
    likely = 1 / (np.arange(len(sounds)) + 20.0)
    drawn = rng.choice(sounds, (WORDS, 4), p=likely / likely.sum())
    return Vocabulary.of(list(dict.fromkeys("".join(row[:n]) + end for row, n in zip(drawn, rng.integers(2, 5, WORDS), strict=True))))


@dataclass(slots=True)
class Synthetic:
    """What was put into a database: enough to ask about it and to score every passage exactly."""

    rows: list[bytes] = field(default_factory=list)
    title_terms: list[int] = field(default_factory=list)
    scope_of: list[int] = field(default_factory=list)  # 0 is `everyone`, n the channel n - 1; passage ids are places + 1
    questions: list[str] = field(default_factory=list)

    def exact(self, question: str) -> Floats:
        """Return the score of every passage for a question, with no index at all."""
        query = query_from(question)
        counted = [
            counts_from(query, self.rows[start : start + AT_ONCE], self.title_terms[start : start + AT_ONCE])
            for start in range(0, len(self.rows), AT_ONCE)
        ]
        corpus = Corpus(
            passages=len(self.rows),
            mean_length=sum(float(part.lengths.sum()) for part in counted) / len(self.rows),
            mean_title=sum(float(part.title_lengths.sum()) for part in counted) / len(self.rows),
            frequencies=np.sum([(part.body > 0).sum(axis=0) for part in counted], axis=0).astype(float),
        )
        return np.concatenate([scores_from(query, part, corpus).total for part in counted])

    def best(self, scores: Floats, scopes: Sequence[str], k: int = 10) -> set[int]:
        """Return the ids of the k best passages in these scopes; the lower id first of equals, as nod has it."""
        numbers = [ALL_SCOPES.index(scope) for scope in scopes]
        visible = np.where(np.isin(self.scope_of, numbers), scores, 0.0)
        order = np.lexsort((np.arange(len(visible)), -visible))[:k]
        return {int(n) + 1 for n in order if visible[n] > 0}


@dataclass(frozen=True, slots=True)
class _Document:
    scope: int
    title: str
    texts: list[str]


def make(database_url: str, passages: int, *, seed: int = 1, questions: int = 100) -> Synthetic:
    """Copy passages (a multiple of five) into an empty database; nothing is merged yet."""
    rng = np.random.default_rng(seed)
    languages = vocabularies(rng)
    made = Synthetic()
    documents = passages // IN_DOCUMENT
    ask_at = set(rng.permutation(documents)[:questions].tolist())
    with psycopg.connect(database_url) as db:
        scopes = [_number(db, "INSERT INTO scopes (name) VALUES (%s) RETURNING scope_id", scope) for scope in ALL_SCOPES]
        source = _number(db, "INSERT INTO sources (kind, location, scope_id) VALUES ('upload', '', %s) RETURNING source_id", scopes[0])
        for start in range(0, documents, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, documents))
            _copy(db, made, numbers, [_document(rng, languages, made, is_asked=n in ask_at) for n in numbers], (source, scopes))
        for table, column in (("documents", "document_id"), ("passages", "passage_id")):
            db.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT max({column}) FROM {table}))".encode())
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute("ANALYZE")
    return made


def _number(db: "psycopg.Connection[Any]", statement: str, given: object) -> int:
    row = db.execute(statement.encode(), (given,)).fetchone()
    return int(row[0]) if row else 0


def _document(rng: np.random.Generator, languages: tuple[Vocabulary, Vocabulary], made: Synthetic, *, is_asked: bool) -> _Document:
    """Return a new document, the codes of which go into `made`, with a question about its first passage if it is asked about."""
    vocabulary = languages[int(rng.random() < 0.5)]
    title = vocabulary.draw(rng, 2)
    scope = int(rng.integers(1, CHANNELS + 1)) if rng.random() < 0.1 else 0
    lengths = rng.lognormal(np.log(MEAN_WORDS) - 0.08, 0.4, IN_DOCUMENT).clip(8, 220).astype(int)
    drawn = [vocabulary.draw(rng, length) for length in lengths]
    for words in drawn:
        made.rows.append(vocabulary.codes_of(np.concatenate((title, words))).astype("<i4").tobytes())
        made.title_terms.append(int((vocabulary.starts[title + 1] - vocabulary.starts[title]).sum()))
        made.scope_of.append(scope)
    if is_asked:
        made.questions.append(_question(rng, vocabulary, drawn[0]))
    return _Document(scope, " ".join(vocabulary.words[title]), [" ".join(vocabulary.words[words]) for words in drawn])


def _question(rng: np.random.Generator, vocabulary: Vocabulary, words: Ints) -> str:
    """Return three to six words of a passage, two of which stand side by side in it."""
    at = int(rng.integers(0, len(words) - 1))
    others = rng.choice(words, int(rng.integers(1, 5)))
    return " ".join(vocabulary.words[np.concatenate((words[at : at + 2], others))])


def _copy(
    db: "psycopg.Connection[Any]", made: Synthetic, numbers: range, documents: Sequence[_Document], places: tuple[int, Sequence[int]]
) -> None:
    source, scopes = places
    with db.cursor() as cursor:
        columns = "document_id, source_id, scope_id, location, title, state, passage_count"
        with cursor.copy(f"COPY documents ({columns}) FROM STDIN".encode()) as copy:
            for n, document in zip(numbers, documents, strict=True):
                copy.write_row((n + 1, source, scopes[document.scope], str(n), document.title, "ready", IN_DOCUMENT))
        with cursor.copy("COPY passages (passage_id, document_id, ordinal, text, text_hash) FROM STDIN") as copy:
            for n, document in zip(numbers, documents, strict=True):
                for ordinal, text in enumerate(document.texts):
                    copy.write_row((n * IN_DOCUMENT + ordinal + 1, n + 1, ordinal + 1, text, sha256(text.encode()).digest()))
        columns = "passage_id, document_id, scope_id, analyser, title_terms, codes"
        with cursor.copy(f"COPY passage_terms ({columns}) FROM STDIN".encode()) as copy:
            for place in range(numbers.start * IN_DOCUMENT, numbers.stop * IN_DOCUMENT):
                scope = scopes[made.scope_of[place]]
                copy.write_row((place + 1, place // IN_DOCUMENT + 1, scope, VERSION, made.title_terms[place], made.rows[place]))
