"""What becomes of a question while it is answered: its asker says stop, edits it, deletes it."""

import psycopg
import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack, SlackMessage
from tests.roles import Roles, until

LEAVE = "네, 닷새를 이월할 수 있어요."


def grows(slack: FakeSlack, agent: FakeModel, question: str = "@nod 세어 봐", thread: str | None = None) -> tuple[str, SlackMessage]:
    """Ask, and wait until the first words of the answer are shown and the model stands still."""
    agent.will_stream("하나 둘 셋 넷 다섯", tokens=5, hold_after=2)
    ts = slack.hears(question, thread=thread)
    return ts, slack.wait_reply("C1", thread or ts, done=False, when=lambda message: message.shown.startswith("하나"))


def hung_up(agent: FakeModel, call: int = 0) -> bool:
    """Wait until the model sees that nobody listens any more."""
    return until(lambda: agent.calls[call].disconnected, 5, "the model call to be cancelled")


# ── stop ──


@pytest.mark.parametrize(("word", "line"), [("그만.", "여기서 멈췄어요."), ("<@U0NOD> STOP!", "여기서 멈췄어요.")])
def test_saying_stop_in_the_thread_ends_the_answer_and_keeps_what_was_said(
    nod: Roles, slack: FakeSlack, agent: FakeModel, word: str, line: str
) -> None:
    ts, growing = grows(slack, agent)
    slack.wait_delivered(slack.hears(word, thread=ts, user="U2"))  # somebody else
    slack.wait_delivered(slack.hears(f"{word} 할 일 목록", thread=ts))  # said to others, about something else
    assert not agent.calls[0].disconnected
    slack.hears(word, thread=ts)
    # below it the question about something else may end, too: it was said to us where the word is a mention
    reply = slack.wait(lambda: next((each for each in slack.replies("C1", ts) if line in each.shown), None), 10, "the answer to stop")
    assert reply.ts == growing.ts
    assert reply.shown.startswith("하나")
    assert "다섯" not in reply.shown
    assert reply.buttons
    assert hung_up(agent)


@pytest.mark.parametrize(
    ("question", "word", "line"),
    [("@nod 세어 봐", "멈춰", "답하기 전에 멈췄어요."), ("@nod count, please", "Cancel", "Stopped before there was an answer.")],
)
def test_stopped_before_a_word_the_thread_says_so(
    nod: Roles, slack: FakeSlack, agent: FakeModel, question: str, word: str, line: str
) -> None:
    agent.will_stream("never said", hold_after=0)
    ts = slack.hears(question)
    agent.until_holding()
    slack.hears(word, thread=ts)
    reply = slack.wait_reply("C1", ts, when=lambda message: message.shown == line)
    assert not reply.buttons
    assert hung_up(agent)
    slack.wait(lambda: all(each["ended"] for each in slack.statuses("C1", ts)), 5, "the status to be gone")


def test_what_waits_behind_it_is_stopped_as_well(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    ts, _ = grows(slack, agent)
    slack.wait_delivered(slack.hears("@nod 그리고 또?", thread=ts))
    slack.hears("@nod 취소", thread=ts)
    slack.wait(lambda: len([each for each in slack.replies("C1", ts) if "멈췄어요." in each.shown]) == 2, 10, "two answers to be stopped")
    assert len(agent.shown) == 1


def test_stop_is_never_a_question(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    slack.wait_delivered(slack.hears("stop", user="U2"))  # to nobody
    top, korean = slack.hears("@nod stop"), slack.direct("그만")
    slack.wait_delivered(top)
    slack.wait_delivered(korean)
    whispers = slack.wait(lambda: each if len(each := slack.ephemerals()) == 2 else None, 5, "two whispers")
    assert {each["text"] for each in whispers} == {"You are not waiting for an answer here.", "여기서 기다리는 답이 없어요."}
    assert not slack.replies("C1")
    assert not agent.calls


def test_slacks_own_stop_button_ends_the_answer(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    ts, growing = grows(slack, agent)
    slack.stops("C1", ts)
    reply = slack.wait_reply("C1", ts, when=lambda message: "여기서 멈췄어요." in message.shown)
    assert reply.ts == growing.ts
    assert reply.shown.startswith("하나")
    assert hung_up(agent)


@pytest.mark.parametrize("is_stopped", [True, False])
def test_in_a_direct_message_slack_shows_its_stop_button_while_nod_answers(
    roles: Roles, slack: FakeSlack, agent: FakeModel, is_stopped: bool
) -> None:
    roles.start("worker")  # of its own: what other tests called counts against the minute's budget, and a late call would reach this one
    roles.start("slack")
    slack.wait_connected()
    agent.will_stream("하나 둘 셋 넷 다섯", tokens=5, hold_after=2)
    ts = slack.direct("세어 봐")
    slack.wait_reply("DU1", ts, done=False, when=lambda message: message.shown.startswith("하나"))
    slack.wait(lambda: [one["status"] for one in slack.sessions()] == ["processing"], 5, "the button")
    if is_stopped:
        slack.stops("DU1", ts)
    else:
        agent.go_on()
    slack.wait_reply("DU1", ts, when=lambda message: bool(message.buttons))
    slack.wait(lambda: slack.sessions()[0]["status"] == "active", 5, "the button to be gone")
    assert len(slack.calls("agents.sessions.setStatus")) == 1 + is_stopped


# ── edits ──


def test_an_edited_question_is_answered_anew_in_the_same_message(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    ts, growing = grows(slack, agent, "@nod 연차 이뤌 돼? https://example.com")
    slack.unfurls("C1", ts)
    agent.will_stream(LEAVE, tokens=10, hold_after=0)
    slack.edits("C1", ts, "@nod 연차 이월 돼? https://example.com")
    again = slack.wait_reply("C1", ts, done=False, when=lambda message: "질문이 바뀌어서" in message.shown)
    assert "하나" not in again.shown
    assert hung_up(agent)
    agent.go_on()
    reply = slack.wait_reply("C1", ts, when=lambda message: message.shown.startswith(LEAVE) and bool(message.buttons))
    assert reply.ts == growing.ts
    assert [each.ts for each in slack.replies("C1", ts)] == [growing.ts]
    assert agent.shown == [["연차 이뤌 돼? https://example.com"], ["연차 이월 돼? https://example.com"]]


def test_an_edit_before_the_first_word_changes_what_is_answered(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream("never said", hold_after=0)
    ts = slack.hears("@nod 연차 이뤌 돼?")
    agent.until_holding()
    agent.will_say("Yes, five days.")
    slack.edits("C1", ts, "@nod can I carry leave over?")
    reply = slack.wait_reply("C1", ts, when=lambda message: bool(message.buttons))
    assert reply.shown.startswith("Yes, five days.")
    assert len(slack.replies("C1", ts)) == 1
    assert agent.shown[-1] == ["can I carry leave over?"]
    agent.go_on()


def test_edited_questions_keep_their_order(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    ts, _ = grows(slack, agent, "@nod 첫째")
    slack.wait_delivered(slack.hears("@nod 둘째?", thread=ts))
    agent.will_say("하나.", "둘.")
    slack.edits("C1", ts, "@nod 첫째?")
    slack.wait_reply("C1", ts, when=lambda message: message.shown.startswith("둘."))
    assert agent.shown[1:] == [["첫째?"], ["첫째?", "하나.", "둘째?"]]


def test_after_the_answer_an_edit_or_a_deletion_changes_nothing(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say(LEAVE, "둘째 답.")
    ts = slack.hears("@nod 연차 이월 돼?")
    answer = slack.wait_reply("C1", ts, when=lambda message: bool(message.buttons))
    slack.edits("C1", ts, "@nod 반차도 돼?")
    slack.deletes("C1", ts)
    other = slack.hears("@nod 그 다음은?")
    slack.wait_reply("C1", other, when=lambda message: bool(message.buttons))
    assert [each.shown for each in slack.replies("C1") if each.ts == answer.ts] == [answer.shown]
    assert len(agent.shown) == 2


# ── deletions ──


@pytest.mark.parametrize("has_words", [True, False])
def test_a_question_deleted_while_it_is_answered_takes_its_answer_with_it(
    nod: Roles, slack: FakeSlack, agent: FakeModel, has_words: bool
) -> None:
    if has_words:
        ts, _ = grows(slack, agent)
    else:
        agent.will_stream("never said", hold_after=0)
        ts = slack.hears("@nod 세어 봐")
        agent.until_holding()
    slack.deletes("C1", ts)  # with replies below it Slack only changes it into a tombstone
    assert hung_up(agent)
    slack.wait(lambda: not slack.replies("C1", ts), 10, "the answer to be gone")

    def is_withdrawn() -> bool:
        with psycopg.connect(nod.env["DATABASE_URL"]) as db:
            return db.execute("SELECT status, shown_at IS NOT NULL FROM answers").fetchone() == ("withdrawn", True)

    until(is_withdrawn, 10, "a withdrawn answer")
    agent.go_on()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_bot_killed_after_it_kept_an_edit_answers_the_new_text_once(roles: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    slack.timing(ack_seconds=1.5, retry_seconds=[0, 2, 4, 8, 16])
    roles.start("worker")
    bot = roles.start("slack", pause="edited")
    slack.wait_connected()
    ts, growing = grows(slack, agent, "@nod 연차 이뤌 돼?")
    agent.will_say(LEAVE)
    slack.edits("C1", ts, "@nod 연차 이월 돼?")
    bot.stands_in("edited")
    bot.kill()
    roles.start("slack")
    reply = slack.wait_reply("C1", ts, timeout=40, when=lambda message: bool(message.buttons))
    assert (reply.ts, reply.shown.startswith(LEAVE)) == (growing.ts, True)
    assert len(slack.replies("C1", ts)) == 1
    assert [each[-1] for each in agent.shown] == ["연차 이뤌 돼?", "연차 이월 돼?"]
