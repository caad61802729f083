"""`nod ingest --list`, `--move`, `--remove` and `--restore`: the sources that stay in step, and what is changed about them."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from nod.database import with_engine
from nod.language import terminal_language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from knowledge.following import Followed, Trouble
    from knowledge.sources import Origin
    from nod.settings import Settings


def show_sources(*, as_json: bool) -> None:
    """Print the sources that stay in step, each with what could not be read in it."""
    from knowledge.following import followed, troubles
    from knowledge.phrases import why_not

    async def found(engine: "AsyncEngine", _: "Settings") -> "tuple[list[Followed], dict[int, list[Trouble]]]":
        return await followed(engine), await troubles(engine)

    sources, unread = with_engine(found)
    if as_json:
        rows = [
            asdict(source)
            | {"due_at": _iso(source.due_at), "synced_at": _iso(source.synced_at)}
            | {"not_read": [asdict(one) for one in unread.get(source.source_id, [])]}
            for source in sources
        ]
        click.echo(json.dumps({"sources": rows}, ensure_ascii=False))
        return
    for source in sources:
        click.echo(_line(source))
        for one in unread.get(source.source_id, []):
            click.echo("      " + why_not(one.name, one.kind, terminal_language(), one.sentence))
    if not sources:
        click.echo(_say("none"))


async def in_step(engine: "AsyncEngine", names: "Sequence[int | str]") -> "list[tuple[Origin, str]]":
    """Return the sources that stay in step, each with its scope, or those that are named. Raises NotFoundError for one that does not."""
    from knowledge.following import followed
    from knowledge.sources import Origin
    from nod.errors import NotFoundError

    sources = await followed(engine)
    for name in names:
        if not any(name in (source.location, source.source_id) for source in sources):
            raise NotFoundError(_say("no_source", name=name))
    wanted = [source for source in sources if not names or source.location in names or source.source_id in names]
    return [(Origin(source.kind, source.location, (), is_whole=True), source.scope) for source in wanted]


async def moved(engine: "AsyncEngine", old: int | str, new: int | str) -> str:
    """Give a source another path or address; return it as it is kept now. Raises NotFoundError, LoadError for what cannot be followed."""
    from knowledge.changing import checked, readdress
    from knowledge.following import followed
    from knowledge.phrases import why_not
    from nod.errors import LoadError, NotFoundError

    found = [source for source in await followed(engine) if old in (source.location, source.source_id)]
    if not found:
        raise NotFoundError(_say("no_source", name=old))
    try:
        location = await checked(found[0].kind, str(new), may_be_local=True)
        for source in found:
            await readdress(engine, source.source_id, location)
    except LoadError as error:
        raise LoadError(why_not(str(new), error.kind, terminal_language(), str(error)), error.kind) from None
    return location


async def take_away(engine: "AsyncEngine", which: int | str) -> list[str]:
    """Take away what came from a path or address, or a document by its number; return the titles. It can be brought back for a while."""
    from knowledge.following import followed
    from knowledge.removal import KEEP_MINUTES, remove_document, remove_source, take_source_away

    sources = [source for source in await followed(engine) if source.location == which]
    titles = [title for source in sources for title in await take_source_away(engine, source.source_id)]
    if not sources:
        titles = [await remove_document(engine, which)] if isinstance(which, int) else await remove_source(engine, which)
    if titles or sources:
        click.echo(_say("can_be_restored", minutes=KEEP_MINUTES, location=which), err=True)
    return titles


async def bring_back(engine: "AsyncEngine", which: int | str) -> list[str]:
    """Bring back what the terminal took away at a path or address, or under a number; return the titles. Raises NotFoundError."""
    from knowledge import removal
    from nod.errors import NotFoundError

    sources = [] if isinstance(which, int) else await removal.sources_removed(engine, which)
    documents = await removal.documents_removed(engine, which)
    if not sources and not documents:
        raise NotFoundError(_say("no_way_back", location=which))
    titles = [title for source_id in sources for title in await removal.bring_source_back(engine, source_id)]
    return titles + [await removal.bring_back(engine, document_id) for document_id in documents]


def _line(source: "Followed") -> str:
    """Return a source as one line: its number, where it is, who may see it, how it goes."""
    from knowledge.phrases import why_not

    if source.error:
        how = "✗ " + why_not(source.location, source.error_kind or "", terminal_language(), source.error)
    elif source.is_syncing and source.total:
        how = "↻ " + _say("syncing", done=source.done, total=source.total)
    elif source.synced_at:
        counts = {name: getattr(source, name) for name in ("documents", "passages", "taken_out")}
        said = [_say(f"{name}_one" if n == 1 else name, n=n) for name, n in counts.items() if n or name != "taken_out"]
        how = "✓ " + ", ".join([_say("synced", ago=_ago(source.synced_at)), *said])
    else:
        how = "– " + _say("waiting")
    return f"{source.source_id:4}  {click.style(source.location, bold=True)}   {source.kind} · {source.scope}   {how}"


def _ago(at: datetime) -> str:
    from knowledge.phrases import span

    return span((datetime.now(UTC) - at).total_seconds(), terminal_language())


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _say(key: str, /, **values: object) -> str:
    from knowledge.phrases import PHRASES

    return PHRASES.say(f"sources.{key}", terminal_language(), **values)
