"""What search makes of a text."""

import unicodedata

import numpy as np
import pytest

from knowledge.analyse import codes, passage_codes, query_from


def ids(text: str) -> list[int]:
    return (codes(text) >> 1).tolist()


def starts(text: str) -> list[int]:
    return (codes(text) & 1).tolist()


def test_a_hangul_word_is_its_bigrams_and_the_first_is_its_head():
    assert ids("연차휴가") == [*ids("연차"), *ids("차휴"), *ids("휴가")]
    assert starts("연차휴가는 반차") == [1, 0, 0, 0, 1]


def test_a_hangul_word_of_one_or_two_characters_is_one_term():
    assert starts("휴가 또 쓸") == [1, 1, 1]


def test_endings_of_korean_words_do_not_hide_their_heads():
    assert ids("이월할")[0] == ids("이월은")[0] == ids("이월")[0]


def test_an_english_word_is_its_stem():
    assert ids("connecting connected connects") == ids("connect connect connect")


def test_words_that_tell_nothing_are_left_out_and_those_that_tell_stay():
    assert ids("how do i the of") == []
    assert len(ids("log out, turn off, not")) == 5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ＶＰＮ １２", "vpn 12"),  # full width
        (unicodedata.normalize("NFD", "휴가 규정"), "휴가 규정"),  # as macOS names files
        ("VPN안내", "vpn 안내"),  # no space between the scripts
        ("Ⅳ급", "iv 급"),
        ("café", "cafe\u0301"),
    ],
)
def test_the_same_thing_written_differently_is_the_same(written: str, meant: str):
    assert ids(written) == ids(meant)


def test_other_scripts_are_terms_too():
    assert len(ids("東京 Москва 2026")) == 3
    assert len(ids("서울市")) == 2


def test_a_stored_passage_is_its_title_then_its_text():
    stored, title_terms = passage_codes("휴가 규정", "연차 leave")
    assert title_terms == 2
    assert np.frombuffer(stored, "<i4").tolist() == codes("휴가 규정 연차 leave").tolist()


def test_earlier_turns_count_half_and_half_again_and_a_word_said_again_counts_once():
    query = query_from("반차", ["연차 규정", "반차 병가"])
    weight = dict(zip(query.ids.tolist(), query.weights.tolist(), strict=True))
    assert [weight[ids(word)[0]] for word in ("반차", "병가", "연차")] == [1, 0.5, 0.25]


def test_turns_too_long_ago_are_forgotten():
    query = query_from("now", ["oldest", *(f"turn{n}" for n in range(5))])
    assert ids("oldest")[0] not in query.ids
    assert ids("turn0")[0] in query.ids


def test_pairs_are_neighbouring_words_of_the_last_turn_by_their_heads():
    query = query_from("연차휴가 이월 carry", ["other words"])
    pairs = {(int(query.ids[a]), int(query.ids[b])): has_hangul for a, b, has_hangul in query.pairs}
    assert pairs == {(ids("연차")[0], ids("이월")[0]): True, (ids("이월")[0], ids("carry")[0]): True}
    assert [has_hangul for *_, has_hangul in query_from("open vpn").pairs] == [False]


def test_alone_a_question_has_forgotten_its_earlier_turns():
    query = query_from("반차", ["연차 규정"]).alone
    assert query.weights.sum() == query.heads.sum() == 1


@pytest.mark.parametrize(("question", "share"), [("연차 이월", 1.0), ("carry over leave", 0.0), ("vpn 접속", 0.5), ("", 0.0)])
def test_how_korean_a_question_is(question: str, share: float):
    assert query_from(question).hangul_share == share


def test_words_and_endings_of_asking_are_left_out_of_questions_not_of_passages():
    asked = query_from("혹시 반차는 어떻게 신청하나요?")
    assert set(asked.ids.tolist()) == {ids("반차는")[0], ids("반차는")[1], *ids("신청하")}
    assert len(ids("어떻게 하나요")) == 4


@pytest.mark.parametrize(
    ("question", "tells"),
    [
        ("슬랙은 어떻게 연결해?", "슬랙은 연결해"),
        ("혹시 이거 무료인가요? 궁금해요", "무료인"),
        ("반차 신청하는 방법 좀 알려주세요", "반차 신청하"),
        ("문서를 넣어 둬야 되는지 알고 싶은데요", "문서를 넣어 알고"),
        ("계약을 해지하자", "계약을 해지하"),
        ("해지 방법", "해지"),  # not a form of 하다
        ("해고는 어떻게 해요? 해고 주기를", "해고는 해고 주기를"),
        ("가을에 보은 가을 휴가 있을까요", "가을에 보은 가을 휴가"),  # verbs that end in a vowel take no 을 or 은
        ("같은 건 없을까요? 가는 데 좋은", "좋은"),
        ("hey, can you please explain how to get the token?", "token"),
        ("what is this thing good for", ""),
    ],
)
def test_what_only_asks_is_left_out(question: str, tells: str):
    assert set(query_from(question).ids[query_from(question).weights > 0].tolist()) == set(ids(tells))


@pytest.mark.parametrize(
    ("question", "asked", "other"),
    [("슬랙", "슬랙", "slack"), ("디스코드에서도", "디스코드", "discord"), ("servers", "server", "서버"), ("메세지", "메세지", "messages")],
)
def test_a_loanword_asks_for_its_other_script_too(question: str, asked: str, other: str):
    query = query_from(question)
    (same,) = [same for same in query.same_words if set(query.ids[list(same.other)].tolist()) == set(ids(other))]
    assert query.ids[list(same.asked)].tolist() == ids(asked)
    assert query.weights[list(same.other)].tolist() == [0.0] * len(same.other)


@pytest.mark.parametrize("word", ["서버실", "키보드", "슬랙스", "portal"])
def test_a_word_that_only_begins_like_a_loanword_is_none(word: str):
    assert query_from(word).same_words == ()


def test_a_loanword_of_an_earlier_turn_asks_for_its_other_script_too():
    assert ids("slack")[0] in query_from("채널은요?", ["슬랙 연결"]).ids


def test_a_term_inside_a_korean_word_knows_its_head():
    query = query_from("연차휴가 휴가")
    head = dict(zip(query.ids.tolist(), query.ids[query.word_heads].tolist(), strict=True))
    assert head[ids("차휴")[0]] == ids("연차")[0]
    assert head[ids("휴가")[0]] == ids("휴가")[0]  # it is a word of its own too
