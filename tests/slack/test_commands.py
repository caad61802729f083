"""`/nod …` in Slack."""

import re

import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles
from tests.slack.test_answering import learns


def test_a_question_by_command_is_shown_and_answered_in_its_thread(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("네, 닷새예요.", "네, 반차도요.")
    command = slack.command(text="질문 연차 이월 돼? <!channel>")
    root, *_ = slack.wait(lambda: slack.replies("C1"), 5, "the question")  # its answer may stand there already
    assert "> 연차 이월 돼? &lt;!channel&gt;" in root.shown
    reply = slack.wait_reply("C1", root.ts, when=lambda message: message.thread_ts == root.ts)
    assert reply.shown.startswith("네, 닷새예요.")
    assert command.state == "acked"
    slack.hears("@nod 반차도?", thread=root.ts)
    slack.wait_reply("C1", root.ts, when=lambda message: message.shown.startswith("네, 반차도요."))
    assert agent.shown[-1] == ["연차 이월 돼? <!channel>", "네, 닷새예요.", "반차도?"]
    assert len(slack.replies("C1")) == 3


@pytest.mark.slow
def test_where_nod_may_not_post_a_command_is_answered_for_its_giver_alone(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    slack.channel("C9", members=["U1"], bot_in=False)
    agent.will_say("Yes, five days.")
    command = slack.command(text="ask can I carry leave over?", channel="C9")
    searching, answer = command.wait(15, count=2)
    assert "Searching" in searching["shown"]
    assert answer["shown"].startswith("Yes, five days.")
    assert answer["response_type"] == "ephemeral"
    assert not slack.replies("C9")


@pytest.mark.slow
def test_a_question_whose_message_was_posted_without_slack_saying_so_is_asked_once(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("네, 닷새예요.")
    slack.fault("chat.postMessage", "lost_reply")
    slack.command(text="ask 연차 이월 돼?")
    root, *_ = slack.wait(lambda: slack.replies("C1"), 5, "the question")  # its answer may stand there already
    assert slack.wait_reply("C1", root.ts, when=lambda message: message.thread_ts == root.ts).shown.startswith("네, 닷새예요.")
    assert len(slack.replies("C1")) == 2


def test_help_search_and_unknown_words_are_answered_privately(nod: Roles, slack: FakeSlack) -> None:
    learns(nod)
    help_, search, unknown, nothing, stop = (
        slack.command(text=text).wait(10)[0] for text in ("도움말", "search half day", "연차 이월 돼?", "검색", "stop")
    )
    assert "`/nod 질문`" in help_["shown"]
    assert "counts as 0.5 days" in search["shown"]
    assert "`연차` 명령은 없어요" in unknown["shown"]
    assert "뒤에 내용을 써 주세요" in nothing["shown"]
    assert "not waiting for an answer" in stop["shown"]
    assert not slack.replies("C1")
    assert all(each["response_type"] == "ephemeral" for each in (help_, search, unknown, nothing, stop))


@pytest.mark.slow
def test_the_link_to_the_page_is_personal_and_private(nod: Roles, slack: FakeSlack) -> None:
    one, other = (slack.command(text="web", user=user).wait(10)[0]["shown"] for user in ("U1", "U2"))
    links = [re.search(r"http://\S+/in/[\w-]+", shown) for shown in (one, other)]
    assert all(links)
    assert len({link[0] for link in links if link}) == 2
    assert not slack.replies("C1")
    assert "/in/" not in nod.logs()


@pytest.mark.slow
def test_stop_ends_the_answer_and_keeps_what_was_said(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream("하나 둘 셋 넷 다섯", tokens=5, hold_after=2)
    ts = slack.hears("@nod 세어 봐")
    slack.wait_reply("C1", ts, done=False, when=lambda message: "하나" in message.shown)
    assert "멈추고" in slack.command(text="그만").wait(10)[0]["shown"]
    reply = slack.wait_reply("C1", ts, when=lambda message: "여기서 멈췄어요." in message.shown)
    assert reply.shown.startswith("하나")
    assert "다섯" not in reply.shown
    agent.go_on()


def test_the_manifest_is_what_the_fake_slack_grants(nod: Roles, slack: FakeSlack) -> None:
    import json

    from tests.fakes.slack_world import ALL_EVENTS, ALL_SCOPES

    manifest = json.loads(nod.run("slack", "manifest"))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) <= set(ALL_SCOPES)
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) <= set(ALL_EVENTS)
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert "agent_view" in manifest["features"]
    explained = nod.run("slack", "manifest", "--explain")
    for name in (*manifest["oauth_config"]["scopes"]["bot"], *manifest["settings"]["event_subscriptions"]["bot_events"]):
        assert re.search(rf"^  {re.escape(name)} +\S.*", explained, re.MULTILINE), name
