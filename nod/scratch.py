"""A database for a while: empty, with all of nod's tables, beside the team's and without a way to it. It goes when its user ends.

Its user holds a lock with its number in the team's database. Whoever was killed holds none, and the next one clears up. Locks are seen in
one database alone, so each name says of which team it is: one server may have several.
"""

import contextlib
import secrets
import signal
from collections.abc import Generator

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from nod.connect import sqlalchemy_url
from nod.errors import ConfigError, UnavailableError, first_line
from nod.migrate import bring_up_to_date
from nod.saying import say

_PREFIX = "nod_scratch_"
_LOCK = 8130_0003


@contextlib.contextmanager
def scratch_database(database_url: str) -> Generator[str]:
    """Give the address of a new database on the server of another one, and drop it in the end, after Ctrl-C and SIGTERM too.

    Raises ConfigError when the server does not let us make one, UnavailableError when it does not answer.
    """
    engine = create_engine(sqlalchemy_url(database_url), isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with engine.connect() as db:
            _drop_left(db)
            name = _create(db)
            try:
                url = make_url(sqlalchemy_url(database_url)).set(database=name).render_as_string(hide_password=False)
                bring_up_to_date(url)
                yield url
            finally:
                db.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    except OperationalError as error:
        raise UnavailableError(say("error.database_away", why=first_line(error.orig or error))) from None
    finally:
        signal.signal(signal.SIGTERM, before)
        engine.dispose()


def _create(db: Connection) -> str:
    number = secrets.randbits(31)
    name = f"{_prefix(db)}{number}"
    db.execute(text("SELECT pg_advisory_lock(:lock, :number)"), {"lock": _LOCK, "number": number})
    try:
        db.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    except ProgrammingError as error:  # insufficient privilege
        raise ConfigError(say("error.no_scratch", why=first_line(error.orig or error))) from None
    return name


def _prefix(db: Connection) -> str:
    """Return how the names begin of those that belong to this team's database."""
    oid = db.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
    return f"{_PREFIX}{oid}_"


def _drop_left(db: Connection) -> None:
    """Drop what a killed user left behind; what cannot be dropped is somebody else's trouble."""
    prefix = _prefix(db)
    names = db.execute(text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)"), {"prefix": prefix}).scalars().all()
    for name in names:
        held = {"lock": _LOCK, "number": int(name.removeprefix(prefix))}
        if db.execute(text("SELECT pg_try_advisory_lock(:lock, :number)"), held).scalar_one():
            with contextlib.suppress(DBAPIError):
                db.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            db.execute(text("SELECT pg_advisory_unlock(:lock, :number)"), held)
