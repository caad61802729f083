"""The connection to Discord: started, lost, resumed, refused; what was said meanwhile is answered once."""

from typing import Any

import pytest

from tests.discord.conftest import is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import Role, Roles, until

Json = dict[str, Any]


def last_words(role: Role) -> str:
    """What a process said last, after it ended with code 1."""
    assert role.child.wait(30) == 1
    return [line for line in role.said.splitlines() if line][-1]


# ── refused at the start ──


@pytest.mark.parametrize(("language", "sentence"), [("en", "Discord refused the token (401)."), ("ko", "토큰")])
def test_a_wrong_token_is_one_sentence(roles: Roles, discord: FakeDiscord, language: str, sentence: str) -> None:
    words = last_words(roles.start("discord", DISCORD_TOKEN="bad.token.value", NOD_LANGUAGE=language))
    assert sentence in words
    assert "Traceback" not in roles.running[-1].said
    assert discord.gateway_log() == []  # it never came to an IDENTIFY


def test_an_intent_that_is_switched_off_is_one_sentence(roles: Roles, discord: FakeDiscord) -> None:
    discord.intents(message_content=False)
    words = last_words(roles.start("discord", NOD_DISCORD_MESSAGE_CONTENT="true"))
    assert "Message Content Intent" in words
    assert "NOD_DISCORD_MESSAGE_CONTENT" in words
    assert "Traceback" not in roles.running[-1].said


def test_without_a_token_it_says_how_to_get_one(roles: Roles) -> None:
    assert "nod setup discord" in last_words(roles.start("discord", DISCORD_TOKEN=""))


def test_a_token_taken_away_while_it_runs_ends_it_with_a_sentence(roles: Roles, discord: FakeDiscord) -> None:
    bot = roles.start("discord")
    discord.wait_connected()
    discord.closes(4004)
    assert "Discord refused the token" in last_words(bot)


def test_the_invitation_asks_for_what_is_needed_and_says_why(roles: Roles, discord: FakeDiscord) -> None:
    link, *reasons = roles.run("discord", "invite", "--explain").splitlines()
    assert link.startswith("https://discord.com/oauth2/authorize?client_id=")
    assert link.endswith("&scope=bot+applications.commands")
    assert any(line.split()[:2] == ["Send", "Messages"] for line in reasons)
    assert any("applications.commands" in line for line in reasons)


# ── lost and found ──


def test_a_gateway_that_comes_late_is_waited_for(roles: Roles, discord: FakeDiscord, agent: FakeModel) -> None:
    discord.gateway_up(False)
    roles.start("discord")
    roles.start("worker")
    discord.wait(lambda: [call for call in discord.calls("gateway") if call["status"] == 200], 20)
    discord.gateway_up(True)
    discord.wait_connected(30)
    agent.will_say("Here.")
    discord.wait_reply(discord.hears("@nod are you there?"), 20, is_done)


def test_a_cut_connection_is_resumed_and_nothing_is_lost_or_doubled(roles: Roles, discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("One.", "Two.")
    roles.start("discord")
    roles.start("worker")
    discord.wait_connected()
    first = discord.hears("@nod one?")
    discord.wait_reply(first, 20, is_done)
    discord.drop()
    second = discord.hears("@nod two?", channel="other")
    discord.wait_reply(second, 20, is_done)
    assert [len(discord.replies_to(asked)) for asked in (first, second)] == [1, 1]
    assert any(line["what"] == "resumed" for line in discord.gateway_log())


@pytest.mark.slow
def test_what_was_asked_during_a_lost_session_is_answered_once(roles: Roles, discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("One.")
    discord.channel("other")
    roles.start("discord")
    roles.start("worker")
    discord.wait_connected()
    discord.wait_reply(discord.hears("@nod one?"), 20, is_done)
    agent.will_say("Two.", when="two?")
    agent.will_say("Three.", when="three?")
    agent.will_say("Four.", when="four?")
    discord.refuse_resume()
    discord.gateway_up(False)
    missed = [
        discord.hears("@nod two?"),
        discord.hears("@nod three?", channel="other"),  # never heard there before
    ]
    discord.hears("nothing for nod")
    discord.gateway_up(True)
    discord.wait_connected(30)
    live = discord.hears("@nod four?")
    for asked in (*missed, live):
        discord.wait_reply(asked, 30, is_done)
    assert [len(discord.replies_to(asked)) for asked in (*missed, live)] == [1, 1, 1]


@pytest.mark.slow
def test_what_was_asked_while_it_was_stopped_is_answered_on_return(roles: Roles, discord: FakeDiscord, agent: FakeModel) -> None:
    roles.start("worker")
    bot = roles.start("discord")
    discord.wait_connected()
    agent.will_say("One.")
    discord.wait_reply(discord.direct("one?", user="dana"), 20, is_done)
    bot.stop()
    agent.will_say("Two.", when="two?")
    agent.will_say("Three.", when="three?")
    missed = [discord.direct("two?", user="dana"), discord.hears("@nod three?")]
    roles.start("discord")
    for asked in missed:
        discord.wait_reply(asked, 30, is_done)
    assert [len(discord.replies_to(asked)) for asked in missed] == [1, 1]


def test_with_the_intent_a_reply_needs_no_ping(roles: Roles, discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("15일입니다.", "네, 반차도 됩니다.")
    discord.intents(message_content=True)
    roles.start("discord", NOD_DISCORD_MESSAGE_CONTENT="true")
    roles.start("worker")
    discord.wait_connected()
    answer = discord.wait_reply(discord.hears("@nod 휴가 며칠 남았어?"), 20, is_done)
    discord.wait_reply(discord.hears("반차도 돼?", reply_to=answer["id"], ping=False), 20, is_done)
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]


def test_commands_are_not_registered_again(roles: Roles, discord: FakeDiscord) -> None:
    bot = roles.start("discord")
    discord.wait(discord.commands, 20)
    bot.stop()
    roles.start("discord")
    discord.wait(lambda: len(discord.calls("commands.get")) == 2, 20)
    roles.running[-1].stop()
    assert len(discord.calls("commands.put")) == 1


@pytest.mark.slow
def test_with_the_content_intent_the_word_is_enough_in_a_thread(roles: Roles, discord: FakeDiscord, agent: FakeModel) -> None:
    discord.intents(message_content=True)
    roles.start("discord", NOD_DISCORD_MESSAGE_CONTENT="true")
    roles.start("worker")
    discord.wait_connected()
    thread = discord.opens_thread(discord.hears("let us talk"))
    agent.will_stream("하나 둘 셋 넷 다섯", tokens=5, hold_after=2)
    asked = discord.hears("@nod 세어 봐", thread=thread)
    discord.wait_reply(asked, 30, lambda one: one["text"].startswith("하나"))
    discord.hears("그만", thread=thread)
    assert "다섯" not in discord.wait_reply(asked, 20, lambda one: "여기서 멈췄어요." in one["text"])["text"]
    until(lambda: agent.calls[0].disconnected, 5, "the model call to be cancelled")
