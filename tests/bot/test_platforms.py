"""Every platform is led through the same conversation by the one loop: waiting, a step, growth, a takeover, the end."""

import asyncio
import contextlib
import io
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.faces import step_phrase
from bot.messages import Messages
from bot.reading import show
from bot.showing import Showing
from bot.terminal.platform import TerminalPlatform
from bot.web.page import Visitor, Web
from bot.web.platform import events
from bot.web.render import turns_html
from nod.accounts import Session
from nod.contracts import Answer, AnswerEvent, PlatformName, Route, Source
from nod.language import Language
from nod.process import Services
from nod.queue import Wait
from tests.asked import ALEX, asks
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.slack import FakeSlack
from tests.platforms import delivered, discord_platform, slack_platform
from tests.speaker import Speaker


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said, and what nod says around it."""

    language: Language
    question: str
    waiting: str
    step: str
    first: str
    crashes: bool  # the one who said that; else it hands over, as a deploy does
    going_on: str
    second: str
    place: str
    expired: str
    ask_again: str


TALKS = (
    Talk(
        "ko",
        "연차 이월 돼?",
        "찾고 있어요…",
        "3곳을 읽고 있어요…",
        "처음 사람이 하던 말이에요",
        False,
        "다시 시작하고 있어요. 잠시 뒤에 이어서 답할게요…",
        "네, 닷새까지 이월돼요 [1].",
        "2번째 순서예요.",
        "너무 오래 걸렸어요",
        "다시 묻기",
    ),
    Talk(
        "en",
        "Can I carry leave over?",
        "Searching",
        "Reading 3 passages…",
        "What the first one said",
        True,
        "Continuing…",
        "Yes, five days [1].",
        "Number 2 in line.",
        "This took too long",
        "Ask again",
    ),
)
LEAVE = Source(n=1, document_id=1, passage_id=1, title="hr-policy.pdf", heading="Leave", date="2026-03-02", passage="Five days.")

Looking = Callable[[], str]  # returns all that a person sees now


async def accepted(services: Services, talk: Talk, platform: PlatformName, route: Route, message_id: str) -> Answer:
    question = asks(talk.question, platform=platform, message_id=message_id)
    place = question.place.model_copy(update={"channel": route.channel, "thread": route.thread or message_id})
    found = await services.record.accept(question.model_copy(update={"route": route, "place": place}))
    return await services.record.answer(found.answer_id)


@contextlib.asynccontextmanager
async def slack(services: Services, talk: Talk) -> AsyncIterator[Looking]:
    with FakeSlack() as fake:
        fake.channel("C1", members=["U1"])
        ts = fake.hears(talk.question)
        route = Route(channel="C1", thread=ts, reply_to=ts, extra={"team": fake.team})
        await accepted(services, talk, "slack", route, ts)
        async with slack_platform(services, fake) as platform, delivered(services, platform):
            yield lambda: "\n".join(
                [
                    *[status["status"] for status in fake.statuses("C1", ts)][-1:],
                    *[part for reply in fake.replies("C1", ts) for part in (reply.shown, json.dumps(reply.buttons, ensure_ascii=False))],
                ]
            )


@contextlib.asynccontextmanager
async def in_discord(services: Services, talk: Talk) -> AsyncIterator[Looking]:
    with FakeDiscord() as fake:
        asked = fake.hears(talk.question)
        await accepted(services, talk, "discord", Route(channel=fake.channel("general"), reply_to=asked), asked)
        async with discord_platform(services, fake) as platform, delivered(services, platform):
            yield lambda: "\n".join(
                part for reply in fake.replies_to(asked) for part in (reply["text"], json.dumps(reply["components"], ensure_ascii=False))
            )


@contextlib.asynccontextmanager
async def page(services: Services, talk: Talk) -> AsyncIterator[Looking]:
    """A browser as `chat.js` makes one: the turn as it was rendered, then what the events paint."""
    web, answer = Web(services), await accepted(services, talk, "web", Route(channel="chat", thread="t"), "m")
    session = Session(1, answer.person_id, answer.person, "member", "csrf", datetime.now(UTC) + timedelta(hours=1), talk.language)
    visitor = Visitor.stranger(talk.language)
    visitor = Visitor(session, visitor.language, visitor.zone)
    painted = {"html": str((await turns_html(web, visitor, [answer]))[0])}

    async def paint() -> None:
        async for event in events(web, visitor, answer):
            if found := re.search(r"^event: (\w+)\ndata: (.*)\n\n$", event):
                painted.update({"note": ""} if found[1] == "end" else {}, **json.loads(found[2]))

    task = asyncio.create_task(paint())
    yield lambda: "\n".join(painted.values())
    await asyncio.wait_for(task, 20)


@contextlib.asynccontextmanager
async def terminal(services: Services, talk: Talk) -> AsyncIterator[Looking]:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    answer = await accepted(services, talk, "cli", Route(channel="terminal", thread="t"), "m")
    messages = Messages(TerminalPlatform(screen, screen, talk.language), answer)
    task = asyncio.create_task(show(services.record, services.follower, messages, talk.language))
    yield screen.getvalue
    assert (await asyncio.wait_for(task, 20)).is_terminal


async def seen(looking: Looking, words: str, *, within_seconds: float = 20) -> None:
    end = time.monotonic() + within_seconds
    while words not in looking():
        assert time.monotonic() < end, f"never showed {words!r}, but {looking()!r}"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("talk", TALKS, ids=[talk.language for talk in TALKS])
@pytest.mark.parametrize("opened", [slack, in_discord, page, terminal])
async def test_each_platform_shows_the_same_conversation(services, redis, opened, talk):
    async with opened(services, talk) as looking:
        await seen(looking, talk.waiting)
        first = Speaker(services.record, redis)
        await first.claim()
        await first.steps("searched", passages=3)
        await seen(looking, talk.step)
        await first.says(talk.first)
        await seen(looking, talk.first)
        if talk.crashes:
            await first.claims.strike(first.task.answer_id, first.task.attempt, "crash", wait_seconds=0)
        else:
            await first.claims.release()
        if opened is not terminal:  # which cannot go back to a text that stands there
            await seen(looking, talk.going_on)
            assert talk.first in looking()
        second = Speaker(services.record, redis)
        await second.claim()
        await second.says(talk.second[:8])
        await second.commits(talk.second, sources=(LEAVE,))
        await seen(looking, "hr-policy.pdf")
        shown = looking()
    assert talk.second.removesuffix(" [1].") in shown
    if opened is not terminal:
        assert talk.first not in shown
        assert talk.going_on not in shown


@pytest.mark.parametrize("opened", [page, terminal])
async def test_a_reader_writes_nothing_into_the_record(services, redis, opened):
    speaker = Speaker(services.record, redis)
    async with opened(services, TALKS[0]) as looking:
        await speaker.claim()
        await speaker.steps("searched", passages=3)
        await seen(looking, TALKS[0].step)
        await speaker.says("네, ")
        await seen(looking, "네,")
        await speaker.commits("네, 닷새까지요.")
        await seen(looking, "닷새까지요.")
    answer = await services.record.answer(speaker.task.answer_id)
    assert not await services.record.parts(answer.answer_id)
    assert answer.first_shown_at is None


@pytest.mark.parametrize(("language", "first", "later"), [("ko", "5번째 순서예요 (약 5분).", "4번째 순서예요 (약 5분)."),
                                                        ("en", "Number 5 in line (about 5 min).", "Number 4 in line (about 5 min).")])  # fmt: skip
async def test_the_time_that_is_told_with_a_place_does_not_rise_and_a_step_is_worth_more(services, language, first, later):
    answer = await accepted(services, TALKS[0], "cli", Route(channel="terminal", thread="t"), "m")
    messages = Messages(TerminalPlatform(None, io.StringIO(), language), answer)
    showing = Showing(services.record, services.follower, messages, language, lambda _kind, _data: None)
    for wait, told in ((Wait(5, 310.0), first), (Wait(4, 900.0), later)):
        showing.wait(wait)
        assert step_phrase(showing.watch.seen.step, language) == told
    showing.look(answer.model_copy(update={"status": "running", "attempt": 1}))  # it was claimed, and Redis told nothing of it
    assert step_phrase(showing.watch.seen.step, language) == step_phrase(None, language)
    showing.look(answer)
    showing.watch.seen = showing.watch.seen.after(AnswerEvent(kind="step", name="thinking"))
    showing.wait(Wait(3, 10.0))
    assert step_phrase(showing.watch.seen.step, language) == {"ko": "생각하고 있어요…", "en": "Thinking…"}[language]


async def ages(services: Services, interval: str) -> None:
    """Let everything that waits have been waiting for so much longer."""
    async with services.engine.begin() as db:
        await db.execute(
            text("""UPDATE answers SET accepted_at = accepted_at - CAST(:age AS interval), due_at = due_at - CAST(:age AS interval)
                     WHERE status = 'waiting'"""),
            {"age": interval},
        )


@pytest.mark.parametrize(("opened", "talk"), [*zip((slack, in_discord, page, terminal), TALKS * 2, strict=True)])
async def test_each_platform_tells_the_place_of_what_waits_and_ends_what_waited_too_long(services, monkeypatch, opened, talk):
    monkeypatch.setattr("bot.delivery.PLACES_EVERY_LOOKS", 1)
    monkeypatch.setattr("bot.reading.PLACES_EVERY_LOOKS", 1)
    await services.record.accept(asks("first", person=ALEX, thread="first", platform="web"))
    async with opened(services, talk) as looking:
        await seen(looking, talk.waiting)
        assert talk.place not in looking()
        await ages(services, "11 seconds")
        await seen(looking, talk.place)
        await ages(services, "10 minutes")
        await seen(looking, talk.expired)
        if opened is not terminal:
            await seen(looking, talk.ask_again)
    async with services.engine.connect() as db:
        assert (await db.execute(text("SELECT DISTINCT status, error FROM answers"))).all() == [("failed", "expired")]
