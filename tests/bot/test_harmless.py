"""Nothing a model writes is a link or a picture, unless the asker wrote its address."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bot.harmless import BREAK, dead_links

PIECES = st.lists(
    st.sampled_from(
        ["https://evil.example/?q=", "http://ok.example/a", "https://ok.example/b.", "](", ")", "[x", "]", "![", "[1]: ", "\n", " ", "비밀", "www.", "//", ":", "h", "ttp", "s://", "("]
    ),
    max_size=30,
).map("".join)  # fmt: skip
ASKED = st.sampled_from(["", "이게 뭐야? https://ok.example/b", "See http://ok.example/a, please."])


def links_in(text: str) -> list[str]:
    """What a chat platform would make a link of: addresses, Markdown links and pictures, definitions."""
    found = re.findall(r"https?://[^\s<>|\"'`)\]]+", text)
    found += re.findall(r"\]\(([^)\s]*)", text)
    return found + re.findall(r"^ {0,3}\[[^\]\n]+\]: *(\S+)", text, re.MULTILINE) + re.findall(r"www\.\S+", text)


def test_an_address_of_the_models_own_is_no_link() -> None:
    for text in (
        "자세히: https://evil.example/?q=비밀",
        "[규정](https://evil.example/?q=secret)",
        "![그림](//evil.example/p.png)",
        "see [here](evil.example)",
        "[1]: https://evil.example\nas in [x][1]",
        "www.evil.example",
        "HTTPS://EVIL.example",
        "<https://evil.example|policy>",
    ):
        shown = dead_links(text, "연차 이월 돼?")
        assert links_in(shown) == [], shown
        assert shown.replace(BREAK, "") == text


def test_an_address_which_the_asker_wrote_stays_alive() -> None:
    for asked in ("https://ok.example/a 요약해 줘", "What is https://ok.example/a?"):
        assert dead_links("여기 https://ok.example/a 와 [a](https://ok.example/a).", asked).count(BREAK) == 0
        assert (
            dead_links("[문서](https://ok.example/a)를, [글](https://ok.example/a)에서 보세요. [it](https://ok.example/a)'s", asked).count(
                BREAK
            )
            == 0
        )
        assert links_in(dead_links("https://ok.example/ab https://ok.example/a?q=1", asked)) == []


def test_citations_and_times_are_left_as_they_are() -> None:
    for text in ("5일까지예요 [1] [2].", "At 10:30 (KST): yes [1].", "표 (1) / 비율 3:1"):
        assert dead_links(text, "") == text


@example("](http://ok.example/a](", "See http://ok.example/a, please.")
@given(PIECES, ASKED)
def test_only_what_was_asked_is_ever_a_link(text: str, asked: str) -> None:
    alive = {found.rstrip(".,?") for found in re.findall(r"https?://\S+", asked)}
    assert {found.rstrip(".,:;") for found in links_in(dead_links(text, asked))} <= alive


@example("www.http://ok.example/a", "See http://ok.example/a, please.")
@given(PIECES, ASKED)
def test_a_growing_text_never_takes_anything_back(text: str, asked: str) -> None:
    shown = ""
    for length in range(len(text) + 1):
        now = dead_links(text[:length], asked, is_final=length == len(text))
        assert now.startswith(shown)
        shown = now
