"""How well and how fast nod finds: `python -m benchmarks.retrieval FOLDER…` for BEIR folders, in a database of its own.

A folder holds corpus.jsonl, queries.jsonl (with `_id` or `id`, `title`, `text`; queries may carry `history`, the turns before) and
qrels/test.tsv or qrels.tsv. Each line of a corpus becomes one passage: what is measured is search, not splitting.
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge.loaded import Piece
from knowledge.search import Search
from nod.connect import engine_from
from nod.migrate import bring_up_to_date
from nod.servers import Postgres

K = 10


@dataclass(frozen=True, slots=True)
class Query:
    """A question of a set with the ids that answer it."""

    text: str
    history: tuple[str, ...]
    wanted: dict[str, int]


@dataclass(frozen=True, slots=True)
class Set:
    """A BEIR folder."""

    name: str
    corpus: list[dict[str, Any]]
    queries: list[Query]


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over all queries of a set; times in milliseconds."""

    mrr: float
    recall: float
    ndcg: float
    known: float
    p50: float
    p95: float
    cpu: float


def set_from(folder: Path) -> Set:
    """Read a BEIR folder."""
    qrels = next(path for path in (folder / "qrels" / "test.tsv", folder / "qrels.tsv") if path.exists())
    wanted: dict[str, dict[str, int]] = {}
    for query, passage, score in (line.split("\t") for line in qrels.read_text("utf-8").splitlines()):
        if score.isdecimal() and int(score) > 0:  # not the header, not a zero
            wanted.setdefault(query, {})[passage] = int(score)
    queries = [
        Query(row["text"], tuple(row.get("history", ())), wanted[_id(row)])
        for row in _lines(folder / "queries.jsonl")
        if _id(row) in wanted
    ]
    return Set(folder.name, list(_lines(folder / "corpus.jsonl")), queries)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _id(row: dict[str, Any]) -> str:
    return str(row.get("_id", row.get("id")))


async def load(engine: AsyncEngine, corpus: Sequence[dict[str, Any]], merged_every: int | None) -> float:
    """Index a corpus in the place of another, one document a passage; return the seconds it took."""
    begun = time.perf_counter()
    async with engine.begin() as db:
        for table in ("sources CASCADE", "scopes CASCADE", "passage_terms", "posting_blocks", "term_counts"):
            await db.execute(text(f"TRUNCATE {table}"))
        await db.execute(text("UPDATE search_stats SET passages = 0, total_length = 0, total_title = 0, next_slot = 0"))
        scope = (await db.execute(text("INSERT INTO scopes (name) VALUES ('everyone') RETURNING scope_id"))).scalar_one()
        source = (
            await db.execute(
                text("INSERT INTO sources (kind, location, scope_id) VALUES ('upload', '', :scope) RETURNING source_id"), {"scope": scope}
            )
        ).scalar_one()
    for start in range(0, len(corpus), 500):
        async with engine.begin() as db:
            for row in corpus[start : start + 500]:
                document = await db.execute(
                    text("""
                        INSERT INTO documents (source_id, scope_id, location, title, state, passage_count)
                             VALUES (:source, :scope, :id, :title, 'ready', 1) RETURNING document_id"""),
                    {"source": source, "scope": scope, "id": _id(row), "title": row.get("title", "")},
                )
                await index.add(db, document.scalar_one(), scope, row.get("title", ""), [Piece(row["text"])])
        await index.merge(engine, at_least=merged_every)
    await index.merge(engine, at_least=merged_every)
    return time.perf_counter() - begun


async def measure(engine: AsyncEngine, queries: Sequence[Query]) -> Figures:
    """Ask all queries, one after the other."""
    search = Search(engine)
    async with engine.connect() as db:
        names = {row.document_id: row.location for row in await db.execute(text("SELECT document_id, location FROM documents"))}
    mrr = recall = ndcg = known = 0.0
    times: list[float] = []
    for query in queries[:20]:
        await search.find(query.text, ["everyone"], earlier=query.history, k=K)  # warm
    cpu = time.process_time()
    for query in queries:
        begun = time.perf_counter()
        found = await search.find(query.text, ["everyone"], earlier=query.history, k=K)
        times.append((time.perf_counter() - begun) * 1000)
        hits = [query.wanted.get(names[passage.document_id], 0) for passage in found.passages]
        mrr += next((1 / n for n, hit in enumerate(hits, 1) if hit), 0.0)
        recall += sum(hit > 0 for hit in hits[:5]) / len(query.wanted)
        ndcg += _gain(hits) / _gain(sorted(query.wanted.values(), reverse=True)[:K])
        known += found.is_known
    cpu = (time.process_time() - cpu) * 1000 / len(queries)
    times.sort()
    n = len(queries)
    return Figures(mrr / n, recall / n, ndcg / n, known / n, times[n // 2], times[int(n * 0.95)], cpu)


def _gain(hits: Sequence[int]) -> float:
    return sum(hit / math.log2(n + 1) for n, hit in enumerate(hits, 1))


async def run(database_url: str, folders: Sequence[Path], merged_every: int | None) -> None:
    """Measure each folder and print a line for it."""
    engine = engine_from(database_url)
    print(f"{'set':12} {'passages':>8} {'queries':>8} {'MRR@10':>7} {'recall@5':>8} {'nDCG@10':>8} {'known':>6} "
          f"{'p50 ms':>7} {'p95 ms':>7} {'CPU ms':>7} {'load s':>7}")  # fmt: skip
    try:
        for folder in folders:
            beir = set_from(folder)
            seconds = await load(engine, beir.corpus, merged_every)
            f = await measure(engine, beir.queries)
            print(f"{beir.name:12} {len(beir.corpus):8} {len(beir.queries):8} {f.mrr:7.3f} {f.recall:8.3f} {f.ndcg:8.3f} {f.known:6.2f} "
                  f"{f.p50:7.1f} {f.p95:7.1f} {f.cpu:7.1f} {seconds:7.1f}", flush=True)  # fmt: skip
    finally:
        await engine.dispose()


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    options.add_argument("--merged-every", type=int, help="passages in the tail before they are merged (default: as nod does)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="nod-bench-") as name:
        postgres = Postgres(Path(name) / "postgres", Path(name))
        with (Path(name) / "log").open("wb") as log:
            postgres.make(log)
            postgres.start(log)
        try:
            bring_up_to_date(postgres.url_of("postgres"))
            asyncio.run(run(postgres.url_of("postgres"), given.folders, given.merged_every))
        finally:
            postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
