"""A database for a while: like nod's own and empty, gone afterwards, and cleared up after whoever was killed."""

import os
import signal

import psycopg
import pytest
from sqlalchemy import make_url

from nod.errors import ConfigError, UnavailableError
from nod.scratch import scratch_database

LEFT = "nod_scratch_77"


def names(database_url: str) -> set[str]:
    with psycopg.connect(database_url) as db:
        return {name for (name,) in db.execute("SELECT datname FROM pg_database WHERE datname LIKE 'nod\\_scratch\\_%'")}


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


def test_one_whose_user_died_is_dropped_and_one_in_use_is_not(database_url):
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {LEFT}")
    with scratch_database(database_url) as one, scratch_database(database_url) as two:
        assert names(database_url) == {make_url(one).database, make_url(two).database}


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
