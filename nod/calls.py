"""Commands of nod that `nod up` runs itself: in processes of their own, so that what they load does not stay."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from nod import children
from nod.errors import UnavailableError
from nod.saying import say
from nod.watch import Watch

MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Calls:
    """How to call: the program, its environment, and the loop that goes on meanwhile."""

    watch: Watch
    program: str
    env: Mapping[str, str]

    def run(self, *words: str, seconds: float = MOST_SECONDS, may_fail: bool = False) -> str:
        """Run a command and return what it printed. Raises UnavailableError with its last words."""
        output = self.watch.listen(words[0])
        child = subprocess.Popen(
            [self.program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=output, start_new_session=True, env=self.env
        )
        os.close(output)
        try:
            printed = self._read_all(child, words[0], seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self.watch.drain()
        if child.returncode and not may_fail:
            why = self.watch.last_words(words[0]) or say("up.no_reason")
            raise UnavailableError(say("up.command_failed", command=f"nod {words[0]}", why=why, log=self.watch.log.path))
        return printed

    def _read_all(self, child: "subprocess.Popen[bytes]", name: str, seconds: float) -> str:
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        pipe, said = child.stdout, bytearray()

        def is_over() -> bool:
            has_ended = child.poll() is not None
            said.extend(pipe.read() or b"")
            return has_ended

        with pipe:
            if not children.wait_until(is_over, seconds, self.watch.pause):
                raise UnavailableError(say("up.command_slow", command=f"nod {name}", seconds=f"{seconds:.0f}"))
        return said.decode("utf-8", "replace")
