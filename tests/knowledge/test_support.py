"""What a passage says is left alone, in any words; what it does not say is marked: numbers, dates, names, negation, cause and effect.

The 120 pairs in support_pairs.toml were written by somebody who had not seen the rules. Half a may be looked at while fitting; of half b
only the figures count, which docs/knowledge.md has.
"""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from knowledge.quantities import plain, quantities
from knowledge.support import support

PAIRS = tomllib.loads(Path(__file__).with_name("support_pairs.toml").read_text("utf-8"))["pairs"]
WRONG_VALUE, WRONG_WORDS = ("number", "date", "name"), ("unit", "negation", "cause")

LEAVE = (
    "재택근무는 주 2회까지 가능하며, 하루 전까지 팀장에게 알려야 합니다. 수습 기간에는 재택근무를 할 수 없습니다. "
    "장비는 IT지원팀이 대여하고, 수리는 시설팀이 맡습니다. 장비 대여 기한은 3월 31일이며 보증금은 3만 원입니다."
)
NIGHT = (
    "The nightly job starts at 01:30 and takes about 40 minutes. Because the export locks the table, reports cannot be generated "
    "while it runs. Omar restarts it by hand; Priya reviews the log every Monday. Errors are kept for 14 days."
)


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("수습 중에는 재택근무가 안 돼요.", LEAVE),
        ("보증금은 30,000원이고 3월 말일까지 빌릴 수 있어요.", LEAVE),
        ("재택은 일주일에 두 번까지예요.", LEAVE),
        ("고장 난 장비는 시설팀이 고쳐요.", LEAVE),
        ("The job begins at 1:30 a.m.", NIGHT),
        ("No reports while the export runs: it locks the table.", NIGHT),
        ("Error logs stay for two weeks.", NIGHT),
        ("Each Monday Priya goes through the log.", NIGHT),
    ],
)
def test_the_same_in_other_words_is_supported(sentence: str, passage: str):
    assert support(sentence, [passage]).why == ""


@pytest.mark.parametrize(
    ("sentence", "passage", "why"),
    [
        ("보증금은 5만 원입니다.", LEAVE, "number"),
        ("보증금은 3만 달러입니다.", LEAVE, "unit"),
        ("장비는 3월 21일까지 빌릴 수 있어요.", LEAVE, "date"),
        ("장비는 시설팀이 대여합니다.", LEAVE, "name"),
        ("장비는 총무팀이 대여합니다.", LEAVE, "name"),
        ("수습 기간에도 재택근무를 할 수 있습니다.", LEAVE, "negation"),
        ("재택근무는 월 2회까지 가능합니다.", LEAVE, "opposite"),
        ("The nightly job takes about 50 minutes.", NIGHT, "number"),
        ("The nightly job takes about 40 hours.", NIGHT, "unit"),
        ("The nightly job starts at 02:30.", NIGHT, "date"),
        ("Omar reviews the log every Monday.", NIGHT, "name"),
        ("Dana reviews the log every Monday.", NIGHT, "name"),
        ("Reports can be generated while the export runs.", NIGHT, "negation"),
        ("The export locks the table because reports cannot be generated.", NIGHT, "cause"),
        ("The cafeteria serves vegetarian dumplings for breakfast every single morning.", NIGHT, "words"),
    ],
)
def test_what_the_passage_does_not_say_is_found(sentence: str, passage: str, why: str):
    assert support(sentence, [passage]).why == why


def test_of_two_passages_either_may_say_it():
    assert support("보증금은 3만 원이고 오류는 14일 동안 남아요.", [LEAVE, NIGHT]).is_supported


@pytest.mark.parametrize(
    ("sentence", "passage", "is_supported"),
    [
        ("작업은 1시 30분에 시작해서 40분쯤 걸려요.", NIGHT, True),
        ("작업은 50분쯤 걸려요.", NIGHT, False),
        ("작업은 Jenkins가 시작해요.", NIGHT, False),
        ("The deposit is 30,000 won.", LEAVE, True),
        ("The deposit is 50,000 won.", LEAVE, False),
    ],
)
def test_across_languages_numbers_and_latin_names_are_compared_and_that_is_said(sentence: str, passage: str, is_supported: bool):
    checked = support(sentence, [passage])
    assert (checked.is_supported, checked.is_word_for_word) == (is_supported, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3만 원", "30,000원"), ("1억 2천만 원", "120,000,000원"), ("오 일", "5일"), ("닷새", "5 days"), ("2할", "20 percent"),
        ("절반", "50%"), ("1시간", "60분"), ("2주", "14 days"), ("3개월", "90일"), ("일주일", "seven days"), ("두 달 반", "2.5 months"),
        ("31 March", "3월 31일"), ("2026-03-31", "March 31, 2026"), ("3월 말", "31 March"), ("오후 3시 반", "15:30"), ("noon", "12:00"),
        ("금요일", "Friday"), ("2분기", "Q2"), ("25명", "twenty-five people"), ("3영업일", "three working days"), ("$1.5 million", "1,500,000 dollars"),
    ],
)  # fmt: skip
def test_numbers_and_dates_are_the_same_in_every_form(one: str, other: str):
    (here,), (there,) = quantities(plain(one)), quantities(plain(other))
    assert here.agrees_with(there)
    assert there.agrees_with(here)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3만 원", "3천 원"), ("5일", "5영업일"), ("30분", "30시간"), ("6%", "6%p"), ("$30", "30원"), ("160 °C", "160 °F"), ("500 MB", "500 GB"),
        ("3월 31일", "31 May"), ("3월 말", "3월 초"), ("오후 3시", "3 a.m."), ("월요일", "Tuesday"), ("1분기", "Q2"), ("2025년", "2026년"),
    ],
)  # fmt: skip
def test_other_numbers_units_and_dates_are_others(one: str, other: str):
    assert not any(here.agrees_with(there) for here in quantities(plain(one)) for there in quantities(plain(other)))


@pytest.mark.parametrize("text", ["이 일은 내 일이다", "한번 해 보세요", "IP 10.0.0.1", "GPT-4o", "May I come in?", "one of the teams"])
def test_what_only_looks_like_a_number_is_none(text: str):
    assert quantities(plain(text)) == []


def right(half: str) -> dict[str, tuple[int, int]]:
    """Of the pairs of a half, by kind: how many were judged right, of how many."""
    pairs = [pair for pair in PAIRS if pair["half"] == half]
    judged = Counter(p["kind"] for p in pairs if support(p["sentence"], [p["passage"]]).is_supported == p["is_supported"])
    return {kind: (judged[kind], count) for kind, count in Counter(pair["kind"] for pair in pairs).items()}


def share(figures: dict[str, tuple[int, int]], *kinds: str) -> float:
    return sum(figures[kind][0] for kind in kinds) / sum(figures[kind][1] for kind in kinds)


@pytest.mark.parametrize("half", ["a", "b"])
def test_final_figures_by_kind(half: str):
    """Of half b the pairs that were missed are not shown on purpose: whoever fits the rules must not see them."""
    figures = right(half)
    kept, values, words = share(figures, "close", "reworded"), share(figures, *WRONG_VALUE), share(figures, *WRONG_WORDS)
    assert kept >= 0.85, figures
    assert values >= 0.8, figures
    assert words >= 0.6, figures
    assert share(figures, "across") >= 0.9, figures
