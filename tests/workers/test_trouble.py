"""A model that is down: another one answers, or documents are quoted; whoever waits is told, and nobody waits longer than two minutes."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from nod.errors import ConfigError
from tests.fakes.model import FOREVER, FakeModel
from tests.workers.desk import LEAVE, QUICK, Desk, until
from workers.breaker import Breaker
from workers.faults import Patience

STAND_IN = {"fallback_models": ("openai:gpt-4o-mini",)}
AT_ONCE = replace(QUICK, handover_seconds=0.0)  # another model takes over after one try
QUESTIONS = [
    ("쓰지 않은 연차 이월 돼?", "3월 31일까지 닷새까지 이월할 수 있어요"),
    ("Until when can unused leave be carried over?", "until 31 March of the next year, up to five days"),
]


def asked_of(agent: FakeModel) -> list[str]:
    return [call.body["model"] for call in agent.calls]


# ── another model ──


@pytest.mark.parametrize("fault", ["500", "503", "529", "429", "hang", "401", "403", "404", "quota", "too_long"])
@pytest.mark.parametrize(("question", "said"), [("연차 이월 돼?", "돼요."), ("Can I carry leave over?", "You can.")])
async def test_another_model_answers_when_the_first_does_not(
    model_desk: Desk, agent: FakeModel, fault: str, question: str, said: str
) -> None:
    agent.will_fail(fault)
    agent.will_say(said)
    async with model_desk.open(AT_ONCE, **STAND_IN):
        answer = await model_desk.hears(question)
    row = await model_desk.row(answer.answer_id)
    assert (answer.status, answer.text, answer.notices) == ("answered", said, ())
    assert asked_of(agent) == ["gpt-4o", "gpt-4o-mini"]
    assert (answer.model, row["parameters"]) == ("openai:gpt-4o-mini", {"model": "openai:gpt-4o-mini"})


async def test_a_passing_fault_is_tried_again_before_another_model_takes_over(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("500")
    agent.will_say("돼요.")
    async with model_desk.open(Patience(backoff_seconds=0.01), **STAND_IN):
        answer = await model_desk.hears("연차 이월 돼?")
    assert (asked_of(agent), answer.model) == (["gpt-4o", "gpt-4o"], "openai:gpt-4o")


async def test_who_took_over_goes_on_to_the_end_of_the_answer(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("500")
    agent.will_call("time_in", {"zone": "Asia/Seoul"})
    agent.will_say("세 시예요.")
    async with model_desk.open(AT_ONCE, **STAND_IN):
        answer = await model_desk.hears("몇 시야?")
    assert answer.text == "세 시예요."
    assert asked_of(agent) == ["gpt-4o", "gpt-4o-mini", "gpt-4o-mini"]


async def test_nobody_takes_over_after_a_word_was_said(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("cut", text="한 문장은 다 말했어요. 그 다음 문장은 끝까지 말하지 못했어요.", when="연차")
    agent.will_call("time_in", {"zone": "Asia/Seoul"}, saying="One moment.", when="time")
    agent.will_fail("401", when="time")
    async with model_desk.open(AT_ONCE, **STAND_IN):
        cut = await model_desk.hears("연차 이월 돼?", thread="1.0")
        refused = await model_desk.hears("What time is it?", thread="2.0")
    assert (cut.error, cut.text[:6]) == ("cut", "한 문장은 ")
    assert (refused.error, refused.text) == ("bad_key", "One moment.")
    assert set(asked_of(agent)) == {"gpt-4o"}


async def test_what_a_provider_refuses_to_answer_is_asked_nowhere_else(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("filtered_prompt")
    async with model_desk.open(AT_ONCE, **STAND_IN):
        answer = await model_desk.hears("연차 이월 돼?")
    assert (answer.error, asked_of(agent)) == ("filtered", ["gpt-4o"])


# ── left alone ──


def test_a_model_is_left_alone_after_five_failures_in_a_row_and_tried_every_30_seconds() -> None:
    now = 100.0
    breaker = Breaker("openai:gpt-4o", lambda: now)
    for _ in range(4):
        breaker.failed("model_down")
    breaker.answered()
    for _ in range(4):
        breaker.failed("model_down")
        assert breaker.lets_through()
    breaker.failed("overloaded")
    assert (breaker.is_closed, breaker.lets_through(), breaker.kind) == (False, False, "overloaded")
    now += 29
    assert not breaker.lets_through()
    now += 1
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.failed("overloaded")
    now += 29
    assert not breaker.lets_through()
    now += 1
    assert breaker.lets_through()
    breaker.answered()
    assert breaker.is_closed
    assert breaker.lets_through()


@pytest.mark.parametrize("fault", ["500", "503", "529"])
async def test_a_model_that_is_down_is_not_asked_by_every_question(
    model_desk: Desk, agent: FakeModel, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("workers.agent.Breaker", partial(Breaker, clock=lambda: clock[0]))
    agent.will_fail(fault, times=FOREVER)
    async with model_desk.open(QUICK):
        for n in range(3):
            assert (await model_desk.hears("연차 이월 돼?", thread=f"{n}.0")).status == "failed"
        assert len(agent.calls) == 5
        agent.recovers()
        assert (await model_desk.hears("Can I carry leave over?", thread="3.0")).status == "failed"
        clock[0] += 30
        agent.will_say("돼요.", "그래요.")
        assert [(await model_desk.hears("아직도?", thread=f"{n}.1")).text for n in range(2)] == ["돼요.", "그래요."]


@pytest.mark.parametrize("fault", ["429", "401", "too_long"])
async def test_a_provider_that_refuses_is_there(model_desk: Desk, agent: FakeModel, fault: str) -> None:
    agent.will_fail(fault, times=7)
    agent.will_say("돼요.")
    async with model_desk.open(replace(QUICK, retry_seconds=0.0)):
        for n in range(7):
            assert (await model_desk.hears("연차 이월 돼?", thread=f"{n}.0")).status == "failed"
        assert (await model_desk.hears("연차 이월 돼?", thread="8.0")).text == "돼요."


async def test_failures_with_a_refusal_between_them_are_not_in_a_row(model_desk: Desk, agent: FakeModel) -> None:
    faults = [*["500"] * 4, "401", *["503"] * 4]
    for fault in faults:
        agent.will_fail(fault)
    agent.will_say("돼요.")
    async with model_desk.open(replace(QUICK, retry_seconds=0.0)):
        for n in range(len(faults)):
            await model_desk.hears("연차 이월 돼?", thread=f"{n}.0")
        assert (await model_desk.hears("연차 이월 돼?", thread="10.0")).text == "돼요."


async def test_while_a_model_is_left_alone_another_answers_at_once(model_desk: Desk, agent: FakeModel) -> None:
    for n in range(6):
        if n < 5:
            agent.will_fail("500")
        agent.will_say(f"{n + 1}번째 답")
    async with model_desk.open(AT_ONCE, **STAND_IN):
        answers = [await model_desk.hears("연차 이월 돼?", thread=f"{n}.0") for n in range(6)]
    assert [answer.text for answer in answers] == [f"{n + 1}번째 답" for n in range(6)]
    assert asked_of(agent) == ["gpt-4o", "gpt-4o-mini"] * 5 + ["gpt-4o-mini"]


# ── quotes instead ──


@pytest.mark.parametrize("fault", ["500", "503", "429", "hang"])
@pytest.mark.parametrize(("question", "words"), QUESTIONS)
async def test_with_the_model_down_documents_are_quoted(model_desk: Desk, agent: FakeModel, fault: str, question: str, words: str) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_fail(fault, times=FOREVER)
    async with model_desk.open(replace(QUICK, retry_seconds=0.0), **STAND_IN):
        answer = await model_desk.hears(question)
    row = await model_desk.row(answer.answer_id)
    assert (answer.status, answer.error, answer.notices) == ("answered", None, ("model_down",))
    assert answer.text.startswith("> ")
    assert words in answer.text
    assert answer.sources
    assert (row["model"], row["messages"], row["prompt_version"]) == (None, [], None)  # no model said this


@pytest.mark.parametrize("question", ["김치찌개 끓이는 법 알려줘", "Who won the chess match?"])
async def test_with_the_model_down_and_nothing_to_quote_nod_apologises(model_desk: Desk, agent: FakeModel, question: str) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_fail("500", times=FOREVER)
    async with model_desk.open(replace(QUICK, retry_seconds=0.0)):
        answer = await model_desk.hears(question)
    assert (answer.status, answer.error, answer.text) == ("failed", "model_down", "")


@pytest.mark.parametrize(
    ("fault", "kind"), [("401", "bad_key"), ("404", "no_model"), ("quota", "no_quota"), ("filtered_prompt", "filtered")]
)
async def test_what_an_admin_or_other_words_can_mend_is_said_and_not_hidden_behind_quotes(
    model_desk: Desk, agent: FakeModel, fault: str, kind: str
) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_fail(fault)
    async with model_desk.open(QUICK):
        answer = await model_desk.hears(QUESTIONS[0][0])
    assert (answer.status, answer.error) == ("failed", kind)


# ── time ──


async def test_whoever_waits_is_told_that_the_work_goes_on(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("돼요.", hold_after=0)
    async with model_desk.open(replace(Patience(), note_seconds=0.1)):
        accepted = await model_desk.asks("연차 이월 돼?")

        async def told() -> bool:
            return "still_working" in [event.name for event in await model_desk.events(accepted.answer_id)]

        await until(told, 10.0, "a note")
        agent.go_on()
        assert (await model_desk.reads(accepted)).text == "돼요."


async def test_an_attempt_ends_after_its_time_and_what_was_said_is_kept(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("한 문장은 나왔어요. 나머지는 나오지 않아요.", tokens=10, hold_after=5)
    async with model_desk.open(replace(Patience(), answer_seconds=1.0)):
        answer = await model_desk.hears("길게 말해 줘")
    assert (answer.status, answer.error) == ("failed", "cut")
    assert answer.text.startswith("한 문장은")
    assert "나오지 않아요" not in answer.text
    await asyncio.to_thread(agent.go_on)


@pytest.mark.parametrize(("question", "status", "notices"), [(QUESTIONS[1][0], "answered", ("model_down",)), ("Who won?", "failed", ())])
async def test_an_attempt_that_ends_without_a_word_quotes_or_apologises(
    model_desk: Desk, agent: FakeModel, question: str, status: str, notices: tuple[str, ...]
) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_fail("hang")
    async with model_desk.open(replace(Patience(), answer_seconds=0.5)):
        answer = await model_desk.hears(question)
    assert (answer.status, answer.notices) == (status, notices)


def test_patience_with_several_models_ends_within_a_minute_too() -> None:
    patience = Patience()
    for models in (1, 2, 3):
        now = 100.0
        since = now
        for left in range(models, 0, -1):
            now += patience.first_token(now, None if now == since else since, left)
        assert now - since <= 60
    assert patience.answer_seconds < 120


@pytest.mark.parametrize(
    ("model", "sentence"), [("acme:large", "no provider is called 'acme'"), ("gpt-4o", "name the provider and the model")]
)
async def test_a_stand_in_that_cannot_be_used_is_named_with_its_setting(model_desk: Desk, model: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"^NOD_FALLBACK_MODELS is .*{sentence}"):
        async with model_desk.open(fallback_models=(model,)):
            pass
