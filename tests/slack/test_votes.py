"""Thumbs in Slack: reactions under every name, buttons, reasons, and taking it all back."""

from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack, SlackMessage
from tests.roles import Roles, until


def answered(slack: FakeSlack, agent: FakeModel, text: str = "@nod 연차 이월 돼?") -> SlackMessage:
    agent.will_say("네, 닷새예요.")
    ts = slack.hears(text)
    return slack.wait_reply("C1", ts, when=lambda message: bool(message.buttons))


def votes(nod: Roles) -> list[dict[str, Any]]:
    with psycopg.connect(nod.env["DATABASE_URL"], row_factory=dict_row) as db:
        return db.execute("SELECT coalesce(value, 'withdrawn') AS vote, reasons, comment, answer_id FROM votes").fetchall()


def stands(nod: Roles, *expected: str) -> list[dict[str, Any]]:
    """Wait until these votes stand, in any order."""

    def found() -> list[dict[str, Any]] | None:
        rows = votes(nod)
        return rows if sorted(str(row["vote"]) for row in rows) == sorted(expected) else None

    return until(found, 15, f"the votes {expected}", lambda: f"{votes(nod)}\n{nod.logs()}")


def test_thumbs_of_every_name_and_tone_are_one_vote_a_person(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    reply = answered(slack, agent)
    slack.user("U7BOT", is_bot=True)
    slack.reacts("C1", reply.ts, "+1::skin-tone-3", user="U1")
    slack.reacts("C1", reply.ts, "thumbsdown", user="U2")
    slack.reacts("C1", reply.ts, "eyes", user="U3")
    slack.reacts("C1", reply.ts, "+1", user="U7BOT")
    stands(nod, "up", "down")
    slack.reacts("C1", reply.ts, "-1::skin-tone-6", user="U1")
    stands(nod, "down", "down")
    slack.unreacts("C1", reply.ts, "-1::skin-tone-6", user="U1")
    stands(nod, "up", "down")
    slack.unreacts("C1", reply.ts, "+1::skin-tone-3", user="U1")
    stands(nod, "withdrawn", "down")


def test_a_thumb_by_button_asks_for_reasons_and_takes_them(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    reply = answered(slack, agent)
    answer_id = reply.buttons[0]["negative_button"]["value"].split(":")[-1]
    slack.presses("C1", reply.ts, "nod_vote", reply.buttons[0]["negative_button"]["value"])
    view = slack.wait_view(callback_id="nod_reasons")
    assert view["title"]["text"] == "무엇이 문제였나요?"
    stands(nod, "down")  # counts before the dialog is sent
    slack.submits(view["id"], {"reasons": ["outdated", "wrong"], "comment": "올해부터 10일"})
    (row,) = until(lambda: [row for row in votes(nod) if row["reasons"]], 10, "the reasons", nod.logs)
    assert row["reasons"] == ["wrong", "outdated"]
    assert row["comment"] == "올해부터 10일"
    assert row["answer_id"].hex == answer_id
    slack.presses("C1", reply.ts, "nod_vote", reply.buttons[0]["positive_button"]["value"])
    stands(nod, "up")


@pytest.mark.slow
def test_an_english_answer_asks_in_english(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    reply = answered(slack, agent, "@nod can I carry leave over?")
    slack.presses("C1", reply.ts, "nod_vote", reply.buttons[0]["negative_button"]["value"])
    assert slack.wait_view(callback_id="nod_reasons")["title"]["text"] == "What was wrong?"


@pytest.mark.slow
def test_an_event_heard_twice_is_one_vote(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    reply = answered(slack, agent)
    slack.reacts("C1", reply.ts, "+1")
    slack.redeliver(reply.ts)
    stands(nod, "up")
    slack.unreacts("C1", reply.ts, "+1")
    stands(nod, "withdrawn")
    slack.redeliver(reply.ts)
    assert [vote["vote"] for vote in votes(nod)] == ["withdrawn"]


@pytest.mark.slow
def test_a_thumb_on_an_answer_that_still_grows_counts_for_it(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_stream("하나 둘 셋 넷 다섯", tokens=5, hold_after=2)
    ts = slack.hears("@nod 세어 봐")
    growing = slack.wait_reply("C1", ts, done=False, when=lambda message: "하나" in message.shown)
    slack.reacts("C1", growing.ts, "+1")
    stands(nod, "up")
    agent.go_on()
    slack.wait_reply("C1", ts, when=lambda message: "다섯" in message.shown)
    stands(nod, "up")
