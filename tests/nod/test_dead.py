"""What was given up after three strikes is listed, asked anew or closed, once each."""

import asyncio
import json
from uuid import uuid4

import pytest
from sqlalchemy import text

from nod.claims import Claims
from nod.contracts import Outcome
from nod.dead import drop, letter_named, letters, retry
from nod.errors import NotFoundError
from tests import warm
from tests.asked import asks, says


@pytest.fixture
async def claims(engine):
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    return claims


@pytest.fixture
def given_up(record, claims):
    """Asks a question that fails three times; returns its answer's id."""

    async def give_up(asked):
        accepted = await record.accept(asked)
        for _ in range(3):
            [task] = await claims.claim(1)
            await claims.strike(task.answer_id, task.attempt, "ValueError", wait_seconds=0)
        return accepted.answer_id

    return give_up


async def audit(engine):
    async with engine.connect() as db:
        return [tuple(row) for row in await db.execute(text("SELECT action, subject FROM audit ORDER BY id"))]


async def test_only_what_was_given_up_after_three_strikes_is_listed(record, engine, claims, given_up):
    first = await given_up(asks("연차 이월 돼?"))
    second = await given_up(asks("boom", thread="2.0"))
    await record.accept(asks("overloaded", thread="3.0"))
    [task] = await claims.claim(1)
    await record.finish(task.answer_id, task.attempt, Outcome(status="failed", error="overloaded"))
    found = await letters(engine)
    assert [letter.answer_id for letter in found] == [second, first]
    assert (found[1].question, found[1].last_error, found[1].last_outcome, found[1].attempts) == (
        "연차 이월 돼?",
        "ValueError",
        "strike",
        3,
    )
    assert found[1].who.startswith("u_")


async def test_what_was_said_to_nod_alone_in_a_chat_is_not_shown(engine, given_up):
    await given_up(asks("my salary?", visibility="direct"))
    await given_up(asks("on the page", platform="web", visibility="direct"))
    assert {letter.platform: letter.question for letter in await letters(engine)} == {"slack": None, "web": "on the page"}


async def test_asked_anew_it_goes_on_in_the_same_message_and_leaves_the_list(record, engine, claims, given_up):
    answer_id = await given_up(asks("연차?"))
    await record.plan_part(answer_id, 0, "C1")
    await record.name_part(answer_id, 0, "1700.2")
    letter = await letter_named(engine, str(answer_id))
    new_id = await retry(record, letter, None)
    assert await retry(record, letter, None) is None  # pressed twice
    assert await letters(engine) == []
    assert [part.message_id for part in await record.parts(new_id)] == ["1700.2"]
    [task] = await claims.claim(1)
    assert (task.answer_id, task.strikes) == (new_id, 0)
    await record.finish(task.answer_id, task.attempt, says("15일."))
    assert await audit(engine) == [("dead_retried", str(answer_id))]


async def test_closed_it_leaves_the_list_once_and_the_apology_stays(record, engine, given_up):
    answer_id = await given_up(asks("연차?"))
    letter = await letter_named(engine, str(answer_id))
    assert [await drop(engine, letter, None) for _ in range(2)] == [True, False]
    assert await letters(engine) == []
    assert (await record.answer(answer_id)).status == "failed"
    assert await audit(engine) == [("dead_dropped", str(answer_id))]


async def test_it_is_named_by_its_code_or_either_id(engine, given_up):
    answer_id = await given_up(asks("연차?"))
    [letter] = await letters(engine)
    for name in (letter.code, letter.code.upper(), str(answer_id), f" {letter.question_id}"):
        assert (await letter_named(engine, name)).answer_id == answer_id
    with pytest.raises(NotFoundError, match="q-00000000 is no question that was given up"):
        await letter_named(engine, "q-00000000")


def run(process_env, folder, *words, **env):
    return warm.run(["dead", *words], env=process_env | env, cwd=folder)


async def test_the_command_lists_retries_and_drops(engine, given_up, process_env, tmp_path):
    first = await given_up(asks("연차 이월\x1b[31m 돼?"))
    await given_up(asks("[/boom]", thread="2.0"))
    listed = json.loads((await asyncio.to_thread(run, process_env, tmp_path, "list", "--json")).stdout)
    by_id = {row["answer_id"]: row["code"] for row in listed}
    told = (await asyncio.to_thread(run, process_env, tmp_path, "list")).stdout
    assert "연차 이월" in told
    assert "[/boom]" in told
    assert "\x1b" not in told
    retried = await asyncio.to_thread(run, process_env, tmp_path, "retry", by_id.pop(str(first)))
    assert (retried.returncode, retried.stderr) == (0, "")
    [(_, code)] = by_id.items()
    dropped = await asyncio.to_thread(run, process_env, tmp_path, "drop", code, "--json")
    assert json.loads(dropped.stdout)["done"] == "dropped"
    assert await letters(engine) == []


@pytest.mark.parametrize(
    ("language", "none", "unknown"),
    [("en", "No question was given up.", "is no question that was given up"), ("ko", "포기한 질문이 없어요.", "포기한 질문이 아니에요")],
)
async def test_the_command_speaks_the_readers_language(process_env, tmp_path, language, none, unknown):
    assert run(process_env, tmp_path, "list", NOD_LANGUAGE=language).stdout == f"{none}\n"
    done = run(process_env, tmp_path, "drop", "q-7f3a91c2", NOD_LANGUAGE=language)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert unknown in done.stderr
