"""The files of a conversation: wait until they are read, and give the beginnings of those that came with the question."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.search import Passage
from nod.contracts import Place
from workers.attempt import Attempt

WAIT_SECONDS = 30.0
LOOK_SECONDS = 0.25
MOST_PASSAGES = 8  # of the files given with a question, whatever the search finds in them

_IN_THREAD = text("""
    SELECT document_id, location AS name, state, error_kind FROM documents JOIN scopes USING (scope_id)
     WHERE scopes.name = :scope AND (state IN ('waiting', 'reading') OR location = ANY(:names)) ORDER BY document_id""")
_PASSAGES = text("""
    SELECT passage_id FROM passages WHERE document_id = ANY(:documents) ORDER BY ordinal, document_id LIMIT :most""")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file of this conversation, and how far reading it is."""

    document_id: int
    name: str
    state: str
    error_kind: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still being read, or waits for it."""
        return self.state in ("waiting", "reading")


@dataclass(frozen=True, slots=True)
class Given:
    """What the files given with a question hold, and the names of those that could not be read."""

    passages: tuple[Passage, ...] = ()
    failed: tuple[str, ...] = ()


def thread_scope(place: Place) -> str:
    """Return the scope of files dropped in a place's conversation."""
    return f"thread:{place.platform}:{place.channel}:{place.thread}"


async def files_given(attempt: Attempt, engine: AsyncEngine) -> Given:
    """Wait until the files of this conversation are read, for 30 s at most, and return what came with the question.

    A first question without files has none to wait for, and asks nobody.
    """
    task = attempt.task
    names = [file.name for file in task.files if file.sha256]
    if not task.place.thread or (task.position <= 1 and not names):
        return Given()
    dropped = await _until_read(attempt, engine, names)
    own = [file for file in dropped if file.name in names]
    passages = await _beginnings(attempt, engine, [file.document_id for file in own if file.state == "ready"])
    return Given(passages, tuple(file.name for file in own if file.state != "ready"))


async def _until_read(attempt: Attempt, engine: AsyncEngine, names: Sequence[str]) -> list[Dropped]:
    end, told = asyncio.get_running_loop().time() + WAIT_SECONDS, ""
    while True:
        async with engine.connect() as db:
            rows = await db.execute(_IN_THREAD, {"scope": thread_scope(attempt.task.place), "names": list(names)})
            dropped = [Dropped(**row) for row in rows.mappings()]
        waiting = [file.name for file in dropped if file.is_open]
        if not waiting or asyncio.get_running_loop().time() > end:
            return dropped
        if waiting[0] != told:
            told = waiting[0]
            attempt.saying.tell("step", "reading_file", name=told)
        await asyncio.sleep(LOOK_SECONDS)


async def _beginnings(attempt: Attempt, engine: AsyncEngine, document_ids: Sequence[int]) -> tuple[Passage, ...]:
    if not document_ids:
        return ()
    async with engine.connect() as db:
        ids = [row.passage_id for row in await db.execute(_PASSAGES, {"documents": list(document_ids), "most": MOST_PASSAGES})]
    scopes = await attempt.scopes()
    return tuple([await attempt.reach.search.passage(passage_id, scopes) for passage_id in ids])
