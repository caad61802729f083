"""The process that reads files which anybody may have made: no secrets, no network, and a fork with limits for each file.

It answers JSON lines on its standard output to requests on its standard input: a line of JSON, then the bytes of the file.
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from typing import Any, BinaryIO, NoReturn

from knowledge.loaded import visible
from knowledge.ocr import tell
from nod.errors import LoadError

CLONE_NEWUSER, CLONE_NEWNET, PR_SET_PDEATHSIG = 0x10000000, 0x40000000, 1
MOST_TEXT = 20_000_000  # characters of text from one file


def main() -> None:
    """Read files until standard input ends."""
    _leave_the_network()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := requests.readline():
        request = json.loads(line)
        content = requests.read(request["size"])
        if len(content) == request["size"]:
            answers.write(_read_in_fork(request, content, answers).strip() + b"\n")
            answers.flush()


def _leave_the_network() -> None:
    """Go where there is no network at all (Linux; where the system does not allow it, the missing addresses and secrets must do)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _read_in_fork(request: dict[str, Any], content: bytes, answers: BinaryIO) -> bytes:
    """Return the answer of a child of our own for one file, or how the child ended."""
    _prepare(request)
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _read_and_exit(request, content, theirs)
    os.close(theirs)
    answer = _until_end(ours, request, answers)
    os.close(ours)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    if answer and os.waitstatus_to_exitcode(status) == 0:
        return answer
    if answer is None or os.waitstatus_to_exitcode(status) in (-signal.SIGXCPU, -signal.SIGKILL):
        kind = "too_slow"
    else:  # parsers written in C end themselves when they get no more memory
        kind = "too_much_memory" if usage.ru_maxrss / 1024 > request["memory_mib"] / 2 else "crashed"
    return json.dumps({"error": kind}).encode()


def _prepare(request: dict[str, Any]) -> None:
    """Import what the fork will need: once here, not in each fork. No byte of the file is looked at."""
    import_module("knowledge.split")
    loaders: Any = import_module("knowledge.loaders")
    if named := loaders.named(request["name"], request["media_type"]):
        import_module(f"knowledge.loaders.{named.name}")


def _until_end(fd: int, request: dict[str, Any], answers: BinaryIO) -> bytes | None:
    """Return all that comes through a pipe; None when the end has not come in time. An empty line says that a page was read; it goes on."""
    begun = time.monotonic()
    deadline = begun + request["wall_seconds"]
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if select.select([fd], [], [], left)[0]:
            part = os.read(fd, 1 << 20)
            if not part:
                return b"".join(parts)
            if part.isspace():
                deadline = min(begun + request["longest_seconds"], time.monotonic() + request["wall_seconds"])
                answers.write(b"\n")
                answers.flush()
            parts.append(part)
    return None


def _read_and_exit(request: dict[str, Any], content: bytes, answer_to: int) -> NoReturn:
    """Be the child that reads one file."""
    code = 1
    try:
        _limit(request, answer_to)
        tell(answer_to)
        answer = json.dumps(_answer(request, content))
        with os.fdopen(answer_to, "w", encoding="ascii") as pipe:
            pipe.write(answer)
        code = 0
    finally:
        os._exit(code)


def _limit(request: dict[str, Any], answer_to: int) -> None:
    """Give this process its limits, and take every descriptor but the answer's from it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    os.closerange(3, answer_to)
    os.closerange(answer_to + 1, 1024)
    cpu = request["cpu_seconds"]
    for limit, value in (
        (resource.RLIMIT_CPU, cpu), (resource.RLIMIT_AS, _address_space() + request["memory_mib"] * 2**20),
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 64),
    ):  # fmt: skip
        with suppress(ValueError, OSError):  # macOS knows no limit of the address space
            resource.setrlimit(limit, (value, value))


def _address_space() -> int:
    """Return how much this interpreter has mapped before it looks at the file."""
    try:
        with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123  # pathlib is not imported here
            return int(pages.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 512 * 2**20


def _answer(request: dict[str, Any], content: bytes) -> dict[str, Any]:
    loaders: Any = import_module("knowledge.loaders")
    splitting: Any = import_module("knowledge.split")
    try:
        loaded = loaders.format_of(request["name"], content, request["media_type"]).load(content)
        blocks = (replace(block, text=visible(block.text), heading=tuple(map(visible, block.heading))) for block in loaded.blocks)
        pieces = splitting.split(blocks)
        answer = _refusal(sum(len(piece.text) for piece in pieces)) or {
            "title": visible(loaded.title), "language": loaded.language, "pages": loaded.pages,
            "date": loaded.date.isoformat() if loaded.date else None,
            "left_out": [(visible(left.name), left.kind, visible(left.sentence)) for left in loaded.left_out],
            "pieces": [(piece.text, piece.heading, piece.page) for piece in pieces],
        }  # fmt: skip
    except LoadError as error:
        answer = {"error": error.kind, "sentence": str(error)}
    except MemoryError:
        answer = {"error": "too_much_memory"}
    except RecursionError:
        answer = {"error": "unreadable", "sentence": "is nested too deeply to be read"}
    except Exception as error:  # noqa: BLE001  # parsers raise anything over a file that is broken, and the next file has to be read
        answer = {"error": "unreadable", "sentence": f"cannot be read ({type(error).__name__})"}
    return answer


def _refusal(characters: int) -> dict[str, Any] | None:
    if characters == 0:
        return {"error": "no_text", "sentence": "holds no text"}
    if characters > MOST_TEXT:
        return {"error": "too_large", "sentence": f"holds more than {MOST_TEXT:,} characters of text"}
    return None


if __name__ == "__main__":
    main()
