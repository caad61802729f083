"""Who gets answers from what in Slack: real `nod slack`, real `nod worker`. What the model was shown is what could have been said."""

import pytest

from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles
from tests.taught import teaches

QUESTION = {"ko": "오로라 합병은 언제예요?", "en": "When is the Aurora merger?"}
SECRETS = {
    "private": "오로라 합병 Aurora merger: 자작나무 birch",
    "workspace": "오로라 합병 Aurora merger: 단풍나무 maple",
    "person": "오로라 합병 Aurora merger: 소나무 pine",
}


@pytest.fixture
def slack(slack: FakeSlack) -> FakeSlack:
    """What the bot learns of them it keeps from test to test: each has people and channels of its own.

    U1 is in the private #CLEGAL (so are U3 and U4), U2 is not; UG is a guest, CSHARED is shared with another workspace."""
    slack.user("UG", is_restricted=True)
    slack.channel("CLEGAL", private=True, members=["U1", "U3", "U4"])
    slack.channel("CGUEST", members=["U1", "U2", "UG"])
    slack.channel("CSHARED", members=["U1", "U2"], shared=True)
    return slack


@pytest.fixture
def nod(nod: Roles) -> Roles:
    team = "T0NOD"
    scopes = {"private": "channel:slack:CLEGAL", "workspace": f"workspace:slack:{team}", "person": "person:slack:U1"}
    teaches(nod.env["DATABASE_URL"], *((scopes[name], text) for name, text in SECRETS.items()))
    return nod


def shown(slack: FakeSlack, agent: FakeModel, channel: str, user: str, language: str = "ko") -> set[str]:
    """Which of the secrets the model was shown for a question."""
    agent.will_say("몰라요.")
    is_direct = channel.startswith("D")
    ts = slack.direct(QUESTION[language], user) if is_direct else slack.hears(f"@nod {QUESTION[language]}", channel, user)
    slack.wait_reply(channel, ts)
    return {name for name, text in SECRETS.items() if text in str(agent.prompts[-1])}


def test_a_place_draws_on_what_all_its_readers_may_see(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    seen = {place: shown(slack, agent, place, "U1") for place in ("C1", "CLEGAL", "CGUEST", "CSHARED")}
    assert seen == {"C1": {"workspace"}, "CLEGAL": {"private", "workspace"}, "CGUEST": set(), "CSHARED": set()}
    assert shown(slack, agent, "C1", "U1", "en") == {"workspace"}


def test_a_direct_message_draws_on_what_its_writer_may_see_until_they_leave(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    assert shown(slack, agent, "DU1", "U1") == {"private", "workspace", "person"}
    assert shown(slack, agent, "DU2", "U2") == {"workspace"}
    assert shown(slack, agent, "DUG", "UG") == set()
    slack.leaves("CLEGAL", "U1")
    slack.joins("CLEGAL", "U2")
    slack.wait(lambda: all(each["state"] == "acked" for each in slack.deliveries(kind="events_api")), what="the news")
    assert shown(slack, agent, "DU1", "U1") == {"workspace", "person"}
    assert shown(slack, agent, "DU2", "U2", "en") == {"private", "workspace"}


def test_while_slack_does_not_say_who_reads_a_place_the_narrowest_holds(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    slack.fault("users.conversations", "error", error="internal_error", match={"user": "U3"})
    assert shown(slack, agent, "DU3", "U3") == set()
    assert shown(slack, agent, "DU3", "U3") == {"private", "workspace"}
    slack.channel("CNEW", members=["U1"])
    for method in ("conversations.info", "users.conversations"):
        slack.fault(method, "500", times=9)
    assert shown(slack, agent, "CNEW", "U1") == set()


def test_what_a_channel_may_not_show_is_offered_to_the_asker_alone(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("몰라요.⟦unknown⟧", "자작나무예요 [1].")
    slack.channel("CHALL", members=["U4", "U2", "UG"])
    ts = slack.hears(f"@nod {QUESTION['ko']}", "CHALL", "U4")
    slack.wait_reply("CHALL", ts)
    (offer,) = slack.wait(lambda: slack.ephemerals("U4"), what="the offer")
    assert (offer["channel"], offer["thread"]) == ("CHALL", ts)
    assert "이 채널에서는 보여 줄 수 없는 자료에 답이 있어요." in str(offer["blocks"])
    for _ in range(2):
        slack.presses("CHALL", offer["ts"], "nod_alone", user="U4")
    answer = slack.wait(lambda: [each for each in slack.ephemerals("U4") if "자작나무예요" in str(each)], what="the answer")
    assert len(answer) == 1
    assert SECRETS["private"] in str(agent.prompts[-1])
    assert not slack.ephemerals("U2")
    assert not [each for each in slack.messages("CHALL", bot_only=True) if "보여 줄 수 없는" in each.shown or "자작나무" in each.shown]


def test_nothing_is_offered_to_who_may_not_see_it_either(nod: Roles, slack: FakeSlack, agent: FakeModel) -> None:
    agent.will_say("I don't know.⟦unknown⟧")
    slack.channel("CHALL2", members=["U1", "UG"])
    slack.wait_reply("CHALL2", slack.hears(f"@nod {QUESTION['en']}", "CHALL2", "UG"))
    assert not slack.ephemerals()
