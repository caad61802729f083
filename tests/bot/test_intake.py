"""What is for us, and what is asked."""

from dataclasses import replace
from datetime import UTC, datetime
from unicodedata import normalize

import pytest

from bot.intake import Blank, Heard, is_stop, question_from
from nod.contracts import Place, Question, Route
from tests.asked import JISU

SAID = Heard(
    person=JISU, place=Place(platform="slack", workspace="T1", channel="C1", thread="1.0"), message_id="1.0", text="연차 이월 돼?",
    route=Route(channel="C1", thread="1.0"), at=datetime.now(UTC), is_to_us=True, is_by_bot=False,
)  # fmt: skip


def test_a_mention_is_a_question_in_its_own_language() -> None:
    korean, english = question_from(SAID, "en"), question_from(replace(SAID, text="Can I carry leave over?"), "ko")
    assert isinstance(korean, Question)
    assert isinstance(english, Question)
    assert (korean.text, korean.language) == ("연차 이월 돼?", "ko")
    assert (english.text, english.language) == ("Can I carry leave over?", "en")


def test_a_bot_is_never_answered() -> None:
    assert question_from(replace(SAID, is_by_bot=True), "en") is None


def test_what_is_said_to_others_is_not_ours() -> None:
    assert question_from(replace(SAID, is_to_us=False), "en") is None


def test_a_call_without_words_is_no_question() -> None:
    for text in ("", "  \n", "\x00"):
        blank = question_from(replace(SAID, text=text), "ko")
        assert isinstance(blank, Blank)
        assert blank.language == "ko"


def test_a_question_without_letters_is_asked_in_the_language_of_the_place() -> None:
    asked = question_from(replace(SAID, text="1 + 1 = ?"), "ko")
    assert isinstance(asked, Question)
    assert asked.language == "ko"


@pytest.mark.parametrize(
    "word", ["stop", "STOP!", " Cancel. ", "그만", "멈춰~", "취소...", "ｓｔｏｐ", ", 그만!", normalize("NFD", "그만")]
)
def test_a_word_that_ends_an_answer_is_known_however_it_is_written(word: str) -> None:
    assert is_stop(word)


@pytest.mark.parametrize("text", ["", "!", "stop it, how?", "그만두는 절차는?", "취소 수수료는?", "how do I cancel leave?", "nonstop"])
def test_what_says_more_than_stop_is_no_stop(text: str) -> None:
    assert not is_stop(text)
