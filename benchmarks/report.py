"""What a run of `make chaos` came to: its figures, for people and for programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from benchmarks.chat import machine
from benchmarks.faults import ALL_KINDS
from benchmarks.promises import KILLS, Fate, Fault, Transcript, Verdict, met, takeovers
from benchmarks.volleys import percentile
from bot.faces import PHRASES

CONTINUING = tuple(PHRASES.say("step.continuing", language) for language in ("ko", "en"))


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to."""

    seed: int
    seconds: float
    told: Transcript
    found: Sequence[Fate]
    wrong: Sequence[str]
    votes: int
    letters: Sequence[str] = ()  # the dead letters when all had settled, by the numbers of their questions

    @property
    def counts(self) -> Counter[str]:
        """How many questions were answered, apologised, lost, duplicated, not accepted."""
        return Counter(fate.verdict for fate in self.found)

    def rows(self) -> list[dict[str, Any]]:
        """Return the table: a row for each kind of fault with the questions that met it, and one for all."""
        kinds = [kind for kind in ALL_KINDS if any(fault.kind == kind for fault in self.told.faults)]
        return [self._row(kind, [f for f in self.told.faults if _is_of(f, kind)]) for kind in kinds] + [self._row("all", self.told.faults)]

    def questions(self) -> list[dict[str, Any]]:
        """Return the table of what was asked: a row for each kind of question."""
        kinds: dict[str, list[Fate]] = defaultdict(list)
        for fate in self.found:
            kinds[fate.asked.way or fate.asked.form].append(fate)
        return [{"question": kind, **_outcomes(kinds[kind])} for kind in sorted(kinds)]

    def _row(self, name: str, faults: Sequence[Fault]) -> dict[str, Any]:
        others = [fate for fate in self.found if fate.asked.way not in ("poison", "cured")]
        seconds = takeovers(others, [fault for fault in faults if fault.kind in KILLS], CONTINUING)
        return {
            "fault": name, "injected": sum(fault.kind in ALL_KINDS for fault in faults),
            **_outcomes(self.found if name == "all" else met(self.found, faults)), "takeovers": len(seconds),
            "takeover_p50": percentile(seconds, 0.5), "takeover_p95": percentile(seconds, 0.95),
        }  # fmt: skip

    def poison(self) -> dict[str, Any]:
        """Return how poison fared, and how long everybody else waited for their answers meanwhile."""
        poison = [fate for fate in self.found if fate.asked.way in ("poison", "cured")]
        others = [fate.ended_at - fate.asked.at for fate in self.found if fate.verdict == "answered" and fate not in poison]
        return {
            "questions": len(poison), "crashes": sum(fault.kind == "crash" for fault in self.told.faults), "letters": len(self.letters),
            "retried": sum(fate.asked.way == "cured" for fate in poison), "others_p50": percentile(others, 0.5),
            "others_p95": percentile(others, 0.95),
        }  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return everything a program may want of it."""
        return {
            "seed": self.seed, "seconds": round(self.seconds, 1), "machine": machine(), "rows": self.rows(), "votes": self.votes,
            "questions": self.questions(), "poison": self.poison(), "not_accepted": self.counts["not accepted"],
            "troubles": list(self.wrong), "faults": [asdict(f) for f in self.told.faults],
        }  # fmt: skip


def report(done: Run) -> str:
    """Write a run as people read it."""
    lost, doubled, away = (done.counts[name] for name in ("lost", "duplicated", "not accepted"))
    rows = done.rows()
    last = f"Seed {done.seed}: {len(done.found)} questions, {done.votes} votes, {rows[-1]['injected']} faults in {done.seconds:.0f} s. "
    last += f"Lost {lost}, duplicated {doubled}" + (f", {away} never accepted." if away else ".")
    poison = done.poison()
    if poison["questions"]:
        last += (
            f"\nPoison: {poison['questions']} questions crashed workers {poison['crashes']} times; {poison['letters']} dead letters, "
            f"{poison['retried']} answered when asked anew."
        )
    if poison["others_p50"] is not None:
        whose = "All others" if poison["questions"] else "All"
        last += f"\n{whose} that got an answer had it within {poison['others_p50']:.1f} s (p50), {poison['others_p95']:.1f} s (p95)."
    return f"{table(rows)}\n\n{table(done.questions())}\n\n{last}"


OUTCOMES = ("accepted", "answered", "stopped", "withdrawn", "apologised", "lost", "duplicated")


def _outcomes(questions: Sequence[Fate]) -> dict[str, int]:
    """Return how many of these questions came to what."""
    counts = Counter(fate.verdict for fate in questions)
    return {"accepted": len(questions) - counts["not accepted"]} | {name: counts[name] for name in get_args(Verdict) if name in OUTCOMES}


def _is_of(fault: Fault, kind: str) -> bool:
    return fault.kind == kind or (kind == "poison" and fault.kind == "crash")


def table(rows: list[dict[str, Any]]) -> str:
    """Write the figures as people read them."""
    names = [name for name in rows[0] if not name.startswith("takeover")]
    has_takeovers = "takeovers" in rows[0]
    head = [*names, *(["takeover s, p50 / p95 (answers)"] if has_takeovers else [])]
    body = [[*(str(row[name]) for name in names), *([_takeover(row)] if has_takeovers else [])] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *body])


def _takeover(row: dict[str, Any]) -> str:
    return f"{row['takeover_p50']:.1f} / {row['takeover_p95']:.1f} ({row['takeovers']})" if row["takeovers"] else "–"
