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
    """U1 is in the private #CLEGAL, U2 is not; UG is a guest, CSHARED is shared with another workspace."""
    slack.user("UG", is_restricted=True)
    slack.channel("CLEGAL", private=True, members=["U1", "U3"])
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
