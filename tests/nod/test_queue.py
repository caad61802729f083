"""What waits: which place is told of it, and that it ends with an apology once nobody claimed it for ten minutes."""

import asyncio
import itertools
import random
from uuid import uuid4

import pytest
from sqlalchemy import text

from nod.claims import Claims
from nod.contracts import Person
from nod.queue import EXPIRE_SECONDS, Wait, expire, waits
from tests.asked import ALEX, JISU, asks, says


async def worker(engine):
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    return claims


async def ages(engine, minutes, *accepted):
    """Let answers have waited, and those that run have been claimed, so much earlier."""
    async with engine.begin() as db:
        await db.execute(
            text("""UPDATE answers SET accepted_at = accepted_at - age, due_at = due_at - age, claimed_at = claimed_at - age
                      FROM (SELECT make_interval(mins => :minutes) AS age) old WHERE answer_id = ANY(:ids)"""),
            {"minutes": minutes, "ids": [one.answer_id for one in accepted]},
        )


async def places(engine, *accepted):
    found = await waits(engine, [one.answer_id for one in accepted])
    return [found[one.answer_id].place for one in accepted]


# ── expiry ──


async def test_what_nobody_claimed_for_ten_minutes_ends_once_and_only_that(record, engine):
    old, young, running = [await record.accept(asks(said, thread=said)) for said in ("오래된 질문", "young", "running")]
    [on_page] = [await record.accept(asks("on the page", platform="web"))]
    claims = await worker(engine)
    async with engine.begin() as db:
        await db.execute(text("UPDATE answers SET status = 'running', attempt = 1 WHERE answer_id = :id"), {"id": running.answer_id})
    await ages(engine, 11, old, running, on_page)
    await ages(engine, 9, young)
    assert await expire(engine) == 2
    assert await expire(engine) == 0
    answers = [await record.answer(one.answer_id) for one in (old, young, running, on_page)]
    assert [(answer.status, answer.error) for answer in answers] == [
        ("failed", "expired"), ("waiting", None), ("running", None), ("failed", "expired"),
    ]  # fmt: skip
    assert [answer.shown_at is not None for answer in answers] == [False, False, False, True]  # a chat's bot has yet to show it
    assert [task.text for task in await claims.claim(10)] == ["young"]


@pytest.mark.parametrize("how", ["released", "taken", "given back", "struck"])
async def test_what_was_just_given_back_is_not_too_old_however_long_ago_it_was_asked(record, engine, how):
    accepted = await record.accept(asks("연차?"))
    claims = await worker(engine)
    [task] = await claims.claim(1)
    await ages(engine, 60, accepted)
    if how == "released":
        await claims.release()
    elif how == "taken":
        await claims.register("worker")  # again: its predecessor crashed
    elif how == "given back":
        await claims.give_back(task.answer_id, task.attempt)
    else:
        await claims.strike(task.answer_id, task.attempt, "timeout")
    assert (await record.answer(accepted.answer_id)).status == "waiting"
    assert await expire(engine) == 0


async def test_asked_again_it_waits_anew(record, engine):
    accepted = await record.accept(asks("연차?"))
    await ages(engine, 11, accepted)
    assert await expire(engine) == 1
    new_id = await record.again(accepted.answer_id)
    assert await expire(engine) == 0
    assert [task.answer_id for task in await (await worker(engine)).claim(1)] == [new_id]


async def test_of_those_who_claim_and_those_who_look_one_gets_each_answer(record, engine):
    accepted = [await record.accept(asks(f"{n}", thread=f"{n}")) for n in range(40)]
    await ages(engine, int(EXPIRE_SECONDS) // 60 + 1, *accepted)
    claimers = [await worker(engine) for _ in range(3)]
    done = await asyncio.gather(*(act for claims in claimers for act in (claims.claim(4), expire(engine))))
    claimed = {task.answer_id for tasks in done[::2] for task in tasks}
    answers = [await record.answer(one.answer_id) for one in accepted]
    assert {answer.answer_id for answer in answers if answer.status == "running"} == claimed
    assert sum(done[1::2]) == len(answers) - len(claimed)
    assert {answer.error for answer in answers if answer.status == "failed"} <= {"expired"}


# ── places ──


async def test_a_place_is_that_in_the_order_of_the_claim(record, engine):
    many = [await record.accept(asks(f"{n}", person=ALEX, thread=f"a{n}")) for n in range(4)]
    one = await record.accept(asks("하나만", person=JISU, thread="j"))
    assert await places(engine, *many, one) == [1, 3, 4, 5, 2]
    claims = await worker(engine)
    await claims.claim(1)
    assert await waits(engine, [many[0].answer_id]) == {}  # it does not wait any more


async def test_a_place_is_told_anew_when_a_quarter_of_it_is_gone(record, engine):
    asked = [await record.accept(asks(f"{n}", person=Person(platform="slack", workspace="T1", external_id=f"{n}"), thread=f"{n}"))
             for n in range(12)]  # fmt: skip
    claims, told = await worker(engine), []
    for _ in range(12):
        told += await places(engine, asked[-1])
        [task] = await claims.claim(1)
        await record.finish(task.answer_id, task.attempt, says("네"))
    assert told == [12, 12, 12, 9, 9, 9, 6, 6, 4, 3, 2, 1]


async def test_the_time_follows_how_quickly_answers_were_finished_lately(record, engine):
    asked = [await record.accept(asks(f"{n}", thread=f"{n}")) for n in range(6)]
    assert (await waits(engine, [asked[5].answer_id]))[asked[5].answer_id] == Wait(6, None)
    claims = await worker(engine)
    for task in await claims.claim(2):
        await record.finish(task.answer_id, task.attempt, says("네"))
    async with engine.begin() as db:
        await db.execute(text("UPDATE answers SET claimed_at = now() - interval '40 seconds' WHERE status = 'answered'"))
    wait = (await waits(engine, [asked[5].answer_id]))[asked[5].answer_id]
    assert wait.place == 4
    assert wait.seconds is not None
    assert 80 <= wait.seconds < 120  # two in 40 seconds, four to go


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_place_that_was_told_never_rises_whatever_happens(record, engine, seed):
    draw = random.Random(seed)
    who = [Person(platform="slack", workspace="T1", external_id=f"{n}") for n in range(8)]
    workers = [await worker(engine) for _ in range(2)]
    asked, told, true = [], {}, {}
    for n in range(60):
        act = draw.random()
        if act < 0.5:
            asked.append(await record.accept(asks(f"{n}", person=draw.choice(who[: 1 + n // 8]), thread=f"{draw.randrange(40)}")))
        elif act < 0.7:
            for task in await draw.choice(workers).claim(2):
                if draw.random() < 0.7:
                    await record.finish(task.answer_id, task.attempt, says("네"))
        elif act < 0.8:
            await draw.choice(workers).release()
        for answer_id, wait in (await waits(engine, [one.answer_id for one in asked])).items():
            assert 1 <= wait.place <= told.get(answer_id, 1_000)
            told[answer_id] = wait.place
        async with engine.connect() as db:
            rows = await db.execute(text(_IN_TRUTH))
            for row in rows:
                true.setdefault(row.answer_id, []).append(row.place)
    assert any(later > earlier for places_ in true.values() for earlier, later in itertools.pairwise(places_))


_IN_TRUTH = """
    SELECT answer_id, row_number() OVER (ORDER BY turn, accepted_at) AS place
      FROM (SELECT answer_id, accepted_at, row_number() OVER (PARTITION BY person_id ORDER BY accepted_at)
                   + (SELECT count(*) FROM answers b WHERE b.person_id = a.person_id AND b.status = 'running') AS turn
              FROM answers a WHERE status = 'waiting') ranked"""
