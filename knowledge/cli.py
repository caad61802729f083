"""`nod ingest` and `nod search`."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from knowledge.following_cli import bring_back, in_step, moved, show_sources, take_away
from knowledge.teaching_cli import show_gaps, teach_text
from nod.database import with_engine
from nod.embeddings import embeddings
from nod.language import clean, terminal_language
from nod.saying import say_count

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from knowledge.ingest import Learnt
    from knowledge.sources import Origin
    from knowledge.sync import Synced
    from nod.settings import Settings

T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """What became of all that was given to `nod ingest`."""

    documents: "list[Learnt]" = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: int = 0
    in_step: list[str] = field(default_factory=list)  # what was named and is kept in step from now on
    to_embed: int = 0  # passages that wait for vectors, of these and other documents

    def count(self, state: str) -> int:
        """Return how many documents ended in a state."""
        return sum(document.state == state for document in self.documents)

    def add(self, origin: "Origin", synced: "Synced") -> None:
        """Take in what a sync did."""
        from knowledge.ingest import Learnt

        self.documents += synced.documents
        self.removed += synced.removed
        self.skipped += synced.skipped
        if synced.error:
            self.documents.append(Learnt(origin.location, "failed", error=str(synced.error), error_kind=synced.error.kind))


@click.command()
@click.argument("what", nargs=-1)
@click.option("--scope", default="everyone", show_default=True, help="Who may see it: everyone, channel:slack:C1, person:discord:42 …")
@click.option("--remove", "act", flag_value="remove", help="Forget what was learnt from a path, an address or under a document's number.")
@click.option("--gaps", "act", flag_value="gaps", help="List what was asked and nobody has taught yet.")
@click.option("--handbook", "act", flag_value="handbook", help="Learn nod's own documentation.")
@click.option("--list", "act", flag_value="list", help="Show the sources that stay in step.")
@click.option("--sync", "act", flag_value="sync", help="Bring all sources that stay in step there now, or those that are named.")
@click.option("--move", "act", flag_value="move", help="Keep in step with another path or address: --move OLD NEW.")
@click.option("--restore", "act", flag_value="restore", help="Bring back what --remove took away, for ten minutes.")
@click.option("--embed", "act", flag_value="embed", help="Show what vectors of another NOD_EMBEDDING_MODEL cost, ask, and build them.")
@click.option("--yes", is_flag=True, help="With --embed: do not ask.")
@click.option("--site", "form", flag_value="site", help="Learn all pages below an address, and keep in step with them.")
@click.option("--git", "form", flag_value="git", help="Learn a Git repository (by itself when its address ends in .git), and keep in step.")
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def ingest(what: tuple[str, ...], scope: str, act: str | None, form: str | None, yes: bool, as_json: bool) -> None:
    """Learn documents: files, folders, addresses, web sites, Git repositories. PDF, HWP, Office, Markdown, HTML, text, tables, code, ZIP.

    Folders, web sites and repositories stay in step while nod runs. `nod ingest -` teaches the text that is piped in.
    """
    if bool(what) == (act in ("handbook", "list", "gaps", "embed")) and act != "sync":
        raise click.UsageError(_say("what"))
    if act == "move" and len(what) != 2:
        raise click.UsageError(_say("from_where"))
    if act == "list":
        show_sources(as_json=as_json)
    elif act == "embed":
        _embed(is_agreed=yes, as_json=as_json)
    elif act == "gaps":
        show_gaps(as_json=as_json)
    elif what == ("-",):
        teach_text(sys.stdin.read(), scope, as_json=as_json)
    elif act in ("remove", "restore"):
        change, word = (_forget, "forgotten") if act == "remove" else (_restore, "restored")
        titles = with_engine(lambda engine, _: change(engine, [_named(name) for name in what]))
        lines = [_say(word, title=title) for title in titles]
        click.echo(json.dumps({f"{act}d": titles}, ensure_ascii=False) if as_json else "\n".join(lines))
    else:
        _learn(what, scope, act or form or "learn", as_json=as_json)


def _learn(what: Sequence[str], scope: str, act: str, *, as_json: bool) -> None:
    report = Report()

    async def teach(engine: "AsyncEngine", settings: "Settings") -> None:
        if act == "move":
            what_now = await moved(engine, _named(what[0]), _named(what[1]))
            origins = await in_step(engine, [what_now])
        elif act == "sync":
            origins = await in_step(engine, [_named(name) for name in what])
        else:
            origins = _handbook() if act == "handbook" else await _given(engine, what, scope, act, report)
        await _teach(engine, settings, origins, report, is_in_step=act in ("move", "sync"), is_quiet=as_json)
        if settings.embedding_model:
            report.to_embed = sum(one.waiting for one in await embeddings(engine))

    with_engine(teach)
    if as_json:
        click.echo(json.dumps(_plain(report), ensure_ascii=False))
    else:
        _show(report)
    if report.count("failed"):
        sys.exit(1)


def _embed(*, is_agreed: bool, as_json: bool) -> None:
    from knowledge.embed_cli import embed

    said = with_engine(lambda engine, settings: embed(engine, settings, is_agreed=is_agreed, is_quiet=as_json))
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@click.option("--scope", "scopes", multiple=True, help="Search this scope too; more than once for more (default: everyone alone).")
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def search(text: tuple[str, ...], k: int, scopes: tuple[str, ...], as_json: bool) -> None:
    """Find passages, with their scores, as answers do: by meaning, and in the other language, as far as a running worker has models."""
    from knowledge.documents import check_scope  # `nod --help` stays light
    from knowledge.search_cli import find_and_show

    for scope in scopes:
        check_scope(scope)
    find_and_show(clean(" ".join(text)), ["everyone", *scopes], k, as_json=as_json)


# ── learning ──


async def _teach(
    engine: "AsyncEngine", settings: "Settings", origins: "list[tuple[Origin, str]]", report: Report, *, is_in_step: bool, is_quiet: bool
) -> None:
    from knowledge.index import tend
    from knowledge.ingest import drop_missing, known_of, learn, open_source
    from knowledge.progress import progress
    from knowledge.reading import Reader
    from knowledge.sources.followed import EVERY_SECONDS, means_from
    from knowledge.sync import Syncing, follow_now, sync_now

    sources = [(origin, scope, await open_source(engine, origin, scope)) for origin, scope in origins]
    total = sum(origin.total for origin, _, _ in sources)
    known = sum([await known_of(engine, source[0], [item.location for item in origin.items]) for origin, _, source in sources])
    if 0 < known < total and not is_quiet:
        click.echo(_say("going_on", known=known, total=total), err=True)
    with progress(_say("reading"), total, is_quiet=is_quiet) as update:
        begun = count()

        def tell(location: str, total: int | None = total) -> None:
            update(completed=next(begun), description=location[-48:], total=total)

        async with Reader() as reader:
            syncing = Syncing(engine, reader, means_from(settings), is_asked=True, tell=lambda one, total: tell(one.location, total))
            for origin, scope, source in sources:
                if origin.kind in EVERY_SECONDS and origin.is_whole:
                    if is_in_step:
                        report.add(origin, await sync_now(syncing, origin.kind, source[0]))
                    else:
                        synced = await follow_now(syncing, origin.kind, origin.location, scope)
                        report.add(origin, synced)
                        report.in_step += [] if synced.error else [origin.location]
                    continue
                report.skipped += origin.skipped
                for item in origin.items:
                    tell(item.location)
                    report.documents.append(await learn(engine, reader, source, item))
                if origin.is_whole:
                    report.removed += await drop_missing(engine, source[0], [item.location for item in origin.items])
    await tend(engine)


async def _given(engine: "AsyncEngine", what: Sequence[str], scope: str, form: str, report: Report) -> "list[tuple[Origin, str]]":
    from knowledge.ingest import settled

    return [(await settled(engine, origin, scope), scope) for origin in _origins(what, form, report)]


def _handbook() -> "list[tuple[Origin, str]]":
    from knowledge.about_nod import HANDBOOK
    from knowledge.sources.handbook import handbook

    return [(handbook(language), scope) for language, scope in HANDBOOK.items()]


def _origins(what: Sequence[str], form: str, report: Report) -> "list[Origin]":
    """Return the sources that were named; what does not exist, or may not be had, goes into the report."""
    from knowledge.ingest import Learnt
    from nod.errors import LoadError
    from nod.logs import redact

    origins: list[Origin] = []
    for name in what:
        try:
            origins.append(_origin(name, form))
        except LoadError as error:
            report.documents.append(Learnt(redact(name), "failed", error=str(error), error_kind=error.kind))
    return origins


def _origin(name: str, form: str) -> "Origin":
    """Return the source that somebody named. Raises LoadError."""
    from knowledge.phrases import why_not
    from knowledge.sources import Origin
    from knowledge.sources.folder import file, folder
    from knowledge.sources.followed import kind_of, location_of
    from knowledge.sources.url import url
    from nod.errors import LoadError

    path = Path(name)
    if kind := form if form in ("site", "git") else kind_of(name):
        return Origin(kind, location_of(kind, name), (), is_whole=True)
    if "://" in name:
        return url(name)
    if not path.exists():
        raise LoadError(why_not(name, "no_such_path", terminal_language()), "no_such_path")
    return folder(path) if path.is_dir() else file(path)


async def _forget(engine: "AsyncEngine", what: Sequence[int | str]) -> list[str]:
    return [title for one in what for title in await take_away(engine, one)]


async def _restore(engine: "AsyncEngine", what: Sequence[int | str]) -> list[str]:
    return [title for one in what for title in await bring_back(engine, one)]


def _named(name: str) -> int | str:
    """Return the document's number, address or whole path that was typed."""
    if name.isdecimal() and not Path(name).exists():
        return int(name)
    return name if "://" in name else clean(str(Path(name).resolve()))


def _plain(report: Report) -> dict[str, Any]:
    counts = {state: report.count(state) for state in ("learnt", "unchanged", "failed")}
    counts["to_embed"] = report.to_embed
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
    if report.to_embed:
        said.append(_say("to_embed_one" if report.to_embed == 1 else "to_embed", to_embed=report.to_embed))
    click.echo(", ".join(said) + (":" if failed else ""))
    for document in failed:
        click.echo("  " + why_not(document.location, document.error_kind or "", language, document.error or ""), err=True)
    for document in report.documents:
        for left in document.left_out:
            name = f"{document.location}/{left.name}"
            click.echo("  " + why_not(name, left.kind, language, f"{name} {left.sentence}."), err=True)
    if report.count("learnt"):
        _show_what_is_next(report)


def _show_what_is_next(report: Report) -> None:
    passages = say_count("up.passages", sum(document.passages for document in report.documents))
    click.echo(_say("try", passages=passages), err=True)
    for location in report.in_step:
        click.echo(_say("stays", location=shlex.quote(location)), err=True)


def _say(key: str, /, **values: object) -> str:
    from knowledge.phrases import PHRASES

    return PHRASES.say(f"ingest.{key}", terminal_language(), **values)
