"""Slack refuses, forgets, loses replies: people see one answer all the same."""

import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack, SlackMessage
from tests.roles import Role, Roles

pytestmark = pytest.mark.slow

SAID = "네, 연차는 다음 해 3월 31일까지 닷새를 이월할 수 있어요. 반차는 0.5일로 계산해요."


def one_whole_answer(slack: FakeSlack, ts: str, said: str = SAID) -> SlackMessage:
    reply = slack.wait_reply("C1", ts, timeout=20, when=lambda message: bool(message.buttons))
    assert [each.shown for each in slack.replies("C1", ts)] == [reply.shown]
    assert reply.shown.startswith(said)
    assert not reply.streaming
    return reply


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("chat.startStream", "lost_reply"),
        ("chat.startStream", "500"),
        ("chat.startStream", "reset"),
        ("chat.appendStream", "lost_reply"),
        ("chat.appendStream", "429"),
        ("chat.stopStream", "lost_reply"),
        ("chat.stopStream", "503"),
        ("chat.stopStream", "429"),
        ("assistant.threads.setStatus", "500"),
    ],
)
def test_whatever_goes_wrong_once_there_is_one_whole_answer(nod: Roles, slack: FakeSlack, agent: FakeModel, method: str, kind: str) -> None:
    slack.fault(method, kind)
    agent.will_stream(SAID, tokens=30, every=0.02, hold_after=10)
    ts = slack.hears("@nod 연차 이월 돼?")
    slack.wait_reply("C1", ts, done=False, when=lambda message: message.shown.startswith(SAID[:3]))  # it grows, so it is streamed
    agent.go_on()
    one_whole_answer(slack, ts)
    assert [fault["met"] for fault in slack.faults_met()] == [1]
    assert len(agent.shown) == 1


def test_words_whose_reply_was_lost_are_not_said_again_while_their_stream_cannot_be_ended(
    nod: Roles, slack: FakeSlack, agent: FakeModel
) -> None:
    slack.fault("chat.appendStream", "lost_reply")
    slack.fault("chat.stopStream", "500")
    agent.will_stream(SAID, tokens=30, every=0.1)
    ts = slack.hears("@nod 연차 이월 돼?")
    one_whole_answer(slack, ts)
    assert [fault["met"] for fault in slack.faults_met()] == [1, 1]
    assert all(SAID.startswith(growth) for growth in slack.replies("C1", ts)[0].growths)


def test_where_streams_are_not_to_be_had_the_answer_grows_by_edits(roles: Roles, worker: Role, slack: FakeSlack, agent: FakeModel) -> None:
    roles.start("slack")  # a bot of its own: it remembers what is not to be had
    slack.wait_connected()
    slack.fault("chat.startStream", "error", times=99, error="unknown_method")
    agent.will_stream(SAID, tokens=30, first_after=0.1, every=0.1)
    ts = slack.hears("@nod 연차 이월 돼?")
    reply = one_whole_answer(slack, ts)
    assert len(reply.growths) >= 3
    assert not reply.streamed


def test_a_stream_that_expired_goes_on_by_edits(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    slack.timing(stream_seconds=0.5)
    agent.will_stream(SAID, tokens=30, every=0.06)
    ts = slack.hears("@nod 연차 이월 돼?")
    reply = one_whole_answer(slack, ts)
    assert reply.streamed
    slack.timing(stream_seconds=300)


def test_a_long_answer_whose_stream_expired_goes_on_in_messages_that_edits_can_hold(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    said = "".join(f"{n}번째 문단이에요. 연차는 다음 해 삼월까지 이월할 수 있어요.\n\n" for n in range(100)).strip()
    slack.timing(stream_seconds=1.0)
    agent.will_stream(said, tokens=60, every=0.05)
    ts = slack.hears("@nod 전부 말해 줘")
    slack.wait_reply("C1", ts, timeout=30, when=lambda message: bool(message.buttons))
    replies = slack.replies("C1", ts)
    assert "".join(reply.shown for reply in replies).startswith(said)
    assert all(len(call["args"]["text"].encode()) <= 4_000 for call in slack.calls("chat.update"))
    slack.timing(stream_seconds=300)


def test_a_message_that_somebody_deleted_is_posted_anew_at_the_end(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream(SAID, tokens=30, hold_after=10)
    ts = slack.hears("@nod 연차 이월 돼?")
    growing = slack.wait_reply("C1", ts, done=False)
    slack.deletes("C1", growing.ts)
    agent.go_on()
    reply = one_whole_answer(slack, ts)
    assert reply.ts != growing.ts


def test_a_deleted_question_ends_quietly(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream(SAID, tokens=30, hold_after=0)
    ts = slack.hears("@nod 연차 이월 돼?")
    agent.until_holding()
    slack.deletes("C1", ts)
    agent.go_on()
    agent.will_say("그다음 답이에요.")
    other = slack.hears("@nod 다음 질문", user="U2")
    assert slack.wait_reply("C1", other).shown.startswith("그다음 답이에요.")
    assert not slack.replies("C1", ts)


def test_a_cut_connection_is_back_within_ten_seconds(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("네, 닷새예요.", "Yes, five.")
    slack.timing(retry_seconds=[0, 3, 6, 9])
    slack.drop(silently=True)
    ts = slack.hears("@nod 연차 이월 돼?")
    assert slack.wait_reply("C1", ts, timeout=25).shown.startswith("네, 닷새예요.")
    slack.refresh()
    slack.wait(lambda: slack.connections_ever() >= 3, 10, "a third connection")
    ts = slack.hears("@nod leave?")
    assert slack.wait_reply("C1", ts, timeout=25).shown.startswith("Yes, five.")
    slack.timing(retry_seconds=[0, 60, 300])


def test_a_refused_token_is_said_in_one_sentence(roles: Roles, slack: FakeSlack) -> None:
    bot = roles.start("slack", SLACK_BOT_TOKEN="xapp-wrong-kind-000000")
    assert bot.child.wait(20) == 1
    assert "SLACK_BOT_TOKEN is refused" in bot.said
    app = roles.start("slack", SLACK_APP_TOKEN="xoxb-1-wrong-kind-000000")
    assert app.child.wait(20) == 1
    assert "SLACK_APP_TOKEN is refused" in app.said
    missing = roles.start("slack", SLACK_APP_TOKEN="")
    assert missing.child.wait(20) == 1
    assert "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are not set" in missing.said
    assert "xapp-wrong" not in bot.said
