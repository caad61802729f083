"""PostgreSQL away while people go on: what Discord tells only once is kept until the record takes it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import Roles, until

pytestmark = pytest.mark.slow


@contextmanager
def away(tables: psycopg.Connection) -> Iterator[None]:
    """Cut every connection to the database but the tests' own, and let nobody in."""
    name = tables.info.dbname
    with psycopg.connect(tables.info.dsn, dbname="postgres", autocommit=True) as db:
        db.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
            db.execute(cut, (name, tables.info.backend_pid))
            yield
        finally:
            db.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@pytest.mark.parametrize(("question", "emoji", "vote"), [("연차 이월 돼?", "👍", "up"), ("Can I carry leave over?", "👎", "down")])
def test_a_reaction_heard_while_the_record_is_away_counts_once_it_is_back(
    roles: Roles,
    discord: FakeDiscord,
    agent: FakeModel,
    _tables: psycopg.Connection,  # noqa: PT019  # the one connection that must not be cut
    question: str,
    emoji: str,
    vote: str,
) -> None:
    agent.will_say("네, 닷새요. Yes, five days.")
    roles.start("worker")
    bot = roles.start("discord")
    discord.wait_connected()
    message = discord.wait_reply(discord.hears(f"@nod {question}"), 40, lambda one: "nod:up:" in str(one["components"]))
    with away(_tables):
        discord.reacts(message["id"], emoji)
        until(lambda: "what was heard is not committed yet" in bot.said, 20, "the thumb to be tried", roles.logs)
    until(lambda: f'"{vote}"' in roles.run("feedback", "list", "--json"), 20, "the vote", roles.logs)
