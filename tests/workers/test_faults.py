"""Whatever goes wrong with the model: an answer that ends, says why by its kind, and keeps what was said."""

import httpx
import openai
import pytest

from nod.errors import ModelError
from tests.fakes.model import FOREVER, FakeModel
from tests.workers.desk import QUICK, Desk
from workers.faults import Patience, fault_from, is_passing

TOLD_AT_ONCE = [
    ("401", "bad_key"),
    ("403", "forbidden"),
    ("404", "no_model"),
    ("quota", "no_quota"),
    ("too_long", "too_long"),
    ("filtered_prompt", "filtered"),
    ("empty", "empty"),
    ("blank", "empty"),
]
TRIED_AGAIN = [("429", "rate_limited"), ("500", "model_down"), ("503", "overloaded"), ("529", "overloaded")]
BROKEN_OFF = [("cut", "cut"), ("stall", "cut"), ("malformed", "cut"), ("filtered", "filtered")]


@pytest.mark.parametrize(("fault", "kind"), TOLD_AT_ONCE)
async def test_a_fault_that_no_patience_cures_is_told_at_once(model_desk: Desk, agent: FakeModel, fault: str, kind: str) -> None:
    agent.will_fail(fault)
    async with model_desk.open(QUICK):
        accepted = await model_desk.asks("연차 이월 돼?")
        answer = await model_desk.reads(accepted)
        events = await model_desk.until_announced(accepted.answer_id)
    assert (answer.status, answer.error, answer.text) == ("failed", kind, "")
    assert len(agent.calls) == 1
    assert events[-1].kind == "failed"
    assert (await model_desk.row(accepted.answer_id))["messages"]


@pytest.mark.parametrize(("fault", "kind"), TRIED_AGAIN)
async def test_a_passing_fault_is_waited_out_for_a_while(model_desk: Desk, agent: FakeModel, fault: str, kind: str) -> None:
    agent.will_fail(fault, times=FOREVER)
    async with model_desk.open(QUICK):
        answer = await model_desk.hears("Can I carry leave over?")
    assert (answer.status, answer.error) == ("failed", kind)
    assert len(agent.calls) >= 3


@pytest.mark.parametrize("fault", [fault for fault, _ in TRIED_AGAIN])
async def test_after_a_passing_fault_the_answer_comes(model_desk: Desk, agent: FakeModel, fault: str) -> None:
    agent.will_fail(fault, times=2)
    agent.will_say("돼요.")
    async with model_desk.open(QUICK):
        answer = await model_desk.hears("연차 이월 돼?")
    assert (answer.status, answer.text) == ("answered", "돼요.")


async def test_retry_after_is_honoured_when_it_fits(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("429", retry_after=1)
    agent.will_say("돼요.")
    async with model_desk.open(Patience()):
        answer = await model_desk.hears("연차 이월 돼?")
    first, second = agent.calls
    assert answer.text == "돼요."
    assert second.started_at - first.started_at >= 1


async def test_retry_after_that_is_too_far_away_ends_the_answer_at_once(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("429", retry_after=600)
    async with model_desk.open(Patience()):
        answer = await model_desk.hears("연차 이월 돼?")
    assert (answer.status, answer.error) == ("failed", "rate_limited")
    assert len(agent.calls) == 1


async def test_a_model_that_never_begins_is_given_up(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("hang", times=FOREVER)
    async with model_desk.open(QUICK):
        answer = await model_desk.hears("연차 이월 돼?")
    assert (answer.status, answer.error, answer.text) == ("failed", "timeout", "")


async def test_a_server_that_is_not_there_is_a_model_that_is_down(model_desk: Desk) -> None:
    async with model_desk.open(QUICK, openai_base_url="http://127.0.0.1:9/v1"):
        answer = await model_desk.hears("연차 이월 돼?")
    assert (answer.status, answer.error) == ("failed", "model_down")


@pytest.mark.parametrize(("fault", "kind"), BROKEN_OFF)
async def test_what_was_said_before_the_break_is_kept(model_desk: Desk, agent: FakeModel, fault: str, kind: str) -> None:
    agent.will_fail(fault, text="한 문장은 다 말했어요. 그 다음 문장은 끝까지 말하지 못했어요.")
    async with model_desk.open(QUICK):
        accepted = await model_desk.asks("연차 이월 돼?")
        answer = await model_desk.reads(accepted)
    assert (answer.status, answer.error) == ("failed", kind)
    assert answer.text.startswith("한 문장은")
    assert len(agent.calls) == 1


async def test_a_call_of_a_tool_that_cannot_be_read_is_told_to_the_model(model_desk: Desk, agent: FakeModel) -> None:
    agent._lines([{"calls": [{"name": "time_in", "arguments": "Asia/Seoul, please"}]}], None)
    agent.will_say("그래도 답해요.")
    async with model_desk.open(QUICK):
        answer = await model_desk.hears("지금 몇 시야?")
    assert answer.text == "그래도 답해요."
    assert "no valid JSON" in str(agent.prompts[-1][-1])


async def test_arguments_that_break_off_do_not_end_the_answer(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("broken_arguments")
    agent.will_say("그래도 답해요.")
    async with model_desk.open(QUICK):
        answer = await model_desk.hears("연차 이월 돼?")
    assert answer.text == "그래도 답해요."


async def test_a_tool_that_does_not_exist_is_told_to_the_model(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("unknown_tool")
    agent.will_say("그래도 답해요.")
    async with model_desk.open(QUICK):
        answer = await model_desk.hears("연차 이월 돼?")
    assert answer.text == "그래도 답해요."
    assert "launch_rockets" in str(agent.prompts[-1][-1])


async def test_a_model_that_only_ever_calls_tools_has_to_answer_at_last(model_desk: Desk, agent: FakeModel) -> None:
    for _ in range(5):
        agent.will_call("time_in", {"zone": "Asia/Seoul"})
    agent.will_say("이제 답해요.")
    async with model_desk.open(QUICK):
        answer = await model_desk.hears("몇 시야?")
    assert answer.text == "이제 답해요."
    assert [call.body.get("tool_choice") for call in agent.calls] == [None] * 5 + ["none"]


def test_patience_ends_any_trouble_within_a_minute() -> None:
    patience = Patience()
    since = 100.0
    last_try = since + patience.retry_seconds
    assert last_try + patience.first_token(last_try, since) <= since + 60
    assert patience.first_token(since, None) <= 60
    assert patience.answer_seconds < 120


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def _status(code: int, body: object, **headers: str) -> openai.APIStatusError:
    response = httpx.Response(code, json=body, headers=headers, request=httpx.Request("POST", "http://model/v1"))
    kinds = {429: openai.RateLimitError, 400: openai.BadRequestError}
    return kinds.get(code, openai.APIStatusError)("refused", response=response, body=body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind", "again"),
    [
        (_status(402, {"error": {"message": "Insufficient balance"}}), "no_quota", False),
        (_status(413, {}), "too_long", False),
        (_status(422, {"error": {"message": "maximum context length is 8192 tokens"}}), "too_long", False),
        (_status(400, {"error": {"message": "unknown field"}}), "model_down", False),
        (_status(504, {}), "timeout", True),
        (_status(400, {"error": {"code": "content_filter"}}), "filtered", False),
        (ConnectionResetError(), "model_down", True),
        (TimeoutError(), "timeout", True),
        (caused(openai.APITimeoutError(httpx.Request("POST", "http://model/v1")), ConnectionRefusedError()), "model_down", True),
        (caused(openai.APITimeoutError(httpx.Request("POST", "http://model/v1")), TimeoutError()), "timeout", True),
    ],
)
def test_faults_of_other_servers_are_told_apart(error: Exception, kind: str, again: bool) -> None:
    fault = fault_from(error, has_said=False)
    assert (fault.kind, is_passing(error, fault)) == (kind, again)
    assert fault_from(error, has_said=True).kind == ("filtered" if kind == "filtered" else "cut")


def test_retry_after_may_be_a_date_or_milliseconds() -> None:
    assert fault_from(_status(429, {}, **{"retry-after-ms": "1500"}), has_said=False).retry_after_seconds == 1.5
    assert fault_from(_status(429, {}, **{"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}), has_said=False).retry_after_seconds == 0
    assert fault_from(_status(429, {}), has_said=False).retry_after_seconds is None
    assert fault_from(error := ModelError("as it was", "cut"), has_said=False) is error
