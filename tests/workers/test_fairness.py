"""Whoever asks much makes nobody else wait."""

from sqlalchemy import text

from tests.asked import ALEX, JISU, asks
from tests.fakes.model import FakeModel
from tests.workers.desk import Desk, until

_BETWEEN = text("""
    SELECT count(*) FROM answers a, answers mine WHERE mine.answer_id = :id AND a.claimed_at > :asked AND a.claimed_at < mine.claimed_at""")
_DONE = text("SELECT count(*) FROM answers WHERE status = 'answered'")
AT_ONCE = 10


async def test_five_hundred_questions_of_one_person_do_not_delay_the_single_one_of_another(model_desk: Desk, agent: FakeModel) -> None:
    agent.benchmarks("답 {tag}", tokens=3, first_after=0.05, every=0.01)
    for n in range(500):
        await model_desk.record.accept(asks(f"질문 #{n}", person=ALEX, thread=f"a{n}"))

    async def answered() -> int:
        async with model_desk.record.engine.connect() as db:
            return (await db.execute(_DONE)).scalar_one()

    async def some() -> bool:
        return await answered() >= 2 * AT_ONCE

    async with model_desk.open(answers_at_once=AT_ONCE) as answering:
        answering.drain_seconds = 0.1
        await until(some, 30.0, "some answers")
        accepted = await model_desk.record.accept(asks("하나만 #j", person=JISU, thread="j"))
        async with model_desk.record.engine.connect() as db:
            asked = (await db.execute(text("SELECT clock_timestamp()"))).scalar_one()
        answer = await model_desk.reads(accepted)
        async with model_desk.record.engine.connect() as db:
            between = (await db.execute(_BETWEEN, {"id": accepted.answer_id, "asked": asked})).scalar_one()
        assert await answered() < 400, "the queue must be long while this is measured"
    assert answer.text == "답 #j"
    assert between < AT_ONCE  # they were claimed together with it
