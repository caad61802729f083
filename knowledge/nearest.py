"""The passages nearest to a question, by vectors of the current embedding model: what the words of a question do not find."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import AsyncCursor
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.embedding import Embedder, EmbeddingError, Known, Vectors, known_of
from knowledge.vectors import EXACT_UP_TO, MOST_INDEXED, Model, answered, current, failed, written

NEAREST = 100
BUDGET_SECONDS = 0.4  # for the vector of a question; then the words are searched alone
LATE_MOST = 3  # in a row, after which the model counts as not answering
EARLIER = 2  # turns before a question whose words its vector is made of as well


Missing = Literal["worker", "model"]  # who gave no vector in time


@dataclass(frozen=True, slots=True)
class QuestionVector:
    """A question as a vector, by which model, how much it counts beside the words, and what it tells of knowing (`Known.knows`)."""

    model_id: int
    vector: Vectors
    weight: float
    knows: tuple[float, float] = (0.0, 0.0)

    def log_odds(self, cosines: Collection[float]) -> float:
        """Return what the best of these cosines adds to the log-odds that the question is answered."""
        slope, shift = self.knows
        return slope * max(cosines) - shift


class Asking(ABC):
    """Turns questions into vectors of the current model."""

    def __init__(self, engine: AsyncEngine, known: Known | None = None) -> None:
        self._engine = engine
        self._known = known  # in place of what the table knows: for measuring

    async def asked(self, question: str, earlier: Sequence[str], hangul_share: float) -> QuestionVector | Missing | None:
        """Return a question as a vector, or who gave none; None while vectors do not count: no model is whole, or its weight is 0."""
        model = await current(self._engine)
        if model is None or not model.dimensions:
            return None
        known = self._known or known_of(model.name)
        if not (weight := known.weight(hangul_share)):
            return None
        if not model.is_asked:
            return "model"
        vector = await self.vector(model, "\n".join([*earlier[-EARLIER:], question]))
        return vector if isinstance(vector, str) else QuestionVector(model.model_id, vector, weight, known.knows(hangul_share))

    @abstractmethod
    async def vector(self, model: Model, question: str) -> Vectors | Missing:
        """Return the vector of a question within the time a search has for it, or who gave none."""


class AskingModel(Asking):
    """Asks the model itself, in a process that holds its key. For one event loop."""

    def __init__(
        self, engine: AsyncEngine, embedder: Embedder, known: Known | None = None, *, budget_seconds: float = BUDGET_SECONDS
    ) -> None:
        super().__init__(engine, known)
        self._embedder = embedder
        self._budget_seconds = budget_seconds
        self._late = 0
        self._calls: set[asyncio.Task[Vectors]] = set()

    async def vector(self, model: Model, question: str) -> Vectors | Missing:
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
            return "model"
        except EmbeddingError as error:
            await failed(self._engine, model, error)
            return "model"
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


async def nearest(db: AsyncCursor[Any], asked: QuestionVector, scope_ids: Sequence[int], seen: int, most: int) -> dict[int, float]:
    """Return the cosines of the `most` passages nearest to a question among the `seen` ones of these scopes, by passage."""
    size = len(asked.vector)
    if seen <= EXACT_UP_TO or size > MOST_INDEXED:
        order = "(embedding <#> %(vector)s::halfvec) + 0"  # the sum keeps the index away, which would lose what a scope filters out
    else:
        await db.execute("SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '400', true)")
        order = f"embedding::halfvec({size}) <#> %(vector)s::halfvec({size})"
    statement = f"""
        SELECT passage_id, -(embedding <#> %(vector)s::halfvec) FROM passage_vectors
         WHERE model_id = {asked.model_id} AND scope_id = ANY(%(scopes)s::int[]) AND embedding IS NOT NULL
         ORDER BY {order} LIMIT {most}"""  # noqa: S608  # numbers of our own
    await db.execute(statement.encode(), {"vector": written(asked.vector), "scopes": list(scope_ids)})
    return {row[0]: row[1] for row in await db.fetchall()}


async def cosines(db: AsyncCursor[Any], asked: QuestionVector, passage_ids: Sequence[int]) -> dict[int, float]:
    """Return the cosines of these passages, as far as they have vectors."""
    await db.execute(
        """
        SELECT passage_id, -(embedding <#> %(vector)s::halfvec) FROM passage_vectors
         WHERE model_id = %(model)s AND passage_id = ANY(%(ids)s::bigint[]) AND embedding IS NOT NULL""",
        {"vector": written(asked.vector), "model": asked.model_id, "ids": list(passage_ids)},
    )
    return {row[0]: row[1] for row in await db.fetchall()}
