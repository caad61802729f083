"""What a monitor reads: the record's own figures, in the text format of Prometheus, for the bearer of the token alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import text

from bot.web.app import app_from
from bot.web.metrics import Metrics
from nod.claims import Claims
from nod.connect import engine_from
from nod.contracts import Outcome, Provenance
from nod.queue import expire
from tests.asked import asks, falls_silent
from tests.web.conftest import Visits


@pytest.fixture
async def monitor(services):
    """A visitor of a page whose token is `t0ken`."""
    known = services.settings.model_copy(update={"metrics_token": SecretStr("t0ken")})
    visitor = await Visits(app_from(replace(services, settings=known)), services)(None)
    yield visitor
    await visitor.http.aclose()


@pytest.fixture
async def claims(engine):
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    return claims


def read(exposition: str) -> dict[str, float]:
    return {
        f"{sample.name}{{{','.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.value
    }


async def scrape(visitor):
    answer = await visitor.get("/metrics", Authorization="Bearer t0ken")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
    return read(answer.text)


async def ends(record, claims, outcome, asked=None):
    await record.accept(asked or asks("연차?", thread=uuid4().hex))
    [task] = await claims.claim(1)
    await record.finish(task.answer_id, task.attempt, outcome)
    return task


def answered_by_model(seconds):
    made = Provenance(
        model="openai:gpt-4o", tokens_in=100, tokens_out=20, cost_usd=0.25, first_token_at=datetime.now(UTC) + timedelta(seconds=seconds)
    )
    return Outcome(status="answered", text="15일.", provenance=made)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer "}, {"Authorization": "t0ken"}])
async def test_without_the_token_nothing_is_told(monitor, header):
    answer = await monitor.get("/metrics", **header)
    assert (answer.status_code, "nod_" in answer.text) == (401, False)


async def test_without_a_token_in_the_settings_nobody_is_told(visits):
    assert (await (await visits("admin")).get("/metrics", Authorization="Bearer None")).status_code == 401


async def test_a_monitor_asks_by_whatever_address_it_reaches(monitor):
    assert (await monitor.get("/metrics", Authorization="Bearer t0ken", Host="web:8130")).status_code == 200


async def test_what_happened_is_counted(record, engine, claims, monitor):
    await ends(record, claims, answered_by_model(1.5))
    await ends(record, claims, answered_by_model(30.0))
    await ends(record, claims, Outcome(status="failed", error="overloaded"), asks("hello", platform="web"))
    await ends(record, claims, Outcome(status="withdrawn"))
    task = await ends(record, claims, Outcome(status="answered", text="quoted"))
    await record.again(task.answer_id)
    figures = await scrape(monitor)
    assert figures["nod_questions_total{platform=slack}"] == 4
    assert figures["nod_questions_total{platform=web}"] == 1
    assert figures["nod_answered_total{platform=slack}"] == 3
    assert figures["nod_apologised_total{platform=web,reason=overloaded}"] == 1
    assert figures["nod_withdrawn_total{platform=slack}"] == 1
    assert figures["nod_tokens_total{direction=in,model=openai:gpt-4o}"] == 200
    assert figures["nod_tokens_total{direction=out,model=openai:gpt-4o}"] == 40
    assert figures["nod_cost_dollars_total{model=openai:gpt-4o}"] == 0.5
    assert figures["nod_first_text_seconds_bucket{le=1.0,platform=slack}"] == 1
    assert figures["nod_first_text_seconds_bucket{le=4.0,platform=slack}"] == 2
    assert figures["nod_first_text_seconds_bucket{le=60.0,platform=slack}"] == 3
    assert figures["nod_first_text_seconds_count{platform=slack}"] == 3
    assert figures["nod_first_text_seconds_sum{platform=slack}"] == pytest.approx(31.5, abs=5)
    assert figures["nod_waiting{}"] == 1
    async with engine.begin() as db:
        await db.execute(text("UPDATE answers SET due_at = due_at - interval '11 minutes' WHERE status = 'waiting'"))
    await expire(engine)
    assert (await scrape(monitor))["nod_apologised_total{platform=slack,reason=expired}"] == 1


async def test_what_is_going_on_is_told(record, engine, claims, monitor):
    for thread in ("a", "b"):
        await record.accept(asks("연차?", thread=thread))
    await claims.claim(1)
    async with engine.begin() as db:
        await db.execute(text("UPDATE answers SET accepted_at = accepted_at - interval '90 seconds' WHERE status = 'waiting'"))
    figures = await scrape(monitor)
    assert (figures["nod_waiting{}"], figures["nod_running{}"]) == (1, 1)
    assert 90 <= figures["nod_oldest_waiting_seconds{}"] < 120
    assert (figures["nod_processes{role=web}"], figures["nod_processes{role=worker}"]) == (1, 1)


async def test_takeovers_and_dead_letters_are_counted(record, engine, claims, monitor):
    await record.accept(asks("poison"))
    for number in range(3):
        dying = Claims(engine, uuid4())
        await dying.register("cell" if number else "worker")  # what was in a crash is answered in a cell
        assert len(await (dying.claim_suspects() if number else dying.claim(1))) == 1
        await falls_silent(engine, dying)
        await claims.take_from_the_dead()
    figures = await scrape(monitor)
    assert (figures["nod_takeovers_total{}"], figures["nod_dead_letters{}"]) == (3, 1)
    assert figures["nod_apologised_total{platform=slack,reason=strikes}"] == 1


async def test_what_bots_count_is_told_per_process(engine, claims, monitor):
    async with engine.begin() as db:
        counts = """UPDATE processes SET role = 'slack', host = 'here', pid = 7, detail = '{"counts": {"rate_limited": 2, "dropped_edits": 5}}'
                     WHERE process_id = :me"""
        await db.execute(text(counts), {"me": claims.process_id})
    figures = await scrape(monitor)
    assert figures["nod_rate_limited_total{host=here,pid=7,role=slack}"] == 2
    assert figures["nod_dropped_edits_total{host=here,pid=7,role=slack}"] == 5


async def test_counting_on_gives_what_counting_anew_gives(record, engine, claims):
    """What is over is counted once and kept; what was open then is counted when it ends, and nothing is counted twice."""
    metrics = Metrics(engine)

    async def counted(metrics):
        return read((await metrics.exposition())[0].decode())

    await ends(record, claims, answered_by_model(1.0))
    await record.accept(asks("still open", thread="open"))
    [task] = await claims.claim(1)
    await ends(record, claims, answered_by_model(1.0))
    async with engine.begin() as db:
        await db.execute(text("UPDATE answers SET accepted_at = accepted_at - interval '1 hour'"))
    await counted(metrics)
    assert metrics._settled.counts["answered", "slack"] == 1, "only what was accepted before the oldest open answer is over"
    await record.finish(task.answer_id, task.attempt, answered_by_model(1.0))
    for _ in range(2):
        assert (await counted(metrics))["nod_answered_total{platform=slack}"] == 3
    assert metrics._settled.counts["answered", "slack"] == 3
    await ends(record, claims, answered_by_model(1.0))
    assert await counted(metrics) == pytest.approx(await counted(Metrics(engine)))


async def test_while_postgresql_is_away_a_monitor_is_told_so(services):
    away = engine_from("postgresql:///nod?host=/nonexistent")
    settings = services.settings.model_copy(update={"metrics_token": SecretStr("t0ken")})
    visitor = await Visits(app_from(replace(services, engine=away, settings=settings)), services)(None)
    answer = await visitor.get("/metrics", Authorization="Bearer t0ken")
    assert (answer.status_code, answer.json()) == (503, {"ready": False})
    await visitor.http.aclose()
    await away.dispose()
