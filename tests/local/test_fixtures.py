"""The fixtures themselves: empty at each test's start, apart per process, nothing left behind."""

import pytest
from sqlalchemy import text

from nod.settings import Settings
from tests.warm import run


@pytest.mark.parametrize("time", [1, 2])
async def test_each_test_begins_with_empty_tables_and_an_empty_redis(engine, record, redis, time):
    async with engine.begin() as db:
        assert (await db.execute(text("SELECT count(*) FROM persons"))).scalar_one() == 0
        assert (await db.execute(text("SELECT passages FROM search_stats"))).scalar_one() == 0
        await db.execute(text("UPDATE search_stats SET passages = 7"))
        await db.execute(text("INSERT INTO persons (pseudonym, platform, workspace, external_id) VALUES ('p', 'web', '', 'x')"))
    assert await redis.dbsize() == 0
    await redis.set("left", time)


def test_a_command_finds_the_servers_by_the_data_folder_alone(settings, process_env, tmp_path):
    env = {name: value for name, value in process_env.items() if name not in ("DATABASE_URL", "REDIS_URL", "NOD_SECRET_KEY")}
    done = run(["migrate", "--check"], env=env, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "The tables are up to date.\n"), done.stderr
    assert isinstance(settings, Settings)
