"""The messages of one conversation: who was asked first is shown first."""

import asyncio
from uuid import uuid4

import pytest

from bot.messages import RecordedMessages
from bot.platform import LaterError
from nod.contracts import Answer, Route
from nod.process import Services
from tests.asked import asks
from tests.fakes.slack import FakeSlack
from tests.platforms import slack_platform

FIRST, SECOND = ("연차 이월 돼?", "네, 닷새까지 이월돼요."), ("And half days?", "Yes, half a day counts as 0.5.")


async def accepted(services: Services, fake: FakeSlack, text: str, thread: str = "") -> tuple[Answer, str]:
    ts = fake.hears(text, thread=thread) if thread else fake.hears(text)
    route = Route(channel="C1", thread=thread or ts, reply_to=ts, extra={"team": fake.team})
    question = asks(text, platform="slack", message_id=ts)
    place = question.place.model_copy(update={"channel": "C1", "thread": thread or ts})
    found = await services.record.accept(question.model_copy(update={"route": route, "place": place}))
    return await services.record.answer(found.answer_id), ts


async def test_an_answer_waits_for_the_message_of_the_one_before_it_from_when_it_has_words_and_not_for_ever(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.messages.TURN_SECONDS", 0.5)
    with FakeSlack() as fake:
        fake.channel("C1", members=["U1"])
        one, thread = await accepted(services, fake, FIRST[0])
        two, _ = await accepted(services, fake, SECOND[0], thread)
        async with slack_platform(services, fake) as platform:
            first, second = (RecordedMessages(platform, answer, services.record, uuid4()) for answer in (one, two))
            await asyncio.sleep(0.6)  # in the queue
            with pytest.raises(LaterError, match="no message yet"):
                await second.show(SECOND[1])
            await first.show(FIRST[1])
            await second.show(SECOND[1])
            three, _ = await accepted(services, fake, FIRST[0], thread)
            four, _ = await accepted(services, fake, SECOND[0], thread)
            last = RecordedMessages(platform, four, services.record, uuid4())
            with pytest.raises(LaterError):
                await last.show(SECOND[1])
            await asyncio.sleep(0.6)
            await last.show(SECOND[1])
        assert [reply.shown for reply in fake.replies("C1", thread)] == [FIRST[1], SECOND[1], SECOND[1]]
        assert three.position < four.position
