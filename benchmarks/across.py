"""How well nod finds across languages: `python -m benchmarks.across FOLDER`, a BEIR folder whose questions have a `translation`.

`--beside KOREAN ENGLISH` also lays the passages of two more folders into one corpus and asks each question with the worst of translations:
a question of the other folder, about something else, that is answered there.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from benchmarks.database import own_postgres
from knowledge.across import both
from knowledge.beir import Asked, Line, beir_from
from knowledge.evaluation import Outcome, figures_from, index_corpus
from knowledge.search import Found, Search
from nod.connect import engine_from
from nod.contracts import EVERYONE
from nod.language import language_of
from nod.scratch import scratch_database

K = 10


async def measure(url: str, corpus: Sequence[Line], asked: Sequence[Asked], translations: Mapping[str, str]) -> None:
    """Index a corpus, ask all questions in their own language and in both, and print a line for each language and way."""
    engine = engine_from(url)
    try:
        await index_corpus(engine, corpus, lambda _: None)
        async with engine.connect() as db:
            names = {row.document_id: row.location for row in await db.execute(text("SELECT document_id, location FROM documents"))}
        search = Search(engine)
        alone: list[Outcome] = []
        together: list[Outcome] = []
        for question in asked:
            found = await search.find(question.text, [EVERYONE], k=K)
            also = await search.find(translations[question.id], [EVERYONE], k=K)
            alone.append(_outcome(question, found, names))
            together.append(_outcome(question, both(found, also, translations[question.id]), names))
    finally:
        await engine.dispose()
    for language in ("ko", "en"):
        of = [n for n, question in enumerate(asked) if language_of(question.text) == language]
        wanted = {asked[n].id: asked[n].wanted for n in of}
        for way, outcomes in (("alone", alone), ("both", together)):
            f = figures_from([outcomes[n] for n in of], wanted, K)
            print(
                f"{language}  {len(of):4} questions  {way:6} MRR@10 {f.mrr:.3f}  recall@5 {f.recall_at_5:.3f}  known {f.known:.2f}",
                flush=True,
            )


def _outcome(question: Asked, found: Found, names: Mapping[int, str]) -> Outcome:
    ranked = tuple((names[passage.document_id], passage.score) for passage in found.passages)
    return Outcome(question.id, ranked, found.confidence, found.is_known, 0.0)


def run(database_url: str, folder: Path, beside: Sequence[Path]) -> None:
    """Measure the folder, and with two more what a wrong translation costs."""
    beir = beir_from(folder)
    rows = map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())
    print(folder.name)
    with scratch_database(database_url) as url:
        asyncio.run(measure(url, beir.corpus, beir.questions, {row["_id"]: row["translation"] for row in rows}))
    if not beside:
        return
    sets, chance = [beir_from(path) for path in beside], random.Random(1)  # the same draw each time
    corpus = [replace(line, id=f"{n}/{line.id}") for n, one in enumerate(sets) for line in one.corpus]
    asked = [
        replace(question, id=f"{n}/{question.id}", wanted={f"{n}/{line}": grade for line, grade in question.wanted.items()})
        for n, one in enumerate(sets)
        for question in one.questions
    ]
    wrong = {question.id: chance.choice(sets[question.id[0] == "0"].questions).text for question in asked}
    print(" beside ".join(one.name for one in sets) + ", with wrong translations")
    with scratch_database(database_url) as url:
        asyncio.run(measure(url, corpus, asked, wrong))


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, metavar="FOLDER")
    options.add_argument("--beside", nargs=2, type=Path, default=(), metavar=("KOREAN", "ENGLISH"))
    given = options.parse_args()
    with own_postgres() as database_url:
        run(database_url, given.folder, given.beside)


if __name__ == "__main__":
    sys.exit(main())
