"""The log of `nod up`: what every child says, one file with a bound, secrets taken out once more before anything is written."""

import json
from datetime import UTC, datetime
from pathlib import Path

from nod.logs import redact

MOST_BYTES = 5_000_000
KEPT = 3  # nod.log, nod.log.1, nod.log.2: at most 15 MB


class LogFile:
    """`nod.log`. When it is full it becomes `nod.log.1`, and so on; the oldest is dropped."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self._most_bytes = most_bytes
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        self._file = self.path.open("ab", buffering=0)
        self.path.chmod(0o600)
        self._size = self._file.tell()

    def write(self, role: str, line: str) -> None:
        """Write one line that a child said; a line that is no JSON yet becomes JSON with its role and time."""
        clean = redact(line)
        if not clean.startswith("{"):
            clean = json.dumps({"event": clean, "role": role, "timestamp": datetime.now(UTC).isoformat()}, ensure_ascii=False)
        self._write(clean.encode("utf-8", "replace") + b"\n")

    def _write(self, line: bytes) -> None:
        if self._size and self._size + len(line) > self._most_bytes:
            self._rotate()
        self._file.write(line)
        self._size += len(line)

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEPT - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def close(self) -> None:
        """Close the file."""
        self._file.close()
