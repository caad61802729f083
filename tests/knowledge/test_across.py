"""One list of what a question found in two languages, and what is said when it could be asked in one alone."""

from dataclasses import replace

from sqlalchemy import text

from knowledge.across import asked_as, both, foreign
from knowledge.keyless import by_words_alone, notes
from knowledge.search import Found, Passage, Search
from nod.contracts import EVERYONE
from tests.knowledge.conftest import Knowledge

ASKED = "How many days of leave?"


def passage(number: int, score: float, words: str) -> Passage:
    return Passage(number, number, f"{number}", "", None, None, None, words, "", score, {})


def korean(*scores: float, begin: int = 1) -> tuple[Passage, ...]:
    return tuple(passage(n, score, "연차 이월 규정") for n, score in enumerate(scores, begin))


def english(*scores: float, begin: int = 11) -> tuple[Passage, ...]:
    return tuple(passage(n, score, "Leave is carried over.") for n, score in enumerate(scores, begin))


def order(found: Found) -> list[int]:
    return [one.passage_id for one in found.passages]


def test_the_search_that_likely_answers_stands_first_whatever_its_scores():
    unsure, sure = Found(korean(40.0, 39.0, 38.0), 0.1), Found(english(9.0, 1.0, 0.5), 0.9, is_known=True)
    found = both(unsure, sure, ASKED)
    assert order(found)[0] == 11
    assert (found.confidence, found.is_known, found.also_asked) == (0.9, True, ASKED)
    assert len(found.passages) == 3
    assert order(both(Found(), sure, ASKED)) == [11, 12, 13]
    assert order(both(unsure, Found(), ASKED)) == [1, 2, 3]


def test_of_two_equally_sure_the_own_language_comes_first_and_neither_crowds_out_the_other():
    own, other = Found(korean(9.0, 8.9, 8.8, 8.7, 8.6), 0.9, is_known=True), Found(english(9.0, 8.9, 8.8, 8.7, 8.6), 0.9, is_known=True)
    assert order(both(own, other, ASKED)) == [1, 2, 3, 11, 4]
    sure, unsure = Found(english(9.0, 8.9, 8.8, 8.7, 8.6), 0.99, is_known=True), Found(korean(3.0, 2.0), 0.05)
    assert order(both(unsure, sure, ASKED)) == [11, 12, 13, 1, 14]


def test_what_both_find_stands_once_where_it_is_highest():
    own, other = Found((*korean(9.0), *english(3.0)), 0.9, is_known=True), Found(english(20.0, 10.0), 0.9, is_known=True)
    assert order(both(own, other, ASKED)) == [1, 11]


def test_a_vector_that_is_missing_in_one_language_is_said_to_be():
    by_vectors = tuple(replace(one, parts={"words": 8.0, "vectors": 0.4}) for one in korean(9.0))
    own, other = Found(by_vectors, 0.9, is_known=True), Found(english(9.0, 1.0), 0.9, is_known=True, missing="worker")
    assert by_words_alone(both(own, other, ASKED), "en") == "Partly by words alone: no worker answered in time."
    assert by_words_alone(both(replace(other, missing="model"), own, ASKED), "ko").startswith("일부는 낱말로만 찾았어요. 임베딩 모델")
    assert by_words_alone(both(Found(korean(9.0)), other, ASKED), "en") == "By words alone: no worker answered in time."
    assert by_words_alone(both(own, replace(other, missing=None), ASKED), "en") == ""


def test_a_passage_in_one_line_shows_no_rules_of_tables():
    table = "나라별 일수:\n\n| 나라 | 일수 |\n|:---|---:|\n| 일본 | 3 |\n\n---\na - b | c"
    assert passage(1, 1.0, table).line == "나라별 일수: | 나라 | 일수 | | 일본 | 3 | --- a - b | c"


def test_a_question_is_read_in_the_language_of_what_it_found():
    own, other = Found(korean(9.0), 0.9, is_known=True), Found(english(9.0), 0.1)
    assert asked_as("연차 이월?", both(own, other, ASKED)) == "연차 이월?"
    assert asked_as("연차 이월?", both(Found(korean(9.0), 0.01), Found(english(9.0), 0.9), ASKED)) == ASKED
    assert asked_as("연차 이월?", own) == "연차 이월?"


def test_one_sentence_says_that_all_that_is_shown_is_in_the_other_language():
    own, other = Found(korean(9.0)), Found(english(9.0))
    assert foreign("연차 이월?", other, other.passages, "ko") == "문서가 영어예요. 언어 모델 없이 이름·숫자로만 찾았어요."
    assert foreign("Carry over?", own, own.passages, "en").startswith("The documents are in Korean.")
    for question, found, shown in (
        ("연차 이월?", own, own.passages),
        ("Carry over?", other, other.passages),
        ("연차 이월?", other, own.passages + other.passages),
        ("연차 이월?", other, ()),
        ("연차 이월?", both(Found(), other, ASKED), other.passages),
        ("연차 이월?", other, tuple(replace(one, parts={"words": 0.0, "vectors": 0.2}) for one in other.passages)),
    ):
        assert foreign(question, found, shown, "ko") == ""


def test_one_sentence_says_that_a_question_was_not_asked_in_the_other_language():
    own, other = Found(korean(9.0), untranslated="worker"), Found(english(9.0), untranslated="model")
    assert notes("연차 이월?", own, "ko") == ["영어 문서도 있지만 한국어로만 찾았어요. 연결된 언어 모델이 없거나 제때 응답하지 않았어요."]
    assert notes("Carry over?", other, "en") == [
        "There are documents in Korean, too; only the English words were searched: the language model did not translate the question."
    ]
    assert notes("연차 이월?", other, "ko") == ["영어 문서도 있지만 한국어로만 찾았어요. 언어 모델이 질문을 옮겨 쓰지 않았어요."]
    assert notes("연차 이월?", replace(own, untranslated=None), "ko") == []
    assert notes("연차 이월?", replace(own, also_asked=ASKED, untranslated=None, missing="worker"), "ko") == [
        f"다른 언어로도 찾았어요: {ASKED}", "낱말로만 찾았어요. 제때 응답한 워커가 없어요."
    ]  # fmt: skip


async def test_a_question_is_worth_asking_in_the_other_language_where_documents_are_in_it(knowledge: Knowledge):
    await knowledge.holds("leave.md", "Leave is carried over.", scope="channel:slack:C1")
    await knowledge.holds("start", "Connect Slack.", scope="handbook:en", kind="handbook")
    await knowledge.holds("gone.md", scope=EVERYONE)
    async with knowledge.engine.begin() as db:
        await db.execute(text("UPDATE documents SET language = 'en'"))
    search = Search(knowledge.engine)
    assert await search.is_worth_both("연차 이월?", [EVERYONE, "channel:slack:C1"])
    assert not await search.is_worth_both("Carry over?", [EVERYONE, "channel:slack:C1"])
    assert not await search.is_worth_both("연차 이월?", [EVERYONE, "channel:slack:C2", "handbook:en"])
    assert not await search.is_worth_both("nod는 연차를 알아?", [EVERYONE, "channel:slack:C1"])  # the handbook is in both
