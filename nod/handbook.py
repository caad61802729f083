"""Whether the handbook that comes with this version was taught already: a warm start reads no document."""

import hashlib
from pathlib import Path

from nod import __version__

_ROOT = Path(__file__).parents[1]


def handbook_hash() -> str:
    """Return what the handbook is made of now, as one hash."""
    found = hashlib.sha256(__version__.encode())
    for path in sorted(path for language in ("en", "ko") for path in (_ROOT / "docs" / language).iterdir()):
        found.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


class HandbookStamp:
    """What was taught last into the database of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "handbook"

    def is_current(self) -> bool:
        """Return whether the handbook has not changed since."""
        try:
            return self._path.read_text("ascii") == handbook_hash()
        except OSError:
            return False

    def renew(self) -> None:
        """Note that the handbook as it is now was taught."""
        self._path.write_text(handbook_hash(), "ascii")
