"""A short chaos: every kind of fault once, while people ask on both platforms; and what the command says to bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults import KINDS

ROOT = Path(__file__).parents[2]


def chaos(*args: str, seconds: float) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks.chaos", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nothing_is_lost_or_doubled_when_everything_breaks_once():
    done = chaos("--seed", "225", "--minutes", "0.3", "--questions", "20", "--json", seconds=390)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {row["fault"] for row in told["rows"] if row["injected"]} == {*KINDS, "all"}
    every = told["rows"][-1]
    assert (every["lost"], every["duplicated"], told["troubles"]) == (0, 0, [])
    ends = sum(every[name] for name in ("answered", "stopped", "withdrawn", "apologised"))
    assert every["accepted"] + told["not_accepted"] == ends + told["not_accepted"] == 20 + 1  # and the one that is poison
    assert (told["poison"]["questions"], told["poison"]["letters"], told["poison"]["retried"]) == (1, 1, 1)
    assert told["votes"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--kinds", "meteor"), "no fault is called 'meteor'; there are worker, "),
        (("--kinds", ""), "there must be a fault, a question and some time"),
        (("--minutes", "-1"), "there must be a fault, a question and some time"),
        (("--questions", "0"), "there must be a fault, a question and some time"),
    ],
)
def test_bad_input_is_one_sentence(args: tuple[str, ...], words: str):
    done = chaos(*args, seconds=60)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
