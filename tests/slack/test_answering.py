"""People ask nod in Slack and read what it says: real `nod slack`, real `nod worker`, a scripted model."""

from pathlib import Path

import psycopg
import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack, SlackMessage
from tests.roles import Roles, until

LEAVE = "네, 연차는 다음 해 3월 31일까지 닷새를 이월할 수 있어요. 반차는 0.5일로 계산해요. 자세한 것은 규정을 봐 주세요."
POLICY = "# 휴가 규정\n\n## 이월\n\n연차는 다음 해 3월 31일까지 닷새를 이월할 수 있다.\n\n## Half days\n\nA half day of leave counts as 0.5 days.\n"


def learns(nod: Roles, text: str = POLICY) -> None:
    Path(nod.folder, "hr-policy.md").write_text(text, "utf-8")
    nod.run("ingest", "hr-policy.md")


def small(message: SlackMessage) -> str:
    """What stands below the words in small letters."""
    return "\n".join(block["elements"][0]["text"] for block in message.blocks if block["type"] == "context")


def test_a_mention_is_answered_in_its_thread_and_grows_and_names_its_sources(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    learns(nod)
    said = f"{LEAVE} [1]"
    agent.will_stream(said, tokens=46, first_after=1.5, every=0.05)
    ts = slack.hears("@nod 연차 이월 돼?")
    reply = slack.wait_reply("C1", ts)
    assert reply.shown.startswith(said), nod.logs()
    assert len(reply.growths) >= 3
    assert reply.thread_ts == ts
    assert "[1] 휴가 규정 이월" in small(reply)
    assert len(slack.replies("C1")) == 1
    signs = [(each["status"], each["ended"]) for each in slack.statuses("C1", ts)]
    assert signs == [("문서를 찾고 있어요…", "replaced"), ("1곳을 읽고 있어요…", "posted")]
    assert all(call["args"].get("recipient_user_id") == "U1" for call in slack.calls("chat.startStream"))


def test_what_its_source_does_not_say_is_marked_with_the_last_edit_in_the_same_message(
    nod: Roles, slack: FakeSlack, agent: FakeModel
) -> None:
    learns(nod)
    agent.will_stream("연차는 다음 해 3월 31일까지 이월할 수 있어요 [1]. 열흘까지 돼요 [1].", tokens=20, every=0.05)
    ts = slack.hears("@nod 연차 이월 돼?")
    reply = slack.wait_reply("C1", ts)
    assert "이월할 수 있어요 [1]." in reply.shown, nod.logs()
    assert "열흘까지 돼요 [1]⚠." in reply.shown
    assert "출처에서 확인되지 않았어요" in small(reply)
    assert len(slack.statuses("C1", ts)) == 1  # a step that would stand there for less than a second is not shown
    assert len(slack.replies("C1")) == 1


def test_one_mention_is_one_question_however_often_it_is_heard(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("Yes, until March.")
    ts = slack.hears("@nod can I carry leave over?")  # heard as app_mention and as message
    slack.redeliver(ts)
    slack.wait_reply("C1", ts)
    slack.redeliver(ts)
    assert all(each["state"] == "acked" for each in slack.wait_delivered(ts))
    assert len(slack.replies("C1")) == 1
    assert len(agent.shown) == 1


def test_a_follow_up_is_answered_with_the_earlier_turn_in_view(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("15일입니다.", "네, 반차도 됩니다.")
    ts = slack.hears("@nod 휴가 며칠 남았어?")
    slack.wait_reply("C1", ts)
    slack.hears("우리끼리 하는 말", thread=ts)
    slack.hears("@nod 반차도 돼?", thread=ts, user="U2")
    reply = slack.wait_reply("C1", ts, when=lambda message: "반차도" in message.shown)
    assert reply.shown.startswith("네, 반차도 됩니다.")
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]
    assert len(slack.replies("C1", ts)) == 2


@pytest.mark.slow
def test_a_direct_message_is_answered_in_its_own_thread_and_the_first_one_is_greeted(
    nod: Roles, slack: FakeSlack, agent: FakeModel
) -> None:
    agent.will_say("15일입니다.", "Half of that.")
    first = slack.direct("휴가 며칠 남았어?")
    assert slack.wait_reply("DU1", first).shown.startswith("15일입니다.")
    second = slack.direct("and in English?")
    assert slack.wait_reply("DU1", second).shown.startswith("Half of that.")
    assert agent.shown[-1] == ["and in English?"]  # a thread of its own
    greetings = slack.ephemerals("U1")
    assert len(greetings) == 1
    assert "본인만 볼 수 있어요" in greetings[0]["text"]


@pytest.mark.slow
def test_an_older_app_answers_in_the_direct_message_itself(roles: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    roles.start("slack", NOD_SLACK_DM_THREADS="false")
    roles.start("worker")
    slack.wait_connected()
    agent.will_say("15일입니다.", "네, 반차도 됩니다.")
    slack.direct("휴가 며칠 남았어?")
    assert slack.wait_reply("DU1", when=lambda message: message.shown.startswith("15일")).thread_ts is None
    slack.direct("반차도?")
    slack.wait_reply("DU1", when=lambda message: message.shown.startswith("네"))
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도?"]


@pytest.mark.slow
def test_without_a_model_the_documents_are_quoted(roles: Roles, slack: FakeSlack) -> None:
    roles.env.pop("OPENAI_API_KEY")
    roles.env.pop("OPENAI_BASE_URL")
    roles.start("slack")
    roles.start("worker")
    learns(roles)
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    korean = slack.wait_reply("C1", ts)
    assert "닷새를 이월할 수 있다" in korean.shown
    assert "언어 모델이 없어서 답하는 대신 인용했어요." in small(korean)
    ts = slack.hears("@nod how much is a half day of leave?")
    english = slack.wait_reply("C1", ts)
    assert "counts as 0.5 days" in english.shown
    assert "No language model is connected" in small(english)


@pytest.mark.slow
def test_what_is_not_asked_of_us_is_left_alone(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("네.")
    slack.hears("연차 이월 되나?")  # no mention
    slack.event("app_mention", user="U9BOT", bot_id="B9", text=f"<@{slack.bot_user}> hi", channel="C1", ts="1.000001", event_ts="1.000001")
    blank, english = slack.hears("@nod"), slack.hears("@nod  ", user="U2")
    edited = slack.hears("그냥 하는 말")
    slack.edits("C1", edited, "고친 말")
    slack.deletes("C1", edited)
    ts = slack.hears("@nod 진짜 질문이야?")
    slack.wait_reply("C1", ts)
    assert len(slack.replies("C1")) == 1
    assert len(agent.shown) == 1
    hints = [each for each in slack.ephemerals() if each["thread"] in (blank, english)]
    assert sorted(each["user"] for each in hints) == ["U1", "U2"]
    assert "Write your question behind my name" in hints[0]["text"]
    assert not [each for each in slack.deliveries(kind="events_api") if each["state"] == "failed"]


def test_a_long_korean_answer_goes_on_in_more_messages_and_loses_nothing(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    said = "".join(f"{n}번째 문단이에요. 연차는 다음 해 삼월까지 이월할 수 있어요 👨‍👩‍👧‍👦.\n\n" for n in range(200))
    agent.will_stream(said.strip(), tokens=60, every=0.02)
    ts = slack.hears("@nod 전부 말해 줘")
    slack.wait_reply("C1", ts, timeout=20, when=lambda message: "199번째" in message.shown)
    replies = slack.replies("C1", ts)
    assert len(replies) >= 3
    shown = "".join(reply.shown for reply in replies[:-1]) + replies[-1].shown
    assert shown.startswith(said.strip()[:-10])
    assert [bool(reply.buttons) for reply in replies] == [False] * (len(replies) - 1) + [True]
    assert not [reply for reply in replies if reply.streaming]


def test_nothing_the_model_writes_mentions_or_links(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    hostile = "네 <!channel> <@U2> <#C1> [규정](https://evil.example/?q=비밀) ![p](https://evil.example/p.png) https://ok.example/a 끝"
    agent.will_stream(hostile, tokens=80, every=0.02)
    ts = slack.hears("@nod https://ok.example/a 요약해 줘")
    reply = slack.wait_reply("C1", ts)
    assert reply.shown.replace("\u200b", "").startswith(hostile)
    for wrong in ("<!channel", "<@U2", "<#C1", "https://evil.example", "]("):
        assert wrong not in reply.shown
    assert "https://ok.example/a" in reply.shown
    sent = slack.calls("chat.postMessage") + slack.calls("chat.update")
    assert all(call["args"].get("unfurl_links") is False for call in sent if call["method"] == "chat.postMessage")


def test_a_failed_answer_says_why_and_goes_on_in_the_same_message_when_tried_again(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_fail("401")
    ts = slack.hears("@nod 연차 이월 돼?")
    sorry = slack.wait_reply("C1", ts, when=lambda message: bool(message.buttons))
    assert "모델 키가 맞지 않아요" in sorry.shown
    assert "q-" in sorry.shown
    agent.will_say("네, 닷새예요.")
    slack.presses("C1", sorry.ts, "nod_retry")
    slack.presses("C1", sorry.ts, "nod_retry", user="U2")
    reply = slack.wait_reply("C1", ts, when=lambda message: message.shown.startswith("네, 닷새예요."))
    assert reply.ts == sorry.ts
    assert len(slack.replies("C1", ts)) == 1
    assert "모델 키가" not in reply.shown


@pytest.mark.slow
def test_the_thread_is_read_for_the_model_as_far_as_the_asker_may(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    ts = slack.hears("점심은 김치찌개로 해요", user="U2")
    agent.will_call("read_thread")
    agent.will_say("김치찌개예요.")
    slack.hears("@nod 점심 뭐래?", thread=ts)
    slack.wait_reply("C1", ts, when=lambda message: message.shown.startswith("김치찌개예요."))
    seen = str(agent.prompts[-1])
    assert "u2: 점심은 김치찌개로 해요" in seen
    assert "U2" not in seen


def test_who_can_read_a_place_is_known_for_every_kind_of_place(roles: Roles, slack: FakeSlack) -> None:
    slack.channel("G7", private=True, members=["U1"])
    roles.start("slack")
    slack.wait_connected()
    for channel in ("C1", "G7"):
        slack.hears("@nod 누가 봐?", channel=channel)
    slack.direct("나만 봐?")
    slack.fault("conversations.info", "500", match={"channel": "C8"})
    slack.subscribes(["app_mention"])
    slack.channel("C8", members=["U1"])
    slack.hears("@nod who reads this?", channel="C8")

    def seen() -> dict[str, str] | None:
        with psycopg.connect(roles.env["DATABASE_URL"]) as db:
            found = dict(db.execute("SELECT channel, visibility FROM questions").fetchall())
        return found if len(found) == 4 else None

    places = until(seen, 10, "four questions", roles.logs)
    assert places == {"C1": "public", "G7": "private", "DU1": "direct", "C8": "private"}  # not known: the narrower


def test_only_the_one_who_invites_nod_is_told_that_it_is_here(roles: Roles, slack: FakeSlack) -> None:
    roles.start("slack")
    slack.wait_connected()
    slack.joins("C1", slack.bot_user)
    slack.joins("C1", "U3")
    (hint,) = slack.wait(slack.ephemerals, 5, "a hint")
    assert hint["user"] == "U1"
    assert hint["text"] == "nod가 왔어요. 멘션하면 스레드에 답해요."
    assert not slack.replies("C1")
