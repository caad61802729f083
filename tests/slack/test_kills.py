"""A real process is killed at each moment at which something can die; people see one whole answer, and each vote once.

The process stands still at the moment (it says so, with its pid), is killed with SIGKILL, and another goes on that knows only
PostgreSQL, Redis and Slack.
"""

import pytest
import redis

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Role, Roles
from tests.slack.test_trouble import SAID, one_whole_answer
from tests.slack.test_votes import stands

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LONG = "".join(f"{n}번째 문단이에요. 연차는 다음 해 삼월까지 이월할 수 있어요.\n\n" for n in range(150)).strip()


@pytest.fixture(autouse=True)
def _soon_again(slack: FakeSlack) -> None:
    """Slack sends again sooner than in life what was not acknowledged."""
    slack.timing(ack_seconds=1.5, retry_seconds=[0, 2, 4, 8, 16])


@pytest.mark.parametrize("moment", ["heard", "committed", "acknowledged", "sent", "posted", "finished"])
def test_a_bot_killed_at_any_moment_costs_seconds_and_shows_one_answer(
    roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel, moment: str
) -> None:
    agent.will_stream(SAID, tokens=30, every=0.06)
    bot = roles.start("slack", pause=moment)
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    bot.stands_in(moment)
    bot.kill()
    roles.start("slack")
    slack.wait_reply("C1", ts, timeout=40, when=lambda message: bool(message.buttons))
    one_whole_answer(slack, ts)
    assert len(agent.shown) == 1
    assert all(each["state"] == "acked" for each in slack.wait_delivered(ts, 40))


def test_what_is_asked_after_a_bot_died_is_not_shown_before_what_that_bot_had_heard(
    roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel
) -> None:
    agent.will_say("첫째 답", "둘째 답")
    bots = [roles.start("slack", pause="sent"), roles.start("slack", pause="sent")]  # whoever hears the first question stands still
    slack.wait(lambda: slack.connections() >= 2, 60, "two bots")
    ts = slack.hears("@nod 첫째?")
    standing = bots[0].pauses / "sent"
    slack.wait(lambda: standing.exists() and standing.read_text(), 30, "a bot that stands still")
    next(bot for bot in bots if str(bot.child.pid) == standing.read_text()).kill()
    slack.hears("@nod 둘째?", thread=ts)  # at once heard and shown by the other one, which only learns of the first in six seconds
    slack.wait(lambda: sum(bool(one.buttons) for one in slack.messages("C1", ts, bot_only=True)) == 2, 60, "two answers")
    assert [one.shown[:2] for one in slack.messages("C1", ts, bot_only=True)] == ["첫째", "둘째"]


def test_a_bot_killed_while_an_answer_grows_goes_on_in_the_same_message(
    roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel
) -> None:
    agent.will_stream(SAID, tokens=30, every=0.03, hold_after=15)
    bot = roles.start("slack")
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    growing = slack.wait_reply("C1", ts, done=False, when=lambda message: "다음 해" in message.shown)
    bot.kill()
    roles.start("slack")
    slack.wait(lambda: not slack.last_reply("C1", ts).streaming, 30, "the stream to be stopped")
    agent.go_on()
    reply = one_whole_answer(slack, ts)
    assert reply.ts == growing.ts
    assert len(agent.shown) == 1


def test_a_worker_killed_while_an_answer_grows_is_replaced_in_the_same_message(roles: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream("네, 처음 사람이 말하던 것이에요. 여기서 끊겨요.", tokens=20, every=0.03, hold_after=12)
    agent.will_stream(SAID, tokens=30, every=0.05, hold_after=0)
    worker = roles.start("worker")
    roles.start("slack")
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    growing = slack.wait_reply("C1", ts, done=False, when=lambda message: "사람이" in message.shown)
    worker.kill()
    roles.start("worker")
    slack.wait(lambda: "이어서 답하고 있어요" in slack.last_reply("C1", ts).shown, 30, "the sign that it goes on")
    assert "처음 사람이" in slack.last_reply("C1", ts).shown
    agent.until_called(2, within=40)
    agent.until_holding()
    agent.go_on()
    reply = one_whole_answer(slack, ts)
    assert reply.ts == growing.ts
    assert "처음" not in reply.shown
    assert "이어서" not in reply.shown


@pytest.mark.parametrize(("moment", "calls"), [("claimed", 1), ("growing", 2), ("answered", 1), ("remembered", 1)])
def test_a_worker_killed_at_any_moment_costs_seconds_and_shows_one_answer(
    roles: Roles, slack: FakeSlack, agent: FakeModel, moment: str, calls: int
) -> None:
    agent.will_say(*[SAID] * calls)
    worker = roles.start("worker", pause=moment)
    roles.start("slack")
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    worker.stands_in(moment)
    worker.kill()
    roles.start("worker")
    slack.wait_reply("C1", ts, timeout=40, when=lambda message: bool(message.buttons))
    one_whole_answer(slack, ts)
    assert len(agent.shown) == calls


def test_redis_emptied_while_an_answer_grows_costs_nothing_but_the_growing(
    roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel
) -> None:
    agent.will_stream(SAID, tokens=30, every=0.03, hold_after=15)
    roles.start("slack")
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    slack.wait_reply("C1", ts, done=False, when=lambda message: "다음 해" in message.shown)
    with redis.Redis.from_url(roles.env["REDIS_URL"], protocol=2) as client:
        client.flushdb()
    agent.go_on()
    one_whole_answer(slack, ts)
    assert len(agent.shown) == 1


def test_bot_and_worker_killed_together_are_replaced_in_the_same_message(roles: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream(LONG, tokens=30, every=0.03, hold_after=20)
    agent.will_stream(SAID, hold_after=0)
    worker, bot = roles.start("worker"), roles.start("slack")
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    slack.wait(lambda: len(slack.replies("C1", ts)) >= 2, 30, "a second message")
    first = slack.replies("C1", ts)[0]
    worker.kill()
    bot.kill()
    roles.start("worker")
    agent.until_called(2, within=40)
    roles.start("slack")
    slack.wait(lambda: "이어서 답하고 있어요" in slack.last_reply("C1", ts).shown, 30, "the sign that it goes on")
    agent.go_on()
    reply = one_whole_answer(slack, ts)  # the second message is taken away again
    assert reply.ts == first.ts
    assert [one["status"] for one in slack.statuses("C1", ts) if one["ended"] is None] == []  # no step was left standing below it


def test_a_long_answer_whose_last_words_were_not_confirmed_is_not_shown_twice(
    roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel
) -> None:
    agent.will_stream(LONG, tokens=30, every=0.03)
    bot = roles.start("slack", pause="finished")
    slack.wait_connected()
    ts = slack.hears("@nod 전부 말해 줘")
    bot.stands_in("finished", 40)
    bot.kill()
    roles.start("slack")

    def settled() -> bool:
        replies = slack.replies("C1", ts)
        return not any(each.streaming for each in replies) and "".join(each.shown for each in replies).startswith(LONG) and len(replies) > 2

    slack.wait(settled, 40, "the whole answer once")


def test_a_vote_is_not_lost_with_the_bot_that_heard_it(roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say(SAID)
    bot = roles.start("slack", pause="vote_heard")
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    reply = one_whole_answer(slack, ts)
    slack.reacts("C1", reply.ts, "+1")
    bot.stands_in("vote_heard")
    bot.kill()
    roles.start("slack")
    stands(roles, "up")


def test_two_bots_show_every_answer_once_and_the_second_goes_on_for_the_first(
    roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel
) -> None:
    agent.will_stream(SAID, tokens=30, every=0.03, hold_after=15)
    one, other = roles.start("slack"), roles.start("slack")
    slack.wait_connected(2)
    ts = slack.hears("@nod 연차 이월 돼?")
    slack.redeliver(ts)
    growing = slack.wait_reply("C1", ts, done=False, when=lambda message: "다음 해" in message.shown)
    one.kill()
    slack.wait(lambda: slack.connections() == 1, 5, "one bot to be gone")
    agent.go_on()
    reply = one_whole_answer(slack, ts)
    assert reply.ts == growing.ts
    assert len(agent.shown) == 1
    assert other.child.poll() is None
