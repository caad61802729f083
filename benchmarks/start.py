"""`python -m benchmarks.start`: how long `nod up` takes, and what it needs while nobody asks, with Slack and Discord connected."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import MIB, difference, snapshot
from benchmarks.stacks import BIN, Started, environment, until_ready
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack

IDLE_SECONDS = 20.0
SAYS_IT_IS_UP = "/in/", "you are still signed in", "아직 로그인되어"


def main() -> int:
    """Start nod twice in one data folder, and watch the second one idle."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    given = parser.parse_args()
    model = FakeModel()
    try:
        with tempfile.TemporaryDirectory(prefix="nod-bench-") as folder, FakeSlack() as slack, FakeDiscord() as discord:
            tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.url}
            env = environment({**tokens, "DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.url, **model.env}, Path(folder))
            model.will_say("OK", "OK")  # `nod doctor` asks at each start
            found = measured(env, Path(folder))
    except (RuntimeError, TimeoutError) as error:
        print(f"nod: {error}", file=sys.stderr)
        return 1
    finally:
        model.stop()
    print(json.dumps(found) if given.json else as_text(found))
    return 0


def measured(env: dict[str, str], folder: Path) -> dict[str, Any]:
    """Return the seconds of the first and of later starts, and memory and CPU while nobody asks."""
    with running(env, folder / "first.log") as (_, cold):
        pass
    with running(env, folder / "second.log") as (nod, warm):
        time.sleep(IDLE_SECONDS / 2)  # what the start left to do
        before = snapshot([nod.child.pid])
        time.sleep(IDLE_SECONDS)
        after = snapshot([nod.child.pid])
    used = difference(before, after)
    return {
        "cold_start_seconds": cold, "warm_start_seconds": warm, "idle_seconds": used.seconds,
        "idle_cpu_seconds": used.cpu_seconds, "pss_bytes": after.pss_by_role,
    }  # fmt: skip


@contextmanager
def running(env: dict[str, str], log: Path) -> Generator[tuple[Started, float]]:
    """Give a nod that is up and connected, and how many seconds it took to say that it is up."""
    began = time.monotonic()
    nod = Started([str(BIN / "nod"), "up"], env, log)
    try:
        while not any(words in log.read_text(errors="replace") for words in SAYS_IT_IS_UP):
            nod.check()
            if time.monotonic() - began > 120:
                raise RuntimeError(f"nod was not up within 120 s:\n{nod.last_words()}")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        until_ready(nod, env)
        yield nod, seconds
    finally:
        nod.stop()


def as_text(found: dict[str, Any]) -> str:
    """Return the figures as people read them."""
    memory = ", ".join(f"{role} {size / MIB:.0f}" for role, size in found["pss_bytes"].items())
    return (
        f"First start {found['cold_start_seconds']:.1f} s, a later one {found['warm_start_seconds']:.1f} s.\n"
        f"Idle, with Slack, Discord and a model connected: {sum(found['pss_bytes'].values()) / MIB:.0f} MiB PSS ({memory}), "
        f"{found['idle_cpu_seconds']:.2f} s of CPU in {found['idle_seconds']:.0f} s."
    )


if __name__ == "__main__":
    sys.exit(main())
