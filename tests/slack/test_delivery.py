"""The delivery of a Slack bot, in this process: a crowd with Slack's limits on, and what a bot that ends leaves to the next."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from bot.delivery import Delivery
from bot.hearing import hear
from bot.slack.pacing import RULES, START, UPDATE
from nod.claims import Claims
from nod.contracts import AnswerEvent, Outcome, Question, Route, Task
from nod.process import Services, running
from nod.settings import Settings
from nod.stream import reply_key, tell
from tests.asked import asks
from tests.fakes.slack import FakeSlack
from tests.platforms import delivered, slack_platform

QUESTIONS = ("연차 이월 돼?", "Can I carry leave over?")
BEGINNING, END = "네, 닷새까지 이월돼요. ", "Up to five days, until 31 March ({code})."


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with running("slack", settings) as services:
        yield services


@contextlib.asynccontextmanager
async def delivering(services: Services, slack: FakeSlack) -> AsyncIterator[Delivery]:
    """Deliver as a bot process does."""
    async with slack_platform(services, slack) as platform, delivered(services, platform) as delivery:
        yield delivery


async def asked(slack: FakeSlack, channel: str, text: str) -> Question:
    """Somebody asks."""
    ts = await asyncio.to_thread(slack.hears, f"@nod {text}", channel)
    route = Route(channel=channel, thread=ts, reply_to=ts, extra={"team": slack.team})
    question = asks(text, message_id=ts)
    place = question.place.model_copy(update={"channel": channel, "thread": ts})
    return question.model_copy(update={"route": route, "place": place})


async def heard(services: Services, slack: FakeSlack, channel: str, text: str) -> tuple[str, str]:
    """Somebody asks, and the question is accepted; where it stands."""
    question = await asked(slack, channel, text)
    await services.record.accept(question)
    return channel, question.message_id


async def say(redis: Redis, task: Task, text: str, offset: int = 0) -> None:
    await tell(redis, reply_key(task.answer_id, task.attempt), AnswerEvent(kind="grew", offset=offset, text=text))


async def until(slack: FakeSlack, is_so: Callable[[], object]) -> None:
    """Wait for something that people see, for a minute and a half at most: some words may have to wait for Slack's next minute."""
    end = time.monotonic() + 90
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < end, f"{slack.counts()}"
        await asyncio.sleep(0.1)


async def commit(services: Services, redis: Redis, task: Task, text: str) -> None:
    assert await services.record.finish(task.answer_id, task.attempt, Outcome(status="answered", text=text))
    await tell(redis, reply_key(task.answer_id, task.attempt), AnswerEvent(kind="done"))


@pytest.fixture
async def claims(services: Services) -> AsyncIterator[Claims]:
    """The claims of a worker."""
    claims = Claims(services.engine, uuid4())
    await claims.register("worker")
    yield claims
    await claims.leave()


@pytest.mark.parametrize("text", QUESTIONS)
async def test_an_answer_that_was_shown_before_its_question_was_acknowledged_is_not_shown_again(
    services: Services, slack: FakeSlack, redis: Redis, claims: Claims, text: str
) -> None:
    question, may_acknowledge = await asked(slack, "C1", text), asyncio.Event()

    async def acknowledge() -> None:
        await may_acknowledge.wait()

    async with delivering(services, slack) as delivery:
        hearing = asyncio.create_task(hear(services, delivery, question, acknowledge))
        while not (tasks := await claims.claim(1)):
            await asyncio.sleep(0.05)
        await say(redis, tasks[0], BEGINNING)
        await commit(services, redis, tasks[0], BEGINNING)
        while not (await services.record.answer(tasks[0].answer_id)).shown_at:
            await asyncio.sleep(0.05)
        may_acknowledge.set()
        await hearing
        assert not delivery._open
    (reply,) = slack.replies("C1", question.message_id)
    assert reply.shown.startswith(BEGINNING.strip())


async def test_a_question_that_is_heard_twice_at_once_is_accepted_once_and_acknowledged_twice(services: Services, slack: FakeSlack) -> None:
    question, acknowledged = await asked(slack, "C1", QUESTIONS[0]), list[int]()

    async def acknowledge() -> None:
        acknowledged.append(1)

    async with delivering(services, slack) as delivery:
        first, second = await asyncio.gather(*(hear(services, delivery, question, acknowledge) for _ in range(2)))
        assert (first.is_new, second.is_new, first.answer_id == second.answer_id) == (True, False, True)
        again = await hear(services, delivery, question, acknowledge)
        assert (again.is_new, len(acknowledged)) == (False, 3)
        assert not delivery.accepting


async def test_everybody_is_answered_and_no_call_is_too_many(services: Services, slack: FakeSlack, redis: Redis, claims: Claims) -> None:
    for number in range(4):
        slack.channel(f"C{number}", members=["U1"])
    slack.limits()
    async with delivering(services, slack):
        where = [await heard(services, slack, f"C{number % 4}", QUESTIONS[number % 2]) for number in range(30)]
        tasks = await claims.claim(50)
        assert len(tasks) == 30
        for task in tasks:
            await say(redis, task, BEGINNING)
        await until(slack, lambda: all(slack.replies(*place) for place in where))  # first words for all of them
        for task in tasks:
            text = BEGINNING + END.replace("{code}", task.text)
            await say(redis, task, text[len(BEGINNING) :], offset=len(BEGINNING))
            await commit(services, redis, task, text)
        await until(slack, lambda: all(any(reply.buttons for reply in slack.replies(*place)) for place in where))
    for number, place in enumerate(where):
        (reply,) = slack.replies(*place)
        assert reply.shown.startswith(BEGINNING + END.replace("{code}", QUESTIONS[number % 2]))
        assert not reply.streaming
    counts = slack.counts()
    assert sum(each["ratelimited"] for each in counts.values()) == 0, counts
    assert counts[START]["calls"] == RULES[START].most
    assert counts[UPDATE]["calls"] >= 30 - RULES[START].most


@pytest.mark.parametrize(
    ("question", "words"),
    [(QUESTIONS[0], "다시 시작하고 있어요. 잠시 뒤에 이어서 답할게요…"), (QUESTIONS[1], "Restarting. I will continue in a moment…")],
)
async def test_a_bot_that_ends_says_that_the_answer_goes_on_and_the_next_one_goes_on(
    services: Services, slack: FakeSlack, redis: Redis, claims: Claims, question: str, words: str
) -> None:
    place = await heard(services, slack, "C1", question)
    (task,) = await claims.claim(1)
    slack.fault("chat.startStream", "late_reply", seconds=0.5)
    async with delivering(services, slack):
        await say(redis, task, BEGINNING)
        await until(slack, lambda: slack.replies(*place))  # but the bot does not know yet that it is there
    (left,) = slack.replies(*place)
    assert BEGINNING.strip() in left.shown
    assert words in left.shown
    assert not left.streaming
    await claims.release()
    async with delivering(services, slack):
        (task,) = await claims.claim(1)
        reading = AnswerEvent(kind="request", name="read_thread", data={"request_id": str(uuid4())})
        for event in (AnswerEvent(kind="step", name="thinking"), reading):
            await tell(redis, reply_key(task.answer_id, task.attempt), event)
        await until(slack, lambda: slack.calls("conversations.replies"))  # it has heard the step, too
        await say(redis, task, BEGINNING)
        await until(slack, lambda: words not in slack.replies(*place)[0].shown)
        await commit(services, redis, task, BEGINNING + END)
        await until(slack, lambda: slack.replies(*place)[0].buttons)
    (reply,) = slack.replies(*place)
    assert reply.ts == left.ts
    assert len(slack.calls("chat.stopStream")) == 1  # the next one knows that the stream is over
    assert reply.shown.startswith(BEGINNING + END)
    assert [status for status in slack.statuses(*place) if status["ended"] is None] == []
