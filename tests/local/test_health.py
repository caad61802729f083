"""What must be well for nod to answer: broken one at a time, each is named."""

import asyncio
import json
import os
import re

import pytest
from sqlalchemy import text

from nod.connect import engine_from, redis_from
from nod.health import checks, is_ready, sentence
from nod.program import typed
from nod.saying import say
from tests import warm
from tests.asked import asks
from tests.local.running import ROOT


async def enter(engine, role="worker", seconds_ago=-60.0, detail="{}"):  # alive for as long as a command needs to start
    async with engine.begin() as db:
        await db.execute(
            text("""INSERT INTO processes (process_id, role, pid, host, seen_at, detail)
                    VALUES (gen_random_uuid(), :role, :pid, :host, now() - make_interval(secs => :ago), CAST(:detail AS jsonb))"""),
            {"role": role, "pid": os.getpid(), "host": os.uname().nodename, "ago": seconds_ago, "detail": detail},
        )


async def broken(engine, redis):
    return {check.name: check.key for check in await checks(engine, redis) if not check.is_well}


async def test_with_a_worker_alive_all_is_well(engine, redis):
    await enter(engine)
    found = await checks(engine, redis)
    assert is_ready(found)
    assert [check.name for check in found] == ["database", "redis", "redis_settings", "worker"]
    assert await broken(engine, redis) == {}


async def test_a_worker_that_fell_silent_is_no_worker(engine, redis):
    await enter(engine, seconds_ago=20)
    assert await broken(engine, redis) == {"worker": "no_worker"}


async def test_tables_of_another_version_are_not_ready(engine, redis):
    await enter(engine)
    async with engine.connect() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = 'older'"))
        await db.commit()
        try:
            found = await checks(engine, redis)
            assert await broken(engine, redis) == {"database": "old_tables"}
            assert not is_ready(found)
        finally:
            from nod import revisions

            await db.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": revisions.head()})
            await db.commit()


async def test_a_redis_that_forgets_is_named_but_nod_is_ready(engine, redis):
    await enter(engine)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert await broken(engine, redis) == {"redis_settings": "redis_settings"}
        assert is_ready(await checks(engine, redis))
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("usd", "key", "is_well"), [(3.9, "budget_well", True), (4.0, "budget_near", False), (5.0, "budget_reached", False)]
)
async def test_what_today_cost_is_told_and_nod_is_ready_all_the_same(record, engine, redis, usd, key, is_well):
    await enter(engine)
    await record.accept(asks("얼마?"))
    async with engine.begin() as db:
        await db.execute(text("UPDATE answers SET status = 'answered', answered_at = now(), cost_usd = :usd"), {"usd": usd})
    found = await checks(engine, redis, 5.0)
    assert is_ready(found)
    assert (found[-1].name, found[-1].key, found[-1].is_well, found[-1].detail) == ("budget", key, is_well, f"${usd:.2f} / $5.00")


VECTORS = """
    WITH model AS (INSERT INTO embedding_models (name, is_current, error) VALUES (:name, :is_current, :error) RETURNING model_id),
         source AS (INSERT INTO sources (kind, location, scope_id) SELECT 'upload', :name, scope_id FROM scopes RETURNING source_id, scope_id),
         document AS (INSERT INTO documents (source_id, scope_id, location, title)
                      SELECT source_id, scope_id, 'a', 'a' FROM source RETURNING document_id, scope_id),
         passage AS (INSERT INTO passages (document_id, ordinal, text, text_hash)
                     SELECT document_id, n, 'x', '' FROM document, generate_series(1, 2) n RETURNING passage_id, ordinal)
    INSERT INTO passage_vectors (passage_id, model_id, scope_id, embedding)
    SELECT passage_id, model_id, 1, CASE WHEN ordinal <= :made THEN '[1]'::halfvec END FROM passage, model"""


@pytest.mark.parametrize(
    ("models", "key", "is_well", "told"),
    [
        ([], "vectors_not_begun", True, "new is set"),
        ([("new", True, 2, None)], "vectors_well", True, "new, 2 passages"),
        ([("new", True, 1, None)], "vectors_waiting", True, "new, 1 / 2 passages: the others"),
        ([("new", False, 1, None)], "vectors_first", True, "new, 1 / 2 passages: until all"),
        ([("old", True, 2, None), ("new", False, 1, None)], "vectors_replacing", True, "those of the model before"),
        (
            [("old", True, 2, None)],
            "vectors_changed",
            False,
            f"new is set, and passages have vectors of another model → {typed()} ingest --embed",
        ),
        ([("new", True, 1, "bad_key")], "vectors_bad_key", False, "the key for new was refused"),
        ([("old", True, 2, "down"), ("new", False, 1, None)], "vectors_down", False, "old does not answer"),
    ],
)
async def test_how_far_passages_have_vectors_is_told_and_nod_is_ready_all_the_same(engine, redis, models, key, is_well, told):
    await enter(engine)
    async with engine.begin() as db:
        await db.execute(text("INSERT INTO scopes (name) VALUES ('everyone')"))
        for name, is_current, made, error in models:
            await db.execute(text(VECTORS), {"name": name, "is_current": is_current, "made": made, "error": error})
    found = await checks(engine, redis, embedding_model="new")
    assert is_ready(found)
    assert (found[-1].name, found[-1].key, found[-1].is_well) == ("vectors", key, is_well)
    assert told in sentence(found[-1])


def test_every_way_in_which_an_embedding_model_can_fail_has_its_sentence():
    kinds = {kind for _, kind in re.findall(r'(EmbeddingError\(.*, |[0-9]: )"(\w+)"', (ROOT / "knowledge" / "embedding.py").read_text())}
    assert len(kinds) >= 6
    for kind in kinds | {"slow", "other"}:
        assert "model x" in say(f"health.vectors_{kind}", detail="model x")


async def test_servers_that_are_away_are_told_apart(engine, redis, tmp_path):
    await enter(engine)
    nobody = redis_from(f"unix://{tmp_path}/redis.sock")
    assert await broken(engine, nobody) == {"redis": "away", "redis_settings": "away"}
    await nobody.aclose()
    away = engine_from(f"postgresql://nod@/nod?host={tmp_path}")
    assert await broken(away, redis) == {"database": "away", "worker": "away"}
    await away.dispose()


async def test_a_redis_that_hangs_does_not_hold_up_the_answer(engine, tmp_path):
    await enter(engine)
    connected = []
    server = await asyncio.start_unix_server(lambda _reader, writer: connected.append(writer), str(tmp_path / "hangs.sock"))
    client = redis_from(f"unix://{tmp_path}/hangs.sock")
    assert (await broken(engine, client))["redis"] in ("away", "slow")
    await client.aclose()
    for writer in connected:
        writer.close()
    server.close()


def test_the_head_read_without_alembic_is_alembics():
    from alembic.script import ScriptDirectory

    from nod import revisions
    from nod.migrate import config_for

    script = ScriptDirectory.from_config(config_for())
    assert revisions.head() == script.get_current_head()
    assert revisions.count() == len(list(script.walk_revisions()))


def run(process_env, tmp_path, *words, **env):
    return warm.run(words, env=process_env | env, cwd=tmp_path)


async def test_status_is_one_object_for_programs(engine, process_env, tmp_path):
    process_env |= {"OPENAI_API_KEY": "sk-test", "NOD_MODEL": "openai:gpt-4o"}
    done = run(process_env, tmp_path, "status", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ready"], told["processes"], told["web"]) == (1, False, [], None)
    assert told["connected"] == {"slack": False, "discord": False, "model": "openai:gpt-4o"}
    for role in ("worker", "web", "slack"):
        await enter(engine, role)
    await enter(engine, "discord", detail='{"connected": false}')
    done = run(process_env, tmp_path, "status", "--json", NOD_WEB_PORT="8199")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ready"], told["web"], told["redis"], told["database"]) == (0, True, "http://127.0.0.1:8199", True, True)
    assert {one["role"]: one["pid"] for one in told["processes"]} == dict.fromkeys(("worker", "web", "slack", "discord"), os.getpid())
    assert told["connected"]["slack"] is True
    assert told["connected"]["discord"] is False


@pytest.mark.parametrize(
    ("language", "ready", "not_ready"), [("en", "is ready", "is not ready"), ("ko", "준비됐어요", "준비되지 않았어요")]
)
async def test_status_speaks_the_readers_language(engine, process_env, tmp_path, language, ready, not_ready):
    assert not_ready in run(process_env, tmp_path, "status", NOD_LANGUAGE=language).stdout
    await enter(engine)
    assert ready in run(process_env, tmp_path, "status", NOD_LANGUAGE=language).stdout


async def test_health_is_about_one_role_on_this_machine(engine, process_env, tmp_path):
    await enter(engine, "worker")
    assert run(process_env, tmp_path, "health", "--role", "worker").returncode == 0
    done = run(process_env, tmp_path, "health", "--role", "web")
    assert (done.returncode, done.stderr) == (1, "No web on this machine was heard within 6 s.\n")
    async with engine.begin() as db:
        await db.execute(text("UPDATE processes SET host = 'elsewhere'"))
    assert run(process_env, tmp_path, "health", "--role", "worker").returncode == 1


def test_without_a_running_nod_the_commands_say_so(tmp_path):
    env = {"PATH": os.environ["PATH"], "NOD_LANGUAGE": "en"}
    done = warm.run(["status", "--json"], env=env, cwd=tmp_path)
    assert done.returncode == 1
    assert "make up" in done.stderr
    assert not done.stdout
