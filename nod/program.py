"""Which `nod` this is, and how somebody types it here: every hint names it so. Standard library only."""

import os
import shlex
import shutil
import sys
from pathlib import Path


def nod_program() -> str:
    """Return the path of the `nod` program of this installation."""
    beside = Path(sys.executable).with_name("nod")
    return str(beside) if beside.exists() else shutil.which("nod") or "nod"


def typed() -> str:
    """Return `nod` as a person can type it in this folder, behind the data folder that this one was started with.

    Commands find the rest by the data folder, but for addresses of servers that are set.
    """
    has_servers = "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ
    return " ".join([*([] if has_servers else _data_folder()), _here(Path(nod_program()))])


def make_up() -> str:
    """Return `make up` with the data folder that it was started with."""
    return " ".join(["make up", *_data_folder()])


def _here(program: Path) -> str:
    """Return a program's bare name when that starts it, else its path: from this folder, if it lies in it."""
    found = shutil.which(program.name)
    if found and program.exists() and Path(found).samefile(program):
        return program.name
    return shlex.quote(str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program))


def _data_folder() -> list[str]:
    folder = os.environ.get("NOD_DATA_DIR", "")
    return [f"NOD_DATA_DIR={shlex.quote(folder)}"] if folder and Path(folder) != Path(".nod") else []
