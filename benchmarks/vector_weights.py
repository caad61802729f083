"""How much vectors should count beside words: `python -m benchmarks.vector_weights FOLDER… --weight 0 --weight 0.4`.

The model is that of NOD_EMBEDDING_MODEL (benchmarks/embedding_server.py serves a small one); without it words are searched alone.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.database import own_postgres
from knowledge.beir import BeirSet, beir_from
from knowledge.embedding import Embedder, known_of
from knowledge.evaluation import Outcome, ask, figures_from, index_corpus, wanted_in
from knowledge.nearest import AskingModel
from knowledge.search import Search
from knowledge.vectors import embed_waiting
from nod.connect import engine_from
from nod.scratch import scratch_database
from nod.settings import load_settings

K = 10


async def measure(database_url: str, beir: BeirSet, weights: Sequence[float]) -> tuple[float, dict[str, list[Outcome]]]:
    """Return the seconds that indexing a set took, and what its questions found, by the weight of vectors."""
    engine = engine_from(database_url)
    try:
        seconds = await index_corpus(engine, beir.corpus, lambda _: None)
        async with Embedder(load_settings()) as embedder:
            await embed_waiting(engine, embedder, uuid4())
            return seconds, {
                weight: await ask(engine, beir.questions, K, lambda _: None, search)
                for weight, search in searches(engine, embedder, weights)
            }
    finally:
        await engine.dispose()


def searches(engine: AsyncEngine, embedder: Embedder, weights: Sequence[float]) -> Iterator[tuple[str, Search]]:
    """Give the searches to compare, each with how much vectors count in it (English / Korean)."""
    if not embedder.wanted:
        yield "–", Search(engine)
        return
    known = known_of(embedder.wanted)
    for en, ko in [(weight, weight) for weight in weights] or [(known.en, known.ko)]:
        yield f"{en:g}/{ko:g}", Search(engine, AskingModel(engine, embedder, replace(known, en=en, ko=ko)))


def run(database_url: str, folders: Sequence[Path], weights: Sequence[float]) -> None:
    """Measure each folder and print a line for it, or one for each weight."""
    print(f"{'set':12} {'weight':>7} {'passages':>8} {'queries':>8} {'MRR@10':>7} {'recall@5':>8} {'nDCG@10':>8} {'known':>6} "
          f"{'p50 ms':>7} {'p95 ms':>7} {'load s':>7}")  # fmt: skip
    for folder in folders:
        beir = beir_from(folder)
        with scratch_database(database_url) as url:
            seconds, found = asyncio.run(measure(url, beir, weights))
        for weight, outcomes in found.items():
            f = figures_from(outcomes, wanted_in(beir), K)
            print(f"{beir.name:12} {weight:>7} {len(beir.corpus):8} {len(beir.questions):8} {f.mrr:7.3f} {f.recall_at_5:8.3f} "
                  f"{f.ndcg:8.3f} {f.known:6.2f} {f.ms_p50:7.1f} {f.ms_p95:7.1f} {seconds:7.1f}", flush=True)  # fmt: skip


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    options.add_argument(
        "--weight", type=float, action="append", default=[], help="how much vectors count, 0 to 1; more than once to compare"
    )
    given = options.parse_args()
    with own_postgres() as database_url:
        run(database_url, given.folders, given.weight)


if __name__ == "__main__":
    sys.exit(main())
