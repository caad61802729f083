"""`nod ingest --list`: the sources that stay in step, as lines or for programs."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from nod.database import with_engine
from nod.language import terminal_language

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from knowledge.following import Followed
    from nod.settings import Settings


def show_sources(*, as_json: bool) -> None:
    """Print the sources that stay in step."""
    from knowledge.following import followed

    async def found(engine: "AsyncEngine", _: "Settings") -> "list[Followed]":
        return await followed(engine)

    sources = with_engine(found)
    if as_json:
        rows = [asdict(source) | {"due_at": _iso(source.due_at), "synced_at": _iso(source.synced_at)} for source in sources]
        click.echo(json.dumps({"sources": rows}, ensure_ascii=False))
        return
    for source in sources:
        click.echo(_line(source))
    if not sources:
        click.echo(_say("none"))


def _line(source: "Followed") -> str:
    """Return a source as one line: its number, where it is, who may see it, how it goes."""
    from knowledge.phrases import why_not

    if source.error:
        how = "✗ " + why_not(source.location, source.error_kind or "", terminal_language(), source.error)
    elif source.is_syncing:
        how = "↻ " + _say("syncing", done=source.done, total=source.total)
    elif source.synced_at:
        how = "✓ " + _say("synced", ago=_ago(source.synced_at), documents=source.documents, passages=source.passages)
    else:
        how = "– " + _say("waiting")
    return f"{source.source_id:4}  {click.style(source.location, bold=True)}   {source.kind} · {source.scope}   {how}"


def _ago(at: datetime) -> str:
    seconds = int((datetime.now(UTC) - at).total_seconds())
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return _say(unit, n=seconds // size)
    return _say("seconds", n=max(seconds, 0))


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _say(key: str, /, **values: object) -> str:
    from knowledge.phrases import PHRASES

    return PHRASES.say(f"sources.{key}", terminal_language(), **values)
