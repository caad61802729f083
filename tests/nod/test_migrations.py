"""The migrations make exactly the tables which the code knows, once, and data of a newer nod is left alone."""

import threading

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from nod.connect import sqlalchemy_url
from nod.errors import ConfigError
from nod.migrate import bring_up_to_date, config_for
from nod.schema import metadata


@pytest.fixture
def empty_url(embedded):
    """A database of its own without tables."""
    name = f"empty_{threading.get_ident()}"
    with psycopg.connect(embedded.database_url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield embedded.database_url.replace(db.info.dbname, name, 1)
        db.execute(f"DROP DATABASE {name} WITH (FORCE)")


def differences(url):
    engine = create_engine(sqlalchemy_url(url))
    with engine.connect() as db:
        found = compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), metadata)
    engine.dispose()
    return found


def test_the_migrations_make_the_tables_that_the_code_knows(empty_url):
    assert bring_up_to_date(empty_url) >= 1
    assert differences(empty_url) == []
    assert bring_up_to_date(empty_url) == 0


def test_every_migration_goes_down_and_up_again(empty_url):
    bring_up_to_date(empty_url)
    engine = create_engine(sqlalchemy_url(empty_url))
    with engine.connect() as db:
        command.downgrade(config_for(db), "base")
        db.commit()
    engine.dispose()
    assert {name for name in metadata.tables if name in str(differences(empty_url))} == set(metadata.tables)
    assert bring_up_to_date(empty_url) >= 1
    assert differences(empty_url) == []


def test_of_two_migrators_at_once_one_migrates(empty_url):
    ran = []
    threads = [threading.Thread(target=lambda: ran.append(bring_up_to_date(empty_url))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert min(ran) == 0
    assert len(ran) == 2
    assert differences(empty_url) == []


@pytest.mark.parametrize("revision", ["9999", "2027_01"])
def test_data_of_a_newer_nod_is_refused_with_the_way_out(empty_url, revision):
    bring_up_to_date(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as db:
        db.execute("UPDATE alembic_version SET version_num = %s", (revision,))
        with pytest.raises(ConfigError, match=rf"newer nod \(revision {revision}.*restore a backup"):
            bring_up_to_date(empty_url)
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
