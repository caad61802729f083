"""Asking on the page: one question however often it is sent, kept whatever happens, with a way back from every deletion."""

import asyncio
import re
from uuid import UUID, uuid4

import pytest

from bot.web.page import PHRASES
from feedback.reviews import review
from knowledge.ingest import read_waiting
from nod.contracts import Outcome, Readers
from nod.record import Record
from tests.asked import asks


async def test_a_double_click_is_one_question(visits, record: Record):
    visitor, conversation, name = await visits("member"), uuid4(), uuid4()
    first = await visitor.ask("연차 이월 돼?", conversation, name)
    second = await visitor.ask("연차 이월 돼?", conversation, name)
    assert first == second
    answer = await record.answer(first)
    assert [a.answer_id for a in await record.answers_in(answer.conversation_id)] == [first]


async def test_a_question_sent_under_anothers_name_shows_nothing_of_theirs(visits):
    one, other, name = await visits("member", "one"), await visits("member", "other"), uuid4()
    await one.ask("a private matter", uuid4(), name)
    said = await other.post(f"/chat/{uuid4()}/ask", {"text": "x", "message_id": str(name)})
    assert said.status_code == 404
    assert "private" not in said.text


async def test_the_first_sign_is_in_the_answer_to_the_question_itself(visits):
    visitor = await visits("member")
    conversation = uuid4()
    said = await visitor.post(
        f"/chat/{conversation}/ask", {"text": "연차 이월 돼?", "message_id": str(uuid4())}, headers={"Accept-Language": "ko"}
    )
    assert "찾고 있어요…" in said.text
    assert "data-live" in said.text
    assert "연차 이월 돼?" in (await visitor.get(f"/chat/{conversation}")).text


async def test_markup_in_a_question_is_text(visits):
    visitor, conversation = await visits("member"), uuid4()
    await visitor.ask("<img src=x onerror=alert(1)> {{ 7*7 }}", conversation)
    page = (await visitor.get(f"/chat/{conversation}")).text
    assert "<img" not in page
    assert "{{ 7*7 }}" in page


async def test_an_empty_question_is_refused_in_a_sentence(visits):
    visitor = await visits("member")
    said = await visitor.post(f"/chat/{uuid4()}/ask", {"text": " \n ", "message_id": str(uuid4())})
    assert said.status_code == 400
    assert said.text == "Write a question first."


async def test_a_question_longer_than_the_box_is_refused_in_a_sentence(visits):
    visitor = await visits("member")
    said = await visitor.post(f"/chat/{uuid4()}/ask", {"text": "가" * 20_001, "message_id": str(uuid4())})
    assert (said.status_code, said.text) == (400, "That is too long. Shorten it, then try again.")


async def test_a_deleted_conversation_comes_back_with_all_that_was_in_it(visits, record):
    visitor, conversation = await visits("member"), uuid4()
    kept = await visitor.answered("One?", "One.", conversation=conversation)
    gone = await visitor.answered("Two?", "Two.", conversation=conversation)
    await visitor.post(f"/chat/answers/{gone}/delete")
    await visitor.post(f"/chat/{conversation}/delete")
    assert (await visitor.get(f"/chat/{conversation}")).status_code == 404
    assert "One?" not in (await visitor.get("/chat/list")).text
    await visitor.post(f"/chat/{conversation}/restore")
    page = (await visitor.get(f"/chat/{conversation}")).text
    assert str(kept) in page
    assert str(gone) not in page


async def test_what_is_deleted_while_it_is_answered_is_stopped(visits, engine):
    from sqlalchemy import text

    visitor, conversation = await visits("member"), uuid4()
    await visitor.ask("Long?", conversation)
    await visitor.post(f"/chat/{conversation}/delete")
    async with engine.connect() as db:
        assert (await db.execute(text("SELECT stop_requested_at IS NOT NULL FROM answers"))).scalar_one()


async def test_a_conversation_can_be_renamed_and_found_by_title_and_by_what_was_asked(visits):
    visitor, conversation = await visits("member"), uuid4()
    await visitor.ask("연차 이월 돼?", conversation)
    await visitor.ask("How is Slack connected?", uuid4())
    await visitor.post(f"/chat/{conversation}/rename", {"title": "휴가 규정 <b>"})
    assert "휴가 규정 &lt;b&gt;" in (await visitor.get("/chat/list?q=규정")).text
    assert "휴가 규정" in (await visitor.get("/chat/list?q=이월")).text
    assert "휴가 규정" not in (await visitor.get("/chat/list?q=slack")).text
    assert "No conversation holds" in (await visitor.get("/chat/list?q=100%25")).text


async def test_another_answer_pressed_twice_is_asked_once_and_takes_the_place_of_the_first(visits, record):
    visitor, conversation = await visits("member"), uuid4()
    first = await visitor.answered("One?", "One.", conversation=conversation)
    again = await visitor.post(f"/chat/answers/{first}/again")
    assert (await visitor.post(f"/chat/answers/{first}/again")).text == ""
    second = UUID(re.search(r'data-answer="([0-9a-f-]{36})"', again.text)[1])
    page = (await visitor.get(f"/chat/{conversation}")).text
    assert str(second) in page
    assert str(first) not in page


async def test_a_failed_answer_says_why_with_an_id_and_can_be_tried_again(visits, record, services):
    visitor = await visits("member")
    conversation = uuid4()
    answer_id = await visitor.ask("연차 이월 돼?", conversation)
    (task,) = await services.claims.claim(1)
    await record.finish(answer_id, task.attempt, Outcome(status="failed", error="overloaded"))
    page = (await visitor.get(f"/chat/{conversation}", **{"Accept-Language": "ko"})).text
    assert (await record.answer(answer_id)).code in page
    assert "다시 시도" in page
    assert "thumb" not in page


async def test_suggestions_come_from_ones_own_documents_and_never_from_anothers(visits, engine, services):
    from knowledge.ingest import queue_upload

    visitor = await visits("member", "reader")
    for name, text, scope in (
        ("leave.md", "# Leave rules\n\n## Carry-over\n\nFive days.\n", "everyone"),
        ("secret.md", "# Secret plan\n\n## Takeover\n\nNext week.\n", "person:web:name:somebody else"),
    ):
        await queue_upload(engine, services.files, name=name, sha256=services.files.keep(text.encode()), scope=scope)
    await read_waiting(engine, services.files, services.claims.process_id)
    page = (await visitor.get("/chat")).text
    assert "Carry-over" in page
    assert "Takeover" not in page
    assert "How do I connect nod to Slack?" in page


async def test_a_dropped_file_is_read_for_its_conversation_alone(visits, engine, services):
    from bot.web.conversations import place_of
    from knowledge.search import Search

    visitor = await visits("member", "reader")
    here, elsewhere = uuid4(), uuid4()
    chip = await visitor.post(f"/chat/{here}/files", files={"file": ("휴가.md", "# 휴가\n\n연차는 5일까지 이월됩니다.\n".encode())})
    assert 'data-state="waiting"' in chip.text
    await read_waiting(engine, services.files, services.claims.process_id)
    document = re.search(r'data-document="(\d+)"', chip.text)[1]
    assert 'data-state="ready"' in (await visitor.get(f"/chat/{here}/files/{document}")).text
    answer = await services.record.answer(await visitor.ask("연차 이월?", here, file=document))
    search = Search(engine)
    assert (await search.find("연차 이월", answer.place.audience(answer.person, Readers()))).passages
    assert not (await search.find("연차 이월", place_of(elsewhere).audience(answer.person, Readers()))).passages
    assert (await visitor.get(f"/chat/{elsewhere}/files/{document}")).status_code == 404
    assert "휴가.md" in (await visitor.get(f"/chat/{here}")).text


async def test_a_file_of_another_conversation_does_not_come_along(visits, services):
    one, other = await visits("member", "one"), await visits("member", "other")
    there = uuid4()
    chip = await one.post(f"/chat/{there}/files", files={"file": ("secret.md", b"# Secret\n\nNext week.\n")})
    document = re.search(r'data-document="(\d+)"', chip.text)[1]
    conversation = uuid4()
    await other.ask("What is in it?", conversation, file=document)
    assert "secret.md" not in (await other.get(f"/chat/{conversation}")).text


async def test_a_file_that_cannot_be_read_says_why(visits, engine, services):
    visitor, conversation = await visits("member"), uuid4()
    chip = await visitor.post(f"/chat/{conversation}/files", files={"file": ("계약서.pdf", b"%PDF-1.4 broken")})
    await read_waiting(engine, services.files, services.claims.process_id)
    document = re.search(r'data-document="(\d+)"', chip.text)[1]
    shown = (await visitor.get(f"/chat/{conversation}/files/{document}", **{"Accept-Language": "ko"})).text
    assert 'data-state="failed"' in shown
    assert "계약서.pdf" in shown


async def test_a_file_over_the_limit_and_an_empty_one_are_refused_in_a_sentence(visits):
    visitor, conversation = await visits("member"), uuid4()
    large = await visitor.post(f"/chat/{conversation}/files", files={"file": ("a.txt", b"x" * (25 * 1024 * 1024 + 1))})
    assert (large.status_code, "25 MB" in large.text) == (413, True)
    empty = await visitor.post(f"/chat/{conversation}/files", files={"file": ("a.txt", b"")})
    assert (empty.status_code, empty.text) == (400, "The file is empty.")


async def test_first_steps_are_ticked_as_they_are_done_and_go_when_all_are(visits):
    visitor = await visits("member")
    assert (await visitor.get("/chat/tasks")).text.count("done") == (await visitor.get("/chat/tasks")).text.count("nod-done")
    answer_id = await visitor.answered("One?", "One.")
    assert 'class="done"' in (await visitor.get("/chat/tasks")).text
    await visitor.post(f"/chat/answers/{answer_id}/vote", {"value": "up", "kind": "set"})
    assert (await visitor.get("/chat/tasks")).text == ""


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_to_an_admin_the_first_steps_taken_in_the_terminal_are_done(language, visits, engine, record):
    admin, reviewer = await visits("admin"), await visits("reviewer")
    asked = await record.accept(asks("이월 돼?", platform="cli"))
    await review(engine, asked.answer_id, None, "fixable", correction="5일까지요.")

    async def steps(visitor):
        shown = (await visitor.get("/chat/tasks", **{"Accept-Language": language})).text
        names = ("ask", "vote", "correct")
        return {name: bool(re.search(rf"●</span>\s*<span>{PHRASES.say(f'tasks.{name}', language)}", shown)) for name in names}

    assert await steps(admin) == {"ask": True, "vote": False, "correct": True}
    assert await steps(reviewer) == {"ask": False, "vote": False, "correct": False}


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_the_first_suggestions_are_answered_by_the_handbook(language, engine, settings, visits):
    from click.testing import CliRunner

    from knowledge.cli import ingest
    from knowledge.search import Search

    taught = await asyncio.to_thread(
        CliRunner(env={"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "NOD_SECRET_KEY": "1" * 64}).invoke,
        ingest, ["--handbook"],
    )  # fmt: skip
    assert taught.exit_code == 0, taught.output
    page = (await (await visits("member")).get("/chat", **{"Accept-Language": language})).text
    for n in (1, 2, 3):
        question = PHRASES.say(f"suggest.handbook_{n}", language)
        assert question in page
        assert (await Search(engine).find(question, ["everyone"])).is_known, question
