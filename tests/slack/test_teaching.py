"""Teaching in Slack: by command, in a dialog, from a message; used in the next answer, undone; and who asked in vain hears of it."""

from typing import Any

import psycopg
import pytest

from tests.fakes.slack import FakeSlack
from tests.roles import Roles

Json = dict[str, Any]


@pytest.fixture(scope="module")
def model_env() -> dict[str, str]:
    """No model: what was taught is quoted."""
    return {}


def answered(slack: FakeSlack, question: str, channel: str = "C1", user: str = "U1") -> str:
    """What nod answers to a mention."""
    ts = slack.hears(f"@nod {question}", channel=channel, user=user)
    return slack.wait_reply(channel, ts).shown


def buttons(blocks: list[Json]) -> list[str]:
    """The ids of a message's buttons."""
    return [item["action_id"] for block in blocks if block["type"] == "actions" for item in block["elements"]]


def press_undo(slack: FakeSlack, user: str = "U1") -> str:
    """Press Undo on what the last command said, and return what stands there then."""
    shown = slack.wait(lambda: next((e for e in reversed(slack.ephemerals(user)) if "nod_undo" in buttons(e["blocks"])), None), 5, "undo")
    slack.presses(shown["channel"], shown["ts"], "nod_undo", user=user)
    return slack.wait(lambda: next((e["shown"] for e in slack.ephemerals(user) if e["ts"] == shown["ts"] and "nod_undo" not in buttons(e["blocks"])), None), 5, "undone")  # fmt: skip


def test_what_is_taught_by_command_answers_the_next_question_here_and_nowhere_else(nod: Roles, slack: FakeSlack) -> None:
    slack.channel("C9", private=True, members=["U1", "U2"])
    (told,) = slack.command(text="알려 주기 사내 수영장은 화요일에 열어요. 열쇠는 총무팀에 있어요.", channel="C9").wait(10)
    assert told["response_type"] == "ephemeral"
    assert "배웠어요: ‘사내 수영장은 화요일에 열어요. 열쇠는 총무팀에 있어요.’" in told["shown"]
    assert "이 채널에서만 볼 수 있어요." in told["shown"]
    assert "nod_undo" in buttons(told["blocks"])
    assert "화요일에 열어요" in answered(slack, "사내 수영장은 언제 열어?", "C9")
    assert "화요일" not in answered(slack, "사내 수영장은 언제 열어?", "C1")
    (public,) = slack.command(text="teach The gym opens at seven.").wait(10)
    assert "Everyone in this workspace can see it." in public["shown"]


def test_a_message_is_taught_with_its_link_and_undone(nod: Roles, slack: FakeSlack) -> None:
    ts = slack.hears("The pool opens on Tuesdays at noon.", user="U2")
    slack.shortcut("nod_teach", user="U1", channel="C1", ts=ts)
    slack.wait(lambda: any("배웠어요: ‘The pool opens" in each["shown"] for each in slack.ephemerals("U1")), 5, "learnt")
    asked = slack.hears("@nod when does the pool open?")
    shown = slack.wait_reply("C1", asked)
    assert "opens on Tuesdays" in shown.shown
    assert f"p{ts.replace('.', '')}" in str(shown.blocks)
    assert "다시 잊었어요" in press_undo(slack)
    assert "Tuesdays" not in answered(slack, "when does the pool open, please?")


def test_without_a_text_a_dialog_says_who_will_see_it(nod: Roles, slack: FakeSlack) -> None:
    slack.command(text="teach", channel=slack.direct_channel("U1"))
    view = slack.wait_view(callback_id="nod_teach")
    assert "Only you can see it." in str(view["blocks"])
    slack.submits(view["id"], {"about": "the pool", "text": "It opens on Tuesdays."})
    slack.wait(lambda: any("배웠어요: ‘the pool’" in each["shown"] for each in slack.ephemerals("U1")), 5, "learnt")
    assert "Tuesdays" not in answered(slack, "when does the pool open?")


def test_what_nod_does_not_know_can_be_taught_below_the_answer_and_who_asked_is_told_once(nod: Roles, slack: FakeSlack) -> None:
    ts = slack.hears("@nod VPN이 안 돼요, 어떻게 해요?", user="U2")
    unknown = slack.wait_reply("C1", ts)
    assert "nod_teach" in buttons(unknown.blocks)
    slack.presses("C1", unknown.ts, "nod_teach", user="U1")
    view = slack.wait_view(callback_id="nod_teach")
    slack.submits(view["id"], {"text": "1층 총무팀에 말하면 인증서를 새로 줘요."})
    slack.wait(lambda: any("물어봤던 분에게 알려 드릴게요." in each["shown"] for each in slack.ephemerals("U1")), 5, "learnt")
    with psycopg.connect(nod.env["DATABASE_URL"], autocommit=True) as db:
        assert slack.replies(slack.direct_channel("U2")) == []
        db.execute("UPDATE knowledge_gaps SET tell_at = now() - interval '1 second'")  # the time for undoing is over
    news = slack.wait_reply(slack.direct_channel("U2"), timeout=10)
    assert news.shown.startswith("물어보셨죠: ‘VPN이 안 돼요, 어떻게 해요?’.")
    assert "인증서를 새로 줘요" in news.shown
    assert "인증서를 새로 줘요" in answered(slack, "VPN이 안 돼요, 어떻게 해요?", user="U2")
    assert len(slack.replies(slack.direct_channel("U2"))) == 1
    assert slack.replies(slack.direct_channel("U1")) == []
