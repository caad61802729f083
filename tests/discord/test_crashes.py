"""Bots and workers are killed at every named moment; whatever dies, exactly one answer is shown, in one message."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.discord.conftest import is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import Role, Roles, until

pytestmark = pytest.mark.slow

Json = dict[str, Any]
LEAVE = "네, 연차는 다음 해 3월 31일까지 닷새를 이월할 수 있어요. 반차는 0.5일로 계산해요. 자세한 것은 규정을 봐 주세요."
PATIENCE = 40.0


@pytest.fixture
def all_shown(database_url: str, roles: Roles) -> Callable[[], None]:
    """Wait until the record says that everything is shown."""

    def is_shown() -> bool:
        with psycopg.connect(database_url, autocommit=True) as db:
            return db.execute("SELECT count(*), count(shown_at) FROM answers").fetchone() == (1, 1)

    return lambda: until(is_shown, PATIENCE, "the one answer to be shown", roles.logs)


def ours(discord: FakeDiscord, channel: str = "general") -> list[Json]:
    """All messages that nod ever posted in a channel, deleted ones too."""
    return [one for one in discord.messages(channel, deleted=True) if one["is_bot"]]


@pytest.mark.parametrize("moment", ["heard", "committed", "acknowledged", "sent", "posted", "finished"])
def test_a_bot_killed_at_a_moment_costs_no_answer_and_doubles_none(
    roles: Roles, worker: Role, discord: FakeDiscord, agent: FakeModel, all_shown: Callable[[], None], moment: str
) -> None:
    agent.will_stream(LEAVE, tokens=20, every=0.05)
    dying = roles.start("discord", pause=moment)
    discord.wait_connected()
    asked = discord.hears("@nod 연차 이월 돼?")
    dying.stands_in(moment)
    dying.kill()
    roles.start("discord")
    discord.wait_reply(asked, PATIENCE, is_done)
    all_shown()
    [message] = ours(discord)
    assert message["text"].startswith(LEAVE)
    assert len(agent.shown) == 1


@pytest.mark.parametrize("moment", ["heard", "posted"])
def test_a_first_direct_message_survives_too(
    roles: Roles, worker: Role, discord: FakeDiscord, agent: FakeModel, all_shown: Callable[[], None], moment: str
) -> None:
    agent.will_say(LEAVE)
    dying = roles.start("discord", pause=moment)
    discord.wait_connected()
    asked = discord.direct("연차 이월 돼?", user="dana")
    dying.stands_in(moment)
    dying.kill()
    roles.start("discord")
    discord.wait_reply(asked, PATIENCE, is_done)
    all_shown()
    assert [one["text"] for one in ours(discord, "@dana") if one["reply_to"] == asked] == [discord.replies_to(asked)[0]["text"]]


@pytest.mark.parametrize("moment", ["committed", "acknowledged", "sent", "posted", "finished"])
def test_a_command_is_answered_once_whenever_the_bot_dies(
    roles: Roles, worker: Role, discord: FakeDiscord, agent: FakeModel, all_shown: Callable[[], None], moment: str
) -> None:
    agent.will_say(LEAVE)
    dying = roles.start("discord", pause=moment)
    discord.wait_connected()
    discord.wait(discord.commands, 10)
    discord.slash("ask", {"question": "연차 이월 돼?"})
    dying.stands_in(moment)
    dying.kill()
    roles.start("discord")
    all_shown()
    [message] = ours(discord)
    assert LEAVE in message["text"]
    assert is_done(message)


def test_a_vote_is_not_lost_with_the_bot_that_heard_it(roles: Roles, worker: Role, discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say(LEAVE)
    dying = roles.start("discord", pause="vote_heard")
    discord.wait_connected()
    message = discord.wait_reply(discord.hears("@nod 연차 이월 돼?"), PATIENCE, is_done)
    discord.reacts(message["id"], "👍")
    dying.stands_in("vote_heard")
    dying.kill()
    roles.start("discord")
    until(lambda: '"up"' in roles.run("feedback", "list", "--json"), PATIENCE, "the vote", roles.logs)


def test_thumbs_that_came_and_went_while_no_bot_was_there_count_below_each_answer(
    roles: Roles, worker: Role, discord: FakeDiscord, agent: FakeModel, database_url: str
) -> None:
    def votes() -> list[str | None]:
        with psycopg.connect(database_url, autocommit=True) as db:
            return [value for (value,) in db.execute("SELECT value FROM votes ORDER BY 1")]

    agent.will_say(LEAVE)
    bot = roles.start("discord")
    discord.wait_connected()
    older = discord.wait_reply(discord.hears("@nod 연차 이월 돼?"), PATIENCE, is_done)
    for n in range(110):  # more than Discord tells of in one call
        discord.hears(f"점심 뭐 먹지 {n}")
    agent.will_say(LEAVE)
    newer = discord.wait_reply(discord.hears("@nod Can I carry leave over?"), PATIENCE, is_done)
    discord.reacts(newer["id"], "👍", user="dana")
    until(lambda: votes() == ["up"], PATIENCE, "the vote", roles.logs)
    bot.stop()
    discord.reacts(older["id"], "👎", user="dana")
    discord.reacts(older["id"], "👍", user="jun")
    discord.unreacts(newer["id"], "👍", user="dana")
    roles.start("discord")
    until(lambda: votes() == ["down", "up", None], PATIENCE, "the thumbs of meanwhile", roles.logs)


def test_a_worker_killed_in_mid_answer_goes_on_in_the_same_message(
    roles: Roles, discord: FakeDiscord, agent: FakeModel, all_shown: Callable[[], None]
) -> None:
    agent.will_stream(LEAVE, tokens=40, hold_after=15)
    agent.will_stream(LEAVE, tokens=40, hold_after=0)
    roles.start("discord")
    dying = roles.start("worker")
    discord.wait_connected()
    asked = discord.hears("@nod 연차 이월 돼?")
    discord.wait_reply(asked, PATIENCE, lambda one: one["text"].startswith("네, 연차"))
    dying.kill()
    roles.start("worker")
    discord.wait_reply(asked, PATIENCE, lambda one: "이어서 답하고 있어요" in one["text"])
    agent.until_called(2, within=PATIENCE)
    agent.until_holding()
    agent.go_on()
    discord.wait_reply(asked, PATIENCE, is_done)
    all_shown()
    [message] = ours(discord)
    assert message["text"].startswith(LEAVE)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_bot_that_ends_in_mid_answer_is_followed_in_the_same_message(
    roles: Roles, worker: Role, discord: FakeDiscord, agent: FakeModel, all_shown: Callable[[], None], how: str
) -> None:
    agent.will_stream(LEAVE, tokens=40, hold_after=15)
    ending = roles.start("discord")
    discord.wait_connected()
    asked = discord.hears("@nod 연차 이월 돼?")
    discord.wait_reply(asked, PATIENCE, lambda one: one["text"].startswith("네, 연차"))
    ending.kill() if how == "killed" else ending.stop()
    roles.start("discord")
    discord.wait_connected()
    agent.go_on()
    discord.wait_reply(asked, PATIENCE, is_done)
    all_shown()
    [message] = ours(discord)
    assert message["text"].startswith(LEAVE)


def test_two_bots_answer_once(roles: Roles, worker: Role, discord: FakeDiscord, agent: FakeModel, all_shown: Callable[[], None]) -> None:
    agent.will_stream(LEAVE, tokens=20, every=0.05)
    roles.start("discord")
    roles.start("discord")
    discord.wait(lambda: sum(bool(one["session"]) for one in discord.connections()) == 2, PATIENCE, discord.gateway_log)
    asked = discord.hears("@nod 연차 이월 돼?")
    discord.wait_reply(asked, PATIENCE, is_done)
    all_shown()
    assert len(ours(discord)) == 1
