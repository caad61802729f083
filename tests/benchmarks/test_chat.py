"""The benchmark's judgement, and one small run of it; counts and ratios only, never times."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chat import Row
from benchmarks.fields import Shown
from benchmarks.parts import seconds_by_part
from benchmarks.stacks import PASSAGE
from benchmarks.volleys import ANSWER, OPENING, Outcome, calls_by_tag, is_whole, outcome_of, percentile, volleys
from tests.fakes.model import Call

TAG = "case-1-001"
WHOLE = ANSWER.format(tag=TAG)
SHOT = {"sent": 100.0, "first_sign": 100.2}


def message(*texts: str, streaming: bool = False, deleted: bool = False, since: float = 101.0) -> Shown:
    """A reply that showed these texts, a second apart."""
    states = [{"mono": since + number, "shown": text} for number, text in enumerate(texts)]
    return Shown("" if deleted else texts[-1], streaming, deleted, states)


def call(
    said: str = WHOLE, first: float = 0.3, whole: float = 2.25, asked: str = f"휴가? ({TAG})", stream: bool = True, at: float = 0.0
) -> Call:
    body: dict[str, Any] = {"stream": stream, "messages": [{"role": "user", "content": "전에"}, {"role": "user", "content": asked}]}
    return Call(
        number=1, path="/v1/chat/completions", body=body, started_at=at, peer=0, status=200, error="", broke_a_rule=False, said=said,
        finish_reason="stop", tokens=40, first_token_at=0, last_token_at=0, ended_at=0, disconnected=False, holding=False, own_first_seconds=first, own_seconds=whole,
    )  # fmt: skip


def test_times_are_over_the_models_own():
    replies = [message("…", WHOLE[:20], WHOLE, since=100.1)]
    outcome = outcome_of(TAG, SHOT, replies, [call(said="", first=0.3, whole=0.3), call()])
    assert (outcome.verdict, outcome.model_calls) == ("answered", 1)
    assert outcome.first_sign == pytest.approx(0.2)
    assert outcome.first_text == pytest.approx(1.1 - 0.3 - 0.3)
    assert outcome.complete == pytest.approx(2.1 - 0.3 - 2.25)


def test_what_the_model_needs_for_the_question_in_the_other_language_is_its_own_time():
    replies = [message("…", WHOLE[:20], WHOLE, since=100.1)]
    beside, check = call("How many days?", 0.2, 0.2, stream=False), call("1 yes", 0.2, 0.2, stream=False, at=5.0)
    outcome = outcome_of(TAG, SHOT, replies, [beside, call(at=1.0), check])
    assert (outcome.verdict, outcome.model_calls) == ("answered", 1)
    assert outcome.first_text == pytest.approx(1.1 - 0.2 - 0.3)


@pytest.mark.parametrize(
    ("verdict", "replies", "calls"),
    [
        ("answered", [message(WHOLE)], [call()]),
        ("answered", [message(f"{WHOLE}\n\n출처: [1] 휴가")], [call()]),
        ("answered", [message("생각 중", deleted=True), message(WHOLE)], [call()]),
        ("missing", [], [call()]),
        ("missing", [message("생각 중이에요…")], [call()]),
        ("missing", [message(WHOLE, deleted=True)], [call()]),
        ("doubled", [message(WHOLE), message(WHOLE)], [call()]),
        ("doubled", [message(WHOLE), message(WHOLE[:20])], [call()]),
        ("doubled", [message(WHOLE[:120] + WHOLE)], [call()]),
        ("incomplete", [message(WHOLE[:-5])], [call()]),
        ("incomplete", [message(WHOLE.replace("급한", "바쁜"))], [call()]),
        ("incomplete", [message(WHOLE, streaming=True)], [call()]),
        ("incomplete", [message(ANSWER.format(tag="case-1-002"))], [call()]),  # somebody else's answer
        ("uncalled", [message(WHOLE)], []),
    ],
)
def test_an_answer_counts_when_it_is_there_once_and_whole(verdict, replies, calls):
    assert outcome_of(TAG, SHOT, replies, calls).verdict == verdict


def test_a_whole_answer_may_be_wrapped_otherwise():
    assert is_whole(WHOLE.replace(" ", "\n"), TAG)
    assert not is_whole(WHOLE.replace(" ", ""), TAG)


def test_the_opening_is_in_the_first_token_and_nowhere_in_the_question():
    assert ANSWER.startswith(OPENING)
    assert len(OPENING) <= len(WHOLE) // 40
    assert WHOLE.count(OPENING) == 1


def test_calls_are_found_by_the_tag_of_their_question():
    found = calls_by_tag([call(), call(asked="휴가? (case-1-002)"), call(stream=False), call(asked="제목")])
    assert {tag: len(calls) for tag, calls in found.items()} == {TAG: 2, "case-1-002": 1}


def row(*verdicts: str, without_passages: list[str] | None = None, too_many: int = 0, **more: Any) -> Row:
    outcomes = [Outcome(TAG, 0.1, 0.2, 0.3, verdict, 1) for verdict in verdicts]
    given = {"stack": "nod", "platform_calls": {}, **more}
    return Row(
        volley="50 at once", outcomes=outcomes, cpu_seconds=1.0, cpu_by_role={}, fakes_cpu_seconds=0.0, pss_by_role={},
        without_passages=without_passages or [], too_many=too_many, **given,
    )  # fmt: skip


@pytest.mark.parametrize("verdict", ["missing", "doubled", "incomplete", "uncalled"])
def test_one_bad_answer_voids_the_run(verdict):
    assert row("answered", "answered").troubles == []
    [trouble] = row("answered", verdict).troubles
    assert trouble.startswith("nod, 50 at once: 1 of 2 ")


def test_a_prompt_without_passages_voids_the_run():
    [trouble] = row("answered", without_passages=[f"call 7 has no ['{PASSAGE}']"]).troubles
    assert "1 prompts had no passages; call 7" in trouble


def test_more_than_a_hundredth_of_the_calls_refused_voids_the_run_and_what_the_bare_bot_loses_does_not():
    calls = {"chat.update": 50, "chat.postMessage": 50}
    assert row("answered", platform_calls=calls, too_many=1, has_limits=True).troubles == []
    [trouble] = row("answered", platform_calls=calls, too_many=2, has_limits=True).troubles
    assert trouble.endswith("2 of 100 calls were refused as too many.")
    assert row("missing", stack="bare", platform_calls=calls, too_many=50, has_limits=True).troubles == []
    assert row("missing", stack="bare", platform_calls=calls).troubles


def test_percentiles_are_nearest_rank_of_what_came():
    values = [float(number) for number in range(1, 21)]
    assert (percentile(values, 0.5), percentile(values, 0.95)) == (10.0, 19.0)
    assert percentile([None, 3.0], 0.95) == 3.0
    assert percentile([None], 0.5) is None


def test_the_volleys_are_the_promised_ones():
    sizes = {name: (len(volley.at), max(volley.at), volley.one_after_another) for name, volley in volleys().items()}
    assert sizes.pop("limits") == (50, 0.0, False)
    assert volleys()["limits"].channels == 10
    assert [name for name, volley in volleys().items() if volley.has_limits] == ["limits"]
    assert sizes == {
        "one": (20, 0.0, True), "50": (50, 0.0, False), "200": (200, 0.0, False), "spread": (200, 9.95, False), "500": (500, 0.0, False),
        "flight": (500, 19.96, False), "flood": (10_000, 59.994, False),
    }  # fmt: skip
    assert [volleys()[name].own_seconds for name in ("one", "flight")] == pytest.approx([2.25, 29.3])


def test_cpu_time_is_shared_out_by_what_was_counted():
    before, after = {"nod worker": Counter(agent=5)}, {"nod worker": Counter(agent=8, search=1)}
    assert seconds_by_part(before, after, {"nod worker": 2.0, "postgres": 1.0}) == {
        "nod worker: agent": 1.5, "postgres": 1.0, "nod worker: search": 0.5,
    }  # fmt: skip


def run(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.chat", *args]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.slow
def test_the_bare_bot_answers_everything():
    done = run("--stack", "bare", "--volleys", "one,50", "--singles", "1", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["troubles"] == []
    one, fifty = said["rows"]
    assert (one["counts"], fifty["counts"]) == ({"answered": 1}, {"answered": 50})
    assert fifty["asked_twice"] == 0
    assert 4 <= fifty["platform_calls_per_answer"] <= 7
    assert list(fifty["pss_bytes"]) == ["bare_bot"]
    assert fifty["pss_bytes"]["bare_bot"] > 20 * 2**20
    assert fifty["cpu_seconds_per_answer"] > 0.001
    assert fifty["seconds"]["first sign"]["p95"] <= fifty["seconds"]["first text over"]["p95"] + 0.3


def test_an_unknown_volley_is_a_usage_error():
    done = run("--volleys", "51")
    assert done.returncode == 2
    assert "no volley is called '51'" in done.stderr
