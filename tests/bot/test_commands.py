"""Commands in Korean and English, and what is said to a word that is none."""

import pytest

from bot.commands import COMMANDS, asker_from, given_from, help_text, reply_to, unknown_text
from nod.contracts import Place
from tests.asked import JISU, unknown

PLACE = Place(platform="slack", workspace="T1", channel="C1")


def slack_form(word: str) -> str:
    return f"/nod {word}"


@pytest.mark.parametrize(
    ("typed", "name", "text"),
    [
        ("ask 연차 이월 돼?", "ask", "연차 이월 돼?"),
        ("질문 연차  이월 돼?", "ask", "연차  이월 돼?"),
        ("ASK carry over?", "ask", "carry over?"),
        ("검색 휴가", "search", "휴가"),
        ("search leave", "search", "leave"),
        ("", "help", ""),
        ("도움말", "help", ""),
        ("웹", "web", ""),
        ("그만", "stop", ""),
    ],
)
def test_a_command_is_known_by_its_words(typed: str, name: str, text: str) -> None:
    given = given_from(typed)
    assert given.command is not None
    assert (given.command.name, given.text) == (name, text)


def test_no_word_names_two_commands() -> None:
    words = [word for command in COMMANDS for word in command.words]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("typed", "language"), [("help", "en"), ("도움말", "ko"), ("ask 휴가", "ko"), ("search leave policy", "en"), ("web", "en")]
)
def test_a_command_is_answered_in_the_language_it_was_given_in(typed: str, language: str) -> None:
    assert asker_from(JISU, PLACE, typed, "en").language == language


def test_a_command_word_alone_is_answered_in_the_language_of_the_place() -> None:
    assert asker_from(JISU, PLACE, "help", "ko").language == "ko"


def test_help_lists_every_command_as_it_is_typed_here() -> None:
    assert "`/nod search`" in help_text("en", slack_form)
    korean = help_text("ko", slack_form)
    assert all(f"`/nod {command.words[1]}`" in korean for command in COMMANDS)


def test_an_unknown_word_is_told_how_to_ask() -> None:
    given = given_from("연차 이월 돼?")
    assert given.command is None
    assert unknown_text(given.typed, "ko", slack_form) == "`연차` 명령은 없어요. 질문은 `/nod 질문 …`, 나머지는 `/nod 도움말`에 있어요."
    assert "`/nod ask …`" in unknown_text("vacation please", "en", slack_form)
    assert "`" not in unknown_text("`@channel`", "en", slack_form).replace("`@channel`", "").replace("`/nod ask …`", "").replace(
        "`/nod help`", ""
    )


async def test_a_command_that_lacks_its_text_says_so(services) -> None:
    for typed, phrase in (("search", "carry leave over"), ("검색", "연차 이월")):
        reply = await reply_to(services, given_from(typed), asker_from(JISU, PLACE, typed, "en"), slack_form, unknown)
        assert phrase in reply


async def test_the_link_to_the_page_signs_in_the_one_who_asked(services) -> None:
    from nod.accounts import sign_in

    reply = await reply_to(services, given_from("web"), asker_from(JISU, PLACE, "web", "en"), slack_form, unknown)
    token = reply.rsplit("/in/", 1)[1]
    assert (await sign_in(services.engine, services.settings, token)).session.person.external_id == JISU.external_id


async def test_stop_stops_what_its_giver_asked_here_and_nothing_else(services) -> None:
    from tests.asked import ALEX, asks

    mine, others = await services.record.accept(asks("내 질문")), await services.record.accept(asks("Alex asks", person=ALEX, thread="2.0"))
    asker = asker_from(JISU, PLACE, "그만", "en")
    assert "멈추고" in await reply_to(services, given_from("그만"), asker, slack_form, unknown)
    stopped = {row.answer_id for row in await stopped_rows(services)}
    assert stopped == {mine.answer_id}
    assert others.answer_id not in stopped
    elsewhere = asker_from(JISU, PLACE.model_copy(update={"channel": "C2"}), "stop", "en")
    assert "not waiting" in await reply_to(services, given_from("stop"), elsewhere, slack_form, unknown)


async def stopped_rows(services):
    from sqlalchemy import text

    async with services.engine.connect() as db:
        return (await db.execute(text("SELECT answer_id FROM answers WHERE stop_requested_at IS NOT NULL"))).all()
