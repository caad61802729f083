"""Quotas hold back in the claim what would run beyond them, whoever claims, and lose nothing."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest
from sqlalchemy import text

from nod.claims import Claims
from nod.contracts import Person
from nod.quotas import ONE_AT_A_TIME, Quotas
from tests.asked import ALEX, JISU, asks, says


async def worker(engine, **most):
    claims = Claims(engine, uuid4(), Quotas(**most))
    await claims.register("worker")
    return claims


def in_place(said, channel="C1", workspace="T1", person=ALEX, **more):
    question = asks(said, person=person, thread=uuid4().hex, **more)
    return question.model_copy(update={"place": question.place.model_copy(update={"channel": channel, "workspace": workspace})})


def people(prefix):
    return [Person(platform="slack", workspace="T1", external_id=f"{prefix}{n}") for n in range(5)]


async def runs(claims, room=20):
    return sorted(task.text for task in await claims.claim(room))


@pytest.mark.parametrize(
    ("quota", "many", "other"),
    [
        ("person", [in_place(f"many {n}") for n in range(5)], in_place("하나만", person=JISU)),
        ("channel", [in_place(f"many {n}", person=who) for n, who in enumerate(people("A"))], in_place("하나만", "C2", person=JISU)),
        ("workspace", [in_place(f"many {n}", f"C{n}", person=who) for n, who in enumerate(people("B"))], in_place("하나만", "C1", "T2")),
    ],
)
async def test_as_many_run_as_the_quota_says_and_nobody_else_waits_for_it(record, engine, quota, many, other):
    for question in (*many, other):
        await record.accept(question)
    first, second = await worker(engine, **{quota: 2}), await worker(engine, **{quota: 2})
    tasks = {task.text: task for task in await first.claim(20)}
    assert set(tasks) == {"many 0", "many 1", "하나만"}
    assert await runs(second) == []
    await record.finish(tasks["many 1"].answer_id, 1, says("네"))
    assert await runs(second) == ["many 2"]
    assert await runs(await worker(engine)) == ["many 3", "many 4"]


async def test_all_three_hold_together(record, engine):
    for channel, crowd in (("C1", people("A")), ("C2", people("B"))):
        for who in crowd * 2:
            await record.accept(in_place("질문", channel, person=who))
    claims = await worker(engine, person=1, channel=2, workspace=3)
    assert len(await claims.claim(20)) == 3
    async with engine.connect() as db:
        running = text("SELECT a.person_id, q.channel FROM answers a JOIN questions q USING (question_id) WHERE status = 'running'")
        rows = (await db.execute(running)).all()
    assert len({row.person_id for row in rows}) == 3
    assert sorted(Counter(row.channel for row in rows).values()) == [1, 2]


@pytest.mark.parametrize("platform", ["web", "cli"])
async def test_the_page_and_the_terminal_are_no_channel(record, engine, platform):
    for n, who in enumerate(people("A")):
        await record.accept(asks(f"질문 {n}", person=who, thread=f"{n}", platform=platform))
    assert len(await (await worker(engine, channel=1, workspace=1)).claim(20)) == 5


async def test_within_a_quota_the_fairest_goes_first(record, engine):
    for n in range(3):
        await record.accept(in_place(f"many {n}"))
    await record.accept(in_place("하나만", person=JISU))
    assert await runs(await worker(engine, channel=2)) == ["many 0", "하나만"]


async def test_who_claims_sees_what_another_one_has_just_claimed(record, engine):
    accepted = [await record.accept(in_place(f"many {n}")) for n in range(4)]
    claims = await worker(engine, person=2)
    async with engine.begin() as other:  # in the middle of its claim
        await other.execute(text(ONE_AT_A_TIME), {"stalled": 60})
        running = text("UPDATE answers SET status = 'running', attempt = 1 WHERE answer_id = ANY(:ids)")
        await other.execute(running, {"ids": [one.answer_id for one in accepted[:2]]})
        claiming = asyncio.create_task(claims.claim(4))
        await waits_in_line(engine)
    assert await claiming == []


async def waits_in_line(engine):
    """Return once a claimer waits for another one's claim to end."""
    async with asyncio.timeout(20), engine.connect() as db:
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not (await db.execute(waiting)).scalar_one():
            await asyncio.sleep(0.01)


async def test_a_process_that_is_frozen_while_it_claims_holds_nobody_up(record, engine):
    await record.accept(in_place("연차?"))
    async with engine.connect() as frozen:
        await frozen.execute(text(ONE_AT_A_TIME), {"stalled": 0.2})
        claims = await worker(engine, person=1)
        assert [task.text for task in await asyncio.wait_for(claims.claim(1), 20)] == ["연차?"]
        await frozen.invalidate()
