"""Votes in a terminal: what is listed can be read and judged."""

import asyncio
import json
from uuid import uuid4

import pytest
from sqlalchemy import text

from feedback.reviews import ReviewError, answer_named
from feedback.votes import cast
from nod.claims import Claims
from nod.contracts import code_from
from nod.screen import width
from tests.asked import ALEX, JISU, says
from tests.feedback.test_votes import thumb
from tests.warm import run

TABLES = {
    "en": ("How many days?", "Of **leave**:\n\n| what | days |\n|---|---|\n| leave | 15 |\n\n- see `hr.pdf`", "Of leave: what da", "And half days?", "Up to five"),
    "ko": ("연차는 며칠?", "**휴가**예요.\n\n| 항목 | 일수 |\n|---|---|\n| 연차 | 15 |\n\n- `hr.pdf`", "휴가예요. 항목 일", "반차도 되나요?", "5일"),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_what_is_listed_is_a_line_each_and_judged_by_its_code(engine, record, answered, process_env, tmp_path, language):
    question, table, plain, follow_up, correction = TABLES[language]
    answer = await record.answer(await answered(question, table, thread="1.0", votes=[(JISU, "down"), (ALEX, "down")]))
    await answered(follow_up, "[1] 네, yes.", thread="1.0", votes=[(JISU, "up")])

    def nod(*words):
        done = run(["feedback", *words], env=process_env | {"COLUMNS": "80", "NOD_LANGUAGE": language}, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    lines = (await asyncio.to_thread(nod, "list")).splitlines()
    assert len(lines) == 4
    assert max(map(width, lines)) <= 80
    [asked, *_] = [line for line in lines if answer.code in line]
    assert question in asked
    assert plain in asked
    [followed] = [line for line in lines if follow_up in line]
    assert f"← {question[:2]}" in followed
    assert answer.code in await asyncio.to_thread(nod, "review", answer.code, "--verdict", "fixable", "--correction", correction)
    rows = json.loads(await asyncio.to_thread(nod, "list", "--json"))
    assert [(row["verdict"], row["earlier"]) for row in rows if row["question_id"] == str(answer.question_id)] == [("fixable", None)] * 2


async def test_of_several_answers_to_a_question_the_one_with_votes_is_meant(engine, record, answered, monkeypatch):
    first = await answered("이월?", "5일.")
    code = code_from((await record.answer(first)).question_id)
    second = await record.again(first)
    assert await answer_named(engine, code) == first  # the other one is not given yet
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    [task] = await claims.claim(1)
    await record.finish(second, task.attempt, says("10일."))
    for language, said in (("en", "has several answers"), ("ko", "답이 여러 개예요")):
        monkeypatch.setenv("NOD_LANGUAGE", language)
        with pytest.raises(ReviewError, match=f"{said}.*{first}, {second}"):
            await answer_named(engine, code)
    assert await answer_named(engine, str(first)) == first
    await cast(engine, record, thumb("up").model_copy(update={"answer_id": second}))
    assert await answer_named(engine, code) == second


@pytest.mark.parametrize("question", ["[/x] 이월돼?", "may I [bold] carry it over?"])
async def test_what_people_wrote_is_listed_as_they_wrote_it(answered, process_env, tmp_path, question):
    await answered(question, "[1] 네, yes.", votes=[(JISU, "up")])
    done = await asyncio.to_thread(run, ["feedback", "list"], env=process_env | {"COLUMNS": "300"}, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert question in done.stdout
    assert "[1] 네, yes." in done.stdout


SAID = {
    "en": ("It is no training row: nod only quoted documents", "1 quoted without a language model", "Connect a model"),
    "ko": ("이 답은 학습 데이터가 되지 않아요", "언어 모델 없이 인용만 한 답 1개", "모델을 연결하면"),
}


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_a_correction_of_what_was_only_quoted_says_that_it_teaches_nothing(engine, record, answered, process_env, tmp_path, language):
    at_once, counted, todo = SAID[language]
    answer = await record.answer(await answered("이월?", "[1] 5일.", platform="cli"))
    async with engine.begin() as db:
        await db.execute(text("UPDATE answers SET messages = NULL, model = NULL"))

    def nod(*words):
        return run(["feedback", *words], env=process_env | {"NOD_LANGUAGE": language}, cwd=tmp_path)

    saved = await asyncio.to_thread(nod, "review", answer.code, "--verdict", "fixable", "--correction", "10일.")
    assert at_once in saved.stdout
    exported = await asyncio.to_thread(nod, "export", "--format", "openai-sft", "--out", "rows.jsonl")
    assert exported.returncode == 1
    assert counted in exported.stderr
    assert todo in exported.stderr.splitlines()[-1]
    (tmp_path / "file").touch()
    refused = await asyncio.to_thread(nod, "export", "--format", "openai-sft", "--out", "file/rows.jsonl")
    assert (refused.returncode, "file/rows.jsonl" in refused.stderr, counted in refused.stderr) == (1, True, False)
