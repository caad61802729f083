"""Quotes are whole sentences, word for word, short, and about the question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.cite import MOST_CHARACTERS, MOST_QUOTES, cited, quotes
from knowledge.search import Passage
from knowledge.sentences import sentences

LEAVE = (
    "연차는 입사일에 따라 생겨요. 쓰지 않은 연차는 다음 해 3월 31일까지 5일까지 이월할 수 있어요. 반차는 0.5일로 세요. "
    "병가는 연 10일까지 쓸 수 있어요."
)
VPN = "The VPN needs a client. Choose Seoul and press Connect. If it does not connect, restart the client. Ask IT for a new token."


def passage(text: str, number: int = 1, score: float = 5.0) -> Passage:
    return Passage(number, number, f"문서 {number}", "", None, "2026-03-02", None, text, "", score, {})


@pytest.mark.parametrize(
    ("question", "text", "quote"),
    [
        ("연차 며칠까지 이월돼?", LEAVE, "쓰지 않은 연차는 다음 해 3월 31일까지 5일까지 이월할 수 있어요."),
        ("병가는요?", LEAVE, "병가는 연 10일까지 쓸 수 있어요."),
        ("it does not connect, restart?", VPN, "If it does not connect, restart the client."),
        ("where do I get a token", VPN, "Ask IT for a new token."),
    ],
)
def test_the_sentence_that_answers_is_quoted(question: str, text: str, quote: str):
    (found,) = quotes(question, [passage(text)])
    assert (found.n, found.text) == (1, quote)


def test_words_in_two_neighbouring_sentences_are_quoted_together():
    (found,) = quotes("choose Seoul, then restart?", [passage(VPN)])
    assert found.text == "Choose Seoul and press Connect. If it does not connect, restart the client."


def test_passages_far_below_the_best_are_not_quoted():
    near, far = passage("연차는 이월돼요.", 2, 4.0), passage("연차 이월은 다른 규정에 있어요.", 3, 2.0)
    assert [quote.passage.passage_id for quote in quotes("연차 이월", [passage("연차 이월 규정.", 1), near, far])] == [1, 2]


def test_what_two_copies_of_a_document_say_is_quoted_once():
    copies = [passage(LEAVE, 1), passage(LEAVE, 2), passage("연차는 반차로도 이월돼요.", 3)]
    assert sorted(quote.passage.passage_id for quote in quotes("연차 이월", copies)) == [1, 3]


def test_a_fence_is_never_quoted_without_its_end():
    (found,) = quotes("how to ingest", [passage("Run this.\n```sh\nnod ingest FOLDER\n```\nThen ingest again.")])
    assert "```" not in found.text
    assert "ingest" in found.text


def test_a_row_of_a_table_is_quoted_below_the_head_of_its_table():
    table = "| 구분 | 일수 |\n|---|---|\n| 병가 | 10 |\n| 연차 | 15 |"
    assert quotes("연차", [passage(table)])[0].text == "| 구분 | 일수 |\n|---|---|\n| 연차 | 15 |"


STEPS = "```\nvpn setup\n```\n\n1. Open the client.\n2. Paste the token.\n\nThe token is kept."
STEPS_KO = "1. 클라이언트를 여세요.\n2. 토큰을 붙여 넣으세요.\n   메일에 있어요.\n\n토큰은 보관돼요."


@pytest.mark.parametrize(
    ("question", "text", "quote"),
    [
        ("how do I paste the token", STEPS, "1. Open the client.\n2. Paste the token."),
        ("토큰은 어떻게 붙여 넣어?", STEPS_KO, "1. 클라이언트를 여세요.\n2. 토큰을 붙여 넣으세요.\n   메일에 있어요."),
    ],
)
def test_steps_are_quoted_together_each_in_its_line(question: str, text: str, quote: str):
    assert quotes(question, [passage(text)])[0].text.startswith(quote)


def test_a_passage_that_its_heading_names_is_quoted_from_its_beginning_with_its_listing_and_its_steps():
    named = Passage(1, 1, "Connect the VPN", "Step by step", None, None, None, STEPS, "", 5.0, {})
    assert quotes("how do I connect the vpn?", [named])[0].text == STEPS


def test_a_table_that_its_heading_names_is_quoted_whole():
    table = "| 구분 | 일수 |\n|---|---|\n| 병가 | 10 |\n| 연차 | 15 |"
    named = Passage(1, 1, "휴가 일수", "", None, None, None, table, "", 5.0, {})
    assert quotes("휴가 일수가 어떻게 돼?", [named])[0].text == table


def test_quotes_are_in_the_language_of_the_best_passage():
    korean, english = passage("VPN은 서울로 연결하세요.", 1), passage("Connect the VPN to Seoul.", 2)
    assert [quote.passage.passage_id for quote in quotes("vpn", [korean, english])] == [1]
    assert [quote.passage.passage_id for quote in quotes("vpn", [english, korean])] == [2]


def test_a_passage_found_by_its_title_alone_is_still_quoted():
    assert quotes("VPN 접속 안내", [passage("서울을 고르세요. 연결을 누르세요.")])[0].text == "서울을 고르세요."


def test_a_sentence_that_is_too_long_is_cut_only_when_there_is_no_other():
    endless = "연차 " * 400
    (found,) = quotes("연차", [passage(endless)])
    assert found.text.endswith("연차…")
    assert len(found.text) <= MOST_CHARACTERS
    assert quotes("연차", [passage(endless), passage("연차는 이월돼요.", 2)])[0].text == "연차는 이월돼요."


def test_nothing_found_is_nothing_quoted():
    assert quotes("연차", []) == ()


PARTS = [*sentences(LEAVE), *sentences(VPN), "\n\n", "- 하나\n", "```\n", "글자 " * 150, "x" * 700, "2026. "]
texts = st.lists(st.sampled_from(PARTS), min_size=1, max_size=8).map("".join).filter(lambda text: any(map(str.isalnum, text)))
found = st.lists(st.tuples(texts, st.floats(0.1, 9)), max_size=6).map(
    lambda rows: [passage(text, n, score) for n, (text, score) in enumerate(sorted(rows, key=lambda row: -row[1]))]
)


@given(question=st.sampled_from(["연차 이월", "how do I connect", "반차 token", "", "없는 말"]), passages=found)
def test_quotes_are_few_short_and_word_for_word(question: str, passages: list[Passage]):
    quoted = quotes(question, passages)
    assert bool(quoted) == bool(passages)
    assert [quote.n for quote in quoted] == list(range(1, len(quoted) + 1))
    assert len(quoted) <= MOST_QUOTES
    assert sum(len(quote.text) for quote in quoted) <= MOST_CHARACTERS
    assert len({quote.passage.passage_id for quote in quoted}) == len(quoted)
    assert all(quote.text.removesuffix("…") in quote.passage.text for quote in quoted)


@given(question=st.sampled_from(["연차 이월", "how do I connect", "반차 token"]), passages=found)
def test_quotes_are_whole_sentences(question: str, passages: list[Passage]):
    for quote in quotes(question, passages):
        if not quote.text.endswith("…"):
            parts = sentences(quote.passage.text)
            runs = {"".join(parts[a:b]).strip() for a in range(len(parts)) for b in range(a + 1, len(parts) + 1)}
            assert quote.text in runs


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("5일까지 이월돼요 [2]. 반차도요 [1][3].", [2, 1, 3]),
        ("Up to five days [1, 2], half days too [2].", [1, 2]),
        ("`items[1]` and ```\nx[2]\n``` and [3](https://a.example) and [4]", [4]),
        ("[0] [x] [123] 1] [ 2 ]", []),
        ("", []),
    ],
)
def test_which_passages_a_text_points_to(text: str, numbers: list[int]):
    assert cited(text) == numbers
