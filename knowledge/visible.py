"""What a question may be answered from: the passages of the scopes that it sees, and the index's figures for its terms.

The scopes stand in the statement that reads the rows: whatever a list of the index proposes, that is the guarantee.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncCursor

from knowledge.about_nod import HANDBOOK, HANDBOOKS, is_about_nod
from knowledge.analyse import Query
from knowledge.index import scope_term
from knowledge.score import Corpus, Counts, counts_from, in_either_script
from nod.language import language_of

MANY_PASSAGES = 20_000
_ROWS = "SELECT passage_id, title_terms, codes FROM passage_terms WHERE scope_id = ANY(%(scopes)s::int[])"

Snapshot = AsyncCursor[Any]  # of a transaction that sees one moment


@dataclass(frozen=True, slots=True)
class Rows:
    """Passages by number, with how often the terms of a question stand in each."""

    ids: list[int]
    counts: Counts

    def __add__(self, other: "Rows") -> "Rows":
        return Rows(self.ids + other.ids, self.counts + other.counts)


@dataclass(frozen=True, slots=True)
class Visible:
    """The scopes that a question sees, by number, with their passages in one snapshot; and the figures of the whole index."""

    db: Snapshot
    query: Query
    scope_ids: list[int]
    handbook_ids: list[int]
    passages: int
    total_length: float
    total_title: float
    frequencies: NDArray[np.float64]

    @property
    def are_many(self) -> bool:
        """Whether the index, seen or not, holds very many passages."""
        return self.passages > MANY_PASSAGES

    async def tail(self) -> Rows:
        """Return what is not merged yet: all of it is scored."""
        return await self._rows(f"{_ROWS} AND slot IS NULL")

    async def at(self, slots: list[int]) -> Rows:
        """Return the passages in these slots, as far as they are seen."""
        return await self._rows(f"{_ROWS} AND slot = ANY(%(slots)s::int[])", slots=slots) if slots else self._counted([])

    async def of(self, passage_ids: list[int]) -> Rows:
        """Return these passages, as far as they are seen."""
        return await self._rows(f"{_ROWS} AND passage_id = ANY(%(ids)s::bigint[])", ids=passage_ids) if passage_ids else self._counted([])

    async def _rows(self, statement: LiteralString, **values: list[int]) -> Rows:
        await self.db.execute(statement, {"scopes": self.scope_ids, **values})
        return self._counted(await self.db.fetchall())

    def _counted(self, rows: Sequence[Any]) -> Rows:
        return Rows([row[0] for row in rows], counts_from(self.query, [row[2] for row in rows], [row[1] for row in rows]))

    async def count_merged(self) -> int:
        """Return how many merged passages are seen, at most: by the length of their lists, which are not read."""
        terms = [scope_term(scope_id) for scope_id in self.scope_ids]
        await self.db.execute("SELECT coalesce(sum(octet_length(block)), 0) / 3 FROM posting_blocks WHERE term = ANY(%s::int[])", (terms,))
        return int((await self.db.fetchall())[0][0])

    def corpus(self, tail: Counts | None = None) -> Corpus:
        """Return the whole index's figures with the visible tail added."""
        tail = tail or counts_from(self.query, [], [])
        passages = self.passages + len(tail.lengths)
        return Corpus(
            passages=passages,
            mean_length=(self.total_length + float(tail.lengths.sum())) / max(passages, 1),
            mean_title=(self.total_title + float(tail.title_lengths.sum())) / max(passages, 1),
            frequencies=in_either_script(self.query, self.frequencies[None])[0] + (tail.body > 0).sum(axis=0),
        )


async def visible_to(db: Snapshot, query: Query, question: str, scopes: Sequence[str]) -> Visible:
    """Return what a question sees in these scopes.

    The handbook, in its language, belongs to it while the scopes hold nothing else, and afterwards when it is about nod.
    """
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
    return Visible(db, query, scope_ids + handbook, handbook, passages, total_length, total_title, np.array(frequencies, float))
