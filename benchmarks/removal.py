"""What it takes to remove a very large source: `python -m benchmarks.removal --passages 100000`, on a PostgreSQL of its own.

Prints how long a source of so many made-up passages (benchmarks/synthetic.py) takes to be taken away, brought back, taken away again and
forgotten for good, and the longest that anybody waited meanwhile who searches, or teaches a document of another source.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.database import own_postgres
from benchmarks.synthetic import ALL_SCOPES, make
from knowledge import index
from knowledge.documents import scope_id_of, source_id_of
from knowledge.loaded import Piece
from knowledge.removal import bring_source_back, forget_removed, take_source_away
from knowledge.search import Search
from nod.connect import engine_from
from nod.contracts import EVERYONE
from nod.migrate import bring_up_to_date
from nod.tasks import end_tasks


class Others:
    """Somebody who searches and somebody who teaches, and the longest that each of them waited."""

    def __init__(self, engine: AsyncEngine, questions: Sequence[str]) -> None:
        self._engine, self._questions = engine, questions
        self.waited = {"search": 0.0, "teach": 0.0}
        self.done = {"search": 0, "teach": 0}

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None]:
        """Let them work while this lasts."""
        self.waited, self.done = dict.fromkeys(self.waited, 0.0), dict.fromkeys(self.done, 0)
        tasks = [asyncio.create_task(self._searches()), asyncio.create_task(self._teaches())]
        try:
            yield
        finally:
            await end_tasks(tasks)

    async def _searches(self) -> None:
        search = Search(self._engine)
        while True:
            await self._timed("search", search.find(self._questions[self.done["search"] % len(self._questions)], ALL_SCOPES))

    async def _teaches(self) -> None:
        while True:
            await self._timed("teach", self._teach(f"taught{time.monotonic_ns()}"))

    async def _teach(self, word: str) -> None:
        async with self._engine.begin() as db:
            scope = await scope_id_of(db, EVERYONE)
            source = await source_id_of(db, "teach", "", scope)
            insert = text("""
                INSERT INTO documents (source_id, scope_id, location, title, state, passage_count)
                     VALUES (:source, :scope, :word, :word, 'ready', 5) RETURNING document_id""")
            document = (await db.execute(insert, {"source": source, "scope": scope, "word": word})).scalar_one()
            await index.add(db, document, scope, word, [Piece(f"{word} {n}") for n in range(5)])
        await index.merge(self._engine)

    async def _timed(self, what: str, act: Awaitable[object]) -> None:
        begun = time.perf_counter()
        await act
        self.waited[what] = max(self.waited[what], time.perf_counter() - begun)
        self.done[what] += 1


async def measure(database_url: str, passages: int) -> None:
    """Print a line for each step."""
    made = make(database_url, passages)
    engine = engine_from(database_url)
    try:
        async with engine.begin() as db:
            await db.execute(text("UPDATE sources SET kind = 'folder', location = '/large', every_seconds = 10"))
            source = int((await db.execute(text("SELECT source_id FROM sources"))).scalar_one())
        await index.merge(engine)
        others = Others(engine, made.questions)
        steps = {
            "nothing": asyncio.sleep(5), "taken away": take_source_away(engine, source), "merged": index.tend(engine),
            "brought back": bring_source_back(engine, source), "merged again": index.tend(engine),
            "taken away again": take_source_away(engine, source), "forgotten": _forgotten(engine), "tended": index.tend(engine),
        }  # fmt: skip
        for name, step in steps.items():
            async with others.at_work():
                begun = time.perf_counter()
                await step
                seconds = time.perf_counter() - begun
            waited = ", ".join(f"{what} {others.waited[what]:.2f} s (of {others.done[what]})" for what in others.waited)
            print(f"{name:18} {seconds:7.2f} s   longest wait: {waited}", flush=True)
    finally:
        await engine.dispose()


async def _forgotten(engine: AsyncEngine) -> None:
    while await forget_removed(engine, after_minutes=0):
        pass


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--passages", type=int, default=100_000, help="a multiple of 5 (default: %(default)s)")
    given = options.parse_args()
    with own_postgres() as database_url:
        bring_up_to_date(database_url)
        asyncio.run(measure(database_url, given.passages))


if __name__ == "__main__":
    sys.exit(main())
