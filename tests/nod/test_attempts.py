"""Every claim leaves a row that says who held it, from when to when, and how it ended."""

import os
import socket
from uuid import uuid4

import pytest
from sqlalchemy import text

from nod.claims import Claims
from nod.contracts import Outcome
from nod.standing import Standing
from tests.asked import asks, falls_silent, says


async def worker(engine, process_id=None):
    claims = Claims(engine, process_id or uuid4())
    await claims.register("worker")
    return claims


async def attempts(engine):
    async with engine.connect() as db:
        rows = await db.execute(text("SELECT attempt, outcome, error, ended_at IS NOT NULL AS has_ended FROM attempts ORDER BY attempt"))
        return [tuple(row) for row in rows]


async def test_a_claim_says_which_process_holds_the_answer(record, engine):
    claims = await worker(engine)
    await record.accept(asks("연차?"))
    await claims.claim(1)
    async with engine.connect() as db:
        row = (await db.execute(text("SELECT * FROM attempts"))).one()
    assert (row.process_id, row.role, row.host, row.pid) == (claims.process_id, "worker", socket.gethostname(), os.getpid())
    assert (row.attempt, row.outcome, row.ended_at) == (1, None, None)


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        (says("15일입니다."), ("answered", None)),
        (Outcome(status="failed", error="overloaded"), ("failed", "overloaded")),
        (Outcome(status="withdrawn"), ("withdrawn", None)),
    ],
)
async def test_an_attempt_ends_as_its_answer_does(record, engine, outcome, kept):
    claims = await worker(engine)
    await record.accept(asks("연차?"))
    [task] = await claims.claim(1)
    assert await record.finish(task.answer_id, task.attempt, outcome)
    assert await attempts(engine) == [(1, *kept, True)]


async def test_who_lost_the_claim_ends_no_attempt(record, engine):
    claims = await worker(engine)
    await record.accept(asks("연차?"))
    [task] = await claims.claim(1)
    assert not await record.finish(task.answer_id, task.attempt + 1, says("late"))
    assert await attempts(engine) == [(1, None, None, False)]


async def test_each_way_to_lose_a_claim_is_told_apart(record, engine, database_url):
    me = uuid4()
    claims = await worker(engine, me)
    await record.accept(asks("boom"))

    async def claimed():
        async with engine.begin() as db:
            await db.execute(text("UPDATE answers SET due_at = now(), strikes = 0"))
        [task] = await claims.claim(1)
        return task.answer_id, task.attempt

    await claims.strike(*await claimed(), "ValueError")
    await claims.give_back(*await claimed())
    await claimed()
    await claims.release()
    await claimed()
    standing = Standing(database_url)
    standing.release([me])
    standing.close()
    await claimed()
    await falls_silent(engine, claims)
    await (await worker(engine)).take_from_the_dead()
    await claimed()
    await worker(engine, me)
    assert await attempts(engine) == [
        (1, "strike", "ValueError", True),
        (2, "released", None, True),
        (3, "released", None, True),
        (4, "released", None, True),
        (5, "taken", None, True),
        (6, "taken", None, True),
    ]


async def test_a_claim_from_before_there_were_attempts_ends_as_well(record, engine):
    claims = await worker(engine)
    await record.accept(asks("연차?"))
    [task] = await claims.claim(1)
    async with engine.begin() as db:
        await db.execute(text("DELETE FROM attempts"))
    assert await record.finish(task.answer_id, task.attempt, says("15일."))
