"""The `.env` file: set values, keep every comment and every other line, readable by its owner alone."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nod.errors import ConfigError
from nod.saying import say

ENV_FILE = Path(".env")


def set_values(path: Path, values: Mapping[str, str]) -> None:
    """Write each `NAME=value` into a `.env` file (mode 600), in the place of its old line or of its commented-out one, else at the end.

    All of them or none. Raises ConfigError when the file cannot be written.
    """
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        for name, value in values.items():
            lines = _with(lines, name, f"{name}={_quoted(value)}")
        _replace(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise ConfigError(say("error.env_unwritable", path=path, why=error.strerror)) from None


def _with(lines: list[str], name: str, line: str) -> list[str]:
    set_line, commented = re.compile(rf"\s*(export\s+)?{name}\s*="), re.compile(rf"\s*#\s*{name}\s*=")
    for pattern in (set_line, commented):
        if places := [n for n, old in enumerate(lines) if pattern.match(old)]:
            kept = [old for n, old in enumerate(lines) if n not in places[1:]] if pattern is set_line else list(lines)
            kept[places[0]] = line
            return kept
    return [*lines, line]


def _quoted(value: str) -> str:
    if "\n" in value or "\r" in value:
        raise ConfigError(say("error.env_one_line"))
    return value if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII) else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _replace(path: Path, text: str) -> None:
    descriptor, beside = tempfile.mkstemp(dir=path.resolve().parent, prefix=".env.")  # made with mode 600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(beside).replace(path.resolve())
