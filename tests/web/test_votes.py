"""Thumbs on the page: one vote however often it is pressed, seen by its voter and by reviewers; verdicts with a way back."""

from uuid import uuid4

from feedback.votes import cast, list_votes
from nod.contracts import Outcome, Person, Place, Question, Route, Vote


async def votes(engine):
    return [(row.vote, row.reasons, row.comment) for row in await list_votes(engine)]


async def test_pressed_twice_by_mistake_a_thumb_counts_once_and_pressed_again_it_is_taken_back(visits, engine):
    visitor = await visits("member")
    path = f"/chat/answers/{await visitor.answered('One?', 'One.')}/vote"
    await visitor.post(path, {"value": "down", "kind": "set"})
    shown = await visitor.post(path, {"value": "down", "kind": "set"})
    assert await votes(engine) == [("down", (), None)]
    assert '"value": "down", "kind": "unset"' in shown.text
    await visitor.post(path, {"value": "down", "kind": "unset"})
    assert await votes(engine) == [("withdrawn", (), None)]


async def test_the_other_thumb_changes_the_vote_and_taking_it_back_leaves_none(visits, engine):
    visitor = await visits("member")
    path = f"/chat/answers/{await visitor.answered('One?', 'One.')}/vote"
    await visitor.post(path, {"value": "up", "kind": "set"})
    await visitor.post(path, {"value": "down", "kind": "set"})
    assert (await votes(engine))[0][0] == "down"
    await visitor.post(path, {"value": "down", "kind": "unset"})
    assert (await votes(engine))[0][0] == "withdrawn"


async def test_a_thumbs_down_asks_why_and_reasons_with_the_right_answer_reach_the_reviewer(visits, engine):
    visitor, reviewer = await visits("member", "지수"), await visits("reviewer", "민지")
    answer_id = await visitor.answered("연차 이월 돼?", "5일까지 돼요.")
    asked = await visitor.post(f"/chat/answers/{answer_id}/vote", {"value": "down", "kind": "set"}, headers={"Accept-Language": "ko"})
    assert "무엇이 문제였나요?" in asked.text
    assert asked.text.count('name="reason"') == 7
    thanked = await visitor.post(f"/chat/answers/{answer_id}/reasons", {"reason": ["outdated", "made_up"], "comment": "올해부터 10일"})
    assert "/review" not in thanked.text
    assert await votes(engine) == [("down", ("outdated",), "올해부터 10일")]
    page = (await reviewer.get("/review", **{"Accept-Language": "ko"})).text
    assert "올해부터 10일" in page
    assert "옛날 내용이에요" in page
    assert "지수" not in page


async def test_a_follow_up_is_reviewed_with_the_question_before_it(visits):
    reviewer, conversation = await visits("reviewer"), uuid4()
    await reviewer.answered("연차 이월 돼?", "5일까지 돼요.", conversation=conversation)
    follow_up = await reviewer.answered("And half days?", "Yes.", conversation=conversation)
    await reviewer.post(f"/chat/answers/{follow_up}/vote", {"value": "down", "kind": "set"})
    for language, said in (("ko", "바로 앞 질문: 연차 이월 돼?"), ("en", "Before it: 연차 이월 돼?")):
        assert said in (await reviewer.get("/review", **{"Accept-Language": language})).text


async def test_an_unfinished_answer_cannot_be_voted_on(visits, engine):
    visitor = await visits("member")
    answer_id = await visitor.ask("One?")
    said = await visitor.post(f"/chat/answers/{answer_id}/vote", {"value": "up", "kind": "set"})
    assert said.status_code == 409
    assert await votes(engine) == []


async def test_a_verdict_leaves_the_list_and_comes_back_when_it_is_taken_back(visits, engine):
    reviewer = await visits("reviewer")
    answer_id = await reviewer.answered("One?", "One.")
    await reviewer.post(f"/chat/answers/{answer_id}/vote", {"value": "down", "kind": "set"})
    saved = await reviewer.post(f"/review/{answer_id}", {"verdict": "fixable", "correction": "Eins.", "note": "of 2026"})
    assert "hidden" in saved.text.split('id="waiting"')[1].split(">")[0]
    assert str(answer_id) not in (await reviewer.get("/review")).text
    (row,) = await list_votes(engine)
    assert (row.verdict, row.correction, row.note) == ("fixable", "Eins.", "of 2026")
    await reviewer.post(f"/review/{answer_id}/undo")
    assert str(answer_id) in (await reviewer.get("/review")).text
    assert (await list_votes(engine))[0].verdict is None


async def test_fixable_without_the_right_answer_is_said_and_changes_nothing(visits, engine):
    reviewer = await visits("reviewer")
    answer_id = await reviewer.answered("One?", "One.")
    await reviewer.post(f"/chat/answers/{answer_id}/vote", {"value": "down", "kind": "set"})
    said = await reviewer.post(f"/review/{answer_id}", {"verdict": "fixable", "correction": "  "})
    assert said.status_code == 422
    assert "needs the right answer" in said.text
    assert (await list_votes(engine))[0].verdict is None


async def test_a_direct_message_in_chat_is_neither_shown_nor_counted_nor_open_to_a_verdict(visits, engine, record, services):
    reviewer = await visits("admin")
    jisu = Person(platform="slack", workspace="T1", external_id="U1", name="지수")
    asked = await record.accept(
        Question(
            person=jisu, place=Place(platform="slack", workspace="T1", channel="D1", visibility="direct"), message_id="1.0",
            text="내 연봉은?", route=Route(channel="D1"), language="ko", asked_at=(await _now(engine)),
        )
    )  # fmt: skip
    (task,) = await services.claims.claim(1)
    await record.finish(asked.answer_id, task.attempt, Outcome(status="answered", text="비밀이에요."))
    await cast(
        engine, record, Vote(event_id=str(uuid4()), person=jisu, kind="set", value="down", source="button", token="-1",
                             at=await _now(engine), answer_id=asked.answer_id),
    )  # fmt: skip
    page = (await reviewer.get("/review?show=all")).text
    assert "연봉" not in page
    assert str(asked.answer_id) not in page
    assert 'id="waiting" title="0' in page
    assert (await reviewer.post(f"/review/{asked.answer_id}", {"verdict": "bad"})).status_code == 404
    assert (await reviewer.get(f"/review/{asked.answer_id}/sources/1")).status_code == 404
    assert (await reviewer.get(f"/chat/answers/{asked.answer_id}")).status_code == 404


async def _now(engine):
    from sqlalchemy import text

    async with engine.connect() as db:
        return (await db.execute(text("SELECT now()"))).scalar_one()
