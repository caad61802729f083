"""A question in the record becomes an answer in the record, whatever happens on the way."""

from tests.fakes.model import FakeModel
from tests.workers.desk import Desk


async def test_an_answer_grows_while_the_model_speaks(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_stream("네, 연차는 다음 해 3월까지 닷새를 이월할 수 있어요.", tokens=20, every=0.05)
    async with model_desk.open():
        accepted = await model_desk.asks("연차 이월 돼?")
        answer = await model_desk.reads(accepted)
        events = await model_desk.until_announced(accepted.answer_id)
    grown = [event for event in events if event.kind == "grew"]
    assert answer.status == "answered"
    assert answer.text == "네, 연차는 다음 해 3월까지 닷새를 이월할 수 있어요."
    assert len(grown) >= 3
    assert [event.offset for event in grown] == [sum(len(e.text) for e in grown[:n]) for n in range(len(grown))]
    assert "".join(event.text for event in grown) == answer.text
    assert events[0].kind == "started"
    assert events[-1].kind == "done"


async def test_a_follow_up_is_answered_with_the_earlier_turns_in_view(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("15일입니다.", "네, 반차도 됩니다.")
    async with model_desk.open():
        await model_desk.hears("휴가 며칠 남았어?")
        await model_desk.hears("반차도 돼?")
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]


async def test_without_a_model_an_unknown_question_is_answered_by_saying_so(desk: Desk) -> None:
    async with desk.open():
        korean = await desk.hears("김치찌개 끓이는 법 알려줘", thread="1.0")
        english = await desk.hears("Who won the chess match?", thread="2.0")
    assert korean.text == "찾아봤지만 몰라요."
    assert english.text == "I looked and don't know."
    assert korean.notices == ("unknown", "no_model")
    assert not korean.sources
