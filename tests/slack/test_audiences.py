"""Whatever is taught and moved, whoever joins, leaves, becomes a guest: no search finds what one of a place's readers may not see."""

import asyncio
from typing import Any

import aiohttp
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.members import Members
from bot.slack.people import Us
from knowledge.search import Search
from nod.connect import engine_from
from nod.contracts import EVERYONE, Person, Place
from tests.fakes.slack import FakeSlack
from tests.knowledge.conftest import Knowledge

PEOPLE = ("U1", "U2", "U3")
OUTSIDER = "of another workspace"
CHANNELS = ("COPEN", "CCLOSED", "CLEGAL")
SCOPES = (EVERYONE, "workspace:slack:T0NOD", *(f"channel:slack:{each}" for each in CHANNELS), *(f"thread:slack:{each}:1.0" for each in CHANNELS),
          *(f"person:slack:{each}" for each in PEOPLE))  # fmt: skip
WORDS = "오로라 합병 aurora merger"

people, channels, scopes = st.sampled_from(PEOPLE), st.sampled_from(CHANNELS), st.sampled_from(SCOPES)


class Workspace(RuleBasedStateMachine):
    """A workspace as it should be; the fake Slack is told the same, and nod's own code asks it."""

    fake: FakeSlack
    database_url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.engine = engine_from(self.database_url, pool_size=2)
        self.knowledge = Knowledge(self.engine)
        self.documents: dict[str, tuple[int, str]] = {}
        self.members = {"COPEN": {"U1", "U2"}, "CCLOSED": {"U1", "U2", "U3"}, "CLEGAL": {"U1"}}
        self.guests: set[str] = set()
        self.shared: set[str] = set()
        self.is_away = False

    @initialize()
    def begin(self) -> None:
        self.fake.reset()
        self.fake.no_faults()
        self.runner.run(self.knowledge.forgets())
        for channel, members in self.members.items():
            self.fake.channel(channel, private=channel != "COPEN", members=sorted(members))
        for scope in SCOPES:
            self.teaches(scope)

    def teardown(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()

    # ── what happens ──

    @rule(scope=scopes)
    def teaches(self, scope: str) -> None:
        title = f"document {len(self.documents)}"
        self.documents[title] = (self.runner.run(self.knowledge.holds(title, f"{WORDS} {title}", scope=scope)), scope)

    @rule(scope=scopes, which=st.integers(0, 99))
    def moves(self, scope: str, which: int) -> None:
        if self.documents:
            title = sorted(self.documents)[which % len(self.documents)]
            self.runner.run(self.knowledge.forgets([self.documents[title][0]]))
            self.documents[title] = (self.runner.run(self.knowledge.holds(title, f"{WORDS} {title}", scope=scope)), scope)

    @rule()
    def merges(self) -> None:
        self.runner.run(self.knowledge.merges())

    @rule(channel=channels, user=people)
    def joins_or_leaves(self, channel: str, user: str) -> None:
        (self.fake.leaves if user in self.members[channel] else self.fake.joins)(channel, user)
        self.members[channel] ^= {user}

    @rule(user=people)
    def becomes_a_guest_or_a_member(self, user: str) -> None:
        self.guests ^= {user}
        self.fake.user(user, is_restricted=user in self.guests)

    @rule(channel=channels)
    def is_shared_or_no_longer(self, channel: str) -> None:
        self.shared ^= {channel}
        self.fake.channel(channel, private=channel != "COPEN", shared=channel in self.shared)

    @rule()
    def goes_away_or_comes_back(self) -> None:
        self.is_away = not self.is_away
        if self.is_away:
            self.fake.fault("*", "500", times=10_000)
        else:
            self.fake.no_faults()

    # ── what must hold ──

    @rule(channel=channels, user=people, is_threaded=st.booleans())
    def asks_in_a_channel(self, channel: str, user: str, is_threaded: bool) -> None:
        found = self._found(Place(platform="slack", workspace="T0NOD", channel=channel, thread="1.0" if is_threaded else ""), user)
        for scope in found:
            assert all(self._may_see(reader, scope) for reader in self._readers(channel)), (scope, channel)
        assert self._taught(EVERYONE, f"channel:slack:{channel}") <= found
        if not self.is_away and not self.shared & {channel} and not self.guests & self.members[channel]:
            assert self._taught("workspace:slack:T0NOD") <= found

    @rule(user=people, channel=st.sampled_from(["", *CHANNELS]))
    def asks_alone(self, user: str, channel: str) -> None:
        place = Place(platform="slack", workspace="T0NOD", channel=channel or f"D{user}", thread="9.0", visibility="direct")
        found = self._found(place, user)
        assert all(self._may_see(user, scope) for scope in found), (found, user)
        assert self._taught(EVERYONE, f"person:slack:{user}") <= found
        if not self.is_away:
            assert self._taught(*(f"channel:slack:{each}" for each in CHANNELS if user in self.members[each])) <= found

    def _taught(self, *scopes: str) -> set[str]:
        return {scope for _, scope in self.documents.values() if scope in scopes}

    def _readers(self, channel: str) -> set[str]:
        everybody = set(PEOPLE) - self.guests if channel == "COPEN" else set()
        return self.members[channel] | everybody | ({OUTSIDER} if channel in self.shared else set())

    def _may_see(self, reader: str, scope: str) -> bool:
        kind, *rest = scope.split(":")
        if kind == "workspace":
            return reader != OUTSIDER and reader not in self.guests
        if kind in ("channel", "thread"):
            return reader in self._readers(rest[1])
        return kind == "everyone" or rest[1] == reader

    def _found(self, place: Place, user: str) -> set[str]:
        """The scopes of all that a question finds: asked by nod's own code, of the fake Slack and PostgreSQL."""
        titles: Any = self.runner.run(self._search(place, Person(platform="slack", workspace="T0NOD", external_id=user)))
        return {self.documents[title][1] for title in titles}

    async def _search(self, place: Place, person: Person) -> list[str]:
        async with aiohttp.ClientSession() as session:
            client = AsyncWebClient(token=self.fake.bot_token, base_url=self.fake.url, session=session, retry_handlers=[])
            members = Members(client, Us(user=self.fake.bot_user, bot=self.fake.bot_id, team=self.fake.team))
            scopes = place.audience(person, await members.readers(place, person))
        return [passage.title for passage in (await Search(self.engine).find(WORDS, scopes, k=100)).passages]


def test_no_search_finds_what_a_reader_of_the_place_may_not_see(slack: FakeSlack, database_url: str) -> None:
    machine = type("Machine", (Workspace,), {"fake": slack, "database_url": database_url})
    how = settings(
        max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.generate],  # 25 steps can be read; to look for fewer of them would take minutes
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=how)
