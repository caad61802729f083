"""A database for a while: like nod's own and empty, gone afterwards, and cleared up after whoever was killed."""

import os
import signal

import psycopg
import pytest
from sqlalchemy import make_url

from nod.errors import ConfigError, UnavailableError
from nod.scratch import scratch_database


def prefix(database_url: str) -> str:
    with psycopg.connect(database_url) as db:
        return "nod_scratch_{}_".format(*db.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone())


def names(database_url: str) -> set[str]:
    with psycopg.connect(database_url) as db:
        found = db.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix(database_url),))
        return {name for (name,) in found}


def driver_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def test_it_is_like_nods_own_and_gone_even_while_somebody_is_connected(database_url):
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute("INSERT INTO scopes (name) VALUES ('everyone')")
    with scratch_database(database_url) as url:
        assert make_url(url).database in names(database_url)
        db = psycopg.connect(driver_url(url), autocommit=True)
        assert db.execute("SELECT (SELECT count(*) FROM scopes), (SELECT passages FROM search_stats)").fetchone() == (0, 0)
        db.execute("DROP TABLE scopes CASCADE")
    assert names(database_url) == set()
    db.close()
    with psycopg.connect(database_url) as db:
        assert db.execute("SELECT name FROM scopes").fetchall() == [("everyone",)]


def test_one_whose_user_died_is_dropped_and_one_in_use_or_of_another_team_is_not(database_url):
    another = "nod_scratch_1_77"  # whose lock is not seen here
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {prefix(database_url)}77")
        db.execute(f"CREATE DATABASE {another}")
    with scratch_database(database_url) as one, scratch_database(database_url) as two:
        assert names(database_url) == {make_url(one).database, make_url(two).database}
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(f"DROP DATABASE {another}")


def test_it_goes_with_sigterm_too(database_url):
    with pytest.raises(KeyboardInterrupt), scratch_database(database_url):
        os.kill(os.getpid(), signal.SIGTERM)
    assert names(database_url) == set()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_role_that_may_not_make_one_is_told_so(database_url):
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute("CREATE ROLE no_makers LOGIN")
        try:
            with pytest.raises(ConfigError, match=r"permission denied to create database\. Let it: ALTER ROLE"):
                scratch_database(str(make_url(database_url).set(username="no_makers"))).__enter__()
        finally:
            db.execute("DROP ROLE no_makers")


def test_a_server_that_is_away_is_said_so(tmp_path):
    with pytest.raises(UnavailableError, match="does not answer"):
        scratch_database(f"postgresql:///nod?host={tmp_path}").__enter__()
