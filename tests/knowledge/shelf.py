"""A knowledge whose passages get vectors, and questions asked of it."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from knowledge.embedding import Embedder
from knowledge.nearest import AskingModel
from knowledge.search import Found, Search
from knowledge.vectors import embed_waiting
from nod.contracts import EVERYONE
from nod.settings import Settings
from tests.fakes.model import FakeModel

if TYPE_CHECKING:
    from tests.knowledge.conftest import Knowledge

SMALL, LARGE = "openai:text-embedding-3-small", "openai:text-embedding-3-large"
TRAVEL = "Reimbursements for business travel are paid at the end of each month."
MISSPELT = "reimbursmnts for buziness travl"  # no word of it stands in the passage, most pairs of letters do


class Vectors:
    """A knowledge whose passages get vectors, and questions asked of it."""

    def __init__(self, knowledge: "Knowledge", settings: Settings, agent: FakeModel) -> None:
        self.knowledge = knowledge
        self.engine = knowledge.engine
        self.agent = agent
        self.settings = settings.model_copy(
            update={
                "openai_api_key": SecretStr(agent.env["OPENAI_API_KEY"]), "openai_base_url": agent.url, "embedding_model": SMALL,
            }
        )  # fmt: skip
        self.embedders: list[Embedder] = []
        self.embedder = self.starts(SMALL)
        self.search = Search(self.engine, self.asks(self.embedder))

    def starts(self, model: str | None) -> Embedder:
        """Another process begins, in which a model is set."""
        self.embedder = Embedder(self.settings.model_copy(update={"embedding_model": model}))
        self.embedders.append(self.embedder)
        return self.embedder

    def asks(self, embedder: Embedder) -> AskingModel:
        """Questions may take long here: a busy machine is no model that does not answer."""
        return AskingModel(self.engine, embedder, budget_seconds=30)

    async def embeds(self, process_id: UUID | None = None) -> int:
        return await embed_waiting(self.engine, self.embedder, process_id or uuid4())

    async def finds(self, question: str, *scopes: str) -> Found:
        return await self.search.find(question, scopes or (EVERYONE,))

    async def models(self) -> dict[str, tuple[bool, int, int]]:
        """By name: whether it is current, its vectors, its passages that wait."""
        async with self.engine.connect() as db:
            rows = await db.execute(
                text("""
                    SELECT name, is_current, count(embedding) AS made, count(passage_id) - count(embedding) AS waiting
                      FROM embedding_models LEFT JOIN passage_vectors USING (model_id) GROUP BY name, is_current""")
            )
            return {row.name: (row.is_current, row.made, row.waiting) for row in rows}

    async def passes(self, seconds: float) -> None:
        """Let the time go by that a failing model is left alone."""
        async with self.engine.begin() as db:
            await db.execute(
                text("UPDATE embedding_models SET failed_at = failed_at - make_interval(secs => :seconds)"), {"seconds": seconds}
            )


@pytest.fixture
async def shelf(knowledge: "Knowledge", settings: Settings, agent: FakeModel) -> AsyncIterator[Vectors]:
    await knowledge.holds("Travel", TRAVEL)
    await knowledge.holds("휴가 규정", "연차는 다음 해 3월 31일까지 이월돼요.")
    await knowledge.holds("VPN", "Open the client and choose Seoul.")
    shelf = Vectors(knowledge, settings, agent)
    yield shelf
    async with shelf.engine.begin() as db:  # the tables are emptied for the next test, but keep their indexes
        await db.execute(text("DROP INDEX IF EXISTS passage_vectors_nearest_1"))
    for embedder in shelf.embedders:
        await embedder.__aexit__()
