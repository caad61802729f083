"""Answers that people thought something of."""

from uuid import uuid4

import pytest

from feedback.votes import cast
from nod.claims import Claims
from tests.asked import asks, says
from tests.feedback.test_votes import thumb


@pytest.fixture
def answered(record, engine):
    async def answer(question, reply, *history, votes=(), **where):
        claims = Claims(engine, uuid4())
        await claims.register("worker")
        accepted = await record.accept(asks(question, **{"thread": uuid4().hex} | where))
        [task] = await claims.claim(1)
        outcome = says(reply, *history, {"role": "user", "content": question})
        await record.finish(task.answer_id, task.attempt, outcome)
        for person, value in votes:
            await cast(engine, record, thumb(value, person=person).model_copy(update={"answer_id": accepted.answer_id}))
        return accepted.answer_id

    return answer
