"""How well nod finds, beside what others would pick: `make bench-retrieval DATA=FOLDER`, for all BEIR sets below a folder.

nod is measured as `nod eval retrieval` does it. The peers (benchmarks/peers.py) run in an environment of their own, .venv-peers, on the
same passages and questions; their answers are scored by the same function. Nothing is asked of the network, no model needs a key.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.database import own_postgres
from benchmarks.picture import bars
from knowledge.beir import Asked, BeirSet, beir_from
from knowledge.evaluation import Figures, Outcome, ask, figures_from, index_corpus, wanted_in
from knowledge.knowing import KNOWN_FROM
from nod.connect import engine_from
from nod.language import Language, language_of
from nod.scratch import scratch_database

K = 10
ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7)
REFUSED: dict[Language, float] = {"en": 0.85, "ko": 0.95}  # of the questions of other sets, at least


@dataclass(frozen=True, slots=True)
class Row:
    """What one way to search reached in one set."""

    set: str
    by: str
    figures: Figures
    index_seconds: float


@dataclass(frozen=True, slots=True)
class Refusals:
    """How sure nod was of a set's own questions, and of those of the other sets in its language."""

    set: str
    language: Language
    own: list[float]
    others: list[float]

    def at(self, threshold: float) -> tuple[float, float | None]:
        """Return the share of its own questions that are kept, and of the others' that are refused (None when there are no others)."""
        kept = sum(confidence >= threshold for confidence in self.own) / len(self.own)
        return kept, sum(confidence < threshold for confidence in self.others) / len(self.others) if self.others else None

    def half(self, n: int) -> "Refusals":
        """Return every second question, from the first (0) or the second (1)."""
        return Refusals(self.set, self.language, self.own[n::2], self.others[n::2])


def language_in(beir: BeirSet) -> Language:
    """Return the language of most questions of a set."""
    return max(REFUSED, key=lambda language: sum(language_of(question.text) == language for question in beir.questions))


def sets_below(folder: Path) -> list[BeirSet]:
    """Return all BEIR sets in a folder or right below it."""
    folders = [folder] if (folder / "corpus.jsonl").exists() else sorted(path.parent for path in folder.glob("*/corpus.jsonl"))
    return [beir_from(one) for one in folders]


async def measure(database_url: str, beir: BeirSet, sets: Sequence[BeirSet]) -> tuple[Row, Refusals]:
    """Index a set and ask it its own questions, then those of the other sets in its language."""
    engine = engine_from(database_url)
    try:
        seconds = await index_corpus(engine, beir.corpus, lambda _: None)
        own = await ask(engine, beir.questions, K, lambda _: None)
        language = language_in(beir)
        others = await ask(engine, unanswered(beir, [other for other in sets if language_in(other) == language]), 1, lambda _: None)
    finally:
        await engine.dispose()
    refusals = Refusals(beir.name, language, [outcome.confidence for outcome in own], [outcome.confidence for outcome in others])
    return Row(beir.name, "nod", figures_from(own, wanted_in(beir), K), seconds), refusals


def unanswered(beir: BeirSet, others: Sequence[BeirSet]) -> list[Asked]:
    """Return the questions of other sets that this one does not answer: sets may share documents."""
    here = {line.id for line in beir.corpus}
    return [question for other in others if other is not beir for question in other.questions if here.isdisjoint(question.wanted)]


def peers_on(database_url: str, sets: Sequence[BeirSet], wanted: Sequence[str]) -> Iterator[Row]:
    """Give what each peer reaches in each set."""
    told = [
        {
            "name": beir.name, "language": language_in(beir), "corpus": [(line.id, line.title, line.text) for line in beir.corpus],
            "questions": [(asked.id, asked.text, asked.earlier) for asked in beir.questions],
        }
        for beir in sets
    ]  # fmt: skip
    by_name = {beir.name: beir for beir in sets}
    command = [str(PEERS), "-m", "benchmarks.peers", database_url, *wanted]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin
    assert child.stdout
    child.stdin.write(json.dumps({"sets": told}))
    child.stdin.close()
    for line in child.stdout:
        yield _row_from(json.loads(line), by_name)
    if child.wait():
        raise RuntimeError(f"the peers ended with code {child.returncode}")


def _row_from(told: dict[str, Any], sets: dict[str, BeirSet]) -> Row:
    outcomes = [
        Outcome(question, tuple((name, float(-n)) for n, name in enumerate(names)), 1.0, is_known=True, ms=ms)
        for (question, names), ms in zip(told["ranked"].items(), told["ms"], strict=True)
    ]
    return Row(told["set"], told["peer"], figures_from(outcomes, wanted_in(sets[told["set"]]), K), told["index_seconds"])


# ── what is printed ──


def table(rows: Sequence[Row]) -> str:
    """Return figures as Markdown, set by set."""
    lines = ["| set | by | MRR@10 | recall@5 | nDCG@10 | p50 / p95 ms | index s |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        f = row.figures
        lines.append(
            f"| {row.set} | {row.by} | {f.mrr:.3f} | {f.recall_at_5:.3f} | {f.ndcg:.3f} | {f.ms_p50:.1f} / {f.ms_p95:.1f} "
            f"| {row.index_seconds:.1f} |"
        )
    return "\n".join(lines)


def curve(refusals: Sequence[Refusals]) -> str:
    """Return as Markdown how many answerable questions are kept and how many of other sets refused, as the threshold moves."""
    lines = [
        "| set | " + " | ".join(f"{at:g}" for at in THRESHOLDS) + " |",
        "|---|" + "---|" * len(THRESHOLDS),
    ]
    lines += [f"| {one.set} | " + " | ".join(_point(one, threshold) for threshold in THRESHOLDS) + " |" for one in refusals]
    return "\n".join(lines)


def _point(one: Refusals, threshold: float) -> str:
    kept, refused = one.at(threshold)
    told = f"{kept:.3f} / {'–' if refused is None else f'{refused:.3f}'}"
    return f"**{told}**" if threshold == KNOWN_FROM[one.language] else told


def fits(refusals: Sequence[Refusals]) -> str:
    """Return as Markdown the threshold that each half of the questions asks for, and what the other half keeps and refuses there."""
    lines = ["| language | fitted on half | from | the other half |", "|---|---|---|---|"]
    for language in REFUSED:
        for n in (0, 1):
            sets = [one for one in refusals if one.language == language]
            at = fitted([one.half(n) for one in sets])
            others = ", ".join(f"{one.set} {_point(one.half(1 - n), at).strip('*')}" for one in sets)
            lines.append(f"| {language} | {n + 1} | {at:g} | {others} |")
    return "\n".join(lines)


def fitted(refusals: Sequence[Refusals]) -> float:
    """Return the lowest threshold, in steps of .05, from which every set of a language refuses as many as it should."""
    reached = (at for at in (n / 20 for n in range(1, 20)) if all(_refuses(one, at) for one in refusals))
    return next(reached, 1.0)


def _refuses(one: Refusals, threshold: float) -> bool:
    _, refused = one.at(threshold)
    return refused is None or refused >= REFUSED[one.language]


def run(database_url: str, sets: Sequence[BeirSet], peers: Sequence[str]) -> tuple[list[Row], list[Refusals]]:
    """Measure nod and its peers on all sets."""
    rows: list[Row] = []
    refusals: list[Refusals] = []
    for beir in sets:
        with scratch_database(database_url) as url:
            row, refused = asyncio.run(measure(url, beir, sets))
        rows.append(row)
        refusals.append(refused)
        print(f"{row.set}: {row.figures.mrr:.3f} {row.figures.recall_at_5:.3f}", file=sys.stderr, flush=True)
    for row in peers_on(database_url, sets, peers) if PEERS.exists() else ():
        rows.append(row)
        print(f"{row.set}, {row.by}: {row.figures.mrr:.3f} {row.figures.recall_at_5:.3f}", file=sys.stderr, flush=True)
    order = {beir.name: n for n, beir in enumerate(sets)}
    return sorted(rows, key=lambda row: order[row.set]), refusals


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, metavar="FOLDER")
    options.add_argument("--peer", action="append", default=[], help="measure this peer only; more than once for more (default: all)")
    options.add_argument("--picture", type=Path, help="draw MRR@10 into this SVG file")
    options.add_argument("--json", action="store_true", help="one object for programs")
    given = options.parse_args()
    sets = sets_below(given.folder)
    if not sets:
        sys.exit(f"No BEIR folder (with a corpus.jsonl) is {given.folder} or right below it.")
    with own_postgres() as database_url:
        rows, refusals = run(database_url, sets, given.peer)
    if given.picture:
        given.picture.write_text(bars([(row.set, row.by, row.figures.mrr) for row in rows]), "utf-8")
    if given.json:
        told = [{"set": one.set, "language": one.language, **{str(at): one.at(at) for at in THRESHOLDS}} for one in refusals]
        print(json.dumps({"rows": [asdict(row) for row in rows], "kept_and_refused": told}, ensure_ascii=False))
    else:
        print(table(rows), curve(refusals), fits(refusals), sep="\n\n")


if __name__ == "__main__":
    sys.exit(main())
