"""Claims: each question is answered by one process at a time, in order, and a question that kills gives itself away."""

import asyncio
import time
from uuid import uuid4

import pytest

from nod.claims import MOST_CELLS, Claims
from nod.contracts import Outcome
from nod.heartbeat import DEAD_SECONDS, GAP_SECONDS, Heartbeat
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
    [again] = await alive.claim_suspects()
    assert (again.answer_id, again.attempt, again.strikes, again.started_before) == (task.answer_id, 2, 1, True)
    assert not await record.finish(task.answer_id, task.attempt, says("late"))


async def test_a_restarted_process_frees_its_predecessors_claims_first_thing(record, engine):
    me = uuid4()
    await record.accept(asks("연차?"))
    await (await worker(engine, me)).claim(1)
    assert [task.strikes for task in await (await worker(engine, me)).claim_suspects()] == [1]


async def test_a_deploy_gives_answers_back_without_a_strike(record, engine):
    old = await worker(engine)
    await record.accept(asks("연차?"))
    await old.claim(1)
    await old.leave()
    assert [(task.strikes, task.attempt) for task in await (await worker(engine)).claim(1)] == [(0, 2)]


async def test_three_crashes_end_an_answer(record, engine):
    me = uuid4()
    accepted = await record.accept(asks("펑"))
    assert len(await (await worker(engine, me)).claim(1)) == 1
    for _ in range(2):
        assert len(await (await worker(engine, me)).claim_suspects()) == 1
    await worker(engine, me)
    answer = await record.answer(accepted.answer_id)
    assert (answer.status, answer.error, answer.strikes) == ("failed", "strikes", 3)


async def crash(engine, claims):
    """Let a process crash: its successor has its id, and frees what it held."""
    return await worker(engine, claims.process_id)


def ids(tasks):
    return [task.answer_id for task in tasks]


async def test_what_was_in_a_crash_is_answered_in_cells_and_crashes_nobody_else(record, engine):
    claims, cell = await worker(engine), await worker(engine)
    poison = await record.accept(asks("poison", thread="p"))
    await claims.claim(10)
    claims = await crash(engine, claims)
    assert await claims.suspects() == (1, 1)
    neighbours = [await record.accept(asks(f"innocent {n}", thread=f"n{n}")) for n in range(3)]
    assert sorted(ids(await claims.claim(10))) == sorted(one.answer_id for one in neighbours)
    for _ in range(2):
        assert ids(await cell.claim_suspects()) == [poison.answer_id]
        cell = await crash(engine, cell)
    assert (await record.answer(poison.answer_id)).error == "strikes"
    assert {(await record.answer(one.answer_id)).strikes for one in neighbours} == {0}


async def test_no_neighbour_of_several_poisons_is_given_up(record, engine):
    """With a suspect among those that a crash interrupted, each new poison killed an innocent one."""
    claims, cells = await worker(engine), [await worker(engine) for _ in range(MOST_CELLS)]
    innocent = await record.accept(asks("휴가 며칠이야?", thread="i"))
    poison = [await record.accept(asks(f"poison {n}", thread=f"p{n}")) for n in range(2 * MOST_CELLS)]
    assert len(await claims.claim(20)) == 2 * MOST_CELLS + 1
    await crash(engine, claims)
    for _ in range(20):
        for n, cell in enumerate(cells):
            tasks = await cell.claim_suspects()
            if ids(tasks) == [innocent.answer_id]:
                assert await record.finish(innocent.answer_id, tasks[0].attempt, Outcome(status="answered", text="15일이에요."))
            cells[n] = await crash(engine, cell)
    answers = [await record.answer(one.answer_id) for one in (innocent, *poison)]
    assert [(answer.status, answer.error) for answer in answers] == [("answered", None), *[("failed", "strikes")] * len(poison)]


async def test_suspects_of_one_crash_are_spread_evenly_over_cells_and_those_of_two_are_alone(record, engine):
    many = 3 * MOST_CELLS
    claims, cells = await worker(engine), [await worker(engine) for _ in range(MOST_CELLS)]
    for n in range(many):
        await record.accept(asks(f"question {n}", thread=f"{n}"))
    await claims.claim(many)
    await crash(engine, claims)
    assert [len(await cell.claim_suspects()) for cell in cells] == [3] * MOST_CELLS
    assert await claims.suspects() == (0, many)
    again = await crash(engine, cells[0])
    assert [len(await cell.claim_suspects()) for cell in (again, await worker(engine), await worker(engine))] == [1, 1, 1]
    assert await (await worker(engine)).claim_suspects() == []


async def test_who_had_run_for_the_shortest_time_when_a_crash_came_is_suspected_first(record, engine):
    claims = await worker(engine)
    for n in range(2 * MOST_CELLS):
        await record.accept(asks(f"innocent {n}", thread=f"n{n}"))
    await claims.claim(10)
    poison = await record.accept(asks("poison", thread="p"))
    await claims.claim(10)
    cell = await crash(engine, claims)
    assert poison.answer_id in ids(await cell.claim_suspects())


async def test_who_was_struck_together_with_the_guilty_one_begins_again_with_one_strike(record, engine):
    claims, cell = await worker(engine), await worker(engine)
    for n in range(MOST_CELLS):
        await record.accept(asks(f"innocent {n}", thread=f"n{n}"))
    await claims.claim(10)
    poison = await record.accept(asks("poison", thread="p"))
    await claims.claim(10)
    await crash(engine, claims)
    beside = [one for one in ids(await cell.claim_suspects()) if one != poison.answer_id]
    assert len(beside) == 1
    cell = await crash(engine, cell)
    assert (await record.answer(beside[0])).strikes == 2
    assert ids(await cell.claim_suspects()) == [poison.answer_id]
    await crash(engine, cell)
    assert ((await record.answer(poison.answer_id)).error, (await record.answer(beside[0])).strikes) == ("strikes", 1)


async def test_nobody_is_given_up_for_a_crash_beside_others(record, engine):
    claims = await worker(engine)
    accepted = await record.accept(asks("boom", thread="b"))
    for _ in range(2):
        [task] = await claims.claim(1)
        await claims.strike(task.answer_id, task.attempt, "timeout", wait_seconds=0)
    await record.accept(asks("poison", thread="p"))
    assert len(await claims.claim(2)) == 2
    await crash(engine, claims)
    assert (await record.answer(accepted.answer_id)).strikes == 2


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
