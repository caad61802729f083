"""Finds the passages that answer a question, among those the place may see.

A small index proposes candidates, the rows decide: one REPEATABLE READ transaction, so that a document being replaced is never missed.
The scope stands in it twice: as a term that masks the candidates, and in the statement that reads the rows; that one is the guarantee.
"""

import contextlib
import math
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.analyse import Query, query_from
from knowledge.candidates import CANDIDATES, MANY_PASSAGES, Snapshot, best_slots, telling
from knowledge.index import scope_term
from knowledge.nearest import Asking, Missing, QuestionVector, cosines, nearest
from knowledge.score import Corpus, Counts, Scores, counts_from, in_either_script, scores_from, with_vectors
from nod.connect import Alone, pooled
from nod.errors import NotFoundError
from nod.language import Language, language_of

HANDBOOK = {"en": "handbook:en", "ko": "handbook:ko"}  # the scopes of nod's own documentation, each the whole of it in its language
HANDBOOKS = tuple(HANDBOOK.values())
MOST_SEEN = 0.5  # of all passages: who sees more of many is not compared with a list of them
OTHER_LANGUAGE = 0.75  # what a passage counts that is not in the question's language, when passages are put in order
KNOWN_FROM: dict[Language, float] = {"en": 0.3, "ko": 0.55}  # confidence below which nod says that it does not know (docs/knowledge.md)
_KNOWN_FROM_HANDBOOK = 0.6  # of the handbook: found by many words, it meets more questions by chance (tests/knowledge/test_handbook.py)
_KOREAN = (16.40, 6.91, 1.0)  # of the logistic curve over the evidence: slope and shift; and the power in the evidence
_ENGLISH = (6.59, 6.91, 0.5)
_BY_CHANCE = (10, 0.5)  # of what the tenth best passage reaches, half is what any passage here would

Door = contextlib.AbstractAsyncContextManager[Any]

_ABOUT_NOD = re.compile(
    r"(?<![\w@/-])nod(?![a-z0-9-])|(?<![\w/])/(?:nod|ask|teach|remember|forget|summarize|translate|privacy)(?![\w/])"
    r"|(?<![A-Za-z0-9_])(?:NOD|SLACK|DISCORD)_[A-Z_]+|`make (?:up|test|bench|check)`",
    re.IGNORECASE,
)
_HANGUL = re.compile("[가-힣]")
_ADDRESSED = re.compile(r"^\s*(?:<@\w+>|@nod)\b[\s,:]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found. `parts` are the parts of its score; `date` is the document's, as YYYY-MM-DD."""

    passage_id: int
    document_id: int
    title: str
    heading: str
    page: int | None
    date: str | None
    url: str | None
    text: str
    text_hash: str
    score: float
    parts: dict[str, float]

    @property
    def is_korean(self) -> bool:
        """Whether a tenth of its text is Hangul: code and names are Latin in Korean texts too."""
        return len(_HANGUL.findall(self.text)) > len(self.text) / 10


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, and whether that is enough to answer from."""

    passages: tuple[Passage, ...] = ()
    confidence: float = 0.0
    is_known: bool = False
    also_asked: str = ""  # the question in the other language, if that was searched for too (knowledge/across.py)
    missing: Missing | None = None  # who gave no vector in time, so that it was searched by words alone (of two searches: one at least)
    nearest: float | None = None  # the best cosine, when vectors counted


@dataclass(frozen=True, slots=True)
class _Visible:
    """What a question may be answered from: scopes by number, and the index's figures for its terms."""

    scope_ids: list[int]
    handbook_ids: list[int]
    passages: int
    total_length: float
    total_title: float
    frequencies: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Rows:
    ids: list[int]
    counts: Counts

    def __add__(self, other: "_Rows") -> "_Rows":
        return _Rows(self.ids + other.ids, self.counts + other.counts)


def is_about_nod(question: str) -> bool:
    """Return whether a question names nod, one of its commands or settings (being addressed as @nod is not being asked about)."""
    return _ABOUT_NOD.search(_ADDRESSED.sub("", question)) is not None


class Search:
    """Search over everything that nod has learnt. Only scopes that are named are ever read. Without `asking`, by words alone."""

    def __init__(self, engine: AsyncEngine, asking: Asking | None = None) -> None:
        self._engine, self._alone = engine, Alone(engine)
        self._asking = asking

    async def find(
        self, question: str, scopes: Sequence[str], *, earlier: Sequence[str] = (), k: int = 10, door: Door | None = None
    ) -> Found:
        """Return the `k` best passages in these scopes. `earlier` are the person's turns before this one, oldest first.

        Whoever lets only some use connections at once gives a `door`: it is passed when the question's vector is there.
        The handbook, in the question's language, is read while the scopes hold nothing else, afterwards when the question is about nod.
        """
        query = query_from(question, earlier)
        if not len(query.ids) or not scopes:
            return Found()
        told = await self._asking.asked(question, earlier, query.hangul_share) if self._asking else None
        asked, missing = (told, None) if isinstance(told, QuestionVector) else (None, told)
        async with door or contextlib.nullcontext(), self._snapshot() as db:
            visible = await _visible(db, query, scopes, question)
            if not visible.scope_ids:
                return Found(missing=missing)
            tail = await _tail(db, query, visible.scope_ids)
            rows = tail + await _candidates(db, query, visible)
            corpus = _corpus(query, visible, tail.counts)
            near: dict[int, float] = {}
            if asked:
                rows, near = await _with_nearest(db, query, visible, asked, rows)
            scores = scores_from(query, rows.counts, corpus)
            if asked and near:
                scores = with_vectors(scores, np.array([near.get(passage_id, np.nan) for passage_id in rows.ids]), asked.weight)
            best = [n for n in np.lexsort((np.array(rows.ids), -scores.total))[: 2 * k].tolist() if scores.total[n] > 0]
            documents = await _texts(db, [rows.ids[n] for n in best])
        if not best:
            return Found(missing=missing)
        log_odds = _log_odds(query, rows.counts, corpus)
        if asked and rows.ids[best[0]] in near:  # what has no vector yet goes by its words in full, here as in its score
            log_odds += asked.log_odds(near.values())
        confidence = 1 / (1 + math.exp(-log_odds))
        *_, best_scope = documents[rows.ids[best[0]]]
        known_from = _KNOWN_FROM_HANDBOOK if best_scope in visible.handbook_ids else _known_from(query)
        found = (_passage(documents[rows.ids[n]], scores, n) for n in best)
        return Found(
            _own_language_first(query, found)[:k], confidence, confidence >= known_from, missing=missing,
            nearest=max(near.values(), default=None),
        )  # fmt: skip

    async def passage(self, passage_id: int, scopes: Sequence[str]) -> Passage:
        """Return one passage, if these scopes may see it. Raises NotFoundError. Everybody may open the handbook."""
        row = await self._alone.row(
            f"{_COLUMNS} {_FROM} JOIN scopes s ON s.scope_id = d.scope_id WHERE p.passage_id = :id AND s.name = ANY(:scopes)",
            id=passage_id, scopes=[*scopes, *HANDBOOKS],
        )  # fmt: skip
        if not row:
            raise NotFoundError(f"There is no passage {passage_id} here.")
        return Passage(**row._asdict(), score=0.0, parts={})

    async def holds(self, language: Language, scopes: Sequence[str]) -> bool:
        """Return whether these scopes hold a document in a language; the handbook, which is in both, does not count."""
        row = await self._alone.row(
            """
            SELECT EXISTS (SELECT 1 FROM documents d JOIN scopes s USING (scope_id)
                            WHERE s.name = ANY(:scopes) AND s.name <> ALL(:handbooks) AND d.language = :language AND d.passage_count > 0)
                AS is_so""",
            scopes=list(scopes), handbooks=list(HANDBOOKS), language=language,
        )  # fmt: skip
        return bool(row.is_so)

    @contextlib.asynccontextmanager
    async def _snapshot(self) -> AsyncGenerator[Snapshot]:
        """Give psycopg's own cursor, of which bytes come as bytes, in a transaction that sees one moment."""
        async with pooled(self._engine) as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield cursor
            await cursor.execute("COMMIT")  # after a ROLLBACK psycopg would prepare all statements of the connection anew


async def _visible(db: Snapshot, query: Query, scopes: Sequence[str], question: str) -> _Visible:
    with_handbook = is_about_nod(question) or not {*HANDBOOKS}.isdisjoint(scopes)
    await db.execute(
        """
        SELECT passages, total_length, total_title,
               ARRAY(SELECT coalesce(c.passages, 0) FROM unnest(%(terms)s::int[]) WITH ORDINALITY AS t (term, n)
                     LEFT JOIN term_counts c USING (term) ORDER BY n),
               ARRAY(SELECT scope_id FROM scopes WHERE name = ANY(%(scopes)s) AND name <> ALL(%(handbooks)s)),
               ARRAY(SELECT scope_id FROM scopes WHERE name = %(handbook)s
                        AND (%(with_handbook)s OR NOT EXISTS (
                             SELECT 1 FROM documents d JOIN scopes s USING (scope_id)
                              WHERE s.name = ANY(%(scopes)s) AND s.name <> ALL(%(handbooks)s) AND d.passage_count > 0)))
          FROM search_stats""",
        {
            "terms": query.ids.tolist(), "scopes": list(scopes), "handbook": HANDBOOK[language_of(question)],
            "handbooks": list(HANDBOOKS), "with_handbook": with_handbook,
        },
    )  # fmt: skip
    passages, total_length, total_title, frequencies, scope_ids, handbook = (await db.fetchall())[0]
    return _Visible(scope_ids + handbook, handbook, passages, total_length, total_title, np.array(frequencies, float))


async def _tail(db: Snapshot, query: Query, scope_ids: list[int]) -> _Rows:
    """Return what is not merged yet: all of it is scored."""
    await db.execute(
        "SELECT passage_id, title_terms, codes FROM passage_terms WHERE slot IS NULL AND scope_id = ANY(%s::int[])", (scope_ids,)
    )
    return _rows(query, await db.fetchall())


def _rows(query: Query, rows: Sequence[Any]) -> _Rows:
    return _Rows([row[0] for row in rows], counts_from(query, [row[2] for row in rows], [row[1] for row in rows]))


async def _candidates(db: Snapshot, query: Query, visible: _Visible) -> _Rows:
    """Return the passages which the posting blocks propose, read again by slot and scope.

    Who sees most of very many passages is spared the list of what they see (three bytes a passage): a few more of the best among all
    are taken, and those that they may not see fall out when the rows are read.
    """
    weights = telling(query, _corpus(query, visible).idf, visible.frequencies)
    are_many = visible.passages > MANY_PASSAGES
    most = CANDIDATES[are_many]
    if are_many and (share := await _count_visible(db, visible) / visible.passages) > MOST_SEEN:
        enough = int(1.2 * most / share)
        slots = await best_slots(db, weights, (), enough)
        rows = await _proposed(db, query, visible, slots)
        if len(rows.ids) >= most or len(slots) < enough:
            return rows
    scopes = [scope_term(scope_id) for scope_id in visible.scope_ids]
    enough = most
    while True:
        slots = await best_slots(db, weights, scopes, enough)
        rows = await _proposed(db, query, visible, slots)
        if len(rows.ids) >= most or len(slots) < enough:
            return rows
        enough *= 4  # what was taken away a moment ago is still listed


async def _proposed(db: Snapshot, query: Query, visible: _Visible, slots: list[int]) -> _Rows:
    if not slots:
        return _rows(query, [])
    await db.execute(
        "SELECT passage_id, title_terms, codes FROM passage_terms WHERE slot = ANY(%s::int[]) AND scope_id = ANY(%s::int[])",
        (slots, visible.scope_ids),
    )
    return _rows(query, await db.fetchall())


async def _with_nearest(
    db: Snapshot, query: Query, visible: _Visible, asked: QuestionVector, rows: _Rows
) -> tuple[_Rows, dict[int, float]]:
    """Return the rows with those that vectors alone found, and the cosines of them all, as far as they have vectors."""
    near = await nearest(db, asked, visible.scope_ids, await _count_visible(db, visible) + len(rows.ids))
    near |= await cosines(db, asked, [passage_id for passage_id in rows.ids if passage_id not in near])
    await db.execute(
        "SELECT passage_id, title_terms, codes FROM passage_terms WHERE passage_id = ANY(%s::bigint[]) AND scope_id = ANY(%s::int[])",
        ([*near.keys() - rows.ids], visible.scope_ids),
    )
    rows += _rows(query, await db.fetchall())
    return rows, {passage_id: near[passage_id] for passage_id in rows.ids if passage_id in near}


async def _count_visible(db: Snapshot, visible: _Visible) -> int:
    """Return how many merged passages the scopes hold, at most: by the length of their blocks, which are not read."""
    terms = [scope_term(scope_id) for scope_id in visible.scope_ids]
    await db.execute("SELECT coalesce(sum(octet_length(block)), 0) / 3 FROM posting_blocks WHERE term = ANY(%s::int[])", (terms,))
    return int((await db.fetchall())[0][0])


def _corpus(query: Query, visible: _Visible, tail: Counts | None = None) -> Corpus:
    """Return the whole index's figures with the visible tail added."""
    tail = tail or counts_from(query, [], [])
    passages = visible.passages + len(tail.lengths)
    return Corpus(
        passages=passages,
        mean_length=(visible.total_length + float(tail.lengths.sum())) / max(passages, 1),
        mean_title=(visible.total_title + float(tail.title_lengths.sum())) / max(passages, 1),
        frequencies=in_either_script(query, visible.frequencies[None])[0] + (tail.body > 0).sum(axis=0),
    )


_COLUMNS = """
    SELECT p.passage_id, p.document_id, d.title, p.heading, p.page, to_char(coalesce(d.document_date, d.updated_at), 'YYYY-MM-DD') AS date,
           d.url, p.text, encode(p.text_hash, 'hex') AS text_hash"""
_FROM = "FROM passages p JOIN documents d USING (document_id)"


async def _texts(db: Snapshot, passage_ids: list[int]) -> dict[int, Sequence[Any]]:
    """Return the columns of a Passage, and its scope, by passage."""
    await db.execute(f"{_COLUMNS}, d.scope_id {_FROM} WHERE p.passage_id = ANY(%s::bigint[])", (passage_ids,))
    return {row[0]: row for row in await db.fetchall()}


def _passage(row: Sequence[Any], scores: Scores, n: int) -> Passage:
    parts = {"words": scores.words[n], "pairs": scores.pairs[n], "title": scores.title[n]}
    if isinstance(scores.vectors, np.ndarray):
        parts["vectors"] = scores.vectors[n]
    return Passage(*row[:-1], score=round(float(scores.total[n]), 4), parts={name: round(float(part), 4) for name, part in parts.items()})


def _own_language_first(query: Query, passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Return passages best first; of two that say the same the one in the question's language (numbers and names stand in both)."""
    is_korean = query.hangul_share > 0.5
    return tuple(sorted(passages, key=lambda p: -p.score * (1 if p.is_korean == is_korean else OTHER_LANGUAGE)))


def _known_from(query: Query) -> float:
    """Return from which confidence a question is known; a mixed one lies between its languages."""
    return query.hangul_share * KNOWN_FROM["ko"] + (1 - query.hangul_share) * KNOWN_FROM["en"]


def _log_odds(query: Query, counts: Counts, corpus: Corpus) -> float:
    """Return, as log-odds, how likely it is by words that the best passage answers; a mixed question lies between two languages' curves.

    The question may stand alone or need its earlier turns: whichever finds more tells (a new subject is no reason not to know).
    """
    slope, shift, power = (query.hangul_share * ko + (1 - query.hangul_share) * en for ko, en in zip(_KOREAN, _ENGLISH, strict=True))
    evidence = max(_evidence(asked, counts, corpus, power) for asked in (query, query.alone))
    return slope * evidence - shift


def _evidence(query: Query, counts: Counts, corpus: Corpus, power: float) -> float:
    """Return by how much the best passage stands out, over what the question's terms could tell (to a power, in units of the rarest).

    Chance is taken off twice: what the tenth best passage reaches counts half against the best; and English takes the root of what
    could be told, as what is shared by chance grows with the root of a question's length (a Korean word is several terms that stand
    together or not at all: power 1). Of the forms tried this is the steadiest over the size of the corpus: the same value parts what is
    answered from what is not among 100 passages as among 2,600. Of questions of other sets .95-.99 (Korean) and .85-.96 (English) are
    refused, of answerable ones .00-.03 and .02-.07.
    Inside a Korean word that the corpus knows by its head, what no passage has is an ending and tells nothing.
    """
    is_ending = (corpus.frequencies == 0) & (corpus.frequencies[query.word_heads] > 0)
    telling = np.where(is_ending, 0.0, query.weights * np.minimum(corpus.idf, corpus.rarest))
    if telling.sum() <= 0:
        return 0.0
    could = float(telling.sum() ** power * telling.max() ** (1 - power))
    scores = np.sort(scores_from(query, counts, corpus).total)
    nth, share = _BY_CHANCE
    by_chance = share * float(scores[-nth]) if len(scores) >= nth else 0.0
    return (float(scores[-1]) - by_chance) / could
