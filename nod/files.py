"""Bytes by their hash: NOD_DATA_DIR/files. Only the hash travels between processes."""

import hashlib
import os
import tempfile
from pathlib import Path

from nod.errors import NotFoundError


class Files:
    """A folder of files named by the SHA-256 (hex) of their bytes."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "files"

    def keep(self, content: bytes) -> str:
        """Keep bytes and return their hash; kept twice they are there once."""
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(path)
        return name

    def path(self, sha256: str) -> Path:
        """Return where kept bytes lie. Raises NotFoundError."""
        path = self._path(sha256)
        if not path.is_file():
            raise NotFoundError(f"There is no file {sha256[:12]}… in {self._folder}.")
        return path

    def drop(self, sha256: str) -> None:
        """Remove kept bytes."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise NotFoundError("A file is named by the 64 hexadecimal digits of its SHA-256.")
        return self._folder / sha256[:2] / sha256
