"""PostgreSQL and Redis as plain children: every rule for stale state, sockets and ends (DESIGN.md, "stale state")."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from nod import children, servers
from nod.connect import celery_broker, sqlalchemy_url
from nod.errors import ConfigError
from nod.servers import Postgres, RedisServer, socket_folder
from tests.local.running import ROOT, eventually


@contextlib.contextmanager
def ended(*running):
    try:
        yield
    finally:
        for server in running:
            server.stop()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A new cluster, not running; copied for each test."""
    folder = tmp_path_factory.mktemp("made")
    with (folder / "log").open("wb") as log:
        Postgres(folder / "postgres", folder).make(log)
    return folder / "postgres"


@pytest.fixture
def data_dir(tmp_path, made):
    subprocess.run(["cp", "-a", made, tmp_path / "postgres"], check=True)
    return tmp_path


@pytest.fixture
def log(tmp_path):
    with (tmp_path / "log").open("wb") as file:
        yield file


@pytest.fixture
def postgres(data_dir):
    return Postgres(data_dir / "postgres", socket_folder(data_dir))


@pytest.fixture
def redis_server(tmp_path):
    return RedisServer(tmp_path / "redis", socket_folder(tmp_path))


def answer(postgres, sql="SELECT 1"):
    with psycopg.connect(postgres.url) as db:
        return db.execute(sql).fetchone()[0]


# ── PostgreSQL ──


def test_it_runs_as_the_record_needs_it(postgres, log):
    with ended(postgres):
        postgres.start(log)
        assert answer(postgres, "SELECT version()").startswith("PostgreSQL 18")
        assert answer(postgres, "SELECT datlocale FROM pg_database WHERE datname = 'nod'") == "C.UTF-8"
        assert answer(postgres, "SELECT lower('ÀÉ') || initcap('привет 연차')") == "àéПривет 연차"
        assert answer(postgres, "SHOW server_encoding") == "UTF8"
        assert answer(postgres, "SHOW fsync") == "on"
        with psycopg.connect(postgres.url, autocommit=True) as db:
            db.execute("CREATE EXTENSION vector")


def test_a_note_of_a_pid_that_is_somebody_elses_by_now_is_removed(postgres, log):
    with subprocess.Popen(["sleep", "600"]) as somebody, ended(postgres):
        try:
            (postgres.data / "postmaster.pid").write_text(f"{somebody.pid}\n{postgres.data}\n1\n5432\n")
            postgres.start(log)
            assert answer(postgres) == 1
            assert somebody.poll() is None
        finally:
            somebody.kill()


@pytest.mark.parametrize("note", ["", "not a pid\n", "999999999\n"])
def test_a_note_that_names_nobody_is_removed(postgres, log, note):
    (postgres.data / "postmaster.pid").write_text(note)
    with ended(postgres):
        postgres.start(log)
        assert answer(postgres) == 1


def test_a_postgres_that_still_runs_on_this_data_is_stopped_first(postgres, log):
    orphan = Postgres(postgres.data, postgres.sockets)
    orphan.start(log)
    with ended(orphan, postgres):
        postgres.start(log)
        assert orphan.child.poll() is not None
        assert answer(postgres) == 1


def test_a_postgres_on_other_data_is_left_alone(postgres, log, tmp_path, made):
    (tmp_path / "other").mkdir()
    subprocess.run(["cp", "-a", made, tmp_path / "other" / "postgres"], check=True)
    other = Postgres(tmp_path / "other" / "postgres", socket_folder(tmp_path / "other"))
    other.start(log)
    (postgres.data / "postmaster.pid").write_text(f"{other.child.pid}\n")
    with ended(other, postgres):
        postgres.start(log)
        assert (answer(other), answer(postgres)) == (1, 1)


def test_after_a_kill_it_recovers_what_was_committed(postgres, log):
    with ended(postgres):
        postgres.start(log)
        with psycopg.connect(postgres.url, autocommit=True) as db:
            db.execute("CREATE TABLE kept AS SELECT 41 AS n")
            os.killpg(postgres.child.pid, signal.SIGKILL)
        postgres.child.wait()
        assert postgres.was_killed()
        postgres.start(log)
        assert answer(postgres, "SELECT n FROM kept") == 41
        postgres.stop()
        assert not postgres.was_killed()


def test_after_a_kill_it_waits_until_those_it_left_behind_let_go_of_its_memory(postgres, log):
    with ended(postgres):
        postgres.start(log)
        with psycopg.connect(postgres.url, autocommit=True) as db:
            (left,) = db.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
        os.kill(left, signal.SIGSTOP)
        postgres.child.kill()
        postgres.child.wait()
        waits = []

        def pause(seconds):
            waits.append(seconds)
            if len(waits) == 40:
                os.kill(left, signal.SIGKILL)
            time.sleep(seconds)

        postgres.start(log, pause)
        assert answer(postgres) == 1
        assert len(waits) > 40
    assert "is still in use" in Path(log.name).read_text()


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("major", ["17", "19"])
def test_data_of_another_major_version_is_said_with_the_way_out(postgres, monkeypatch, language, major):
    monkeypatch.setenv("NOD_LANGUAGE", language)
    (postgres.data / "PG_VERSION").write_text(f"{major}\n")
    with pytest.raises(ConfigError) as said:
        postgres.check_version()
    assert f"PostgreSQL {major}" in str(said.value)
    assert "18" in str(said.value)
    assert str(said.value).endswith(f"mv {postgres.data} {postgres.data}-{major}")
    assert ("was written by" in str(said.value)) == (language == "en")


def test_what_was_made_half_is_made_again(tmp_path, log):
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    postgres = Postgres(tmp_path / "postgres", socket_folder(tmp_path))
    assert postgres.is_new
    with ended(postgres):
        postgres.make(log)
        postgres.start(log)
        assert answer(postgres) == 1
    assert not half.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has to be somebody else")
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("unshare", [None, "exit 1"])
def test_root_who_may_not_be_somebody_else_is_told_the_way_out(postgres, log, tmp_path, monkeypatch, language, unshare):
    monkeypatch.setenv("NOD_LANGUAGE", language)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    if unshare:
        (tmp_path / "bin" / "unshare").write_text(f"#!/bin/sh\n{unshare}\n")
        (tmp_path / "bin" / "unshare").chmod(0o755)
    servers._can_be_another.cache_clear()
    try:
        with pytest.raises(ConfigError, match="DATABASE_URL") as said:
            postgres.start(log)
    finally:
        servers._can_be_another.cache_clear()
    assert "root" in str(said.value)
    assert ("Run nod as another user" in str(said.value)) == (language == "en")


# ── sockets ──


def test_nobody_else_can_reach_the_servers(postgres, redis_server, log):
    with ended(redis_server, postgres):
        postgres.start(log)
        redis_server.start(log)
        assert stat.S_IMODE(postgres.sockets.stat().st_mode) == 0o700
        for pid in (postgres.child.pid, redis_server.child.pid):
            inodes = {link for fd in Path(f"/proc/{pid}/fd").iterdir() if (link := str(fd.readlink())).startswith("socket:")}
            tcp = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
            listening = {f"socket:[{line.split()[9]}]" for line in tcp.splitlines() if len(line.split()) > 9 and line.split()[3] == "0A"}
            assert not inodes & listening


@pytest.mark.parametrize("name", ["deep/" * 30, "한국어 팀/데이터", "it's 100% mine"])
def test_a_data_folder_too_deep_or_too_odd_for_a_socket_gets_a_short_one(tmp_path, made, log, name):
    data_dir = tmp_path / name
    data_dir.mkdir(parents=True)
    subprocess.run(["cp", "-a", made, data_dir / "postgres"], check=True)
    sockets = socket_folder(data_dir)
    assert sockets == socket_folder(data_dir)
    assert sockets != socket_folder(tmp_path)
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 100
    postgres, redis = Postgres(data_dir / "postgres", sockets), RedisServer(data_dir / "redis", sockets)
    try:
        with ended(redis, postgres):
            postgres.start(log)
            redis.start(log)
            assert answer(postgres) == 1
            with Redis.from_url(redis.url) as client:
                assert client.ping()
            assert sqlalchemy_url(postgres.url).startswith("postgresql+psycopg://")
            assert celery_broker(redis.url) == f"redis+socket://{sockets}/redis.sock?virtual_host=0"
    finally:
        sockets.rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(servers.tempfile, "gettempdir", lambda: str(tmp_path))
    deep = tmp_path / ("deep/" * 30)
    deep.mkdir(parents=True)
    sockets = socket_folder(deep)
    sockets.rmdir()
    sockets.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="somebody else"):
        socket_folder(deep)


# ── Redis ──


def config(url, name):
    with Redis.from_url(url, decode_responses=True) as client:
        return client.config_get(name)[name]


def test_redis_writes_everything_down_and_forgets_nothing_by_itself(redis_server, log):
    with ended(redis_server):
        redis_server.start(log)
        told = {name: config(redis_server.url, name) for name in ("appendonly", "appendfsync", "maxmemory-policy", "save")}
        assert told == {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}


def test_a_second_redis_never_runs_on_the_same_folder(redis_server, log, tmp_path):
    orphan = RedisServer(redis_server.data, redis_server.sockets)
    orphan.start(log)
    with Redis.from_url(orphan.url) as client:
        client.set("kept", "41")
    with ended(orphan, redis_server):
        redis_server.start(log)
        assert orphan.child.poll() is not None
        with Redis.from_url(redis_server.url) as client:
            assert client.get("kept") == b"41"


def test_a_stale_redis_pid_that_is_somebody_elses_is_left_alone(redis_server, log):
    redis_server.data.mkdir()
    (redis_server.data / "redis.pid").write_text(str(os.getpid()))
    with ended(redis_server):
        redis_server.start(log)
        assert redis_server.answers()


def test_a_file_that_redis_cannot_read_is_put_aside(redis_server, log):
    redis_server.data.mkdir()
    (redis_server.data / "appendonly.aof").write_bytes(b"*3\r\n$3\r\nSET\r\nnonsense" * 9)
    with ended(redis_server):
        redis_server.start(log)
        assert redis_server.answers()
    assert len(list(redis_server.data.glob("appendonly.aof.broken-*"))) == 1


def test_a_file_cut_off_by_a_kill_is_read_as_far_as_it_goes(redis_server, log):
    with ended(redis_server):
        redis_server.start(log)
        with Redis.from_url(redis_server.url) as client:
            client.set("kept", "41")
        redis_server.stop()
        with (redis_server.data / "appendonly.aof").open("ab") as file:
            file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nlo")
        redis_server.start(log)
        with Redis.from_url(redis_server.url) as client:
            assert client.get("kept") == b"41"
    assert not list(redis_server.data.glob("*.broken-*"))


# ── ends ──


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children only on Linux; elsewhere the guard does")
def test_when_the_parent_is_killed_its_servers_end(data_dir):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom nod.servers import Postgres, RedisServer, socket_folder\n"
        "data = Path(sys.argv[1]); sockets = socket_folder(data)\n"
        "p, r = Postgres(data / 'postgres', sockets), RedisServer(data / 'redis', sockets)\n"
        "p.start(2); r.start(2); print(p.child.pid, r.child.pid, flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", code, str(data_dir)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert [bool(children.command_line(pid)) for pid in pids] == [True, True]
        parent.kill()
    eventually(lambda: not any(children.command_line(pid) for pid in pids))


def test_servers_see_no_token_of_ours(postgres, redis_server, log, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-ours")
    with ended(redis_server, postgres):
        postgres.start(log)
        redis_server.start(log)
        for pid in (postgres.child.pid, redis_server.child.pid):
            assert b"sk-secret" not in Path(f"/proc/{pid}/environ").read_bytes()
