"""What vectors tell of knowing: `python -m benchmarks.vector_knowing FOLDER`, for the BEIR sets below it in languages where vectors count.

The model is that of NOD_EMBEDDING_MODEL (benchmarks/embedding_server.py serves a small one). Its best cosine adds `slope x cosine - shift`
to the log-odds, by words, that nod knows an answer. Both are fitted on every second question, a set's own and those of the other sets, and
counted on the rest; what is fitted on the first half belongs into knowledge/embedding_models.toml.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from benchmarks.database import own_postgres
from benchmarks.retrieval import Refusals, curve, language_in, sets_below, unanswered
from knowledge.beir import BeirSet
from knowledge.embedding import CALL_SECONDS, Embedder, known_of
from knowledge.evaluation import Outcome, ask, index_corpus
from knowledge.knowing import KNOWN_FROM
from knowledge.nearest import AskingModel
from knowledge.search import Search
from knowledge.vectors import embed_waiting
from nod.connect import engine_from
from nod.language import Language
from nod.scratch import scratch_database
from nod.settings import load_settings

SLOPES = range(0, 45, 5)
SHIFTS = np.arange(0, 30, 0.1)
NEAR_BEST = 0.01  # of fits that come so near to the best the one with the lowest slope: it leans least on one model's cosines

Told = NDArray[np.floating[Any]]  # a row a question: log-odds by words, best cosine
Fit = tuple[float, float]  # slope, shift


@dataclass(frozen=True, slots=True)
class Measured:
    """What a set's own questions, and those of the other sets in its language, told."""

    set: str
    language: Language
    own: Told
    others: Told

    def half(self, n: int) -> "Measured":
        """Return every second question, from the first (0) or the second (1)."""
        return Measured(self.set, self.language, self.own[n::2], self.others[n::2])

    def at(self, fit: Fit) -> tuple[float, float]:
        """Return the share of its own questions that are kept, and of the others that are refused."""
        known_from = _log_odds(KNOWN_FROM[self.language])
        return float(np.mean(_with(self.own, fit) >= known_from)), float(np.mean(_with(self.others, fit) < known_from))

    def refusals(self, fit: Fit) -> Refusals:
        """Return how sure nod is of each question."""
        own, others = ((1 / (1 + np.exp(-_with(told, fit)))).tolist() for told in (self.own, self.others))
        return Refusals(self.set, self.language, own, others)


def fitted(sets: Sequence[Measured]) -> Fit:
    """Return slope and shift with which the lowest share, kept or refused, of all sets is highest."""
    best: list[tuple[float, Fit]] = []
    for slope in SLOPES:
        shares = [(min(min(one.at((slope, shift))) for one in sets), -shift) for shift in SHIFTS]
        share, shift = max(shares)
        best.append((share, (slope, round(-shift, 1))))
    highest, _ = max(best)
    return next(fit for share, fit in best if share >= highest - NEAR_BEST)


def _with(told: Told, fit: Fit) -> Told:
    slope, shift = fit
    return told[:, 0] + slope * told[:, 1] - shift


def _log_odds(confidence: float) -> float:
    return float(np.log(confidence / (1 - confidence)))


def _told(outcomes: Sequence[Outcome]) -> Told:
    """Return what questions told. Raises RuntimeError when the model gave no vector."""
    if any(outcome.nearest is None for outcome in outcomes):
        raise RuntimeError("the embedding model did not answer in time")
    return np.array([(_log_odds(outcome.confidence), outcome.nearest) for outcome in outcomes])


async def measure(database_url: str, beir: BeirSet, sets: Sequence[BeirSet]) -> Measured:
    """Index a set, embed it, and ask it its own questions and those of the others."""
    engine = engine_from(database_url)
    settings = load_settings()
    try:
        await index_corpus(engine, beir.corpus, lambda _: None)
        async with Embedder(settings) as embedder:
            await embed_waiting(engine, embedder, uuid4())
            words = replace(known_of(settings.embedding_model or ""), en_knows=(0.0, 0.0), ko_knows=(0.0, 0.0))
            search = Search(engine, AskingModel(engine, embedder, words, budget_seconds=CALL_SECONDS))
            own = await ask(engine, beir.questions, 1, lambda _: None, search)
            others = await ask(engine, unanswered(beir, sets), 1, lambda _: None, search)
    finally:
        await engine.dispose()
    return Measured(beir.name, language_in(beir), _told(own), _told(others))


# ── what is printed ──


def report(sets: Sequence[Measured]) -> str:
    """Return the fits of each half and what the other half keeps and refuses, and the curve with the first, as Markdown."""
    lines = ["| fitted on half | slope, shift | set | the other half: kept / refused | there by words alone |", "|---|---|---|---|---|"]
    first = fitted([one.half(0) for one in sets])
    for n, fit in enumerate((first, fitted([one.half(1) for one in sets]))):
        for one in sets:
            rest = one.half(1 - n)
            lines.append(f"| {n + 1} | {fit[0]:g}, {fit[1]:g} | {one.set} | {_shares(rest.at(fit))} | {_shares(rest.at((0.0, 0.0)))} |")
    return "\n".join([*lines, "", curve([one.refusals(first) for one in sets])])


def _shares(shares: tuple[float, float]) -> str:
    return " / ".join(f"{share:.3f}" for share in shares)


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, metavar="FOLDER")
    given = options.parse_args()
    known = known_of(load_settings().embedding_model or "")
    sets = [beir for beir in sets_below(given.folder) if known.weight(float(language_in(beir) == "ko"))]
    for language in sorted({language_in(beir) for beir in sets}):
        own = [beir for beir in sets if language_in(beir) == language]
        found: list[Measured] = []
        with own_postgres() as database_url:
            for beir in own:
                with scratch_database(database_url) as url:
                    found.append(asyncio.run(measure(url, beir, own)))
                print(f"{beir.name}: {len(found[-1].own)} own, {len(found[-1].others)} others", file=sys.stderr, flush=True)
        print(report([one for one in found if len(one.others)]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
