"""`make bench`: what nod adds to the model's own time, in seconds, CPU, memory and platform calls, beside a bare bot in the same run.

A run fails when an answer is missing, doubled, not complete or not the model's, or when the model saw a question without its
passages. Times are printed, never judged: they depend on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import sys
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import parts
from benchmarks.fields import DiscordField, Field, SlackField
from benchmarks.measure import MIB, difference, snapshot
from benchmarks.stacks import PASSAGE, Stack, start_bare, start_nod
from benchmarks.volleys import ANSWER, EVERY_SECONDS, FIRST_AFTER_SECONDS, TAG, TOKENS, Outcome, Range, Volley, percentile, volleys
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack

STARTERS: dict[str, Callable[[Mapping[str, str]], Stack]] = {"bare": start_bare, "nod": start_nod}
COLUMNS = ("first sign", "first text over", "complete over")
MOST_REFUSED = 0.01  # of all calls, with the limits on


@dataclass(frozen=True, slots=True)
class Row:
    """One volley on one stack."""

    stack: str
    volley: str
    outcomes: list[Outcome]
    cpu_seconds: float
    cpu_by_role: dict[str, float]
    fakes_cpu_seconds: float
    pss_by_role: dict[str, int]
    platform_calls: dict[str, int]
    without_passages: list[str]
    too_many: int = 0
    has_limits: bool = False
    cpu_by_part: dict[str, float] = dataclass_field(default_factory=dict[str, float])

    @property
    def counts(self) -> Counter[str]:
        """How many were answered, missing, doubled, incomplete, uncalled."""
        return Counter(outcome.verdict for outcome in self.outcomes)

    @property
    def times(self) -> dict[str, tuple[float | None, float | None]]:
        """Each column's p50 and p95 in seconds."""
        series = (
            [outcome.first_sign for outcome in self.outcomes],
            [outcome.first_text for outcome in self.outcomes],
            [outcome.complete for outcome in self.outcomes],
        )
        return {name: (percentile(values, 0.5), percentile(values, 0.95)) for name, values in zip(COLUMNS, series, strict=True)}

    @property
    def troubles(self) -> list[str]:
        """What makes this run void, in sentences. What the bare bot loses to the limits is a figure."""
        if self.has_limits and self.stack == "bare":
            return []
        where = f"{self.stack}, {self.volley}"
        reasons = {
            "missing": "got no answer",
            "doubled": "were answered twice",
            "incomplete": "got an answer that is not complete",
            "uncalled": "were answered without the model",
        }
        said = [f"{where}: {self.counts[kind]} of {len(self.outcomes)} {words}." for kind, words in reasons.items() if self.counts[kind]]
        if self.without_passages:
            said.append(f"{where}: {len(self.without_passages)} prompts had no passages; {self.without_passages[0]}.")
        if self.too_many > MOST_REFUSED * sum(self.platform_calls.values()):
            said.append(f"{where}: {self.too_many} of {sum(self.platform_calls.values())} calls were refused as too many.")
        return said

    def as_json(self) -> dict[str, Any]:
        """Everything a program may want of it."""
        answers = len(self.outcomes)
        return {
            "stack": self.stack,
            "volley": self.volley,
            "mentions": answers,
            "counts": dict(self.counts),
            "asked_twice": sum(1 for outcome in self.outcomes if outcome.model_calls > 1),
            "seconds": {name: {"p50": p50, "p95": p95} for name, (p50, p95) in self.times.items()},
            "cpu_seconds_per_answer": self.cpu_seconds / answers,
            "cpu_seconds_by_role": self.cpu_by_role,
            "cpu_seconds_by_part": self.cpu_by_part,
            "fakes_cpu_seconds": self.fakes_cpu_seconds,
            "pss_bytes": self.pss_by_role,
            "platform_calls_per_answer": sum(self.platform_calls.values()) / answers,
            "platform_calls": self.platform_calls,
            "too_many": self.too_many,
            "without_passages": len(self.without_passages),
        }


def run_stack(name: str, chosen: list[Volley], field: Field, model: FakeModel, samples: Path | None = None) -> list[Row]:
    """Start a stack, let it answer every volley, and stop it. In the folder `samples` it counts where its CPU time goes."""
    stack = STARTERS[name]({**field.env, **model.env, **(parts.environment(samples) if samples else {})})
    try:
        warm_up = Volley("warm-up", (0.0,) * 5, patience_seconds=20)
        write_script(model, stack, warm_up)
        field.listen(stack.events)
        at = Range(field, model)
        warm = at.fire(warm_up, stack.check)
        if bad := [outcome for outcome in warm if outcome.verdict != "answered"]:
            raise RuntimeError(f"of 5 mentions to warm up, {len(bad)} ended as {bad[0].verdict}. It said at last:\n{stack.last_words()}")
        return [measured(stack, volley, at, samples if name == "nod" else None) for volley in chosen]
    finally:
        stack.stop()


def write_script(model: FakeModel, stack: Stack, volley: Volley) -> None:
    """Tell the model what to answer, and how fast."""
    model.benchmarks(
        ANSWER,
        tokens=TOKENS,
        first_after=volley.first_after,
        every=volley.every,
        tag=TAG,
        tool="search_knowledge" if stack.searches else "",
        arguments={"query": "{question}"},
        must_contain=[PASSAGE] if stack.searches else [],
    )


def measured(stack: Stack, volley: Volley, at: Range, samples: Path | None = None) -> Row:
    """Fire one volley and weigh the stack before and after."""
    print(f"{stack.name}: {volley.name} …", file=sys.stderr)
    write_script(at.model, stack, volley)
    at.field.limits(on=volley.has_limits)
    fakes = [at.field.pid, at.model.pid]
    calls, refused, violations = at.field.calls(), at.field.too_many(), len(at.model.violations)
    before, fakes_before = snapshot(stack.roots, fakes, memory=False), snapshot(fakes, memory=False)
    counted = parts.counts(samples, before) if samples else {}
    outcomes = at.fire(volley, stack.check)
    after, fakes_after = snapshot(stack.roots, fakes), snapshot(fakes, memory=False)
    used = difference(before, after)
    by_part = parts.seconds_by_part(counted, parts.counts(samples, after), used.cpu_by_role) if samples else {}
    return Row(
        stack.name,
        volley.name,
        outcomes,
        used.cpu_seconds,
        used.cpu_by_role,
        difference(fakes_before, fakes_after).cpu_seconds,
        after.pss_by_role,
        dict(at.field.calls() - calls),
        [call for call in at.model.violations[violations:] if "(case-" in call],  # `nod up` tries the model once itself: no answer
        at.field.too_many() - refused,
        volley.has_limits,
        by_part,
    )


def table(rows: list[Row]) -> str:
    """Write the figures as people read them: p50 / p95 in milliseconds."""
    head = ["stack", "mentions", "answered", *(f"{name} ms" for name in COLUMNS), "CPU ms/answer", "calls/answer", "429s", "PSS MiB"]
    body = [
        [
            row.stack,
            row.volley,
            f"{row.counts['answered']}/{len(row.outcomes)}",
            *(f"{_ms(p50)} / {_ms(p95)}" for p50, p95 in row.times.values()),
            f"{1000 * row.cpu_seconds / len(row.outcomes):.1f}",
            f"{sum(row.platform_calls.values()) / len(row.outcomes):.1f}",
            str(row.too_many),
            f"{sum(row.pss_by_role.values()) / MIB:.0f}",
        ]
        for row in rows
    ]
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *body]]
    memory = [f"- {row.stack}: " + ", ".join(f"{role} {size / MIB:.0f}" for role, size in row.pss_by_role.items()) for row in last_of(rows)]
    methods = [
        f"- {row.stack}: " + ", ".join(f"{name} {count / len(row.outcomes):.1f}" for name, count in row.platform_calls.items())
        for row in last_of(rows)
    ]
    shares = [
        f"- {row.stack}, {row.volley}: "
        + ", ".join(f"{part} {1000 * seconds / len(row.outcomes):.1f}" for part, seconds in row.cpu_by_part.items() if seconds)
        for row in rows
        if row.cpu_by_part
    ]
    said = ["", "PSS by process in MiB, after the last volley:", *memory, "", "Platform calls per answer:", *methods]
    return "\n".join([*lines, *said, *(["", "CPU ms per answer by part:", *shares] if shares else [])])


def last_of(rows: list[Row]) -> list[Row]:
    """Take each stack's last row."""
    return list({row.stack: row for row in rows}.values())


def ratios(rows: list[Row]) -> list[str]:
    """Say how much more CPU nod takes than the bare bot, where both answered the same volley."""
    bare = {row.volley: row.cpu_seconds / len(row.outcomes) for row in rows if row.stack == "bare"}
    nod = {row.volley: row.cpu_seconds / len(row.outcomes) for row in rows if row.stack == "nod"}
    return [f"CPU per answer, {name}: {nod[name] / bare[name]:.1f}× the bare bot." for name in nod if bare.get(name)]


def machine() -> dict[str, Any]:
    """Describe where this runs, and how busy it was at the start."""
    return {
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:.0f}"


def options() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chat",
        description="Answer volleys of mentions against a fake platform and a fake model (first token after "
        f"{FIRST_AFTER_SECONDS * 1000:.0f} ms, then {TOKENS} tokens {EVERY_SECONDS * 1000:.0f} ms apart). "
        "Exits with 1 when an answer is missing, doubled or not complete.",
    )
    parser.add_argument("--stack", choices=("bare", "nod", "both"), default="both")
    parser.add_argument("--platform", choices=("slack", "discord"), default="slack", help="where (the bare bot is there for Slack alone)")
    parser.add_argument(
        "--volleys", default="one,50,200,spread,limits",
        help="which, with commas (default: one,50,200,spread,limits); also 500 (at once), flight (500 on a slow model), "
        "flood (10,000 in a minute)",
    )  # fmt: skip
    parser.add_argument("--singles", type=int, default=20, help="how many mentions the volley 'one' sends, one after another (default 20)")
    parser.add_argument("--parts", action="store_true", help="also say where nod's CPU time goes (counting costs a little itself)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def main() -> int:
    """Run what the command line asks for; 1 when the run is void."""
    given = options().parse_args()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))  # leave by the same door, so that nothing stays behind
    known = volleys(given.singles)
    if wrong := [name for name in given.volleys.split(",") if name not in known]:
        options().error(f"no volley is called {wrong[0]!r}; there are {', '.join(known)}")
    if given.platform == "discord" and given.stack == "bare":
        options().error("the bare bot is there for Slack alone; leave out --stack or say --stack nod")
    chosen, where, rows = [known[name] for name in given.volleys.split(",")], machine(), list[Row]()
    for name in _stacks(given.stack, given.platform):
        model = FakeModel()
        try:
            with _field(given.platform) as field, TemporaryDirectory(prefix="nod-bench-") as samples:
                rows += run_stack(name, chosen, field, model, Path(samples) if given.parts else None)
        except (RuntimeError, TimeoutError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        finally:
            model.stop()
    troubles = [trouble for row in rows for trouble in row.troubles]
    if given.json:
        print(json.dumps({"machine": where, "rows": [row.as_json() for row in rows], "troubles": troubles}, ensure_ascii=False, indent=1))
    else:
        print(
            f"{where['system']}, {where['cores']} cores, Python {where['python']}, load {where['load']} at the start",
            table(rows),
            sep="\n\n",
        )
        print(*ratios(rows), sep="\n")
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    return 1 if troubles else 0


def _stacks(stack: str, where: str) -> tuple[str, ...]:
    if where == "discord":
        return ("nod",)
    return ("bare", "nod") if stack == "both" else (stack,)


@contextlib.contextmanager
def _field(where: str) -> Generator[Field]:
    if where == "slack":
        with FakeSlack() as slack:
            yield SlackField(slack)
    else:
        with FakeDiscord() as discord:
            yield DiscordField(discord)


if __name__ == "__main__":
    sys.exit(main())
