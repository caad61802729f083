"""Statements on PostgreSQL that are transactions of their own, and what becomes of connections that were lost."""

import asyncio
import contextlib

import psycopg
import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.search import Search
from nod.connect import Alone, engine_from


async def test_values_are_named_and_nothing_else_is_taken_for_one(engine: AsyncEngine):
    row = await Alone(engine).row("SELECT :said || ' 100 %' AS said, '12:30'::time::text AS at, (ARRAY[1, 2])[1:1] AS part", said="연차")
    assert (row.said, row.at, row.part) == ("연차 100 %", "12:30:00", [1])


async def test_what_goes_wrong_is_raised_as_sqlalchemy_raises_it(engine: AsyncEngine):
    with pytest.raises(ProgrammingError, match="nowhere"):
        await Alone(engine).rows("SELECT 1 FROM nowhere")
    assert (await Alone(engine).row("SELECT 1 AS one")).one == 1


async def test_of_connections_that_were_lost_together_one_is_met_at_most(engine: AsyncEngine, database_url: str):
    db = Alone(engine)
    taken = await asyncio.gather(*(db.row("SELECT pg_backend_pid() AS pid FROM pg_sleep(0.05)") for _ in range(3)))
    with psycopg.connect(database_url, autocommit=True) as other:
        for row in taken:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (row.pid,))
    with contextlib.suppress(OperationalError):  # one that lay idle for a second was tested
        await db.run("SELECT 1")
    assert [(await db.row("SELECT :n AS n", n=n)).n for n in range(3)] == [0, 1, 2]
    assert len(await asyncio.gather(*(db.rows("SELECT 1") for _ in range(3)))) == 3


async def test_a_statement_that_is_broken_off_leaves_its_connection_fit(database_url: str):
    engine = engine_from(database_url, pool_size=1, pool_seconds=5)
    for _ in range(3):
        sleeping = asyncio.create_task(Alone(engine).run("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.05)
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
    assert (await Alone(engine).row("SELECT 1 AS one")).one == 1
    await engine.dispose()


async def test_a_search_leaves_statements_prepared(engine: AsyncEngine):
    for _ in range(3):
        await Search(engine).find("연차는 며칠?", ["everyone"])
    prepared = await Alone(engine).row("SELECT count(*) AS n FROM pg_prepared_statements WHERE statement LIKE '%search_stats%'")
    assert prepared.n == 1
