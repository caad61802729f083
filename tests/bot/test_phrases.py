"""There is a phrase for every kind that can happen, and Korean ones are polite."""

import re

import pytest

from bot.faces import PHRASES, queue_step, step_phrase
from feedback.votes import REASONS
from nod.contracts import AnswerEvent

MODEL_ERRORS = (
    "bad_key", "forbidden", "no_model", "rate_limited", "no_quota", "overloaded", "model_down", "timeout", "cut", "empty", "filtered", "too_long",
)  # fmt: skip


@pytest.mark.parametrize("kind", [*MODEL_ERRORS, "strikes", "internal"])
def test_every_way_to_fail_has_a_sentence(kind: str) -> None:
    assert PHRASES.has(f"error.{kind}")


@pytest.mark.parametrize("kind", ["no_model", "model_down", "daily_limit", "admins_told", "unknown", "cut", "stopped"])
def test_every_notice_has_a_sentence(kind: str) -> None:
    assert PHRASES.has(f"notice.{kind}")


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_name(reason: str) -> None:
    assert PHRASES.has(f"reason.{reason}")


def test_korean_phrases_are_korean_and_polite() -> None:
    for key in PHRASES.keys("ko"):
        said = PHRASES.raw(key, "ko")
        assert re.search("[가-힣]", said), key
        assert not re.search(r"(습니다|합니다|십시오)", said), key


def test_a_step_is_shown_in_the_askers_language() -> None:
    step = AnswerEvent(kind="step", name="searched", data={"passages": 3})
    assert step_phrase(step, "ko") == "3곳을 읽고 있어요…"
    assert step_phrase(step, "en") == "Reading 3 passages…"
    assert step_phrase(AnswerEvent(kind="step", name="searched", data={"passages": 0}), "ko") == "생각하고 있어요…"
    assert step_phrase(AnswerEvent(kind="step", name="something_new"), "en") == "Thinking…"
    assert step_phrase(AnswerEvent(kind="step", name="still_working"), "ko") == "아직 답을 준비하고 있어요…"
    assert step_phrase(AnswerEvent(kind="step", name="still_working"), "en") == "Still working on it…"
    assert step_phrase(None, "ko") == "문서를 찾고 있어요…"


def test_a_place_in_the_queue_is_told_with_the_time_as_far_as_it_is_known() -> None:
    assert step_phrase(queue_step(37, 130.0), "ko") == "37번째 순서예요 (약 2분)."
    assert step_phrase(queue_step(37, 130.0), "en") == "Number 37 in line (about 2 min)."
    assert step_phrase(queue_step(3, 8.0), "ko") == "3번째 순서예요 (1분 안에)."
    assert step_phrase(queue_step(3, 8.0), "en") == "Number 3 in line (less than a minute)."
    assert step_phrase(queue_step(3, None), "ko") == "3번째 순서예요."
