"""How well and how fast nod finds what a BEIR set asks for. What is measured is the search that answers people, in a database of its own.

A line of the corpus is one passage, as BEIR means it: what is measured is search, not splitting.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge.beir import Asked, BeirSet, Line
from knowledge.documents import scope_id_of, source_id_of
from knowledge.loaded import Piece
from knowledge.search import Search
from nod.contracts import EVERYONE

RECALL_AT = 5
_WARM = 20  # questions that are asked before times are taken
_AT_ONCE = 500  # lines in a transaction

Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question found: lines of the corpus, best first, with falling scores; how sure nod is; the time it took; the best cosine."""

    question: str
    ranked: tuple[tuple[str, float], ...]
    confidence: float
    is_known: bool
    ms: float
    nearest: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over all questions of a set: MRR and nDCG among the first k, recall among the first five; the share that nod says it knows."""

    mrr: float
    recall_at_5: float
    ndcg: float
    known: float
    ms_p50: float
    ms_p95: float


async def index_corpus(engine: AsyncEngine, corpus: Sequence[Line], advance: Advance) -> float:
    """Index a corpus, one document a line, and return the seconds it took. `advance` hears how many lines came in."""
    begun = time.perf_counter()
    async with engine.begin() as db:
        scope = await scope_id_of(db, EVERYONE)
        source = await source_id_of(db, "upload", "", scope)
    for start in range(0, len(corpus), _AT_ONCE):
        lines = corpus[start : start + _AT_ONCE]
        async with engine.begin() as db:
            for line in lines:
                document = await db.execute(
                    text("""
                        INSERT INTO documents (source_id, scope_id, location, title, state, passage_count)
                             VALUES (:source, :scope, :id, :title, 'ready', 1) RETURNING document_id"""),
                    {"source": source, "scope": scope, "id": line.id, "title": line.title},
                )
                await index.add(db, document.scalar_one(), scope, line.title, [Piece(line.text)])
        await index.merge(engine)
        advance(len(lines))
    return time.perf_counter() - begun


async def ask(engine: AsyncEngine, asked: Sequence[Asked], k: int, advance: Advance, search: Search | None = None) -> list[Outcome]:
    """Ask all questions, one after the other, each for the `k` best lines; by words alone unless another search is given."""
    async with engine.connect() as db:
        names = {row.document_id: row.location for row in await db.execute(text("SELECT document_id, location FROM documents"))}
    search = search or Search(engine)
    for question in asked[:_WARM]:
        await search.find(question.text, [EVERYONE], earlier=question.earlier, k=k)
    outcomes: list[Outcome] = []
    for question in asked:
        begun = time.perf_counter()
        found = await search.find(question.text, [EVERYONE], earlier=question.earlier, k=k)
        ms = (time.perf_counter() - begun) * 1000
        ranked = _falling([(names[passage.document_id], passage.score) for passage in found.passages])
        outcomes.append(Outcome(question.id, ranked, found.confidence, found.is_known, ms, found.nearest))
        advance(1)
    return outcomes


def _falling(hits: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Return hits with scores that fall: readers of run files order by score, nod puts the question's language first."""
    lowest = accumulate((score for _, score in hits), lambda last, score: min(score, last - 0.0001))
    return tuple((name, score) for (name, _), score in zip(hits, lowest, strict=True))


def figures_from(outcomes: Sequence[Outcome], wanted: Mapping[str, Mapping[str, int]], k: int) -> Figures:
    """Return the means. `wanted` are the grades of the passages that answer, by question."""
    n = len(outcomes)
    ranks = [[name for name, _ in outcome.ranked[:k]] for outcome in outcomes]
    grades = [wanted[outcome.question] for outcome in outcomes]
    times = sorted(outcome.ms for outcome in outcomes)
    return Figures(
        mrr=sum(map(_first, ranks, grades)) / n,
        recall_at_5=sum(len(grade.keys() & set(names[:RECALL_AT])) / len(grade) for names, grade in zip(ranks, grades, strict=True)) / n,
        ndcg=sum(
            _gain([grade.get(name, 0) for name in names]) / _gain(sorted(grade.values(), reverse=True)[:k])
            for names, grade in zip(ranks, grades, strict=True)
        ) / n,
        known=sum(outcome.is_known for outcome in outcomes) / n,
        ms_p50=times[n // 2],
        ms_p95=times[int(n * 0.95)],
    )  # fmt: skip


def _first(names: Sequence[str], grades: Mapping[str, int]) -> float:
    return next((1 / n for n, name in enumerate(names, 1) if name in grades), 0.0)


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(n + 1) for n, grade in enumerate(grades, 1))


def run_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Give the lines of a TREC run file: question, `Q0`, passage, rank, score, `nod`, separated by tabs, as ids may hold spaces."""
    for outcome in outcomes:
        for rank, (name, score) in enumerate(outcome.ranked, 1):
            yield f"{outcome.question}\tQ0\t{name}\t{rank}\t{score:.4f}\tnod\n"


def wanted_in(beir: BeirSet) -> dict[str, dict[str, int]]:
    """Return the grades of a set by question."""
    return {question.id: question.wanted for question in beir.questions}
