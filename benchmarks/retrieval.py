"""How well nod finds in several BEIR sets: `python -m benchmarks.retrieval FOLDER…`, as `nod eval retrieval` does."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from knowledge.beir import BeirSet, beir_from
from knowledge.evaluation import Outcome, ask, figures_from, index_corpus, wanted_in
from nod.connect import engine_from
from nod.scratch import scratch_database
from nod.servers import Postgres

K = 10


async def measure(database_url: str, beir: BeirSet) -> tuple[float, list[Outcome]]:
    """Return the seconds that indexing a set took, and what its questions found."""
    engine = engine_from(database_url)
    try:
        return await index_corpus(engine, beir.corpus, lambda _: None), await ask(engine, beir.questions, K, lambda _: None)
    finally:
        await engine.dispose()


def run(database_url: str, folders: Sequence[Path]) -> None:
    """Measure each folder and print a line for it."""
    print(f"{'set':12} {'passages':>8} {'queries':>8} {'MRR@10':>7} {'recall@5':>8} {'nDCG@10':>8} {'known':>6} "
          f"{'p50 ms':>7} {'p95 ms':>7} {'load s':>7}")  # fmt: skip
    for folder in folders:
        beir = beir_from(folder)
        with scratch_database(database_url) as url:
            seconds, outcomes = asyncio.run(measure(url, beir))
        f = figures_from(outcomes, wanted_in(beir), K)
        print(f"{beir.name:12} {len(beir.corpus):8} {len(beir.questions):8} {f.mrr:7.3f} {f.recall_at_5:8.3f} {f.ndcg:8.3f} {f.known:6.2f} "
              f"{f.ms_p50:7.1f} {f.ms_p95:7.1f} {seconds:7.1f}", flush=True)  # fmt: skip


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="nod-bench-") as name:
        postgres = Postgres(Path(name) / "postgres", Path(name))
        with (Path(name) / "log").open("wb") as log:
            postgres.make(log)
            postgres.start(log)
        try:
            run(postgres.url_of("postgres"), given.folders)
        finally:
            postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
