"""Who answers what: order, fairness to conversations, Stop, strikes, the end of a process."""

import asyncio
import dataclasses
import itertools
from uuid import UUID

import pytest
from sqlalchemy import text

from knowledge.search import Found
from nod.connect import POOL_SIZE
from nod.contracts import Outcome
from nod.process import running
from nod.record import Record
from tests.asked import ALEX, asks, unknown
from tests.fakes.model import FakeModel
from tests.workers.desk import Desk, until
from workers.attempt import Attempt, Reach
from workers.loop import Answering
from workers.memory import Memory
from workers.saying import Voice


async def test_questions_of_one_conversation_are_answered_in_order(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("하나.", "둘.", "셋.")
    async with model_desk.open():
        accepted = [await model_desk.asks(question) for question in ("첫째?", "둘째?", "셋째?")]
        answers = [await model_desk.reads(one) for one in accepted]
    assert [answer.text for answer in answers] == ["하나.", "둘.", "셋."]
    assert agent.shown == [
        ["첫째?"],
        ["첫째?", "하나.", "둘째?"],
        ["첫째?", "하나.", "둘째?", "둘.", "셋째?"],
    ]


async def test_two_workers_answer_each_question_once_and_never_two_of_a_conversation(model_desk: Desk, agent: FakeModel) -> None:
    agent.benchmarks("답 {tag}", tokens=3, first_after=0.01, every=0.01)
    accepted = [await model_desk.asks(f"질문 #{thread}-{n}", thread=f"{thread}.0") for n in range(4) for thread in range(5)]
    async with model_desk.open(), model_desk.open():
        answers = [await model_desk.reads(one, within=30) for one in accepted]
    rows = [await model_desk.row(answer.answer_id) for answer in answers]
    assert [answer.text for answer in answers] == [f"답 #{thread}-{n}" for n in range(4) for thread in range(5)]
    assert [row["attempt"] for row in rows] == [1] * 20
    spoken = [[call for call in agent.calls if f"#{thread}-" in call.texts[-1]] for thread in range(5)]
    for calls in spoken:  # the model's own clock: when a statement began says nothing about when another one was seen
        assert [call.texts[-1].rpartition("-")[2] for call in calls] == ["0", "1", "2", "3"]
        assert all((before.last_token_at or 0) <= after.started_at for before, after in itertools.pairwise(calls))


async def test_stop_keeps_what_was_said(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("한 문장은 나왔어요. 나머지는 나오지 않아요.", tokens=10, hold_after=5)
    async with model_desk.open():
        accepted = await model_desk.asks("길게 말해 줘")
        await model_desk.until_said(accepted.answer_id, "한 문장은")
        assert await model_desk.record.stop(accepted.answer_id)
        answer = await model_desk.reads(accepted)
        events = await model_desk.until_announced(accepted.answer_id)
    assert answer.status == "answered"
    assert answer.text.startswith("한 문장은")
    assert "나오지 않아요" not in answer.text
    assert answer.stopped_at
    assert answer.notices == ("stopped",)
    assert events[-1].kind == "done"
    agent.go_on()


async def test_stop_before_a_word_was_said_withdraws_the_answer(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("nothing of this", hold_after=0)
    async with model_desk.open():
        accepted = await model_desk.asks("Wait, no")
        await asyncio.to_thread(agent.until_holding)
        assert await model_desk.record.stop(accepted.answer_id)
        answer = await model_desk.reads(accepted)
    assert (answer.status, answer.text) == ("withdrawn", "")
    agent.go_on()


async def test_what_was_stopped_is_remembered_as_far_as_it_was_said(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("하나, 둘, 셋, 넷", tokens=4, hold_after=2)
    agent.will_say("셋, 넷")
    async with model_desk.open():
        accepted = await model_desk.asks("세어 줘")
        await model_desk.until_said(accepted.answer_id, "하나")
        await model_desk.record.stop(accepted.answer_id)
        stopped = await model_desk.reads(accepted)
        await model_desk.hears("이어서")
    assert agent.shown[-1] == ["세어 줘", stopped.text, "이어서"]


async def test_what_waited_too_long_is_ended_before_anything_is_claimed(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("닷새예요.")
    old, young = await model_desk.asks("오래된 질문", thread="old"), await model_desk.asks("연차?", thread="young")
    async with model_desk.record.engine.begin() as db:
        await db.execute(text("UPDATE answers SET due_at = due_at - interval '11 minutes' WHERE answer_id = :id"), {"id": old.answer_id})
    async with model_desk.open():
        assert (await model_desk.reads(young)).text == "닷새예요."
    answer = await model_desk.record.answer(old.answer_id)
    assert (answer.status, answer.error, answer.attempt) == ("failed", "expired", 0)
    assert len(agent.calls) == 1


async def test_a_persons_quota_holds_back_their_questions_and_nobody_elses(model_desk: Desk, agent: FakeModel) -> None:
    agent.benchmarks("답 {tag}", tokens=3, first_after=0.05, every=0.02)
    mine = [await model_desk.asks(f"질문 #mine{n}", thread=f"{n}") for n in range(4)]
    other = await model_desk.record.accept(asks("하나만 #other", person=ALEX, thread="other"))
    async with model_desk.open(person_at_once=1):
        for accepted in (*mine, other):
            await model_desk.reads(accepted)
    calls = {call.texts[-1].partition("#")[2]: call for call in agent.calls}
    in_turn = [calls[f"mine{n}"] for n in range(4)]
    assert all((before.last_token_at or 0) <= after.started_at for before, after in itertools.pairwise(in_turn))
    assert calls["other"].started_at < in_turn[1].started_at


async def test_a_worker_that_ends_gives_its_answers_back_without_a_strike(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("this never ends", hold_after=1)
    agent.will_say("끝났어요.")
    async with model_desk.open() as first:
        first.drain_seconds = 0.2
        accepted = await model_desk.asks("끝까지 답해 줘")
        await asyncio.to_thread(agent.until_holding)
    row = await model_desk.row(accepted.answer_id)
    assert (row["status"], row["strikes"], row["process_id"]) == ("waiting", 0, None)
    async with model_desk.open():
        assert (await model_desk.reads(accepted)).text == "끝났어요."
    assert (await model_desk.row(accepted.answer_id))["attempt"] == 2
    agent.go_on()


async def test_an_answer_that_is_nearly_done_is_finished_before_the_worker_ends(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("오래 걸리지만 끝나요.", tokens=5, every=0.1)
    async with model_desk.open():
        accepted = await model_desk.asks("답해 줘")
        await asyncio.to_thread(agent.until_called)
    row = await model_desk.row(accepted.answer_id)
    assert (row["status"], row["text"]) == ("answered", "오래 걸리지만 끝나요.")


class Broken:
    """Stands where answers are made, and breaks."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs, self.tried = hangs, 0

    async def answer(self, attempt: Attempt) -> Outcome:
        self.tried += 1
        attempt.grow("half a")
        if self.hangs:
            await asyncio.Event().wait()
        raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("hangs", [False, True])
async def test_an_answer_that_breaks_three_times_ends_in_an_apology(desk: Desk, hangs: bool) -> None:
    broken = Broken(hangs=hangs)
    accepted = await desk.asks("?")
    async with running("worker", desk.settings) as services, Voice(services.redis) as voice:
        memory = Memory(services.redis, services.record, desk.settings)
        reach = Reach(None, services.record, services.requests, services.follower, unknown)  # type: ignore[arg-type]
        answering = Answering(services, voice, memory, reach, broken.answer)
        answering.hard_end_seconds = 0.2
        task = asyncio.create_task(answering.run())
        answer = await desk.reads(accepted)
        answering.end()
        await task
    assert (answer.status, answer.error, answer.strikes, broken.tried) == ("failed", "strikes", 3, 3)
    assert (await desk.until_announced(accepted.answer_id, attempt=3))[-1].kind == "failed"


async def test_whoever_lost_the_claim_commits_nothing_and_says_nothing(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("the first attempt's words", tokens=4, hold_after=2, when="?")
    async with model_desk.open() as first:
        accepted = await model_desk.asks("?")
        await asyncio.to_thread(agent.until_holding)
        claims = first.services.claims
        await claims.release()  # as when others have found this process dead
        agent.will_say("the second attempt's words")
        model_desk.wake()
        answer = await model_desk.reads(accepted)
        agent.go_on()
        await asyncio.to_thread(agent.until_quiet)

        async def over() -> bool:
            return not first.running

        await until(over, 10, "the end of the first attempt")
        assert answer.text == "the second attempt's words"
        assert (await model_desk.record.answer(accepted.answer_id)).text == answer.text
        assert [event.kind for event in await model_desk.events(accepted.answer_id, 1)][-1] == "grew"
        assert (await model_desk.until_announced(accepted.answer_id, 2))[-1].kind == "done"


class Slow:
    """A record that takes its time to commit."""

    def __init__(self, record: Record) -> None:
        self.record, self.begun, self.may_end = record, asyncio.Event(), asyncio.Event()

    async def finish(self, answer_id: UUID, attempt: int, outcome: Outcome) -> bool:
        self.begun.set()
        await self.may_end.wait()
        return await self.record.finish(answer_id, attempt, outcome)


async def test_stop_that_comes_while_the_answer_is_committed_changes_nothing(desk: Desk) -> None:
    async def answer(attempt: Attempt) -> Outcome:
        attempt.grow("다 말했어요.")
        return attempt.answered()

    slow = Slow(desk.record)
    accepted = await desk.asks("?")
    async with running("worker", desk.settings) as services, Voice(services.redis) as voice:
        slowly = dataclasses.replace(services, record=slow)  # type: ignore[arg-type]
        memory = Memory(services.redis, desk.record, desk.settings)
        answering = Answering(slowly, voice, memory, Reach(None, desk.record, services.requests, services.follower, unknown), answer)  # type: ignore[arg-type]
        task = asyncio.create_task(answering.run())
        await asyncio.wait_for(slow.begun.wait(), 10)
        assert await desk.record.stop(accepted.answer_id)
        looked = answering.looks
        await until(lambda: _has_looked(answering, looked + 2), 10, "two more looks")
        slow.may_end.set()
        read = await desk.reads(accepted)
        answering.end()
        await task
    assert (read.status, read.text, read.stopped_at) == ("answered", "다 말했어요.", None)


async def _has_looked(answering: Answering, times: int) -> bool:
    return answering.looks >= times


class Searching:
    """Stands where passages are found, and counts who searches at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def find(self, *_: object, door: asyncio.Semaphore, **__: object) -> Found:
        async with door:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
        return Found()


async def test_a_burst_never_takes_all_connections_for_searching() -> None:
    searching = Searching()
    reach = Reach(searching, None, None, None, unknown)  # type: ignore[arg-type]
    await asyncio.gather(*[reach.find("?", ["everyone"]) for _ in range(200)])
    assert 2 <= searching.most <= POOL_SIZE - 2
