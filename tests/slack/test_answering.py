"""People ask nod in Slack and read what it says: real `nod slack`, real `nod worker`, a scripted model."""

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles

LEAVE = "네, 연차는 다음 해 3월 31일까지 닷새를 이월할 수 있어요. 반차는 0.5일로 계산해요. 자세한 것은 규정을 봐 주세요."


def test_a_mention_is_answered_in_its_thread_and_grows(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream(LEAVE, tokens=40, first_after=0.1, every=0.05)
    ts = slack.hears("@nod 연차 이월 돼?")
    reply = slack.wait_reply("C1", ts)
    assert reply.shown.startswith(LEAVE), nod.logs()
    assert len(reply.growths) >= 3
    assert reply.thread_ts == ts
    assert len(slack.replies("C1")) == 1
