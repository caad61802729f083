"""Many people at once, with Discord's rate limits on: everybody is answered once, and no call is refused for being too many."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.discord.conftest import is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import Roles

Json = dict[str, Any]
ANSWER = "Up to five days of leave are carried over until 31 March, half days count as half, and the policy has all the details {tag}."


@pytest.fixture
def discord(discord_process: FakeDiscord, nod: Roles) -> Iterator[FakeDiscord]:
    """The guild in which `nod` runs, as strict as Discord is."""
    discord_process.limits()
    yield discord_process
    discord_process.limits(on=False)


@pytest.mark.parametrize(("people", "channels"), [(10, 1), pytest.param(50, 50, marks=pytest.mark.slow)])
def test_everybody_is_answered_and_no_call_is_too_many(discord: FakeDiscord, agent: FakeModel, people: int, channels: int) -> None:
    agent.benchmarks(ANSWER)
    for number in range(channels):
        discord.channel(f"crowd-{channels}-{number}")
    volley = [
        {"text": f"@nod may I? #{channels}-{number}", "channel": f"crowd-{channels}-{number % channels}", "user": f"p{number}"}
        for number in range(people)
    ]
    asked = discord.volley(volley)

    def done() -> bool:
        replies = discord.replies(asked)
        return all(replies[one] and is_done(replies[one][-1]) for one in asked)

    discord.wait(done, 90, discord.counts)
    replies = discord.replies(asked)
    assert {one: len(found) for one, found in replies.items()} == dict.fromkeys(asked, 1)
    for number, one in enumerate(asked):
        assert replies[one][0]["text"].startswith(ANSWER.replace("{tag}", f"#{channels}-{number}"))
    assert discord.counts()["too_many"] == 0
