"""Brings the tables to this version, one migrator at a time, and refuses data made by a newer nod with a sentence."""

from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from nod.connect import servers_from, sqlalchemy_url
from nod.errors import ConfigError, UnavailableError, first_line
from nod.saying import say, say_count
from nod.settings import load_settings

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 8130_0001  # one advisory lock for all migrators of a database


def bring_up_to_date(database_url: str) -> int:
    """Run the missing migrations under a lock and return how many ran. Raises ConfigError for data of a newer nod."""
    engine = create_engine(sqlalchemy_url(database_url))
    try:
        with engine.connect() as db:
            db.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
            db.commit()
            try:
                missing = missing_revisions(db)
                if missing:
                    command.upgrade(config_for(db), "head")
                    db.commit()
            finally:
                db.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
                db.commit()
        return len(missing)
    except OperationalError as error:
        raise UnavailableError(say("error.database_away", why=first_line(error.orig or error))) from None
    finally:
        engine.dispose()


def missing_revisions(db: Connection) -> list[str]:
    """Return the revisions which a database still needs, oldest first. Raises ConfigError for data of a newer nod."""
    script = ScriptDirectory.from_config(config_for(db))
    have = MigrationContext.configure(db).get_current_revision()
    known = [revision.revision for revision in script.walk_revisions()][::-1]
    db.rollback()
    if have is not None and have not in known:
        raise ConfigError(say("error.newer_data", have=have, known=known[-1]))
    return known[known.index(have) + 1 :] if have else known


def config_for(db: Connection | None = None) -> Config:
    """Return Alembic's configuration, working on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = db
    return config


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when migrations are missing.")
def migrate(check: bool) -> None:
    """Bring the tables to this version (`nod up` does it by itself)."""
    url = servers_from(load_settings()).database_url
    if check:
        missing = _missing(url)
        if missing:
            raise ConfigError(say_count("migrate.missing", len(missing)))
        click.echo(say("migrate.current"))
        return
    click.echo(say_count("migrate.ran", bring_up_to_date(url)))


def _missing(url: str) -> list[str]:
    engine = create_engine(sqlalchemy_url(url))
    try:
        with engine.connect() as db:
            return missing_revisions(db)
    finally:
        engine.dispose()
