"""Commands of nod as processes of their own, forked from one that has loaded nod's code already.

A start pays one to three seconds of CPU for loading libraries, hundreds of times in a run of all tests. What is forked is a real
process: its own session, environment, folder and files, a pid that can be killed. Tests about starting itself run the command.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

NOD = str(Path(sys.executable).with_name("nod"))

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.loaded"])


class Warm:
    """`nod WORDS` in a session of its own, read and written by files: `pid`, `poll`, `wait` and the signals of a `subprocess.Popen`."""

    def __init__(
        self,
        words: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        out: Path,
        err: Path | None = None,
        text_in: Path | None = None,
    ) -> None:
        files = (text_in or Path(os.devnull), out, err or out)
        self._process = _FORKS.Process(target=_become, args=([NOD, *map(str, words)], dict(env), cwd, files), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; `subprocess.TimeoutExpired` when it has not ended after so many seconds."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("nod", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    words: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, text_in: str = "", timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    """Run `nod WORDS` to its end, as `subprocess.run` does."""
    with tempfile.TemporaryDirectory() as folder:
        given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        given.write_text(text_in)
        child = Warm(words, env=env, cwd=cwd, out=out, err=err, text_in=given)
        try:
            code = child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise
        return subprocess.CompletedProcess([NOD, *words], code, out.read_text(), err.read_text())


def _become(argv: list[str], env: dict[str, str], cwd: Path, files: tuple[Path, Path, Path]) -> None:
    """Be the command, in the forked process."""
    assert "tests.loaded" in sys.modules, "nothing was loaded before the fork: each start would be slow"
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs tests in the background may have it ignored
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    flags = (os.O_RDONLY, *(os.O_WRONLY | os.O_CREAT | os.O_APPEND,) * 2)
    for number, (path, flag) in enumerate(zip(files, flags, strict=True)):
        opened = os.open(path, flag, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the process lives
    if os.isatty(1):  # what was a file cannot become a terminal
        sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    else:
        sys.stdout.reconfigure(encoding="utf-8", write_through=True)
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", write_through=True)
    sys.argv = argv
    sys.path[:] = [folder for folder in sys.path if folder]
    from nod.cli import main

    main()
