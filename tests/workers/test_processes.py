"""Real worker processes: killed, frozen, told to end, and with their servers gone."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text

from nod.connect import engine_from, redis_from
from nod.migrate import bring_up_to_date
from nod.process import running
from nod.record import Record
from nod.servers import Postgres, RedisServer, socket_folder
from nod.settings import Settings
from nod.wake import Waker
from tests.conftest import SECRET
from tests.fakes.model import FOREVER, FakeModel
from tests.roles import Role
from tests.workers.desk import Desk, until

Hire = Callable[..., Role]

_HOLDER = text("""
    SELECT p.process_id, p.pid FROM answers a JOIN processes p USING (process_id)
     WHERE a.answer_id = :id AND a.status = 'running' AND p.role = :role""")


@pytest.fixture
def hire(process_env: dict[str, str], agent: FakeModel, tmp_path: Path) -> Iterator[Hire]:
    """Start a worker process (`pause`: a moment in which it stands still; others: its environment)."""
    hired: list[Role] = []

    def start(pause: str = "", **env: str) -> Role:
        hired.append(Role("worker", process_env | agent.env | env, tmp_path, pause=pause))
        return hired[-1]

    yield start
    for role in hired:
        role.kill()


async def count(desk: Desk, of: str) -> int:
    async with desk.record.engine.connect() as db:
        return (await db.execute(text(f"SELECT count(*) FROM {of}"))).scalar_one()


async def until_registered(desk: Desk, workers: int) -> None:
    await until(lambda: _are_registered(desk, workers), 30, f"{workers} workers")


async def _are_registered(desk: Desk, workers: int) -> bool:
    return await count(desk, "processes WHERE role = 'worker'") >= workers


async def test_a_worker_killed_in_mid_answer_costs_seconds_and_shows_one_answer(desk: Desk, agent: FakeModel, hire: Hire) -> None:
    agent.will_stream("이 답은 끝까지 못 가요. 죽으니까요.", tokens=8, every=0.05)
    agent.will_say("이 답은 끝났어요.")
    dying = hire("growing")
    accepted = await desk.asks("죽어도 답해 줘")
    await asyncio.to_thread(dying.stands_in, "growing")
    await desk.until_said(accepted.answer_id, "이")
    hire()
    await until_registered(desk, 2)
    dying.kill()
    answer = await desk.reads(accepted, within=40)
    assert answer.text == "이 답은 끝났어요."
    assert (answer.attempt, answer.strikes) == (2, 1)
    assert (await desk.until_announced(accepted.answer_id, 2))[-1].kind == "done"
    assert {event.kind for event in await desk.events(accepted.answer_id, 1)} <= {"started", "step", "grew"}


async def holder(desk: Desk, answer_id: UUID, role: str) -> tuple[str, int]:
    """Wait until a process of this role holds an answer; return its id and its pid."""

    async def held() -> tuple[str, int] | None:
        async with desk.record.engine.connect() as db:
            row = (await db.execute(_HOLDER, {"id": answer_id, "role": role})).first()
            return (str(row.process_id), row.pid) if row else None

    return await until(held, 30, f"a {role} that holds it")


@pytest.mark.slow
async def test_poison_hits_its_neighbours_once_and_newcomers_never(desk: Desk, agent: FakeModel, hire: Hire) -> None:
    """The worker is killed, then a cell stands still, then a cell is killed; each time its successor is there within seconds."""
    agent.will_stream("poison", hold_after=0, when="독", times=FOREVER)
    agent.will_stream("이 답은 끝까지 못 가요.", hold_after=1, when="이웃")
    agent.will_stream("이웃의 답", when="이웃")
    agent.will_say("나중 사람의 답")
    worker = hire()
    poison, neighbour = await desk.asks("독이 든 질문", thread="p"), await desk.asks("이웃의 질문", thread="n")
    (first, pid), _ = await holder(desk, poison.answer_id, "worker"), await holder(desk, neighbour.answer_id, "worker")
    await asyncio.to_thread(agent.until_holding, 30)
    os.kill(pid, signal.SIGKILL)
    _, in_cell = await holder(desk, poison.answer_id, "cell")
    beside = await desk.reads(neighbour)
    os.kill(in_cell, signal.SIGSTOP)  # as of a loop that holds the interpreter's lock: no other worker is there to see it
    newcomer = await desk.hears("나중 사람의 질문", thread="l")
    in_next = await until(lambda: _other(desk, poison.answer_id, in_cell), 20, "the next cell")
    os.kill(in_next, signal.SIGKILL)
    given_up = await desk.reads(poison)
    assert (beside.text, beside.attempt, beside.strikes) == ("이웃의 답", 2, 1)
    assert (newcomer.text, newcomer.attempt) == ("나중 사람의 답", 1)
    assert (given_up.error, given_up.attempt, given_up.strikes) == ("strikes", 3, 3)
    await until(lambda: _is_only(desk, first), 10, "the end of all cells, with the worker under the id of before")
    worker.child.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.child.wait, 30) == 0


async def _other(desk: Desk, answer_id: UUID, than: int) -> int | None:
    _, pid = await holder(desk, answer_id, "cell")
    return pid if pid != than else None


async def _is_only(desk: Desk, process_id: str) -> bool:
    async with desk.record.engine.connect() as db:
        return [str(one) for one in (await db.execute(text("SELECT process_id FROM processes"))).scalars()] == [process_id]


@pytest.mark.slow
async def test_a_worker_killed_between_claim_and_first_word_is_replaced(desk: Desk, agent: FakeModel, hire: Hire) -> None:
    agent.will_say("이 답은 끝났어요.")
    dying = hire("claimed")
    accepted = await desk.asks("죽어도 답해 줘")
    await asyncio.to_thread(dying.stands_in, "claimed")
    hire()
    await until_registered(desk, 2)
    dying.kill()
    assert (await desk.reads(accepted, within=40)).attempt == 2
    assert not await desk.events(accepted.answer_id, 1)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["answered", "remembered"])
async def test_a_worker_killed_after_the_commit_is_not_repeated(desk: Desk, agent: FakeModel, hire: Hire, moment: str) -> None:
    agent.will_say("15일입니다.", "네, 반차도 됩니다.")
    dying = hire(moment)
    accepted = await desk.asks("휴가 며칠 남았어?")
    await asyncio.to_thread(dying.stands_in, moment)
    dying.kill()
    hire()
    follow_up = await desk.reads(await desk.asks("반차도 돼?"), within=40)
    first = await desk.reads(accepted)
    assert (first.text, first.attempt) == ("15일입니다.", 1)
    assert follow_up.text == "네, 반차도 됩니다."
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]


@pytest.mark.slow
async def test_a_worker_frozen_longer_than_its_lease_says_nothing_when_it_wakes(desk: Desk, agent: FakeModel, hire: Hire) -> None:
    agent.will_stream("얼어붙은 답", tokens=3, hold_after=1)
    agent.will_say("깨어 있는 답")
    frozen = hire()
    accepted = await desk.asks("?")
    await asyncio.to_thread(agent.until_holding, 30)
    hire()
    await until_registered(desk, 2)
    os.killpg(frozen.child.pid, signal.SIGSTOP)
    answer = await desk.reads(accepted, within=40)
    os.killpg(frozen.child.pid, signal.SIGCONT)
    agent.go_on()
    await asyncio.to_thread(agent.until_quiet)
    await asyncio.to_thread(frozen.stop)
    assert answer.text == "깨어 있는 답"
    assert (await desk.record.answer(accepted.answer_id)).text == "깨어 있는 답"
    assert "done" not in {event.kind for event in await desk.events(accepted.answer_id, 1)}
    assert "claim was lost" in frozen.said


async def test_a_worker_told_to_end_leaves_the_list_and_no_strike(desk: Desk, agent: FakeModel, hire: Hire) -> None:
    agent.will_say("끝.")
    worker = hire()
    assert (await desk.hears("답하고 끝내", within=30)).text == "끝."
    worker.child.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.child.wait, 60) == 0
    assert await count(desk, "processes") == 0


@pytest.mark.slow
async def test_an_answer_that_does_not_end_is_handed_over_without_a_strike(desk: Desk, agent: FakeModel, hire: Hire) -> None:
    agent.will_stream("this never ends", hold_after=0)
    agent.will_say("끝났어요.")
    worker = hire()
    accepted = await desk.asks("끝까지 답해 줘")
    await asyncio.to_thread(agent.until_holding, 30)
    worker.child.send_signal(signal.SIGTERM)
    hire()
    assert await asyncio.to_thread(worker.child.wait, 60) == 0
    answer = await desk.reads(accepted, within=30)
    assert (answer.text, answer.attempt, answer.strikes) == ("끝났어요.", 2, 0)
    agent.go_on()


@pytest.mark.slow
async def test_without_redis_questions_are_answered_and_wake_ups_are_heard_once_it_is_there(
    desk: Desk, agent: FakeModel, hire: Hire, tmp_path: Path
) -> None:
    server = RedisServer(tmp_path / "redis", socket_folder(tmp_path))
    agent.will_say("Redis 없이도요.", "다시 있네요.")
    hire(REDIS_URL=server.url)
    assert (await desk.hears("답할 수 있어?", within=30)).text == "Redis 없이도요."
    with (tmp_path / "redis.log").open("wb") as log:
        server.start(log)
    redis = redis_from(server.url)
    waker = Waker(server.url)
    try:
        waker.wake()
        await until(lambda: _sent(waker), 10, "a wake-up sent")
        await until(lambda: _is_heard(redis), 40, "a wake-up heard")
        accepted = await desk.asks("다시?")
        assert (await desk.reads(accepted)).text == "다시 있네요."
    finally:
        await waker.close()
        await redis.aclose()
        await redis.connection_pool.disconnect()
        server.stop()


async def _sent(waker: Waker) -> bool:
    return not waker._sending


async def _is_heard(redis: Redis) -> bool:
    return await redis.llen("wake") == 0  # type: ignore[misc]


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncGenerator[Postgres]:
    """A PostgreSQL of this test's own, which it may kill, and a desk on it."""
    server = Postgres(tmp_path / "postgres", socket_folder(tmp_path), {"fsync": "off"})
    with (tmp_path / "postgres.log").open("wb") as log:
        await asyncio.to_thread(server.make, log)
        await asyncio.to_thread(server.start, log)
        await asyncio.to_thread(bring_up_to_date, server.url)
        yield server
        await asyncio.to_thread(server.stop)


@pytest.mark.slow
async def test_a_finished_answer_and_a_process_that_starts_wait_for_postgresql_to_come_back(
    own_postgres: Postgres, settings: Settings, redis: Redis, agent: FakeModel, tmp_path: Path
) -> None:
    agent.will_stream("아무것도 잃지 않아요.", tokens=4, hold_after=2)
    engine = engine_from(own_postgres.url)
    desk = Desk(Record(engine, SECRET), redis, settings.model_copy(update={"database_url": own_postgres.url}))
    key = {"openai_api_key": SecretStr(agent.env["OPENAI_API_KEY"]), "openai_base_url": agent.url}
    async with desk.open(**key) as answering:
        accepted = await desk.asks("PostgreSQL이 죽으면?")
        await desk.until_said(accepted.answer_id, "아무")
        assert own_postgres.child
        own_postgres.child.kill()
        own_postgres.child.wait()
        starting = asyncio.create_task(_starts(desk.settings))
        agent.go_on()
        await asyncio.to_thread(agent.until_quiet)
        assert not starting.done()
        with (tmp_path / "postgres2.log").open("wb") as log:
            await asyncio.to_thread(own_postgres.start, log)
            answer = await desk.reads(accepted, within=30)
            await until(lambda: _is_idle(answering), 10, "the end of the attempt")
            await starting
            row = await desk.row(accepted.answer_id)
    await engine.dispose()
    assert answer.text == "아무것도 잃지 않아요."
    assert (row["attempt"], row["strikes"]) == (1, 0)


async def _starts(settings: Settings) -> None:
    async with running("web", settings):
        pass


async def _is_idle(answering: object) -> bool:
    return not answering.running  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("anthropic:claude-sonnet-4", "needs the package langchain-anthropic"),
        ("acme:large", "no provider is called 'acme'"),
        ("gpt-4o", "name the provider and the model, such as openai:gpt-4o"),
    ],
)
async def test_a_model_that_cannot_be_used_is_named_in_one_sentence(desk: Desk, hire: Hire, model: str, sentence: str) -> None:
    worker = hire(NOD_MODEL=model)
    assert await asyncio.to_thread(worker.child.wait, 60) == 1
    assert sentence in worker.said.splitlines()[-1]
    assert "Traceback" not in worker.said


@pytest.mark.parametrize(("question", "fault"), [("왜 안 돼?", "401"), ("Why does it fail?", "404")])
async def test_the_code_of_an_apology_finds_its_reason_in_the_log(
    desk: Desk, agent: FakeModel, hire: Hire, question: str, fault: str
) -> None:
    agent.will_fail(fault)
    worker = hire()
    answer = await desk.reads(await desk.asks(question), within=30)
    assert answer.status == "failed"
    (line,) = [line for line in worker.said.splitlines() if answer.code in line]
    assert "model failed" in line
    assert fault in line
