"""What an answer says with a source is checked against it before it ends; what no source says is marked, or not shown at all."""

import pytest
from sqlalchemy import text

from knowledge.removal import remove_document
from tests.fakes.model import FakeModel
from tests.workers.desk import LEAVE, Desk

LIGHT = {"light_model": "openai:gpt-4o-mini"}
HALF_RIGHT = "연차는 다음 해 3월 31일까지 이월할 수 있어요 [1]. 열흘까지 이월돼요 [1]."


async def test_a_sentence_that_its_source_does_not_say_is_noted_after_the_last_word(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_say(HALF_RIGHT)
    async with model_desk.open():
        accepted = await model_desk.asks("쓰지 않은 연차 이월 돼?")
        answer = await model_desk.reads(accepted)
        events = await model_desk.until_announced(accepted.answer_id)
    assert answer.text == "".join(event.text for event in events) == HALF_RIGHT
    assert [(answer.text[c.start : c.end].strip(), c.sources, c.verdict, c.why, c.by) for c in answer.citations] == [
        ("연차는 다음 해 3월 31일까지 이월할 수 있어요 [1]", (1,), "supported", "", "rules"),
        ("열흘까지 이월돼요 [1]", (1,), "unsupported", "number", "rules"),
    ]
    assert answer.notices == ("unsupported",)


@pytest.mark.parametrize(
    ("question", "said", "known"),
    [
        ("쓰지 않은 연차 며칠 이월돼?", "연차는 열흘까지 이월돼요 [1].", "찾아봤지만 몰라요. 가까운 문서: 휴가 규정"),
        ("How much unused leave is carried over?", "Up to ten days of unused leave [1].", "I looked and don't know. Nearest: 휴가 규정"),
    ],
)
async def test_an_answer_of_which_no_source_says_anything_is_not_shown_but_kept(
    model_desk: Desk, agent: FakeModel, question: str, said: str, known: str
) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_say(said)
    async with model_desk.open():
        answer = await model_desk.hears(question)
    assert answer.text == known
    assert (answer.sources, answer.citations, answer.notices) == ((), (), ("withheld", "unknown"))
    row = await model_desk.row(answer.answer_id)
    assert row["withheld"]["text"] == said
    assert row["withheld"]["citations"][0]["why"] == "number"
    async with model_desk.record.engine.connect() as db:
        assert (await db.execute(text("SELECT question_id FROM knowledge_gaps"))).scalars().all() == [answer.question_id]


async def test_what_was_noticed_of_an_answer_before_it_was_checked_is_kept_when_it_is_not_shown(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_fail("length", text="연차는 열흘까지 이월돼요 [1].")
    async with model_desk.open():
        answer = await model_desk.hears("쓰지 않은 연차 며칠 이월돼?")
    assert answer.notices == ("cut", "withheld", "unknown")


async def test_an_answer_that_rules_only_doubt_is_shown_and_marked(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("leave.md", LEAVE)
    said = "쓰지 않은 연차는 다음 해로 이월할 수 없어요 [1]."
    agent.will_say(said)
    async with model_desk.open():
        answer = await model_desk.hears("쓰지 않은 연차 이월 돼?")
    assert [(citation.verdict, citation.by) for citation in answer.citations] == [("unsupported", "rules")]
    assert (answer.text, answer.notices) == (said, ("unsupported",))


async def test_a_number_that_names_no_passage_is_marked(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_say("연차는 닷새까지 이월돼요 [1]. 병가는 열흘이에요 [9].")
    async with model_desk.open():
        answer = await model_desk.hears("쓰지 않은 연차 이월 돼?")
    assert [(citation.sources, citation.verdict, citation.why) for citation in answer.citations] == [
        ((1,), "supported", ""),
        ((), "unsupported", "source"),
    ]


async def test_a_source_in_the_other_language_is_said_to_be_not_checked_word_for_word(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("vpn.md", "# VPN\n\nThe VPN token is valid for 30 days and is issued by the help desk.\n")
    agent.will_say("VPN 토큰은 30일 동안 쓸 수 있어요 [1].")
    async with model_desk.open():
        answer = await model_desk.hears("VPN 토큰 얼마나 가?")
    assert [citation.verdict for citation in answer.citations] == ["other_language"]
    assert answer.notices == ("source_english",)


async def test_the_light_model_judges_and_the_rules_where_it_says_nothing(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_say(HALF_RIGHT)
    agent.will_write("1 no\nsomething else")
    async with model_desk.open(**LIGHT):
        answer = await model_desk.hears("쓰지 않은 연차 이월 돼?")
    assert [(c.verdict, c.by) for c in answer.citations] == [("unsupported", "openai:gpt-4o-mini"), ("unsupported", "rules")]
    (asked,) = [call for call in agent.calls if not call.streamed]
    assert asked.body["model"] == "gpt-4o-mini"
    assert "⟦sentence 2⟧ 열흘까지 이월돼요 [1] ⟦end⟧" in str(asked.messages)
    assert "⟦passage [1]" in str(asked.messages)
    assert (await model_desk.row(answer.answer_id))["cost_usd"] > 0


async def test_without_an_answer_of_the_light_model_the_rules_judge(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("leave.md", LEAVE)
    agent.will_say(HALF_RIGHT)
    agent.will_fail("503", streamed=False)
    async with model_desk.open(**LIGHT):
        answer = await model_desk.hears("쓰지 않은 연차 이월 돼?")
    assert [(c.verdict, c.by) for c in answer.citations] == [("supported", "rules"), ("unsupported", "rules")]


async def test_a_deleted_document_stops_answering_at_once_in_the_middle_of_a_conversation_too(desk: Desk) -> None:
    await desk.holds("leave.md", LEAVE)
    async with desk.open():
        before = await desk.hears("쓰지 않은 연차 이월 돼?", thread="1.0")
        await remove_document(desk.record.engine, before.sources[0].document_id)
        after = await desk.hears("쓰지 않은 연차 이월 돼?", thread="1.0")
        elsewhere = await desk.hears("쓰지 않은 연차 이월 돼?", thread="2.0")
    assert before.sources
    for answer in (after, elsewhere):
        assert (answer.sources, answer.notices) == ((), ("unknown",))
        assert "닷새" not in answer.text


async def test_a_changed_document_answers_with_what_it_says_now(desk: Desk) -> None:
    await desk.holds("leave.md", LEAVE)
    async with desk.open():
        before = await desk.hears("쓰지 않은 연차 이월 돼?", thread="1.0")
        await desk.holds("leave.md", LEAVE.replace("닷새까지", "열흘까지"))
        after = await desk.hears("쓰지 않은 연차 이월 돼?", thread="1.0")
    assert "닷새까지 이월" in before.text
    assert "열흘까지 이월" in after.text
    assert "닷새까지 이월" not in after.text


@pytest.mark.parametrize(
    ("question", "begins", "said"),
    [
        ("VPN 토큰은 언제 만료돼?", "찾아봤지만 이 질문의 답은 없어요.", "토큰은 헬프데스크가 발급해요"),
        ("How long is the gate badge valid?", "I looked and found no answer to this.", "badge for the gate"),
    ],
)
async def test_a_passage_on_the_subject_without_the_date_or_number_that_is_asked_is_only_near(
    desk: Desk, question: str, begins: str, said: str
) -> None:
    await desk.holds("vpn.md", "# VPN 토큰\n\nVPN 토큰은 헬프데스크가 발급해요. 만료된 VPN 토큰은 다시 신청하세요.\n")
    await desk.holds("gate.md", "# Gate badge\n\nA valid badge for the gate is issued at the front desk. Wear the gate badge visibly.\n")
    async with desk.open():
        answer = await desk.hears(question)
    assert answer.text.startswith(begins)
    assert said in answer.text
    assert answer.notices == ("no_model", "unknown")
