"""`nod search`: what it finds, where that stands, how its score comes about, and what it was searched by."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.keyless import Means, find_whole, notes
from knowledge.loaded import visible
from knowledge.phrases import PHRASES
from knowledge.search import Found, Passage
from nod.connect import redis_from, servers_from
from nod.database import with_engine
from nod.language import terminal_language
from nod.settings import Settings
from nod.stream import Follower

EXCERPT_CHARACTERS = 300


def find_and_show(question: str, scopes: Sequence[str], k: int, *, as_json: bool) -> None:
    """Search in these scopes and print what is found: by workers' models too, as on the page, while any worker answers."""
    found = with_engine(lambda engine, settings: _found(engine, settings, question, scopes, k))
    if as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False))
    else:
        _show(question, found)


async def _found(engine: AsyncEngine, settings: Settings, question: str, scopes: Sequence[str], k: int) -> Found:
    redis = redis_from(servers_from(settings).redis_url)
    try:
        async with Follower(redis) as follower:
            return await find_whole(Means(settings, engine, redis, follower), question, scopes, k=k)
    finally:
        await redis.aclose()
        await redis.connection_pool.disconnect()


def _plain(found: Found) -> dict[str, Any]:
    return {
        "passages": [asdict(passage) for passage in found.passages], "confidence": round(found.confidence, 3), "is_known": found.is_known,
        "also_asked": found.also_asked or None, "missing_translation": found.untranslated, "missing_vectors": found.missing,
    }  # fmt: skip


def _show(question: str, found: Found) -> None:
    if not found.is_known:
        click.echo(_say("unsure" if found.passages else "nothing"))
    for n, passage in enumerate(found.passages, 1):
        page = _say("page", page=passage.page) if passage.page else ""
        where = " · ".join(part for part in (passage.title, passage.heading, page, passage.date or "") if part)
        click.echo(f"{n:2}  {click.style(where, bold=True)}   {_score(passage)}")
        click.echo("    " + passage.line[:EXCERPT_CHARACTERS])
    for sentence in notes(question, found, terminal_language()):
        click.echo(visible(sentence))  # a model's words may be among them


def _score(passage: Passage) -> str:
    digits = 2 if "vectors" in passage.parts else 1  # then the best is 1
    parts = (f"{_say(f'part_{name}')} {part:.{digits}f}" for name, part in passage.parts.items() if part)
    return f"{passage.score:.{digits}f} = " + " + ".join(parts)


def _say(key: str, /, **values: object) -> str:
    return PHRASES.say(f"search.{key}", terminal_language(), **values)
