"""How far passages have vectors, as the record says: for `nod status`, and for the command that changes the embedding model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nod.saying import say_count

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_STANDING = """
    SELECT name, is_current, error, count(embedding) AS made,
           count(*) FILTER (WHERE embedding IS NULL AND NOT is_refused AND passage_id IS NOT NULL) AS waiting
      FROM embedding_models LEFT JOIN passage_vectors USING (model_id) GROUP BY model_id ORDER BY is_current DESC, model_id"""


@dataclass(frozen=True, slots=True)
class Embedding:
    """A model whose vectors there are: how many passages have one and how many wait; `error`: why it does not answer."""

    name: str
    is_current: bool
    error: str | None
    made: int
    waiting: int

    @property
    def progress(self) -> str:
        """Return how far it is, such as `openai:text-embedding-3-small, 120 / 212 passages`."""
        count = f"{self.made} / " if self.waiting else ""
        return f"{self.name}, {count}{say_count('up.passages', self.made + self.waiting)}"


async def embeddings(engine: "AsyncEngine") -> list[Embedding]:
    """Return the models that have vectors: first the one that is searched with, then one that is being built beside it."""
    from sqlalchemy import text  # `nod --help` reads this module and stays light

    async with engine.connect() as db:
        return [Embedding(**row) for row in (await db.execute(text(_STANDING))).mappings()]


def standing(found: Sequence[Embedding], wanted: str) -> tuple[str, str]:
    """Return the key of the sentence that says how things stand when a model is wanted, and what to fill in."""
    current = next((one for one in found if one.is_current), None)
    of_wanted = next((one for one in found if one.name == wanted), None)
    if of_wanted and of_wanted.error:
        return f"vectors_{of_wanted.error}", wanted
    if current and current.error:
        return f"vectors_{current.error}", current.name
    if of_wanted is None:
        return ("vectors_changed" if current else "vectors_not_begun"), wanted
    if not of_wanted.is_current:
        return ("vectors_replacing" if current else "vectors_first"), of_wanted.progress
    return ("vectors_waiting" if of_wanted.waiting else "vectors_well"), of_wanted.progress
