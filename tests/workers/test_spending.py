"""What an answer cost stands in the record, and at the limit of the day nod quotes instead of asking a model."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from nod.budget import begin_alert, end_alert
from nod.connect import engine_from
from nod.contracts import Outcome, Provenance
from nod.errors import ConfigError
from nod.logs import log
from nod.settings import load_settings
from tests.asked import asks
from tests.fakes.model import FakeModel
from tests.workers.desk import LEAVE, QUICK, Desk
from workers import checking, spending
from workers.spending import Price, Spending, price_of

TABLE = tomllib.loads((Path(spending.__file__).with_name("prices.toml")).read_text("utf-8"))


# ── prices ──


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("openai:gpt-4o", Price(2.5, 10)),
        ("openai:gpt-4o-mini", Price(0.15, 0.6)),
        ("openai:gpt-4o-2024-08-06", Price(2.5, 10)),
        ("openai:gpt-4o-2024-05-13", Price(5, 15)),
        ("anthropic:claude-haiku-4-5-20251001", Price(1, 5)),
        ("anthropic:claude-3-5-haiku-latest", Price(0.8, 4)),
        ("google_genai:gemini-pro-latest", Price(2, 12)),
        ("mistralai:mistral-large-latest", Price(2, 6)),
        ("openai:gpt-4o-realtime", None),
        ("anthropic:gpt-4o", None),
        ("ollama:llama3.1", None),
    ],
)
def test_a_model_has_its_price_by_provider_and_name(model: str, price: Price | None) -> None:
    assert price_of(model) == price


def test_prices_say_from_when_and_where_they_are() -> None:
    assert isinstance(TABLE["as_of"], date)
    assert all(re.match(r"https://\S+, release \d", source) for source in TABLE["sources"])
    for prices in TABLE["usd_per_million_tokens"].values():
        for tokens_in, tokens_out in prices.values():
            assert 0 < tokens_in <= tokens_out


# ── what an answer cost ──


async def test_what_an_answer_cost_is_kept_with_it_all_steps_together(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_call("time_in", {"zone": "Asia/Seoul"})
    agent.will_say("세 시예요.")
    async with model_desk.open():
        row = await model_desk.row((await model_desk.hears("몇 시야?")).answer_id)
    assert float(row["cost_usd"]) == pytest.approx((2.5 * row["tokens_in"] + 10 * row["tokens_out"]) / 1e6, abs=1e-6)
    assert row["cost_usd"] > 0


async def test_what_was_broken_off_is_estimated(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("cut", text="한 문장은 다 말했어요. 그 다음 문장은 끝까지 말하지 못했어요.", when="연차")
    agent.will_stream("this never ends", tokens=4, hold_after=2, when="Tell")
    async with model_desk.open(QUICK):
        cut = await model_desk.hears("연차 이월 돼?", thread="1.0")
        accepted = await model_desk.asks("Tell me", thread="2.0")
        await model_desk.until_said(accepted.answer_id, "this")
        await model_desk.record.stop(accepted.answer_id)
        stopped = await model_desk.reads(accepted)
    agent.go_on()
    for answer in (cut, stopped):
        row = await model_desk.row(answer.answer_id)
        assert row["tokens_in"] is None
        assert row["cost_usd"] > 0


async def test_a_model_whose_price_is_not_known_costs_nothing_and_this_is_logged_once(model_desk: Desk, agent: FakeModel) -> None:
    agent.offers("llama3.1")
    agent.will_say("하나", "둘")
    with capture_logs() as logged:
        async with model_desk.open(model="openai:llama3.1", daily_limit_usd=0.000001):
            first = await model_desk.hears("하나?", thread="1.0")
            second = await model_desk.hears("Two?", thread="2.0")
    assert (first.text, second.text) == ("하나", "둘")
    assert (await model_desk.row(first.answer_id))["cost_usd"] is None
    assert [line["model"] for line in logged if "price of this model is not known" in line["event"]] == ["openai:llama3.1"]


# ── the limit ──


@pytest.mark.parametrize(
    ("question", "words", "unknown", "nothing"),
    [
        ("쓰지 않은 연차 이월 돼?", "닷새까지 이월할 수 있어요", "김치찌개 끓이는 법 알려줘", "찾아봤지만 몰라요."),
        ("Until when can unused leave be carried over?", "up to five days", "Who won the chess match?", "I looked and don't know."),
    ],
)
async def test_at_the_limit_nod_quotes_and_says_so(
    model_desk: Desk, agent: FakeModel, question: str, words: str, unknown: str, nothing: str
) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_say("돼요.")
    async with model_desk.open(daily_limit_usd=0.0001):
        before = await model_desk.hears(question, thread="1.0")
        quoted = await model_desk.hears(question, thread="2.0")
        looked = await model_desk.hears(unknown, thread="3.0")
    assert (before.text, before.notices) == ("돼요.", ())
    assert (quoted.status, quoted.notices) == ("answered", ("daily_limit",))
    assert quoted.text.startswith("> ")
    assert words in quoted.text
    assert looked.text.startswith(nothing.removesuffix("."))
    assert looked.notices == ("daily_limit",)
    assert len(agent.shown) == 1
    async with model_desk.record.engine.connect() as db:
        assert not (await db.execute(text("SELECT 1 FROM knowledge_gaps"))).all()  # nobody looked with the model's eyes


async def test_that_admins_were_told_is_said_once_it_is_so(model_desk: Desk, monkeypatch: pytest.MonkeyPatch, agent: FakeModel) -> None:
    monkeypatch.setattr(spending, "KNOWN_SECONDS", 0.0)
    await _costs(model_desk, 6.0)
    async with model_desk.open():
        before = await model_desk.hears("연차 이월 돼?", thread="1.0")
        day = await begin_alert(model_desk.record.engine, "slack", 100)
        assert day
        during = await model_desk.hears("연차 이월 돼?", thread="2.0")
        await end_alert(model_desk.record.engine, "slack", 100, day)
        after = await model_desk.hears("연차 이월 돼?", thread="3.0")
    assert [answer.notices for answer in (before, during, after)] == [("daily_limit",), ("daily_limit",), ("daily_limit", "admins_told")]
    assert not agent.calls


async def test_a_limit_of_nothing_is_none(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("하나", "둘")
    async with model_desk.open(daily_limit_usd=0):
        assert [(await model_desk.hears(said, thread=f"{said}.0")).text for said in ("하나", "둘")] == ["하나", "둘"]


async def _costs(desk: Desk, usd: float) -> None:
    """Let another process have given an answer that cost so much."""
    accepted = await desk.record.accept(asks("얼마?", thread=str(usd)))
    async with desk.record.engine.begin() as db:
        await db.execute(text("UPDATE answers SET status = 'running', attempt = 1 WHERE answer_id = :id"), {"id": accepted.answer_id})
    outcome = Outcome(status="answered", text="이만큼", provenance=Provenance(cost_usd=usd))
    assert await desk.record.finish(accepted.answer_id, 1, outcome)


async def test_the_record_counts_all_processes_of_this_day_and_of_no_other(desk: Desk) -> None:
    await _costs(desk, 2.0)
    await _costs(desk, 3.0)
    assert await Spending(desk.record.engine, 5.0).is_reached()
    assert not await Spending(desk.record.engine, 5.01).is_reached()
    async with desk.record.engine.begin() as db:
        await db.execute(
            text("""
                UPDATE answers SET answered_at = date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 second'
                 WHERE cost_usd = 3""")
        )
    assert not await Spending(desk.record.engine, 5.0).is_reached()
    assert await Spending(desk.record.engine, 2.0).is_reached()


async def test_what_searches_cost_today_counts_for_all_processes_and_outlives_an_emptied_redis(desk: Desk) -> None:
    searching, other = (Spending(desk.record.engine, 5.0) for _ in range(2))
    assert not await searching.is_reached()
    for usd in (3.0, None, 1.0):
        await searching.add_search(usd)
    await _costs(desk, 1.0)
    await desk.redis.flushdb()
    assert await other.is_reached()
    assert not await Spending(desk.record.engine, 5.01).is_reached()
    async with desk.record.engine.begin() as db:
        assert (await db.execute(text("UPDATE search_costs SET day = day - 1"))).rowcount == 1
    assert not await Spending(desk.record.engine, 5.0).is_reached()


async def test_what_a_search_cost_counts_here_while_the_record_does_not_take_it(desk: Desk) -> None:
    searching = Spending(desk.record.engine, 5.0)
    assert not await searching.is_reached()
    searching._engine = engine_from("postgresql://127.0.0.1:1/nod")  # nobody listens there
    await searching.add_search(5.0)
    assert await searching.is_reached()


async def test_the_record_is_asked_now_and_then_and_what_this_process_spends_counts_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Spending(desk.record.engine, 5.0)
    assert not await known.is_reached()
    await _costs(desk, 6.0)
    assert not await known.is_reached()
    known.add(5.0)
    assert await known.is_reached()
    monkeypatch.setattr(spending, "KNOWN_SECONDS", 0.0)
    async with desk.record.engine.begin() as db:
        await db.execute(text("UPDATE answers SET cost_usd = 4.9"))
    assert not await known.is_reached()


async def test_near_the_limit_the_log_warns_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "KNOWN_SECONDS", 0.0)
    monkeypatch.setattr(spending, "_log", log("workers.spending"))  # one that was used before keeps its processors
    await _costs(desk, 3.9)
    known = Spending(desk.record.engine, 5.0)
    with capture_logs() as logged:
        await known.is_reached()
        assert not logged
        await _costs(desk, 0.1)
        for _ in range(3):
            assert not await known.is_reached()
        await _costs(desk, 1.0)
        for _ in range(3):
            assert await known.is_reached()
    assert [(line["event"], line["spent_usd"]) for line in logged] == [
        ("today's spending limit is near", 4.0),
        ("today's spending limit is reached", 5.0),
    ]


# ── said to whoever runs nod ──


@pytest.mark.parametrize(
    ("language", "limit", "unknown"),
    [
        ("en", "at most $5.00 a day (NOD_DAILY_LIMIT)", "the price of openai:llama3.1 is not known"),
        ("ko", "하루에 많아야 $5.00 (NOD_DAILY_LIMIT)", "openai:llama3.1의 값을 몰라서"),
    ],
)
async def test_the_line_of_the_model_says_what_a_day_may_cost(
    model_desk: Desk, agent: FakeModel, language: str, limit: str, unknown: str
) -> None:
    agent.offers("gpt-4o", "llama3.1")
    agent.will_say("OK", "OK", "OK", "OK")
    settings = model_desk.settings
    priced = await checking.model(settings, language)  # type: ignore[arg-type]
    free = await checking.model(settings.model_copy(update={"daily_limit_usd": 0.0}), language)  # type: ignore[arg-type]
    both = await checking.model(settings.model_copy(update={"fallback_models": ("openai:llama3.1",)}), language)  # type: ignore[arg-type]
    assert priced.sentence.endswith(f" · {limit}")
    assert "NOD_DAILY_LIMIT" not in free.sentence
    assert unknown in both.sentence
    assert [call.body["model"] for call in agent.calls[-2:]] == ["gpt-4o", "llama3.1"]


async def test_a_stand_in_that_does_not_answer_is_found_before_it_is_needed(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("OK")
    agent.will_fail("404")
    found = await checking.model(model_desk.settings.model_copy(update={"fallback_models": ("openai:gpt-4o-mini",)}), "en")
    assert (found.state, "openai:gpt-4o-mini" in found.sentence) == ("broken", True)


@pytest.mark.parametrize("value", ["five", "-1", "inf", "nan"])
def test_a_limit_that_is_no_amount_is_named_in_one_sentence(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOD_DAILY_LIMIT", value)
    with pytest.raises(ConfigError, match=r"^NOD_DAILY_LIMIT is .*\.$"):
        load_settings()
