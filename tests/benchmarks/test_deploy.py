"""The judgement of a deploy, what the command says to bad input, and a small one. The run itself is `python -m benchmarks.deploy`."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.deploy import SAYINGS, Deploy, lines
from benchmarks.promises import Asked, Call, Fate, Seen

ROOT = Path(__file__).parents[2]


def fate(runs: int = 1, *shown: str) -> Fate:
    """An answer that took so many runs of the model and showed these texts."""
    asked = Asked("case-1-001", "slack", "slack C1/1.0", "1.0", 0.0)
    states = tuple((float(number), text) for number, text in enumerate(shown))
    seen = Seen("slack", "slack C1/1.0", "1.1", shown[-1] if shown else "", "answer", states)
    return Fate(asked, "answered", [seen], [Call(("case-1-001",), 0.0, 1.0)] * runs)


def deploy(twice: int, **more: Any) -> Deploy:
    found = [fate(2, "네,", f"네, {SAYINGS[0]}", "네, 15일이에요.") for _ in range(twice)] + [fate() for _ in range(100 - twice)]
    return Deploy(**{"kind": "rolling", "in_flight": 100, "found": found, "ends": {}, "settled_seconds": 1.0, "wrong": [], **more})


def test_a_deploy_is_good_when_few_are_run_twice_and_all_end_in_time():
    good = deploy(5, ends={"worker": 24.0})
    assert good.troubles == []
    assert (len(good.twice), good.told) == (5, 5)
    assert deploy(6).troubles == ["6 of 100 answers in flight were run twice."]
    assert deploy(0, ends={"worker": 31.0}).troubles == ["worker: ended 31 s after it was told to."]
    assert deploy(0, wrong=["case-1-001 (slack): was accepted and got no message."]).troubles


@pytest.mark.parametrize("words", SAYINGS)
def test_an_answer_that_goes_on_without_a_word_is_not_counted_as_told(words: str):
    assert deploy(0, found=[fate(2, "네,", "네, 15일이에요."), fate(2, "네,", f"네, {words}")]).told == 1


def test_half_of_the_questions_are_asked_on_each_platform_each_under_its_own_number():
    asked = lines(Random(1), 100, 1)
    assert [line.platform for line in asked].count("slack") == 50
    assert len({line.tag for line in asked}) == 100
    assert {(line.platform, line.channel) for line in asked} == {(name, number) for name in ("slack", "discord") for number in range(1, 6)}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--kinds", "blue-green"), "no deploy is called 'blue-green'; there are rolling, stop-start"),
        (("--answers", "1"), "there must be a deploy, and two answers in flight at least"),
    ],
)
def test_bad_input_is_one_sentence(args: tuple[str, ...], words: str):
    command = [sys.executable, "-m", "benchmarks.deploy", *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_deploy_loses_and_doubles_nothing():
    command = [sys.executable, "-m", "benchmarks.deploy", "--kinds", "stop-start", "--answers", "2", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert (told["answered"], told.get("lost", 0), told.get("duplicated", 0)) == (told["asked"], 0, 0)
