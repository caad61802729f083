"""`nod ingest` and `nod search`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nod.database import with_engine
from nod.language import clean, terminal_language

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from knowledge.ingest import Learnt
    from knowledge.search import Found
    from knowledge.sources import Origin

T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """What became of all that was given to `nod ingest`."""

    documents: "list[Learnt]" = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: int = 0

    def count(self, state: str) -> int:
        """Return how many documents ended in a state."""
        return sum(document.state == state for document in self.documents)


@click.command()
@click.argument("what", nargs=-1)
@click.option("--scope", default="everyone", show_default=True, help="Who may see it: everyone, channel:slack:C1, person:discord:42 …")
@click.option("--remove", is_flag=True, help="Forget what was learnt from a path, an address or under a document's number.")
@click.option("--handbook", is_flag=True, help="Learn nod's own documentation.")
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def ingest(what: tuple[str, ...], scope: str, remove: bool, handbook: bool, as_json: bool) -> None:
    """Learn documents: files, folders (again: changes only) and addresses. PDF, HWP, Office, Markdown, HTML, text, tables, code, ZIP."""
    if bool(what) == handbook:
        raise click.UsageError("Say what to learn: nod ingest PATH|URL…")
    if remove:
        titles = with_engine(lambda engine, _: _forget(engine, [_named(name) for name in what]))
        click.echo(
            json.dumps({"removed": titles}, ensure_ascii=False) if as_json else "\n".join(_say("forgotten", title=t) for t in titles)
        )
        return
    report = with_engine(lambda engine, _: _teach(engine, what, scope, handbook=handbook, is_quiet=as_json))
    if as_json:
        click.echo(json.dumps(_plain(report), ensure_ascii=False))
    else:
        _show(report)
    if report.count("failed"):
        sys.exit(1)


@click.command()
@click.argument("text")
@click.option("--k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@click.option("--scope", "scopes", multiple=True, help="Search this scope too; more than once for more (default: everyone alone).")
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def search(text: str, k: int, scopes: tuple[str, ...], as_json: bool) -> None:
    """Find passages, with their scores."""
    from knowledge.search import Search  # `nod --help` stays light

    found = with_engine(lambda engine, _: Search(engine).find(text, ["everyone", *scopes], k=k))
    if as_json:
        rows = [asdict(passage) for passage in found.passages]
        click.echo(json.dumps({"passages": rows, "confidence": round(found.confidence, 3), "is_known": found.is_known}, ensure_ascii=False))
    else:
        _show_found(found)


# ── learning ──


async def _teach(engine: "AsyncEngine", what: Sequence[str], scope: str, *, handbook: bool, is_quiet: bool) -> Report:
    from knowledge.index import tend
    from knowledge.ingest import drop_missing, known_of, learn, open_source, settled
    from knowledge.reading import Reader

    report = Report()
    origins = _handbook() if handbook else [(await settled(engine, origin, scope), scope) for origin in _origins(what, report)]
    sources = [(origin, await open_source(engine, origin, its_scope)) for origin, its_scope in origins]
    total = sum(len(origin.items) for origin, _ in sources)
    known = sum([await known_of(engine, source[0], [item.location for item in origin.items]) for origin, source in sources])
    if 0 < known < total and not is_quiet:
        click.echo(_say("going_on", known=known, total=total), err=True)
    with _progress(total, is_quiet=is_quiet) as advance:
        async with Reader() as reader:
            for origin, source in sources:
                report.skipped += origin.skipped
                for item in origin.items:
                    advance(item.location)
                    report.documents.append(await learn(engine, reader, source, item))
                if origin.is_whole:
                    report.removed += await drop_missing(engine, source[0], [item.location for item in origin.items])
    await tend(engine)
    return report


def _handbook() -> "list[tuple[Origin, str]]":
    from knowledge.search import HANDBOOK
    from knowledge.sources.handbook import handbook

    return [(handbook(language), scope) for language, scope in HANDBOOK.items()]


def _origins(what: Sequence[str], report: Report) -> "list[Origin]":
    """Return the sources that were named; what does not exist goes into the report."""
    from knowledge.ingest import Learnt
    from knowledge.phrases import why_not
    from knowledge.sources.folder import file, folder
    from knowledge.sources.url import url

    origins: list[Origin] = []
    for name in what:
        path = Path(name)
        if "://" in name:
            origins.append(url(name))
        elif path.is_dir():
            origins.append(folder(path))
        elif path.is_file():
            origins.append(file(path))
        else:
            why = why_not(name, "no_such_path", terminal_language())
            report.documents.append(Learnt(name, "failed", error=why, error_kind="no_such_path"))
    return origins


def _progress(total: int, *, is_quiet: bool) -> Any:
    """Return a context manager that shows a bar on the terminal and gives a function to call with each file's name."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)

    @contextmanager
    def shown() -> Any:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=is_quiet or not console.is_terminal) as bar:
            task = bar.add_task(_say("reading"), total=total)
            begun = 0

            def advance(name: str) -> None:
                nonlocal begun
                bar.update(task, completed=begun, description=name[-48:])
                begun += 1

            yield advance

    return shown()


async def _forget(engine: "AsyncEngine", what: Sequence[int | str]) -> list[str]:
    from knowledge.ingest import remove_document, remove_source

    titles: list[str] = []
    for one in what:
        titles += [await remove_document(engine, one)] if isinstance(one, int) else await remove_source(engine, one)
    return titles


def _named(name: str) -> int | str:
    """Return the document's number, address or whole path that was typed."""
    if name.isdecimal() and not Path(name).exists():
        return int(name)
    return name if "://" in name else clean(str(Path(name).resolve()))


def _plain(report: Report) -> dict[str, Any]:
    counts = {state: report.count(state) for state in ("learnt", "unchanged", "failed")}
    return {**counts, "removed": report.removed, "skipped": report.skipped, "documents": [asdict(d) for d in report.documents]}


def _show(report: Report) -> None:
    from knowledge.phrases import why_not

    language = terminal_language()
    counts = {"learnt": report.count("learnt"), "unchanged": report.count("unchanged"), "removed": len(report.removed)}
    said = [_say(name, **{name: count}) for name, count in counts.items() if count or name == "learnt"]
    failed = [document for document in report.documents if document.state == "failed"]
    if failed:
        said.append(_say("failed", failed=len(failed)))
    if not report.documents and not report.removed:
        said = [_say("nothing")]
    if report.skipped:
        said.append(_say("skipped_one" if report.skipped == 1 else "skipped", skipped=report.skipped))
    click.echo(", ".join(said) + (":" if failed else ""))
    for document in failed:
        click.echo("  " + why_not(document.location, document.error_kind or "", language, document.error or ""), err=True)
    for document in report.documents:
        for left in document.left_out:
            name = f"{document.location}/{left.name}"
            click.echo("  " + why_not(name, left.kind, language, f"{name} {left.sentence}."), err=True)


# ── finding ──


def _show_found(found: "Found") -> None:
    from knowledge.phrases import PHRASES

    if not found.is_known:
        click.echo(PHRASES.say("search.unsure" if found.passages else "search.nothing", terminal_language()))
    for n, passage in enumerate(found.passages, 1):
        page = PHRASES.say("search.page", terminal_language(), page=passage.page) if passage.page else ""
        where = " · ".join(part for part in (passage.title, passage.heading, page, passage.date or "") if part)
        parts = " + ".join(f"{name} {part:.1f}" for name, part in passage.parts.items() if part)
        click.echo(f"{n:2}  {click.style(where, bold=True)}   {passage.score:.1f} = {parts}")
        click.echo("    " + " ".join(passage.text.split())[:300])


def _say(key: str, /, **values: object) -> str:
    from knowledge.phrases import PHRASES

    return PHRASES.say(f"ingest.{key}", terminal_language(), **values)
