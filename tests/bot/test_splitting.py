"""A long answer goes over several messages: nothing is lost, nothing moves, nothing that people see as one is cut."""

import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.platform import Limit
from bot.splitting import Piece, pieces_from

KOREAN = "연차는 다음 해 삼월까지 이월할 수 있어요. "
ENGLISH = "Leave can be carried over until March. "
FAMILY = "👨‍👩‍👧‍👦"
WORDS = st.sampled_from(
    [KOREAN, ENGLISH, "가", "각", "a", " ", "\n", "\n\n", "\r\n", ".", "!", FAMILY, "👍🏽", "🇰🇷", "🇰🇷🇺🇸", "e\u0301", "각", "1️⃣", "한", "️"]
)
FENCES = st.sampled_from(["\n```\n", "\n```python\n", "```", "\n~~~\n", "x = 1\n", "말 ", "\n\n", "def f():\n    return 1\n"])
TEXTS = st.lists(st.one_of(WORDS, FENCES), max_size=120).map("".join)
LIMITS = st.one_of(
    st.integers(64, 400).map(lambda most: Limit(most, "bytes")), st.integers(64, 400).map(lambda most: Limit(most, "characters"))
)


def size_of(text: str, limit: Limit) -> int:
    return len(text.encode()) if limit.unit == "bytes" else len(text)


def split(text: str, limit: Limit) -> list[Piece]:
    return pieces_from(text, lambda _: limit)


@given(TEXTS, LIMITS)
def test_no_character_is_lost_and_none_is_said_twice(text: str, limit: Limit) -> None:
    pieces = split(text, limit)
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text


@given(TEXTS, LIMITS)
def test_every_piece_fits_its_limit(text: str, limit: Limit) -> None:
    for piece in split(text, limit):
        assert size_of(piece.shown, limit) <= limit.most


@settings(max_examples=200)
@given(TEXTS, LIMITS)
@example("가" * 80 + "\n" * 6 + "나" * 80, Limit(400, "bytes"))
@example("x" * 88 + "\n" + "\n```\n" + "y" * 90, Limit(100, "characters"))
def test_where_a_full_piece_ends_never_moves_while_the_text_grows(text: str, limit: Limit) -> None:
    ends: list[tuple[int, str]] = []
    for length in range(len(text) + 1):
        full = [(piece.end, piece.shown) for piece in split(text[:length], limit) if piece.is_full]
        assert full[: len(ends)] == ends
        ends = full


@given(TEXTS, LIMITS)
def test_a_growing_piece_only_ever_gets_longer(text: str, limit: Limit) -> None:
    shown: list[str] = []
    for length in range(len(text) + 1):
        now = [piece.shown for piece in split(text[:length], limit)]
        for old, new in zip(shown, now, strict=False):  # but for a family of which only the father had arrived at the limit
            assert new.startswith((old, "".join(regex.findall(r"\X", old)[:-1])))
        shown = now


@given(st.lists(WORDS, max_size=150).map("".join), LIMITS)
def test_what_people_see_as_one_character_is_never_cut(text: str, limit: Limit) -> None:
    clusters = {0}
    for cluster in regex.findall(r"\X", text):
        clusters.add(max(clusters) + len(cluster))
    if max((len(cluster) for cluster in regex.findall(r"\X", text)), default=0) < 60:
        assert {piece.end for piece in split(text, limit)} <= clusters


def test_a_long_korean_answer_is_cut_between_paragraphs() -> None:
    paragraph = KOREAN * 10 + "\n\n"
    pieces = split(paragraph * 10, Limit(4_000, "bytes"))
    assert len(pieces) > 1
    assert all(piece.shown.endswith("\n\n") for piece in pieces)


def test_a_long_english_answer_is_cut_between_sentences_where_there_are_no_paragraphs() -> None:
    pieces = split(ENGLISH * 120, Limit(2_000, "characters"))
    assert all(piece.shown.endswith(". ") for piece in pieces)


def test_a_code_block_is_closed_and_opened_again() -> None:
    code = "코드예요.\n```python\n" + "x = 1\n" * 60 + "```\n끝"
    first, second, *_ = split(code, Limit(200, "characters"))
    assert first.shown.startswith("코드예요.\n```python\n")
    assert first.shown.endswith("\n```")
    assert second.shown.startswith("```python\nx = 1\n")
    last = split(code, Limit(200, "characters"))[-1]
    assert last.shown.endswith("```\n끝")


def test_a_text_that_fits_is_one_piece() -> None:
    assert [piece.shown for piece in split("짧아요", Limit(4_000, "bytes"))] == ["짧아요"]
    assert [piece.shown for piece in split("", Limit(4_000, "bytes"))] == [""]


def test_pieces_kept_from_before_stay_as_they_are() -> None:
    text = ENGLISH * 30
    first = split(text, Limit(400, "characters"))[0]
    pieces = pieces_from(text, lambda _: Limit(200, "characters"), [first])
    assert pieces[0] == first
    assert pieces[1].start == first.end
    assert len(pieces[1].shown) <= 200
