"""A greeting, thanks and "what can you do?" have a reply of their own, and no list of gaps fills with them."""

import tomllib
from pathlib import Path
from typing import get_args

from sqlalchemy import text

from nod.contracts import FileRef, PlatformName
from tests.fakes.model import FakeModel
from tests.workers.desk import LEAVE, Desk
from workers.quotes import PHRASES
from workers.small_talk import kind_of

MESSAGES = tomllib.loads(Path(__file__).with_name("small_talk.toml").read_text("utf-8"))
VOTE = "# Votes and reviews\n\n## Vote\n\nTo vote, press 👍 or 👎 below the answer.\n"


def test_small_talk_is_told_from_questions_that_only_begin_like_it() -> None:
    told = {message: kind_of(message) for kind in MESSAGES for message in MESSAGES[kind]}
    assert told == {message: kind for kind in MESSAGES for message in MESSAGES[kind]}


def test_the_signs_and_capitals_of_a_message_count_for_nothing_but_a_long_one_is_a_question() -> None:
    assert kind_of("THANKS!!! 🙏") == "thanks"
    assert kind_of("hi " * 40) == ""


def test_what_nod_can_do_is_said_for_each_platform() -> None:
    assert all(PHRASES.has(f"small_talk.more_{platform}") for platform in get_args(PlatformName))


async def test_small_talk_is_answered_without_sources_and_leaves_no_gap(desk: Desk) -> None:
    await desk.holds("leave.md", LEAVE)
    async with desk.open():
        korean = await desk.hears("안녕하세요!", thread="1.0")
        english = await desk.hears("What can you do?", thread="2.0")
        example = await desk.hears("What does 휴가 규정 say about “이월”?", thread="3.0")
    assert korean.text.startswith("안녕하세요! 궁금한 것을 물어보세요.")
    assert english.text.startswith("I am nod.")
    assert "- What does 휴가 규정 say about “이월”?" in english.text
    assert "`/nod help`" in english.text
    assert [(answer.notices, answer.sources) for answer in (korean, english)] == [((), ()), ((), ())]
    assert example.notices == ("no_model",)
    async with desk.record.engine.connect() as db:
        assert (await db.execute(text("SELECT count(*) FROM knowledge_gaps"))).scalar_one() == 0


async def test_the_examples_come_from_documents_that_the_place_may_be_shown(desk: Desk) -> None:
    await desk.holds("leave.md", LEAVE, scope="channel:slack:elsewhere")
    async with desk.open():
        answer = await desk.hears("무엇을 할 수 있어?")
    assert "휴가 규정" not in answer.text
    assert "- nod에게 문서는 어떻게 가르쳐?" in answer.text


async def test_a_model_is_not_asked_for_small_talk(model_desk: Desk, agent: FakeModel) -> None:
    async with model_desk.open():
        answer = await model_desk.hears("도움말", thread="1.0")
    assert answer.text.startswith("저는 nod예요.")
    assert not agent.prompts


async def test_help_with_a_file_is_a_question_about_the_file(desk: Desk) -> None:
    content = b"\x00\x01 nothing"
    ref = FileRef(name="broken.pdf", size_bytes=len(content), sha256=desk.files.keep(content))
    await desk.uploads("broken.pdf", content, "thread:slack:C1:7.0")
    async with desk.open():
        answer = await desk.hears("Help me, please", thread="7.0", files=(ref,))
    assert answer.text.startswith("I could not read broken.pdf.")


async def test_what_only_the_handbook_knows_is_named_and_not_quoted_until_nod_is_named(desk: Desk) -> None:
    await desk.holds("leave.md", LEAVE)
    await desk.holds("votes-and-reviews.md", VOTE, scope="handbook:en")
    async with desk.open():
        unnamed = await desk.hears("How do I vote?", thread="1.0")
        named = await desk.hears("How do I vote in nod?", thread="2.0")
        other = await desk.hears("Which answer won the chess match of the Hungarian masters?", thread="3.0")
    assert unnamed.notices == ("unknown",)
    assert "My handbook has “Vote”." in unnamed.text
    assert not unnamed.sources
    assert "press 👍 or 👎 below the answer" in named.text
    assert "handbook" not in other.text
