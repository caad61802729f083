"""Reads files in a process of its own with limits: 30 s and 512 MiB a file, no secrets, no inherited descriptors, no network.

A file that breaks a limit or its parser becomes a LoadError with its name; the next file is read as if nothing had been.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from knowledge.loaded import LeftOut, Piece, visible
from nod.errors import LoadError

MOST_BYTES = 50 * 2**20  # of one file
_GRACE_SECONDS = 10  # the reader kills what is too slow; when it does not, it is killed itself
_LONGEST_ANSWER = 512 * 2**20
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin"}
_SENTENCES = {
    "too_slow": "takes too long to read",
    "too_much_memory": "needs too much memory to read",
    "crashed": "makes its reader crash",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost; a scanned one each page. Memory is counted above what the interpreter needs by itself."""

    cpu_seconds: int = 30
    wall_seconds: float = 30.0
    longest_seconds: float = 270.0  # whatever its pages say
    memory_mib: int = 512


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read: its passages and what it says of itself."""

    pieces: tuple[Piece, ...]
    title: str
    date: datetime | None
    language: str | None
    pages: int | None
    left_out: tuple[LeftOut, ...] = ()


class Reader:
    """A reading process, started with the first file and ended with the `async with`. It reads one file at a time."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._end()

    async def read(self, name: str, content: bytes, media_type: str = "") -> Read:
        """Return a file as passages. Raises LoadError, whose sentence begins with the file's name, as it can be seen."""
        name = visible(name)
        if len(content) > MOST_BYTES:
            raise LoadError(f"{name} is larger than {MOST_BYTES // 2**20} MB.", "too_large")
        async with self._turn:
            answer = await self._ask(name, content, media_type)
        if kind := answer.get("error"):
            raise LoadError(f"{name} {answer.get('sentence') or _SENTENCES[kind]}.", kind)
        return Read(
            pieces=tuple(Piece(*piece) for piece in answer["pieces"]), title=answer["title"], language=answer["language"],
            date=datetime.fromisoformat(answer["date"]) if answer["date"] else None, pages=answer["pages"],
            left_out=tuple(LeftOut(*left) for left in answer["left_out"]),
        )  # fmt: skip

    async def _ask(self, name: str, content: bytes, media_type: str) -> dict[str, Any]:
        request = {"name": name, "media_type": media_type, "size": len(content), **asdict(self._limits)}
        try:
            async with asyncio.timeout(self._limits.wall_seconds + _GRACE_SECONDS) as patience:
                return await self._exchange(json.dumps(request).encode() + b"\n", content, patience)
        except TimeoutError:
            await self._end()
            return {"error": "too_slow"}
        except (OSError, ValueError):  # the reader itself is gone, or does not speak as it should
            await self._end()
            return {"error": "crashed"}
        except asyncio.CancelledError:
            await self._end()
            raise

    async def _exchange(self, request: bytes, content: bytes, patience: asyncio.Timeout) -> dict[str, Any]:
        self._process = process = self._process or await _started()
        assert process.stdin
        assert process.stdout
        process.stdin.write(request)
        process.stdin.write(content)
        await process.stdin.drain()
        while (line := await process.stdout.readline()) == b"\n":  # a page was read
            patience.reschedule(asyncio.get_running_loop().time() + self._limits.wall_seconds + _GRACE_SECONDS)
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _end(self) -> None:
        if (process := self._process) is None:
            return
        self._process = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _started() -> asyncio.subprocess.Process:
    """Start a reader in a session of its own: Ctrl-C reaches nod alone, and one signal ends it with its child."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-B", "-m", "knowledge.reading_child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=_ENVIRONMENT, cwd="/", start_new_session=True, limit=_LONGEST_ANSWER,
    )  # fmt: skip
