"""The passages nearest to a question, by vectors of the current embedding model: what the words of a question do not find."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncCursor
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.embedding import Embedder, EmbeddingError, Known, Vectors, known_of
from knowledge.vectors import EXACT_UP_TO, MOST_INDEXED, Model, answered, current, failed, written

NEAREST = 100
BUDGET_SECONDS = 0.4  # for the vector of a question; then the words are searched alone
LATE_MOST = 3  # in a row, after which the model counts as not answering
EARLIER = 2  # turns before a question whose words its vector is made of as well


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a vector, by which model, and how much it counts beside the words."""

    model_id: int
    vector: Vectors
    weight: float
    known: Known


class Asking:
    """Turns questions into vectors of the current model, within the time a search has for it. For one event loop."""

    def __init__(
        self, engine: AsyncEngine, embedder: Embedder, known: Known | None = None, *, budget_seconds: float = BUDGET_SECONDS
    ) -> None:
        self._engine = engine
        self._embedder = embedder
        self._known = known  # in place of what the table knows: for measuring
        self._budget_seconds = budget_seconds
        self._late = 0
        self._calls: set[asyncio.Task[Vectors]] = set()

    async def asked(self, question: str, earlier: Sequence[str], hangul_share: float) -> Asked | None:
        """Return a question as a vector; None while no model is whole or the current one does not answer in time."""
        model = await current(self._engine)
        if model is None or not (model.is_asked and model.dimensions):
            return None
        known = self._known or known_of(model.name)
        if not (weight := known.weight(hangul_share)):
            return None
        vector = await self._vector(model, "\n".join([*earlier[-EARLIER:], question]))
        return None if vector is None else Asked(model.model_id, vector, weight, known)

    async def _vector(self, model: Model, question: str) -> Vectors | None:
        """Return the vector, if it comes in time. A late call goes on: it may be loading the model."""
        call = asyncio.create_task(self._checked(model, question))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        try:
            vector = await asyncio.wait_for(asyncio.shield(call), self._budget_seconds)
        except TimeoutError:
            self._late += 1
            if self._late >= LATE_MOST:
                await failed(self._engine, model, EmbeddingError(f"no vector within {self._budget_seconds} s", "slow"))
            return None
        except EmbeddingError as error:
            await failed(self._engine, model, error)
            return None
        self._late = 0
        if model.has_failed:
            await answered(self._engine, model)
        return vector

    async def _checked(self, model: Model, question: str) -> Vectors:
        vector = await self._embedder.question(model.name, question)
        if len(vector) != model.dimensions:
            raise EmbeddingError(f"{model.name} gives vectors of {len(vector)} numbers, no longer of {model.dimensions}", "other")
        return vector

    def _ended(self, call: "asyncio.Task[Vectors]") -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # of a call nobody waits for any more


async def nearest(db: AsyncCursor[Any], asked: Asked, scope_ids: Sequence[int], visible: int) -> dict[int, float]:
    """Return the cosines of the passages nearest to a question among those of these scopes, by passage."""
    size = len(asked.vector)
    if visible <= EXACT_UP_TO or size > MOST_INDEXED:
        order = "(embedding <#> %(vector)s::halfvec) + 0"  # the sum keeps the index away, which would lose what a scope filters out
    else:
        await db.execute("SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '400', true)")
        order = f"embedding::halfvec({size}) <#> %(vector)s::halfvec({size})"
    statement = f"""
        SELECT passage_id, -(embedding <#> %(vector)s::halfvec) FROM passage_vectors
         WHERE model_id = {asked.model_id} AND scope_id = ANY(%(scopes)s::int[]) AND embedding IS NOT NULL
         ORDER BY {order} LIMIT {NEAREST}"""  # noqa: S608  # numbers of our own
    await db.execute(statement.encode(), {"vector": written(asked.vector), "scopes": list(scope_ids)})
    return {row[0]: row[1] for row in await db.fetchall()}


async def cosines(db: AsyncCursor[Any], asked: Asked, passage_ids: Sequence[int]) -> dict[int, float]:
    """Return the cosines of these passages, as far as they have vectors."""
    await db.execute(
        """
        SELECT passage_id, -(embedding <#> %(vector)s::halfvec) FROM passage_vectors
         WHERE model_id = %(model)s AND passage_id = ANY(%(ids)s::bigint[]) AND embedding IS NOT NULL""",
        {"vector": written(asked.vector), "model": asked.model_id, "ids": list(passage_ids)},
    )
    return {row[0]: row[1] for row in await db.fetchall()}
