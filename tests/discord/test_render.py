"""How answers look in Discord, decided without Discord: what is harmless, what fits, what a button carries."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord.render import (
    CONTENT,
    HEADED,
    LIMITS,
    command_text,
    content_from,
    custom_id,
    harmless,
    head_from,
    nonce,
    parsed,
    reasons_from,
    reasons_message,
)
from bot.platform import Face, Foot, Limit
from bot.splitting import piece_from
from feedback.votes import REASONS
from nod.contracts import Source

ANSWER_ID = UUID(int=7)


def source(n: int, title: str = "인사 규정 2026.pdf", url: str | None = None) -> Source:
    return Source(n=n, document_id=n, passage_id=n, title=title, page=12, date="2026-03-02", url=url)


@pytest.mark.parametrize(
    "live",
    [
        "<@123456789012345678>",
        "<@!123456789012345678>",
        "<@&123456789012345678>",
        "<#123456789012345678>",
        "<:nod:123456789012345678>",
        "<a:nod:123456789012345678>",
        "<t:1700000000:R>",
        "</ask:123456789012345678>",
        "<mailto:eve@example.com?body=secret>",
        "@everyone",
        "@here",
        "[click](https://evil.example)",
        "https://evil.example/?q=secret",
        "discord.gg/evil",
        "discord.com/invite/evil",
    ],
)
@pytest.mark.parametrize("sentence", ["연차는 {} 이월돼요.", "Leave {} is carried over."])
def test_what_a_model_writes_is_dead(live: str, sentence: str) -> None:
    text = sentence.format(live)
    dead = harmless(text, "question", is_final=True)
    assert live not in dead
    assert dead.replace("\u200b", "") == text  # people read the same


@pytest.mark.parametrize(
    "text", ["a < b 이고 c > d 예요", "if x <= 3 and y >= 4: List<String>", "me@example.com 으로 보내요", "#휴가 3 < 4"]
)
def test_what_does_nothing_stays(text: str) -> None:
    assert harmless(text, "", is_final=True) == text


def test_an_address_of_the_asker_stays_alive() -> None:
    asked = "https://example.com/leave 에 뭐가 있어?"
    assert harmless("거기 https://example.com/leave 를 보세요.", asked, is_final=True) == "거기 https://example.com/leave 를 보세요."


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ko", "-# [1] 인사 규정 2026.pdf 12쪽 · 2026-03-02"), ("en", "-# [1] 인사 규정 2026.pdf p. 12 · 2026-03-02")],
)
def test_sources_stand_below_in_small_print(language: str, expected: str) -> None:
    assert content_from(Face("네 [1].", foot=Foot(sources=(source(1),))), language) == f"네 [1].\n{expected}"


def test_a_source_with_an_address_is_a_link_that_opens_no_preview() -> None:
    shown = content_from(Face("네 [1].", foot=Foot(sources=(source(1, url="https://wiki.example.com/leave"),))), "ko")
    assert "[인사 규정 2026.pdf 12쪽 · 2026-03-02](<https://wiki.example.com/leave>)" in shown


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a.example/) [evil](https://evil.example", "https://a b"])
def test_an_address_that_is_none_is_no_link(url: str) -> None:
    assert "](" not in content_from(Face("네.", foot=Foot(sources=(source(1, url=url),))), "ko")


def test_a_title_cannot_write_markup() -> None:
    shown = content_from(Face("네.", foot=Foot(sources=(source(1, title="**[x](https://evil.example)** <@1> @everyone"),))), "ko")
    for live in ("](https", "<@1>", "@everyone", "**["):
        assert live not in shown


@pytest.mark.parametrize("count", [0, 1, 5, 12])
@pytest.mark.parametrize("mode", sorted(LIMITS))
def test_all_that_stands_below_fits_and_every_source_is_named(count: int, mode: str) -> None:
    text = ("연차는 이월돼요. " * 400)[: LIMITS[mode]]
    sources = tuple(
        source(n, "아주 긴 제목의 인사 규정 문서 2026년 3월 개정판.pdf", "https://wiki.example.com/" + "leave/" * 20)
        for n in range(1, count + 1)
    )
    foot = Foot(sources=sources, notices=("언어 모델이 없어서 답하는 대신 인용했어요.",), can_vote=True)
    shown = content_from(Face(text, foot=foot), "ko", head_from("지수" * 30, "연차 이월 돼? " * 50, "ko") if mode in HEADED else "")
    assert len(shown) <= CONTENT
    assert text.strip() in shown
    assert shown.endswith("인용했어요.")
    for n in range(1, count + 1):
        assert f"[{n}]" in shown


@given(st.text(alphabet="`~\n [](<@!&#:>)/:.ah한글\u200d😀", max_size=4_000))
def test_no_text_is_too_long_or_empty(text: str) -> None:
    words = harmless(text, "", is_final=True)
    piece = piece_from(words, 0, Limit(LIMITS["post"]))
    shown = content_from(Face(piece.shown, foot=Foot(notices=("그때까지 말한 것은 남겨 뒀어요.",))), "ko")
    assert 0 < len(shown) <= CONTENT
    assert shown.endswith("-# 그때까지 말한 것은 남겨 뒀어요.")


def test_what_stands_below_is_never_part_of_a_code_block() -> None:
    shown = content_from(Face("```python\nprint('안녕')", foot=Foot(notices=("여기서 멈췄어요.",))), "ko")
    assert shown == "```python\nprint('안녕')\n```\n-# 여기서 멈췄어요."


@pytest.mark.parametrize(("language", "expected"), [("ko", "-# 지수 님의 질문: 연차 이월 돼?"), ("en", "-# 지수 asks: 연차 이월 돼?")])
def test_a_command_shows_what_was_asked(language: str, expected: str) -> None:
    assert head_from("지수", "연차\n이월 돼?", language) == expected


def test_what_a_command_asked_is_harmless_too() -> None:
    head = head_from("@everyone", "<@1> [x](https://evil.example) discord.gg/evil", "en")
    for live in ("@everyone", "<@1>", "](https", "discord.gg/"):
        assert live not in head


def test_an_address_of_our_own_opens_no_preview() -> None:
    assert command_text("주소예요: http://127.0.0.1:8130/in/abc") == "주소예요: <http://127.0.0.1:8130/in/abc>"


def test_a_nonce_is_the_same_for_the_same_message_and_short_enough() -> None:
    assert nonce(ANSWER_ID, 0, 0) == nonce(ANSWER_ID, 0, 0)
    assert len({nonce(ANSWER_ID, part, lost) for part in range(5) for lost in range(3)}) == 15
    assert len(nonce(ANSWER_ID, 0, 0)) <= 25


def test_a_component_carries_what_is_needed_after_a_restart() -> None:
    assert parsed(custom_id("nod:up", ANSWER_ID)) == ("nod:up", ANSWER_ID, "")
    assert parsed(custom_id("nod:write", ANSWER_ID, "06")) == ("nod:write", ANSWER_ID, "06")
    assert reasons_from("06") == (REASONS[0], REASONS[6])
    for strange in ("", "nod:up", "other", "nod:up:xyz"):
        with pytest.raises(ValueError):
            parsed(strange)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_chosen_reasons_stay_chosen(language: str) -> None:
    select, write = (row["components"][0] for row in reasons_message(ANSWER_ID, language, ("wrong", "style"))["components"])
    assert [option["value"] for option in select["options"] if option["default"]] == ["wrong", "style"]
    assert parsed(write["custom_id"])[2] == "05"
