"""A question that kills its worker three times: an apology, a dead letter, and with `nod dead retry` the answer in the same message."""

import json
from uuid import uuid4

import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles
from tests.slack.test_trouble import SAID, one_whole_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def link(channel: str, ts: str) -> str:
    return f"https://acme.slack.com/archives/{channel}/p{ts.replace('.', '')}?thread_ts={ts}&cid={channel}"


def test_what_was_given_up_is_found_traced_and_asked_anew_in_the_same_message(roles: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    me = str(uuid4())  # a supervisor hands a restarted process its predecessor's id
    roles.start("slack")
    slack.wait_connected()
    ts = slack.hears("@nod 연차 이월 돼?")
    for _ in range(3):
        worker = roles.start("worker", pause="claimed", NOD_PROCESS_ID=me)
        worker.stands_in("claimed")
        worker.kill()
    agent.will_stream(SAID, tokens=30, every=0.01)
    roles.start("worker", NOD_PROCESS_ID=me)
    apology = slack.wait_reply("C1", ts, timeout=30, when=lambda message: "세 번 실패했어요" in message.shown)

    [letter] = json.loads(roles.run("dead", "list", "--json"))
    assert (letter["question"], letter["attempts"], letter["last_outcome"]) == ("연차 이월 돼?", 3, "taken")
    assert letter["code"] in apology.shown
    life = json.loads(roles.run("trace", link("C1", ts), "--json"))
    assert json.loads(roles.run("trace", link("C1", apology.ts), "--json")) == life
    assert [event["what"] for event in life["events"] if event["attempt"]] == ["claimed", "taken"] * 3 + ["failed"]

    roles.run("dead", "retry", letter["code"])
    answer = slack.wait_reply("C1", ts, timeout=30, when=lambda message: bool(message.buttons) and "실패" not in message.shown)
    assert answer.ts == apology.ts
    one_whole_answer(slack, ts)
    assert json.loads(roles.run("dead", "list", "--json")) == []
    assert len(agent.shown) == 1
