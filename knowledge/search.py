"""Finds the passages that answer a question, among those the place may see.

A small index proposes candidates, the rows decide: one REPEATABLE READ transaction, so that a document being replaced is never missed.
The scope stands in it twice: as a term that masks the candidates, and in the statement that reads the rows; that one is the guarantee.
"""

import contextlib
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.about_nod import HANDBOOKS, is_about_nod
from knowledge.analyse import Query, query_from
from knowledge.candidates import ENOUGH, candidates
from knowledge.knowing import confidence_from, known_from
from knowledge.nearest import NEAREST, Asking, Missing, QuestionVector, cosines, nearest
from knowledge.score import Corpus, Scores, scores_from, with_vectors
from knowledge.visible import Rows, Snapshot, Visible, visible_to
from nod.connect import Alone, pooled
from nod.errors import NotFoundError
from nod.language import other_language

OTHER_LANGUAGE = 0.75  # what a passage counts that is not in the question's language, when passages are put in order

Door = contextlib.AbstractAsyncContextManager[Any]

_HANGUL = re.compile("[가-힣]")
_TABLE_RULE = re.compile(r"^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:?)? *$", re.MULTILINE)


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

    @property
    def line(self) -> str:
        """Its text in one line, without what only draws tables."""
        return " ".join(_TABLE_RULE.sub("", self.text).split())


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, and whether that is enough to answer from."""

    passages: tuple[Passage, ...] = ()
    confidence: float = 0.0
    is_known: bool = False
    also_asked: str = ""  # the question in the other language, if that was searched for too (knowledge/across.py)
    missing: Missing | None = None  # who gave no vector in time, so that it was searched by words alone (of two searches: one at least)
    untranslated: Missing | None = None  # who did not write the question in the other language, though there are documents in it
    nearest: float | None = None  # the best cosine, when vectors counted


@dataclass(frozen=True, slots=True)
class _Scored:
    """What is worth an exact score, the score of each, and the cosines of those that have a vector."""

    rows: Rows
    corpus: Corpus
    scores: Scores
    near: dict[int, float]

    def best(self, most: int) -> list[int]:
        """Return which of the rows are the best, none of score 0; of equal ones the older first."""
        total = self.scores.total
        return [n for n in np.lexsort((np.array(self.rows.ids), -total))[:most].tolist() if total[n] > 0]


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
            visible = await visible_to(db, query, question, scopes)
            if not visible.scope_ids:
                return Found(missing=missing)
            scored = await _scored(visible, asked)
            best = scored.best(2 * k)
            texts = await _texts(db, [scored.rows.ids[n] for n in best])
        if not best:
            return Found(missing=missing)
        has_vector = scored.rows.ids[best[0]] in scored.near  # what has none yet goes by its words in full, here as in its score
        by_vectors = asked.log_odds(scored.near.values()) if asked and has_vector else 0.0
        confidence = confidence_from(query, scored.rows.counts, scored.corpus, by_vectors)
        found = (_passage(row, scored.scores, n) for row, n in zip(texts, best, strict=True))
        return Found(
            _own_language_first(query, found)[:k], confidence,
            is_known=confidence >= known_from(query, is_handbook=texts[0][-1] in visible.handbook_ids),
            missing=missing, nearest=max(scored.near.values(), default=None),
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

    async def is_worth_both(self, question: str, scopes: Sequence[str]) -> bool:
        """Return whether a question is worth asking in the other language too: these scopes hold a document in it.

        The handbook is in both.
        """
        if is_about_nod(question):
            return False
        row = await self._alone.row(
            """
            SELECT EXISTS (SELECT 1 FROM documents d JOIN scopes s USING (scope_id)
                            WHERE s.name = ANY(:scopes) AND s.name <> ALL(:handbooks) AND d.language = :language AND d.passage_count > 0)
                AS is_so""",
            scopes=list(scopes), handbooks=list(HANDBOOKS), language=other_language(question),
        )  # fmt: skip
        return bool(row.is_so)

    @contextlib.asynccontextmanager
    async def _snapshot(self) -> AsyncGenerator[Snapshot]:
        """Give psycopg's own cursor, of which bytes come as bytes, in a transaction that sees one moment."""
        async with pooled(self._engine) as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield cursor
            await cursor.execute("COMMIT")  # after a ROLLBACK psycopg would prepare all statements of the connection anew


async def _scored(visible: Visible, asked: QuestionVector | None) -> _Scored:
    tail = await visible.tail()
    merged = await visible.count_merged() if asked or visible.are_many else 0
    rows = tail + await candidates(visible, merged)
    near: dict[int, float] = {}
    if asked:
        rows, near = await _with_nearest(visible, asked, rows, merged)
    corpus = visible.corpus(tail.counts)
    scores = scores_from(visible.query, rows.counts, corpus)
    if asked and near:
        scores = with_vectors(scores, np.array([near.get(passage_id, np.nan) for passage_id in rows.ids]), asked.weight)
    return _Scored(rows, corpus, scores, near)


async def _with_nearest(visible: Visible, asked: QuestionVector, rows: Rows, merged: int) -> tuple[Rows, dict[int, float]]:
    """Return the rows with those that vectors alone found, and the cosines of them all, as far as they have vectors."""
    most = NEAREST
    while True:
        near = await nearest(visible.db, asked, visible.scope_ids, merged + len(rows.ids), most)
        both = rows + await visible.of([*near.keys() - rows.ids])
        if len(near.keys() & both.ids) >= ENOUGH * NEAREST or len(near) < most:
            break
        most *= 4  # what was taken away a moment ago has its vectors still
    near |= await cosines(visible.db, asked, [passage_id for passage_id in rows.ids if passage_id not in near])
    return both, {passage_id: near[passage_id] for passage_id in both.ids if passage_id in near}


_COLUMNS = """
    SELECT p.passage_id, p.document_id, d.title, p.heading, p.page, to_char(coalesce(d.document_date, d.updated_at), 'YYYY-MM-DD') AS date,
           d.url, p.text, encode(p.text_hash, 'hex') AS text_hash"""
_FROM = "FROM passages p JOIN documents d USING (document_id)"


async def _texts(db: Snapshot, passage_ids: list[int]) -> list[Sequence[Any]]:
    """Return the columns of a Passage, and its scope, for each of these passages."""
    await db.execute(f"{_COLUMNS}, d.scope_id {_FROM} WHERE p.passage_id = ANY(%s::bigint[])", (passage_ids,))
    rows = {row[0]: row for row in await db.fetchall()}
    return [rows[passage_id] for passage_id in passage_ids]


def _passage(row: Sequence[Any], scores: Scores, n: int) -> Passage:
    parts = {"words": scores.words[n], "pairs": scores.pairs[n], "title": scores.title[n]}
    if isinstance(scores.vectors, np.ndarray):
        parts["vectors"] = scores.vectors[n]
    return Passage(*row[:-1], score=round(float(scores.total[n]), 4), parts={name: round(float(part), 4) for name, part in parts.items()})


def _own_language_first(query: Query, passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Return passages best first; of two that say the same the one in the question's language (numbers and names stand in both)."""
    is_korean = query.hangul_share > 0.5
    return tuple(sorted(passages, key=lambda p: -p.score * (1 if p.is_korean == is_korean else OTHER_LANGUAGE)))
