"""What becomes of a question while it is answered: its asker says stop or presses it, edits the question, deletes it."""

from typing import Any

import psycopg
import pytest

from tests.discord.conftest import buttons, is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import until
from tests.servers import Embedded

pytestmark = pytest.mark.usefixtures("nod")

Json = dict[str, Any]
LEAVE = "네, 닷새를 이월할 수 있어요."


@pytest.fixture
def discord(running_guild: FakeDiscord) -> FakeDiscord:
    return running_guild


def grows(discord: FakeDiscord, agent: FakeModel, channel: str, question: str = "@nod 세어 봐") -> tuple[str, Json]:
    """Ask, and wait until the first words of the answer are shown and the model stands still."""
    agent.will_stream("하나 둘 셋 넷 다섯", tokens=5, hold_after=2)
    asked = discord.direct(question, user=channel[1:]) if channel.startswith("@") else discord.hears(question, channel=channel)
    return asked, discord.wait_reply(asked, 20, lambda one: one["text"].startswith("하나"))


def hung_up(agent: FakeModel, call: int = 0) -> bool:
    """Wait until the model sees that nobody listens any more."""
    return until(lambda: agent.calls[call].disconnected, 5, "the model call to be cancelled")


def stopped(discord: FakeDiscord, asked: str, line: str = "여기서 멈췄어요.") -> Json:
    found = discord.wait_reply(asked, 20, lambda one: line in one["text"])
    assert not [each for each in buttons(found) if each.startswith("nod:stop")]
    return found


# ── stop ──


@pytest.mark.parametrize("word", ["@nod 그만", "@nod Stop!"])
def test_saying_stop_ends_what_was_asked_in_the_channel_and_keeps_what_was_said(discord: FakeDiscord, agent: FakeModel, word: str) -> None:
    asked, growing = grows(discord, agent, f"stop {word[5:7]}")
    channel = discord.message(asked)["channel"]
    other = discord.hears(word, channel=channel, user="jun")
    assert "not waiting" in discord.wait_reply(other)["text"] or "기다리는 답이 없어요" in discord.wait_reply(other)["text"]
    assert not agent.calls[0].disconnected
    said = discord.hears(word, channel=channel)
    reply = stopped(discord, asked)
    assert reply["id"] == growing["id"]
    assert reply["text"].startswith("하나")
    assert is_done(reply)
    assert hung_up(agent)
    assert discord.replies_to(said) == []


def test_a_reply_that_says_stop_ends_its_conversation_alone(discord: FakeDiscord, agent: FakeModel) -> None:
    asked, growing = grows(discord, agent, "two")
    kept, _ = grows(discord, agent, "two", "@nod 또 세어 봐")
    discord.hears("멈춰.", channel="two", reply_to=growing["id"])  # pings, so it can be read
    stopped(discord, asked)
    assert [call.disconnected for call in agent.calls] == [True, False]
    agent.go_on()
    assert "다섯" in discord.wait_reply(kept, 20, is_done)["text"]


def test_in_a_direct_message_the_word_is_enough(discord: FakeDiscord, agent: FakeModel) -> None:
    asked, _ = grows(discord, agent, "@sora", "Count, please")
    discord.direct("cancel", user="sora")
    stopped(discord, asked, "Stopped here.")
    idle = discord.direct("그만", user="sora")
    assert "여기서 기다리는 답이 없어요." in discord.wait_reply(idle)["text"]
    assert len(agent.calls) == 1


def test_stopped_before_a_word_the_message_says_so(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream("never said", hold_after=0)
    asked = discord.hears("@nod count, please", channel="early")
    agent.until_holding(20)
    sign = discord.wait_reply(asked, 20)
    discord.hears("@nod cancel", channel="early")
    reply = stopped(discord, asked, "Stopped before there was an answer.")
    assert reply["id"] == sign["id"]
    assert not buttons(reply)
    assert hung_up(agent)


def test_the_button_below_a_growing_answer_stops_it_for_its_asker(discord: FakeDiscord, agent: FakeModel) -> None:
    asked, growing = grows(discord, agent, "button")
    [button] = buttons(growing)
    told = discord.presses(growing["id"], button, user="jun")
    discord.wait(lambda: discord.interaction(told)["messages"], 10)
    assert not agent.calls[0].disconnected
    discord.presses(growing["id"], button)
    assert stopped(discord, asked)["id"] == growing["id"]
    assert hung_up(agent)


# ── edits ──


def test_an_edited_question_is_answered_anew_in_the_same_message(discord: FakeDiscord, agent: FakeModel) -> None:
    asked, growing = grows(discord, agent, "edits", "@nod 연차 이뤌 돼? https://example.com")
    discord.unfurls(asked)
    agent.will_stream(LEAVE, tokens=10, hold_after=0)
    discord.edits(asked, "@nod 연차 이월 돼? https://example.com")
    again = discord.wait_reply(asked, 20, lambda one: "질문이 바뀌어서" in one["text"])
    assert "하나" not in again["text"]
    assert hung_up(agent)
    agent.go_on()
    reply = discord.wait_reply(asked, 20, is_done)
    assert reply["text"].startswith(LEAVE)
    assert [each["id"] for each in discord.replies_to(asked)] == [growing["id"]]
    assert agent.shown == [["연차 이뤌 돼? https://example.com"], ["연차 이월 돼? https://example.com"]]


def test_a_question_in_a_thread_may_be_edited_as_well(discord: FakeDiscord, agent: FakeModel) -> None:
    thread = discord.opens_thread(discord.hears("let us talk", channel="edits"))
    agent.will_stream("never said", hold_after=0)
    asked = discord.hears("@nod can I cary leave over?", thread=thread)
    agent.until_holding(20)
    agent.will_say("Yes.")
    discord.edits(asked, "@nod can I carry leave over?")
    assert discord.wait_reply(asked, 20, is_done)["text"].startswith("Yes.")
    assert agent.shown[-1] == ["can I carry leave over?"]
    agent.go_on()


def test_after_the_answer_an_edit_or_a_deletion_changes_nothing(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say(LEAVE, "둘째 답.")
    asked = discord.hears("@nod 연차 이월 돼?", channel="after")
    answer = discord.wait_reply(asked, 20, is_done)
    discord.edits(asked, "@nod 반차도 돼?")
    discord.deletes(asked)
    discord.wait_reply(discord.hears("@nod 그 다음은?", channel="after"), 20, is_done)
    assert discord.message(answer["id"])["text"] == answer["text"]
    assert not discord.message(answer["id"])["is_deleted"]
    assert len(agent.shown) == 2


# ── deletions ──


def test_a_question_deleted_while_it_is_answered_takes_its_answer_with_it(
    discord: FakeDiscord, agent: FakeModel, embedded: Embedded
) -> None:
    asked, growing = grows(discord, agent, "deleted")
    discord.deletes(asked)
    assert hung_up(agent)
    discord.wait(lambda: discord.message(growing["id"])["is_deleted"], 20)

    def is_withdrawn() -> bool:
        with psycopg.connect(embedded.database_url) as db:
            row = db.execute(
                "SELECT status, shown_at IS NOT NULL FROM answers JOIN questions USING (question_id) WHERE message_id = %s", [asked]
            )
            return row.fetchone() == ("withdrawn", True)

    until(is_withdrawn, 10, "a withdrawn answer")
