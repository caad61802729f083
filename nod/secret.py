"""The installation's secret key: it makes pseudonyms and signs nothing else that must outlive it."""

import os
import secrets
from pathlib import Path

from nod.errors import ConfigError
from nod.saying import say
from nod.settings import Settings


def secret_key(settings: Settings) -> str:
    """Return NOD_SECRET_KEY, else the key in the data folder. Raises ConfigError when the database is external and no key was given."""
    if settings.secret_key:
        return settings.secret_key.get_secret_value()
    if settings.database_url:
        raise ConfigError(say("error.no_key"))
    try:
        return (settings.data_dir / "secret").read_text("ascii").strip()
    except FileNotFoundError:
        raise ConfigError(say("error.no_key_file", data=settings.data_dir)) from None


def make_secret(data_dir: Path) -> None:
    """Make the data folder's key (mode 0600) unless there is one."""
    path = data_dir / "secret"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
