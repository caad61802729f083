"""`nod eval retrieval`."""

import asyncio
import json
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from nod.errors import ConfigError, UnavailableError
from nod.language import terminal_language

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from knowledge.beir import BeirSet
    from knowledge.embedding import Embedder
    from knowledge.evaluation import Outcome
    from knowledge.search import Search
    from nod.settings import Settings

LOOK_SECONDS = 0.5
_DIGITS = 4


@click.group("eval")
def evaluate() -> None:
    """Measure how well nod does, beside the team's data and without touching it."""


@evaluate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--run", "run_file", type=click.Path(path_type=Path), help="Write what was found to this file, as TREC does.")
@click.option("--k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many passages for each question.")
@click.option("--vectors", "with_vectors", is_flag=True, help="By vectors, too: all passages are sent to NOD_EMBEDDING_MODEL.")
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def retrieval(folder: Path, run_file: Path | None, k: int, with_vectors: bool, as_json: bool) -> None:
    """Measure search on a BEIR folder: corpus.jsonl, queries.jsonl, qrels/test.tsv or qrels.tsv."""
    from knowledge.beir import beir_from
    from knowledge.evaluation import figures_from, run_lines, wanted_in
    from knowledge.phrases import PHRASES
    from nod.logs import start_logs
    from nod.settings import load_settings

    settings = load_settings()
    start_logs("error", settings.log_format)  # what goes wrong is said in a sentence
    if with_vectors and not settings.embedding_model:
        raise ConfigError(PHRASES.say("embed.none_set", terminal_language()))

    beir = beir_from(folder)
    if run_file and not run_file.resolve().parent.is_dir():
        raise ConfigError(_say("no_place", file=run_file))
    for note in beir.notes:
        click.echo(note, err=True)
    seconds, outcomes = _measured(beir, k, settings, with_vectors=with_vectors, is_quiet=as_json)
    figures = asdict(figures_from(outcomes, wanted_in(beir), k))
    if run_file:
        _write(run_file, "".join(run_lines(outcomes)))
    told = {"set": beir.name, "passages": len(beir.corpus), "questions": len(beir.questions), "k": k, **figures, "index_seconds": seconds}
    told = {name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in told.items()}
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else _say("figures", **told, refused=1 - figures["known"]))


def _measured(beir: "BeirSet", k: int, settings: "Settings", *, with_vectors: bool, is_quiet: bool) -> "tuple[float, list[Outcome]]":
    """Return the seconds that indexing took, and what was found. All that is written is gone when this returns, however it does."""
    from knowledge.embedding import Embedder
    from knowledge.evaluation import ask, index_corpus
    from knowledge.search import Search
    from nod.connect import engine_from, servers_from
    from nod.scratch import scratch_database

    async def measure(url: str) -> "tuple[float, list[Outcome]]":
        engine = engine_from(url, pool_size=2)
        try:
            with _counted("indexing", len(beir.corpus), is_quiet=is_quiet) as advance:
                seconds = await index_corpus(engine, beir.corpus, advance)
            async with Embedder(settings) as embedder:
                with _counted("embedding", len(beir.corpus), is_quiet=is_quiet or not with_vectors) as advance:
                    search = await _by_vectors(engine, embedder, advance) if with_vectors else Search(engine)
                with _counted("asking", len(beir.questions), is_quiet=is_quiet) as advance:
                    return seconds, await ask(engine, beir.questions, k, advance, search)
        finally:
            await engine.dispose()

    with scratch_database(servers_from(settings).database_url) as url:
        return asyncio.run(measure(url))


async def _by_vectors(engine: "AsyncEngine", embedder: "Embedder", advance: "Callable[[int], object]") -> "Search":
    """Embed all passages, and return the search that compares vectors, too. Raises UnavailableError when the model does not answer."""
    from knowledge.embedding import CALL_SECONDS
    from knowledge.nearest import AskingModel
    from knowledge.search import Search
    from knowledge.vectors import embed_waiting
    from nod.embeddings import embeddings
    from nod.saying import say

    embedding, made = asyncio.ensure_future(embed_waiting(engine, embedder, uuid4())), 0
    while not embedding.done():
        await asyncio.wait({embedding}, timeout=LOOK_SECONDS)
        now = sum(one.made for one in await embeddings(engine))
        advance(now - made)
        made = now
    await embedding
    if failed := next((one for one in await embeddings(engine) if one.error), None):
        raise UnavailableError(say(f"health.vectors_{failed.error}", detail=failed.name))
    return Search(engine, AskingModel(engine, embedder, budget_seconds=CALL_SECONDS))  # how late a vector comes is seen in the milliseconds


@contextmanager
def _counted(what: str, total: int, *, is_quiet: bool) -> "Generator[Callable[[int], object]]":
    """Show a bar, and give a function to call with how many more are done."""
    from knowledge.progress import progress

    with progress(_say(what), total, is_quiet=is_quiet) as update:
        yield lambda more: update(advance=more)


def _write(path: Path, lines: str) -> None:
    try:
        path.write_text(lines, "utf-8")
    except OSError as error:
        raise ConfigError(_say("unwritable", file=path, why=error.strerror)) from None


def _say(key: str, **values: object) -> str:
    from knowledge.phrases import PHRASES

    return PHRASES.say(f"eval.{key}", terminal_language(), **values)
