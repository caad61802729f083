"""What a model writes looks right in Slack and does nothing there."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.faces import foot_of
from bot.platform import Face
from bot.slack.render import asked_from, blocks_from, dialog_from, fallback_from, harmless
from bot.slack.text import text_from
from nod.contracts import Answer, Source
from tests.asked import JISU, asks
from tests.fakes.slack_blocks import check_blocks, check_view

MENTION = re.compile(r"<(@[UWB]|![a-z]|#[CGD])")
PIECES = st.lists(
    st.sampled_from(["<", "@", "!", "#", "U1>", "channel>", "here|x>", "C1>", "subteam^S1>", "--", "DOCTYPE", " ", "비밀", "https://", "evil.kr/x", "]("]),
    max_size=30,
).map("".join)  # fmt: skip


def answered(**changes: object) -> Answer:
    question = asks("연차 이월 돼?")
    values = {
        "answer_id": uuid4(), "question_id": uuid4(), "conversation_id": uuid4(), "person_id": 1, "person": JISU, "place": question.place,
        "route": question.route, "question": question.text, "language": "ko", "version": 1, "position": 1, "attempt": 1, "strikes": 0,
        "status": "answered", "text": "네 [1].", "accepted_at": datetime.now(UTC),
    }  # fmt: skip
    return Answer.model_validate({**values, **changes})


@given(PIECES)
def test_nobody_is_mentioned(text: str) -> None:
    assert not MENTION.search(harmless(text, "", is_final=True))
    assert harmless(text, "", is_final=True).replace("\u200b", "") == text.replace("\u200b", "")


@given(PIECES, st.integers(1, 7))
def test_nobody_is_mentioned_by_appends_that_each_look_harmless(text: str, step: int) -> None:
    shown = ""
    for length in [*range(0, len(text), step), len(text)]:
        now = harmless(text[:length], "", is_final=length == len(text))
        assert now.startswith(shown)
        shown += now[len(shown) :]
    assert not MENTION.search(shown)


def test_comments_and_headers_of_pages_stay_as_they_are() -> None:
    for text in ("<!-- 주석 -->", "<!DOCTYPE html>", "a < b", "x <= 1 # 주석"):
        assert harmless(text, "", is_final=True) == text


SOURCES = (
    Source(n=1, document_id=1, passage_id=1, title="hr-policy.pdf", page=12, date="2026-03-02", url="https://wiki.example/hr"),
    Source(n=2, document_id=2, passage_id=2, title="<!channel> & co", heading="이월", url="javascript:alert(1)"),
)


def test_sources_stand_below_the_answer_with_title_page_and_date() -> None:
    answer = answered(sources=SOURCES, notices=("no_model",))
    blocks = blocks_from(Face(answer.text, foot=foot_of(answer)), answer)
    check_blocks(blocks)
    small = [block["elements"][0]["text"] for block in blocks if block["type"] == "context"]
    assert "[1] <https://wiki.example/hr|hr-policy.pdf 12쪽 · 2026-03-02>" in small[0]
    assert "[2] &lt;!channel&gt; &amp; co 이월" in small[0]
    assert "javascript" not in small[0]
    assert small[1] == "언어 모델이 없어서 답하는 대신 인용했어요."
    english = answer.model_copy(update={"language": "en"})
    assert "p. 12" in str(blocks_from(Face("Yes [1].", foot=foot_of(english)), english))


@pytest.mark.parametrize(
    ("error", "language", "says", "button"),
    [
        ("timeout", "ko", "모델이 제때 응답하지 않았어요.", "다시 시도"),
        ("timeout", "en", "the model did not answer in time.", "Try again"),
        ("expired", "ko", "너무 오래 걸렸어요.", "다시 묻기"),
        ("expired", "en", "This took too long.", "Ask again"),
    ],
)
def test_an_apology_says_why_with_an_id_and_a_way_to_try_again(error: str, language: str, says: str, button: str) -> None:
    answer = answered(status="failed", error=error, text="", language=language)
    blocks = blocks_from(Face("", foot=foot_of(answer)), answer)
    check_blocks(blocks)
    assert says in blocks[0]["text"]["text"]
    assert answer.code in blocks[0]["text"]["text"]
    assert blocks[1]["elements"][0]["value"] == answer.answer_id.hex
    assert blocks[1]["elements"][0]["text"]["text"] == button
    assert not [block for block in blocks if block["type"] == "context_actions"]
    assert answer.code in fallback_from(Face("", foot=foot_of(answer)))


def test_the_text_for_notifications_fits_what_an_edit_may_hold() -> None:
    assert len(fallback_from(Face("한" * 4_000)).encode()) <= 4_000


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_dialog_offers_the_seven_reasons_in_their_order(language: str) -> None:
    view = dialog_from(uuid4(), language)
    check_view(view, ("modal",))
    options = view["blocks"][0]["element"]["options"]
    assert [option["value"] for option in options] == ["wrong", "outdated", "off_topic", "incomplete", "no_source", "style", "unsafe"]
    assert options[0]["text"]["text"] == {"ko": "틀렸어요", "en": "It is wrong"}[language]


def test_a_question_by_command_is_shown_as_it_was_typed_and_mentions_nobody() -> None:
    text, blocks = asked_from("jisu", "<!channel> 연차\n이월 & 반차?", "ko")
    check_blocks(blocks)
    assert "jisu 님의 질문" in text
    assert "> &lt;!channel&gt; 연차\n> 이월 &amp; 반차?" in text


def test_what_people_write_in_slack_is_read_as_they_see_it() -> None:
    assert text_from("<@U0NOD> 연차 &amp; 반차 &lt;5일&gt;?", "U0NOD") == "연차 & 반차 <5일>?"
    assert text_from("hey <@U0NOD|nod>, ask <@U2|alex> in <#C9|help>", "U0NOD") == "hey , ask @alex in #help"
    assert (
        text_from("<https://wiki.example/a|규정> <https://b.example> <!here>", "U0NOD")
        == "규정 (https://wiki.example/a) https://b.example @here"
    )
