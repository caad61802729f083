"""Who gets answers from what in Discord: real `nod discord`, real `nod worker`. What the model was shown is what could have been said."""

import psycopg
import pytest

from tests.conftest import ENTERED, empty_tables
from tests.discord.conftest import is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import Roles
from tests.taught import teaches

QUESTION = "오로라 합병은 언제예요? When is the Aurora merger?"
SECRETS = {
    "private": "오로라 합병 Aurora merger: 자작나무 birch",
    "workspace": "오로라 합병 Aurora merger: 단풍나무 maple",
    "person": "오로라 합병 Aurora merger: 소나무 pine",
}


@pytest.fixture
def discord(nod: Roles, running_guild: FakeDiscord, _tables: psycopg.Connection) -> FakeDiscord:
    """Lawyers can read #legal: mina is one, dana is not."""
    empty_tables(_tables, *ENTERED)
    lawyers = running_guild.role("lawyers", ["mina"])
    legal = running_guild.channel("legal", private=True)
    running_guild.changes_channel(legal, private=True, members=[lawyers])
    person = running_guild.user("mina")
    scopes = {
        "private": f"channel:discord:{legal}",
        "workspace": f"workspace:discord:{running_guild.guild}",
        "person": f"person:discord:{person}",
    }
    teaches(nod.env["DATABASE_URL"], *((scopes[name], text) for name, text in SECRETS.items()))
    return running_guild


def ends(discord: FakeDiscord, agent: FakeModel, asked: str) -> set[str]:
    """Wait for an answer, and return which of the secrets the model was shown for it."""
    discord.wait_reply(asked, 20, is_done)
    return {name for name, text in SECRETS.items() if text in str(agent.prompts[-1])}


def test_a_place_draws_on_what_all_its_readers_may_see(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say(*["몰라요."] * 5)
    assert ends(discord, agent, discord.hears(f"@nod {QUESTION}")) == {"workspace"}
    asked = discord.hears(f"@nod {QUESTION}", channel="legal")
    assert ends(discord, agent, asked) == {"private", "workspace"}
    assert ends(discord, agent, discord.hears(f"@nod {QUESTION}", thread=discord.opens_thread(asked))) == {"private", "workspace"}
    discord.features("DISCOVERABLE")  # anybody may look into what all can see
    assert ends(discord, agent, discord.hears(f"@nod {QUESTION}")) == set()
    assert ends(discord, agent, discord.hears(f"@nod {QUESTION}", channel="legal")) == {"private", "workspace"}
    discord.features()


def test_who_reads_alone_gets_what_they_may_see_until_the_channel_is_closed_to_them(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say(*["몰라요."] * 5)
    given = discord.slash("ask", {"question": QUESTION, "private": True}, user="mina")
    assert ends(discord, agent, given) == {"private", "workspace", "person"}
    assert ends(discord, agent, discord.direct(QUESTION, user="mina")) == {"private", "workspace", "person"}
    assert ends(discord, agent, discord.direct(QUESTION, user="dana")) == {"workspace"}
    discord.changes_channel("legal", private=True, members=[discord.role("judges", ["dana"]), "dana"])
    assert ends(discord, agent, discord.direct(QUESTION, user="mina")) == {"workspace", "person"}
    assert ends(discord, agent, discord.direct(QUESTION, user="dana")) == {"private", "workspace"}


def test_what_a_channel_may_not_show_is_offered_to_the_asker_alone(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("몰라요.⟦unknown⟧", "자작나무예요 [1].")
    discord.features("DISCOVERABLE")
    assert ends(discord, agent, discord.hears(f"@nod {QUESTION}", user="mina")) == set()
    (offer,) = discord.wait(lambda: [one for one in discord.messages("@mina") if "보여 줄 수 없는" in one["text"]])
    given = discord.presses(offer["id"], offer["components"][0]["components"][0]["custom_id"], user="mina")
    (answer,) = discord.wait(lambda: [one for one in discord.messages("@mina") if "자작나무예요" in one["text"] and is_done(one)], 20)
    assert answer["id"] != given
    assert SECRETS["private"] in str(agent.prompts[-1])
    assert not discord.message(offer["id"])["components"]
    assert not [one for one in discord.messages() if "보여 줄 수 없는" in one["text"] or "자작나무" in one["text"]]
    discord.features()
