"""How search does with very many passages: `python -m benchmarks.scale --passages 1000000`, on a PostgreSQL of its own.

Prints the time of a search among all passages, a tenth and a thousandth of them, how often it finds the exact ten best, the same beside
a writer, how long a new document takes, and the memory of a process that searches. The passages are made up: benchmarks/synthetic.py.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.database import own_postgres
from benchmarks.synthetic import ALL_SCOPES, Synthetic, make
from knowledge import index
from knowledge.loaded import Piece
from knowledge.search import Search
from nod.connect import engine_from
from nod.migrate import bring_up_to_date

CASES: Mapping[str, Sequence[str]] = {"all": ALL_SCOPES, "a tenth": ALL_SCOPES[1:], "a thousandth": ALL_SCOPES[1:2]}
READERS = 4
READ_SECONDS = 20.0
COMPARED = 60  # questions that are also scored without an index


async def merged(engine: AsyncEngine) -> float:
    """Merge all that was copied and return the seconds it took."""
    begun = time.perf_counter()
    await index.merge(engine)
    return time.perf_counter() - begun


async def agreement(engine: AsyncEngine, made: Synthetic, questions: Sequence[str]) -> dict[str, float]:
    """Return which share of the exact ten best passages a search finds, for each case."""
    search = Search(engine)
    shares: dict[str, list[float]] = {name: [] for name in CASES}
    for question in questions:
        scores = made.exact(question)
        for name, scopes in CASES.items():
            best = made.best(scores, scopes)
            found = {passage.passage_id for passage in (await search.find(question, scopes)).passages}
            shares[name].append(len(best & found) / len(best) if best else float(not found))
    return {name: float(np.mean(found)) for name, found in shares.items()}


async def times(engine: AsyncEngine, questions: Sequence[str], scopes: Sequence[str]) -> list[float]:
    """Return the milliseconds of each search."""
    search = Search(engine)
    found: list[float] = []
    for question in questions:
        begun = time.perf_counter()
        await search.find(question, scopes)
        found.append((time.perf_counter() - begun) * 1000)
    return found


async def add_document(engine: AsyncEngine, word: str) -> tuple[float, float]:
    """Add a document of five passages; return the seconds until it is committed, and until a search has found it. Raises when none does."""
    begun = time.perf_counter()
    async with engine.begin() as db:
        row = await db.execute(
            text("""
                INSERT INTO documents (source_id, scope_id, location, title, state, passage_count)
                SELECT source_id, scope_id, :word, :word, 'ready', 5 FROM sources RETURNING document_id, scope_id"""),
            {"word": word},
        )
        document, scope = row.one()
        await index.add(db, document, scope, word, [Piece(f"{word} {n}") for n in range(5)])
    committed = time.perf_counter() - begun
    found = (await Search(engine).find(word, ALL_SCOPES)).passages
    if not found or found[0].document_id != document:
        raise RuntimeError(f"the new document {word} was not found")
    return committed, time.perf_counter() - begun


# ── readers beside a writer ──


def _read(database_url: str, questions: Sequence[str], seconds: float) -> tuple[list[float], float, float]:
    """Search for some seconds in a process of its own; return the milliseconds, and its memory (MiB) after ten searches and at the end."""

    async def read() -> tuple[list[float], float, float]:
        engine = engine_from(database_url)
        await times(engine, questions[:10], ALL_SCOPES)
        before, end, found = _memory(), time.monotonic() + seconds, list[float]()
        while time.monotonic() < end:
            for scopes in CASES.values():
                found += await times(engine, [questions[len(found) % len(questions)]], scopes)
        await engine.dispose()
        return found, before, _memory()

    return asyncio.run(read())


def _memory() -> float:
    """Return the resident memory of this process in MiB."""
    line = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def readers_and_writer(engine: AsyncEngine, database_url: str, questions: Sequence[str]) -> dict[str, Any]:
    """Return how four processes search while documents come in, are merged and go."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(READERS, get_context("spawn")) as pool:
        reading = [loop.run_in_executor(pool, _read, database_url, [*questions[n:], *questions[:n]], READ_SECONDS) for n in range(READERS)]
        added: list[float] = []
        while not all(future.done() for future in reading):
            added.append((await add_document(engine, f"written{len(added)}zz"))[1])
            await index.tend(engine)
        read = await asyncio.gather(*reading)
    return {
        "searches": sum(len(found) for found, _, _ in read), **_percentiles([ms for found, _, _ in read for ms in found]),
        "documents_added": len(added), "mib_before": max(before for _, before, _ in read), "mib_after": max(after for *_, after in read),
    }  # fmt: skip


def _percentiles(ms: Sequence[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(ms, 50)), "p95": float(np.percentile(ms, 95))}


# ── the run ──


async def measure(database_url: str, passages: int) -> dict[str, Any]:
    """Return all figures for a number of passages."""
    begun = time.perf_counter()
    made = make(database_url, passages)
    told: dict[str, Any] = {"passages": passages, "copied_seconds": time.perf_counter() - begun}
    engine = engine_from(database_url)
    try:
        told["merged_seconds"] = await merged(engine)
        await times(engine, made.questions, ALL_SCOPES)  # warm
        told["search"] = {name: _percentiles(await times(engine, made.questions, scopes)) for name, scopes in CASES.items()}
        told["agreement"] = await agreement(engine, made, made.questions[:COMPARED])
        added = [await add_document(engine, f"new{n}zz") for n in range(20)]
        told["add_ms"] = {"committed": 1000 * max(a for a, _ in added), "found": 1000 * max(b for _, b in added)}
        told["beside_a_writer"] = await readers_and_writer(engine, database_url, made.questions)
    finally:
        await engine.dispose()
    return told


def table(told: Mapping[str, Any]) -> str:
    """Return figures as Markdown."""
    beside, add = told["beside_a_writer"], told["add_ms"]
    searched = "\n".join(
        f"| {name} | {p['p50']:.1f} / {p['p95']:.1f} | {told['agreement'][name]:.3f} |" for name, p in told["search"].items()
    )
    return f"""{told["passages"]:,} passages: copied in {told["copied_seconds"]:.0f} s, merged in {told["merged_seconds"]:.0f} s.

| searched | p50 / p95 ms | of the exact ten best |
|---|---|---|
{searched}

{READERS} readers beside a writer: {beside["p50"]:.1f} / {beside["p95"]:.1f} ms over {beside["searches"]:,} searches,
while {beside["documents_added"]:,} documents of five passages came in.
A new document is committed after {add["committed"]:.0f} ms and found after {add["found"]:.0f} ms (the longest of 20).
Memory of a reader: {beside["mib_before"]:.0f} MiB after ten searches, {beside["mib_after"]:.0f} MiB at the end."""


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--passages", type=int, default=100_000, help="a multiple of 5 (default: %(default)s)")
    options.add_argument("--json", action="store_true", help="one object for programs")
    given = options.parse_args()
    with own_postgres() as database_url:
        bring_up_to_date(database_url)
        told = asyncio.run(measure(database_url, given.passages))
    print(json.dumps(told) if given.json else table(told))


if __name__ == "__main__":
    sys.exit(main())
