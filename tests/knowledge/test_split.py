"""Splitting loses no character, keeps the order and the limits, in both languages."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.loaded import Block
from knowledge.sentences import sentences
from knowledge.split import LARGEST, TARGET, split

ENGLISH = ["Leave can be carried over.", "Ask Dr. Kim first!", "See 3.2 for e.g. half days", "Is it 5 days?", "word"]
KOREAN = ["연차는 이월할 수 있어요.", "반차도 됩니다.그래서 좋아요!", "며칠이에요?", "끝\n", "가"]
texts = st.lists(st.sampled_from([*ENGLISH, *KOREAN, "\n\n", "\n- 하나", " ", "x" * 700, "한" * 900, "| a | b |\n"]), max_size=40).map(
    " ".join
)
blocks = st.builds(
    Block, text=texts, kind=st.sampled_from(["text", "list", "table", "code"]),
    heading=st.sampled_from([(), ("휴가",), ("휴가", "이월"), ("VPN",)]), page=st.none() | st.integers(1, 9),
)  # fmt: skip


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(st.lists(blocks, max_size=6))
def test_no_character_is_lost_and_the_order_is_kept(document: list[Block]):
    assert squeezed("".join(piece.text for piece in split(document))) == squeezed("".join(block.text for block in document))


@given(st.lists(blocks, max_size=6))
def test_a_passage_is_never_longer_than_the_limit_and_never_empty(document: list[Block]):
    assert all(0 < len(piece.text.strip()) <= LARGEST for piece in split(document))


@given(st.lists(blocks, max_size=6))
def test_a_passage_stands_below_one_heading_and_on_a_page_of_its_own_blocks(document: list[Block]):
    known = {(" › ".join(block.heading), block.page) for block in document}
    assert {(piece.heading, piece.page) for piece in split(document)} <= known


@given(texts)
def test_sentences_put_together_are_the_text(text: str):
    assert "".join(sentences(text)) == text


def test_a_passage_holds_about_a_thousand_characters_and_ends_with_a_sentence():
    for sentence in ("연차는 다음 해 삼월까지 이월할 수 있어요. ", "Leave can be carried over until the end of March. "):
        pieces = split([Block(sentence * 100)])
        assert all(TARGET / 2 < len(piece.text) <= TARGET for piece in pieces[:-1])
        assert all(piece.text.endswith(".") for piece in pieces)


def test_paragraphs_that_fit_stay_whole():
    paragraphs = [f"{n} " + "말 " * 180 for n in range(6)]
    pieces = split([Block(paragraph) for paragraph in paragraphs])
    assert [piece.text.count("\n\n") for piece in pieces] == [1, 1, 1]


def test_a_table_and_a_listing_stay_whole_even_if_they_are_long():
    table = "\n".join(f"| {n} | 값 value |" for n in range(90))
    assert TARGET < len(table) < LARGEST
    assert [piece.text for piece in split([Block(table, "table")])] == [table]
    assert [piece.text for piece in split([Block(table, "code")])] == [table]


def test_a_table_that_is_too_long_is_parted_between_its_rows():
    rows = [f"| {n} | 값 value |" for n in range(300)]
    assert all(line in rows for piece in split([Block("\n".join(rows), "table")]) for line in piece.text.split("\n"))


def test_the_head_of_a_table_stands_above_each_of_its_passages_and_no_row_is_lost():
    head, rows = "| 이름 | days |\n|---|---|", [f"| 사람 {n} | {n} |" for n in range(300)]
    pieces = split(
        [Block("앞말.", heading=("연차",)), Block("\n".join([head, *rows]), "table", ("연차",)), Block("끝.", heading=("연차",))]
    )
    tables = [piece.text.removeprefix("앞말.\n\n").removesuffix("\n\n끝.") for piece in pieces]
    assert len(tables) > 3
    assert all(text.startswith(head + "\n") and len(text) <= LARGEST for text in tables)
    assert [row for text in tables for row in text.split("\n")[2:]] == rows


def test_a_heading_begins_a_new_passage_and_stands_with_it_as_a_path():
    pieces = split([Block("하나.", heading=("휴가", "이월")), Block("둘.", heading=("휴가", "반차"), page=2)])
    assert [(piece.heading, piece.page) for piece in pieces] == [("휴가 › 이월", None), ("휴가 › 반차", 2)]


def test_little_left_at_the_end_joins_what_is_before_it():
    assert len(split([Block("가" * 950), Block("끝이에요.")])) == 1


def test_korean_sentences_end_with_and_without_a_space():
    assert [s.strip() for s in sentences("연차는 이월돼요. 반차도 됩니다!정말요? 네.")] == [
        "연차는 이월돼요.",
        "반차도 됩니다!",
        "정말요?",
        "네.",
    ]


def test_english_abbreviations_and_numbers_end_no_sentence():
    text = "Ask Dr. Kim, e.g. by mail. It costs 3.50 euros. 2. Then press Start."
    assert [s.strip() for s in sentences(text)] == ["Ask Dr. Kim, e.g. by mail.", "It costs 3.50 euros.", "2. Then press Start."]


def test_closing_quotes_belong_to_their_sentence():
    assert [s.strip() for s in sentences('그는 "됩니다." 라고 했다. He said "no." Then left.')] == [
        '그는 "됩니다."',
        "라고 했다.",
        'He said "no."',
        "Then left.",
    ]
