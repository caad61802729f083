"""What a process counts of itself reaches the record with its heartbeat, and nothing else does for it."""

from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest
from slack_sdk.errors import SlackApiError
from sqlalchemy import text

from bot.platform import LaterError
from bot.slack.calls import called
from nod.claims import Claims
from nod.counting import count, counted
from nod.heartbeat import Heartbeat
from tests.fakes.discord_official import discord


async def test_what_a_process_counts_goes_to_the_record_with_its_heartbeat(engine, database_url):
    claims = Claims(engine, uuid4())
    await claims.register("slack")
    before = counted().get("rate_limited", 0)
    count("rate_limited")
    with psycopg.connect(database_url, autocommit=True) as db:
        heartbeat = Heartbeat(database_url, claims.process_id)

        def told():
            heartbeat._beat(db)
            return db.execute("SELECT detail FROM processes").fetchone()[0]

        assert told() == {"counts": {**counted(), "rate_limited": before + 1}}
        db.execute("""UPDATE processes SET detail = '{"connected": false}'""")
        assert told() == {"connected": False}  # nothing new to tell
        count("rate_limited")
        assert told() == {"connected": False, "counts": counted()}
    await Claims(engine, claims.process_id).register("slack")
    async with engine.connect() as db:
        assert (await db.execute(text("SELECT detail FROM processes"))).scalar_one() == {}


async def test_a_call_that_a_platform_refuses_as_one_too_many_is_counted():
    from bot.discord.calls import translated

    before = counted().get("rate_limited", 0)
    with pytest.raises(LaterError), translated():
        raise discord.RateLimited(1.0)

    async def refused():
        answer = SimpleNamespace(status_code=429, data={"error": "ratelimited"}, headers={"Retry-After": "3"})
        raise SlackApiError("ratelimited", answer)

    with pytest.raises(LaterError):
        await called(refused())
    assert counted()["rate_limited"] == before + 2
