"""The record: what is accepted is kept once, in order, and ends once."""

import asyncio
import contextlib
from uuid import uuid4

import pytest

from nod.claims import Claims
from nod.connect import POOL_SIZE, engine_from
from nod.contracts import Outcome
from nod.errors import NotFoundError
from nod.record import Record
from tests.asked import ALEX, JISU, asks, falls_silent, says
from tests.conftest import SECRET


@pytest.fixture
async def claims(engine):
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    return claims


async def answered(record, claims, text, reply):
    accepted = await record.accept(asks(text))
    [task] = await claims.claim(10)
    assert await record.finish(task.answer_id, task.attempt, says(reply))
    return accepted


async def test_a_question_heard_twice_is_one_question(record):
    question = asks("연차 이월 돼?", message_id="1700.1")
    first, second = await record.accept(question), await record.accept(question)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.answer_id == second.answer_id


async def test_a_question_heard_by_two_bots_at_once_is_one_question(record):
    for n in range(10):  # of somebody new each time: two that enter them at once meet, too
        question = asks("Can I carry leave over?", message_id=f"1700.{n}", person=ALEX.model_copy(update={"external_id": f"U{n}"}))
        accepted = await asyncio.gather(*(record.accept(question) for _ in range(6)), return_exceptions=True)
        assert [a for a in accepted if isinstance(a, BaseException)] == []
        assert len({a.answer_id for a in accepted}) == 1


async def test_the_same_message_id_in_another_channel_is_another_question(record):
    here = asks("반차도 돼?", message_id="1700.1")
    there = here.model_copy(update={"place": here.place.model_copy(update={"channel": "C2"})})
    assert (await record.accept(here)).answer_id != (await record.accept(there)).answer_id


async def test_positions_follow_the_order_of_acceptance(record):
    accepted = [await record.accept(asks(f"{n}번째")) for n in range(3)]
    answers = await record.answers_in(accepted[0].conversation_id)
    assert [(a.question, a.position) for a in answers] == [("0번째", 1), ("1번째", 2), ("2번째", 3)]


async def test_text_that_no_store_can_hold_is_cleaned_before_it_is_kept(record):
    accepted = await record.accept(asks("휴가\x00 \ud83d 며칠?"))
    assert (await record.answer(accepted.answer_id)).question == "휴가  며칠?"


async def test_only_the_attempt_that_holds_an_answer_can_finish_it(record, claims):
    accepted = await record.accept(asks("며칠 남았어?"))
    [task] = await claims.claim(10)
    assert not await record.finish(task.answer_id, task.attempt + 1, says("다른 답"))
    assert await record.finish(task.answer_id, task.attempt, says("15일입니다."))
    assert not await record.finish(task.answer_id, task.attempt, says("한 번 더"))
    answer = await record.answer(accepted.answer_id)
    assert (answer.status, answer.text, answer.shown_at) == ("answered", "15일입니다.", None)


@pytest.mark.parametrize("platform", ["web", "cli"])
async def test_on_the_page_and_in_the_terminal_committed_is_shown(record, claims, platform):
    accepted = await record.accept(asks("hello", platform=platform))
    [task] = await claims.claim(10)
    await record.finish(task.answer_id, task.attempt, says("Hi."))
    assert (await record.answer(accepted.answer_id)).shown_at is not None


async def test_memory_is_rebuilt_from_answers_that_stand(record, claims):
    first = await answered(record, claims, "휴가 며칠 남았어?", "15일입니다.")
    await answered(record, claims, "반차도 돼?", "네.")
    turns = await record.turns(first.conversation_id, before_position=99)
    assert [turn.text for turn in turns] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?", "네."]
    assert await record.positions(first.conversation_id, 99) == [1, 2]
    assert [t.text for t in await record.turns(first.conversation_id, before_position=2)] == ["휴가 며칠 남았어?", "15일입니다."]


async def test_retry_opens_one_new_version_and_goes_on_in_the_apologys_message(record, claims):
    accepted = await record.accept(asks("반차도?"))
    [task] = await claims.claim(10)
    await record.plan_part(accepted.answer_id, 0, "C1")
    await record.name_part(accepted.answer_id, 0, "1700.2")
    await record.finish(task.answer_id, task.attempt, Outcome(status="failed", error="overloaded"))
    again = await record.again(accepted.answer_id)
    assert await record.again(accepted.answer_id) is None  # pressed twice
    assert [part.message_id for part in await record.parts(again)] == ["1700.2"]
    assert await record.parts(accepted.answer_id) == []
    assert await record.shown_by("slack", "C1", "1700.2") == again
    assert (await record.answer(again)).version == 2


async def test_another_answer_gets_a_message_of_its_own(record, claims):
    accepted = await answered(record, claims, "why?", "Because.")
    await record.plan_part(accepted.answer_id, 0, "C1")
    await record.name_part(accepted.answer_id, 0, "1700.2")
    again = await record.again(accepted.answer_id)
    assert await record.parts(again) == []
    assert [a.answer_id for a in await record.answers_in(accepted.conversation_id)] == [again]


async def test_retry_of_what_does_not_exist_is_a_clear_error(record):
    with pytest.raises(NotFoundError, match="There is no answer"):
        await record.again(uuid4())


async def test_one_bot_delivers_an_answer_until_it_falls_silent(record, engine, claims):
    first, second = Claims(engine, uuid4()), Claims(engine, uuid4())
    await first.register("slack")
    await second.register("slack")
    accepted = await answered(record, claims, "연차?", "15일.")
    assert [a.answer_id for a in await record.undelivered("slack", first.process_id)] == [accepted.answer_id]
    assert await record.undelivered("slack", second.process_id) == []
    await first.leave()
    assert [a.answer_id for a in await record.undelivered("slack", second.process_id)] == [accepted.answer_id]
    assert not await record.confirm(accepted.answer_id, first.process_id)
    assert await record.confirm(accepted.answer_id, second.process_id)
    assert await record.undelivered("slack", second.process_id) == []


async def test_what_is_being_answered_is_shown_before_what_waits(record, claims):
    for n in range(3):
        await record.accept(asks(f"{n}번째", thread=f"t{n}"), claims.process_id)
    [task] = await claims.claim(1)
    await record.accept(asks("Can I carry leave over?", thread="t9", person=ALEX), claims.process_id)
    [newer] = await claims.claim(1)
    assert newer.text == "Can I carry leave over?"
    shown = await record.undelivered("slack", claims.process_id, 3)
    assert [a.question for a in shown] == [task.text, newer.text, "1번째"]


async def test_a_question_is_accepted_while_all_other_connections_are_taken(database_url, engine):
    intake = engine_from(database_url, pool_size=1)
    async with contextlib.AsyncExitStack() as taken:
        for _ in range(POOL_SIZE):
            await taken.enter_async_context(engine.connect())
        assert (await Record(engine, SECRET, intake).accept(asks("연차 이월 돼?"))).is_new
    await intake.dispose()


async def test_a_bot_that_fell_silent_loses_its_deliveries(record, engine, claims):
    silent, other = Claims(engine, uuid4()), Claims(engine, uuid4())
    await silent.register("slack")
    await other.register("slack")
    accepted = await record.accept(asks("연차?"), silent.process_id)
    assert await record.undelivered("slack", other.process_id) == []
    await falls_silent(engine, silent)
    assert [a.answer_id for a in await record.undelivered("slack", other.process_id)] == [accepted.answer_id]


async def test_an_unfinished_answer_cannot_be_confirmed_as_shown(record, claims):
    accepted = await record.accept(asks("연차?"), claims.process_id)
    assert not await record.confirm(accepted.answer_id, claims.process_id)


async def test_only_the_asker_may_stop_their_answer(record, engine):
    accepted = await record.accept(asks("긴 답"))
    async with engine.begin() as db:
        jisu, alex = await record.person_id(db, JISU), await record.person_id(db, ALEX)
    assert not await record.stop(accepted.answer_id, alex)
    assert await record.stop(accepted.answer_id, jisu)


async def test_a_person_has_one_pseudonym_that_does_not_hold_their_id(record):
    assert record.pseudonym(JISU) == record.pseudonym(JISU.model_copy(update={"name": "다른 이름"}))
    assert record.pseudonym(JISU) != record.pseudonym(ALEX)
    assert "U1" not in record.pseudonym(JISU)


async def test_the_last_message_heard_in_a_channel_is_remembered(record):
    await record.seen_message("discord", "G1", "C1", "10")
    await record.seen_message("discord", "G1", "C1", "11")
    seen = await record.seen_messages("discord")
    assert {channel: message for channel, (message, _) in seen.items()} == {"C1": "11"}


# ── what becomes of a question ──


async def test_an_edited_question_begins_again_in_its_place_and_its_old_attempt_can_say_nothing(record, claims):
    asked = asks("연차 이뤌 돼?")
    accepted = await record.accept(asked)
    await record.accept(asks("반차는?"))
    [task] = await claims.claim(10)
    await record.plan_part(accepted.answer_id, 0, "C1")
    assert not await record.edit(asked.place, asked.message_id, "연차 이뤌 돼?", "ko")  # an unfurl
    assert await record.edit(asked.place, asked.message_id, "Can I carry leave over?", "en")
    assert not await record.edit(asked.place, asked.message_id, "Can I carry leave over?", "en")  # told twice
    assert not await record.finish(task.answer_id, task.attempt, says("이뤌?"))
    assert await claims.held() == set()
    [again] = await claims.claim(10)
    assert (again.answer_id, again.attempt, again.position) == (task.answer_id, task.attempt + 1, task.position)
    assert (again.text, again.language, again.version) == ("Can I carry leave over?", "en", task.version + 1)
    assert len(await record.parts(accepted.answer_id)) == 1
    assert await claims.held() == {(again.answer_id, again.attempt)}


async def test_an_edit_that_came_with_the_last_word_changes_the_answer_or_nothing(record, claims):
    for n in range(10):
        asked = asks("before", thread=f"{n}.0")
        accepted = await record.accept(asked)
        [task] = await claims.claim(1)
        finished, edited = await asyncio.gather(
            record.finish(task.answer_id, task.attempt, says("An answer.")), record.edit(asked.place, asked.message_id, "after", "en")
        )
        assert finished is not edited
        answer = await record.answer(accepted.answer_id)
        assert (answer.status, answer.question) == (("answered", "before") if finished else ("waiting", "after"))
        if edited:
            await record.withdraw(asked.place, [asked.message_id])


async def test_what_is_answered_or_to_be_stopped_is_not_answered_anew(record, claims):
    asked = asks("why?")
    accepted = await record.accept(asked)
    [task] = await claims.claim(1)
    await record.stop(accepted.answer_id)
    assert not await record.edit(asked.place, asked.message_id, "why not?", "en")
    await record.finish(task.answer_id, task.attempt, says("Because."))
    assert not await record.edit(asked.place, asked.message_id, "why not?", "en")
    assert (await record.answer(accepted.answer_id)).question == "why?"


async def test_a_deleted_question_withdraws_its_open_answer_alone(record, claims):
    first, second = asks("첫째"), asks("둘째")
    done, open_ = await record.accept(first), await record.accept(second)
    [task] = await claims.claim(1)
    await record.finish(task.answer_id, task.attempt, says("하나."))
    [running] = await claims.claim(1)
    assert await record.withdraw(first.place, [first.message_id, second.message_id]) == 1
    assert not await record.finish(running.answer_id, running.attempt, says("둘."))
    assert (await record.answer(done.answer_id)).status == "answered"
    withdrawn = await record.answer(open_.answer_id)
    assert (withdrawn.status, withdrawn.stopped_at) == ("withdrawn", None)


async def test_what_waits_ends_at_once_when_its_asker_says_stop_and_nobody_elses(record, claims):
    here, there = await record.accept(asks("여기")), await record.accept(asks("저기", thread="2.0"))
    alexs = await record.accept(asks("mine", person=ALEX, thread="3.0"))
    assert await record.stop_all(JISU, "C1", thread="2.0") == 1
    assert (await record.answer(there.answer_id)).status == "withdrawn"
    assert (await record.answer(there.answer_id)).stopped_at
    assert (await record.answer(here.answer_id)).status == "waiting"
    assert await record.stop_all(JISU, "C1") == 1
    assert (await record.answer(alexs.answer_id)).status == "waiting"


async def test_stop_means_what_was_asked_before_it_was_said_however_late_it_is_heard(record, claims):
    earlier, later = asks("먼저"), asks("나중", thread="2.0")
    said_at = earlier.asked_at + (later.asked_at - earlier.asked_at) / 2
    first, second = await record.accept(earlier), await record.accept(later)
    assert await record.stop_all(JISU, "C1", at=said_at) == 1
    assert await record.stop_all(JISU, "C1", at=said_at) == 1  # heard again: it has ended since
    assert (await record.answer(first.answer_id)).status == "withdrawn"
    assert (await record.answer(second.answer_id)).status == "waiting"
