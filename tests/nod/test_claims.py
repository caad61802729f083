"""Claims: each question is answered by one process at a time, in order, and a question that kills gives itself away."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text as sql

from nod.claims import DEAD_SECONDS, GAP_SECONDS, MOST_CRASHES, Claims, Heartbeat
from nod.contracts import Outcome
from tests.asked import ALEX, JISU, asks, falls_silent, says


async def worker(engine, process_id=None):
    claims = Claims(engine, process_id or uuid4())
    await claims.register("worker")
    return claims


async def test_a_conversation_is_answered_in_order(record, engine):
    claims = await worker(engine)
    await record.accept(asks("첫째"))
    await record.accept(asks("둘째"))
    [first] = await claims.claim(10)
    assert first.text == "첫째"
    assert await claims.claim(10) == []
    await record.finish(first.answer_id, first.attempt, says("네"))
    assert [task.text for task in await claims.claim(10)] == ["둘째"]


async def test_six_claimers_claim_each_answer_once(record, engine):
    for n in range(60):
        await record.accept(asks(f"question {n}", thread=f"{n % 20}.0"))
    claimers = [await worker(engine) for _ in range(6)]

    async def drain(claims):
        done = []
        for _ in range(40):
            tasks = await claims.claim(3)
            for task in tasks:
                await record.finish(task.answer_id, task.attempt, says("ok"))
            done += tasks
            if not tasks:
                await asyncio.sleep(0)
        return done

    done = [task for tasks in await asyncio.gather(*map(drain, claimers)) for task in tasks]
    assert len(done) == len({task.answer_id for task in done}) == 60
    assert {task.attempt for task in done} == {1}


async def test_who_asked_much_waits_for_who_asked_little(record, engine):
    for n in range(5):
        await record.accept(asks(f"one of many {n}", person=ALEX, thread=f"a{n}"))
    await record.accept(asks("하나만", person=JISU, thread="j"))
    claims = await worker(engine)
    assert {task.text for task in await claims.claim(2)} == {"one of many 0", "하나만"}


async def test_answers_already_running_count_against_their_asker(record, engine):
    claims = await worker(engine)
    for n in range(3):
        await record.accept(asks(f"one of many {n}", person=ALEX, thread=f"a{n}"))
    await claims.claim(2)
    await record.accept(asks("하나만", person=JISU, thread="j"))
    assert [task.text for task in await claims.claim(1)] == ["하나만"]


async def test_a_silent_process_loses_its_claims_with_one_strike(record, engine):
    dead, alive = await worker(engine), await worker(engine)
    await record.accept(asks("연차?"))
    [task] = await dead.claim(1)
    assert await alive.take_from_the_dead() == 0
    await falls_silent(engine, dead)
    assert await alive.take_from_the_dead() == 1
    [again] = await alive.claim(1)
    assert (again.answer_id, again.attempt, again.strikes, again.started_before) == (task.answer_id, 2, 1, True)
    assert not await record.finish(task.answer_id, task.attempt, says("late"))


async def test_a_restarted_process_frees_its_predecessors_claims_first_thing(record, engine):
    me = uuid4()
    await record.accept(asks("연차?"))
    await (await worker(engine, me)).claim(1)
    assert [task.strikes for task in await (await worker(engine, me)).claim(1)] == [1]


async def test_a_deploy_gives_answers_back_without_a_strike(record, engine):
    old = await worker(engine)
    await record.accept(asks("연차?"))
    await old.claim(1)
    await old.leave()
    assert [(task.strikes, task.attempt) for task in await (await worker(engine)).claim(1)] == [(0, 2)]


async def test_three_crashes_end_an_answer(record, engine):
    me = uuid4()
    accepted = await record.accept(asks("펑"))
    for _ in range(3):
        assert len(await (await worker(engine, me)).claim(1)) == 1
    await worker(engine, me)
    answer = await record.answer(accepted.answer_id)
    assert (answer.status, answer.error, answer.strikes) == ("failed", "strikes", 3)


async def test_the_poison_finds_itself_and_its_neighbours_do_not_pay(record, engine):
    me = uuid4()
    poison = await record.accept(asks("poison", thread="p"))
    for _ in range(2):
        await (await worker(engine, me)).claim(1)
    neighbours = [await record.accept(asks(f"innocent {n}", thread=f"n{n}")) for n in range(3)]
    claims = await worker(engine, me)
    assert [task.answer_id for task in await claims.claim(10)] == [poison.answer_id]
    assert await claims.claim(10) == []  # nobody beside it
    claims = await worker(engine, me)  # it crashed once more
    assert (await record.answer(poison.answer_id)).error == "strikes"
    assert {task.answer_id: task.strikes for task in await claims.claim(10)} == {a.answer_id: 0 for a in neighbours}


async def test_who_was_beside_two_poisons_is_not_given_up_for_the_second(record, engine):
    """With a suspect among those that a crash interrupted, only the suspect was struck: each new poison killed an innocent one."""
    me = uuid4()
    innocent = await record.accept(asks("휴가 며칠이야?", thread="i"))
    first = await record.accept(asks("poison", thread="p1"))
    for _ in range(2):
        assert len(await (await worker(engine, me)).claim(10)) == 2
    second = await record.accept(asks("more poison", thread="p2"))
    for _ in range(6):
        tasks = await (await worker(engine, me)).claim(10)
        if [task.answer_id for task in tasks] == [innocent.answer_id]:
            assert await record.finish(innocent.answer_id, tasks[0].attempt, Outcome(status="answered", text="15일이에요."))
    await worker(engine, me)
    answers = [await record.answer(one.answer_id) for one in (innocent, first, second)]
    assert [(answer.status, answer.error) for answer in answers] == [("answered", None), *[("failed", "strikes")] * 2]


async def test_a_suspect_is_not_given_up_for_a_crash_with_others_beside_it_until_there_are_too_many(record, engine):
    me = uuid4()
    slow = await record.accept(asks("긴 보고서를 요약해 줘", thread="s"))
    for _ in range(2):
        await (await worker(engine, me)).claim(1)
    for crashes in range(2, MOST_CRASHES):
        claims = await worker(engine, me)
        assert [task.answer_id for task in await claims.claim(10)] == [slow.answer_id]
        newcomer = await record.accept(asks("poison", thread=f"p{crashes}"))
        assert await claims.claim(10) == []
        async with engine.begin() as db:
            await db.execute(sql("UPDATE answers SET claimed_at = claimed_at - interval '11 seconds' WHERE status = 'running'"))
        assert len(await claims.claim(10)) >= 1  # it has been running for a while: others come
        before = await record.answer(slow.answer_id)
        assert (before.status, before.strikes) == ("running", 2)
    await worker(engine, me)
    assert (await record.answer(slow.answer_id)).error == "strikes"
    assert (await record.answer(newcomer.answer_id)).strikes == 1


async def test_who_was_struck_together_with_the_guilty_one_is_no_suspect_any_more(record, engine):
    me = uuid4()
    neighbours = [await record.accept(asks(f"innocent {n}", thread=f"n{n}")) for n in range(2)]
    claims = await worker(engine, me)
    assert len(await claims.claim(10)) == 2
    poison = await record.accept(asks("poison", thread="p"))
    assert len(await claims.claim(10)) == 1  # it crashes at once: of those in the crash it has run for the shortest time
    assert len(await (await worker(engine, me)).claim(10)) == 3
    assert [task.answer_id for task in await (await worker(engine, me)).claim(10)] == [poison.answer_id]
    tasks = await (await worker(engine, me)).claim(10)
    assert {task.answer_id: task.strikes for task in tasks} == {one.answer_id: 1 for one in neighbours}


async def test_the_last_worker_lets_others_come_between_two_suspects(record, engine):
    me = uuid4()
    for n in range(2):
        await record.accept(asks(f"suspect {n}", thread=f"s{n}"))
    for _ in range(2):
        assert len(await (await worker(engine, me)).claim(10)) == 2
    claims = await worker(engine, me)
    await record.accept(asks("나도", thread="n"))
    assert [task.text for task in await claims.claim(10, may_suspect=False)] == ["나도"]
    assert await claims.claim(10) == []  # what runs must have run for a while before a suspect joins it
    other = await worker(engine, UUID(int=0))
    assert [task.strikes for task in await other.claim(10, may_suspect=False)] == [2]  # one worker looks after all suspects


async def test_a_process_runs_one_suspect_at_a_time(record, engine):
    for n in range(3):
        await record.accept(asks(f"suspect {n}", thread=f"s{n}"))
    for _ in range(2):
        dying = await worker(engine)
        assert len(await dying.claim(10)) == 3
        await falls_silent(engine, dying)
        await dying.take_from_the_dead()
    claims = await worker(engine)
    assert len(await claims.claim(10)) == 1
    assert await claims.claim(10) == []


@pytest.mark.parametrize(("strikes", "ended"), [(1, False), (2, False), (3, True)])
async def test_an_exception_is_a_strike_and_the_third_ends_it(record, engine, strikes, ended):
    claims = await worker(engine)
    accepted = await record.accept(asks("boom"))
    last = False
    for _ in range(strikes):
        [task] = await claims.claim(1)
        last = await claims.strike(task.answer_id, task.attempt, "internal", wait_seconds=0)
    assert last is ended
    assert ((await record.answer(accepted.answer_id)).status == "failed") is ended


async def test_an_answer_given_back_waits_before_it_runs_again(record, engine):
    claims = await worker(engine)
    await record.accept(asks("boom"))
    [task] = await claims.claim(1)
    await claims.strike(task.answer_id, task.attempt, "timeout", wait_seconds=60)
    assert await claims.claim(1) == []


async def test_whoever_runs_an_answer_hears_that_it_should_stop(record, engine):
    claims = await worker(engine)
    accepted = await record.accept(asks("긴 답"))
    await claims.claim(1)
    assert await claims.to_stop() == set()
    await record.stop(accepted.answer_id)
    assert await claims.to_stop() == {accepted.answer_id}


@pytest.mark.parametrize(
    ("steady_seconds", "beaten_seconds", "may_judge"),
    [
        (60.0, 0.1, True),
        (60.0, GAP_SECONDS + 0.5, False),  # PostgreSQL was just away, and this process has not beaten since: it looks dead itself
        (DEAD_SECONDS - 1, 0.1, False),  # it was away a moment ago
    ],
)
def test_who_has_just_missed_a_beat_itself_calls_nobody_dead(steady_seconds, beaten_seconds, may_judge):
    heartbeat, now = Heartbeat("postgresql://", uuid4()), time.monotonic()
    heartbeat._steady_since, heartbeat._beaten = now - steady_seconds, now - beaten_seconds
    assert heartbeat.may_judge is may_judge
