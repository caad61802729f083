"""Teaching in Discord: by command, in a dialog, from a message; used in the next answer, undone; and who asked in vain hears of it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from nod.contracts import Person, Place
from tests.discord.conftest import buttons, is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.roles import Roles, until

Json = dict[str, Any]


@pytest.fixture(scope="module")
def model_env() -> dict[str, str]:
    """No model: what was taught is quoted."""
    return {}


@pytest.fixture
def discord(running_guild: FakeDiscord, nod: Roles) -> FakeDiscord:
    """The guild in which `nod` runs: what other tests said stays."""
    return running_guild


def answered(discord: FakeDiscord, question: str, channel: str = "general") -> str:
    """What nod answers to a mention."""
    return discord.wait_reply(discord.hears(f"@nod {question}", channel=channel), 20, is_done)["text"]


def told(discord: FakeDiscord, interaction: str) -> Json:
    """What a teacher alone was told."""
    message = discord.wait_reply(interaction)
    assert message["is_ephemeral"]
    return message


def test_what_is_taught_in_a_private_channel_answers_there_alone_and_can_be_undone(discord: FakeDiscord) -> None:
    discord.channel("legal", private=True, members=["mina"])
    said = told(discord, discord.slash("teach", {"text": "The pool opens on Tuesdays at noon."}, channel="legal"))
    assert "Learnt: “The pool opens on Tuesdays at noon.”" in said["text"]
    assert "Only this channel can see it." in said["text"]
    assert "Tuesdays" in answered(discord, "when does the pool open?", "legal")
    assert "Tuesdays" not in answered(discord, "when does the pool open?")
    discord.presses(said["id"], buttons(said)[0])
    until(lambda: "Forgotten again" in discord.message(said["id"])["text"], 5, "the undo")
    assert buttons(discord.message(said["id"])) == []
    assert "Tuesdays" not in answered(discord, "when does the pool open?", "legal")


@pytest.mark.filterwarnings("ignore:'audioop' is deprecated:DeprecationWarning")  # discord.py imports it
@pytest.mark.parametrize("is_private_thread", [True, False])
def test_a_question_tells_whether_its_thread_is_private(is_private_thread: bool) -> None:
    from discord import Interaction

    from bot.discord.heard import Spot, question_from_command
    from nod.contracts import PRIVATE_THREAD

    spot = Spot("1", "9", "2", is_thread=True, is_direct=False, is_private_thread=is_private_thread)
    person = Person(platform="discord", workspace="1", external_id="7")
    place = Place(platform="discord", workspace="1", channel="2", thread="9", visibility="private")
    given = SimpleNamespace(id=1, token="t", created_at=datetime.now(UTC))
    question = question_from_command(cast(Interaction, given), spot, place, person, "Who leaves?", "en", is_private=False)
    assert (PRIVATE_THREAD in question.route.extra) is is_private_thread


def test_a_message_is_taught_from_its_menu_with_its_link(discord: FakeDiscord) -> None:
    message = discord.hears("점심시간은 열한 시 반부터예요.", user="jun")
    assert "Everyone in this workspace can see it." in told(discord, discord.context_menu("Teach nod", message))["text"]
    answer = answered(discord, "점심시간은 언제부터예요?")
    assert "열한 시 반부터" in answer
    assert f"/{message}>)" in answer


def test_without_a_text_a_dialog_says_who_will_see_it(discord: FakeDiscord) -> None:
    opened = discord.slash("teach", {}, channel="direct")
    dialog = discord.wait(lambda: discord.interaction(opened)["modal"])
    assert "Only you can see it." in str(dialog)
    assert (
        "Learnt: “the printer”"
        in told(discord, discord.submits(opened, {"about": "the printer", "answer": "It stands in room 4."}))["text"]
    )
    assert "room 4" not in answered(discord, "where is the printer?")


def test_what_nod_does_not_know_is_taught_below_the_answer_and_who_asked_is_told_once(discord: FakeDiscord, nod: Roles) -> None:
    asked = discord.hears("@nod VPN이 안 돼요", user="jun")
    unknown = discord.wait_reply(asked, 20, is_done)
    button = next(each for each in buttons(unknown) if each.startswith("nod:teach:"))
    opened = discord.presses(unknown["id"], button)
    assert "VPN이 안 돼요" in str(discord.wait(lambda: discord.interaction(opened)["modal"]))
    told(discord, discord.submits(opened, {"answer": "1층 총무팀이 인증서를 새로 줘요."}))
    with psycopg.connect(nod.env["DATABASE_URL"], autocommit=True) as db:
        db.execute("UPDATE knowledge_gaps SET tell_at = now() - interval '1 second'")  # the time for undoing is over
    news = discord.wait(lambda: [each for each in discord.messages("@jun") if each["is_bot"]], 15)
    assert "인증서를 새로 줘요" in news[0]["text"]
    assert "인증서를 새로 줘요" in answered(discord, "VPN이 안 돼요")
    assert len([each for each in discord.messages("@jun") if each["is_bot"]]) == 1
