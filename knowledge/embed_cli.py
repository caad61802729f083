"""`nod ingest --embed`: shows what another embedding model costs, begins to build its vectors, and shows how far they are."""

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.checking import why
from knowledge.embedding import Embedder, EmbeddingError, known_of
from knowledge.phrases import PHRASES
from knowledge.progress import progress
from knowledge.vectors import begin
from nod.connect import Alone
from nod.embeddings import Embedding, embeddings
from nod.errors import ConfigError, UnavailableError
from nod.language import terminal_language
from nod.saying import say
from nod.settings import Settings

LOOK_SECONDS = 0.5
BEGIN_SECONDS = 15.0  # workers look every 5 s
_TRIED = ["nod answers from what the team knows, and says where it stands. " * 15] * 16  # nobody's text: nobody has agreed yet


@dataclass(frozen=True, slots=True)
class Cost:
    """What vectors of all passages cost. Tokens are an estimate; `usd` is None when the price is not known."""

    model: str
    passages: int
    tokens: int
    usd: float | None
    seconds: float


async def embed(engine: AsyncEngine, settings: Settings, *, is_agreed: bool, is_quiet: bool) -> dict[str, Any]:
    """Build vectors of the model that is set, after a yes where others are in use; return what that costs and whether it began.

    Raises ConfigError when none is set, UnavailableError when it does not answer.
    """
    model = settings.embedding_model
    if not model:
        raise ConfigError(_say("none_set"))
    cost, has_begun = await _cost(engine, settings, model), True
    found = await embeddings(engine)
    if found and not any(one.name == model for one in found):
        if not is_quiet:
            click.echo(_shown(cost, found[0].name))
        has_begun = is_agreed or (not is_quiet and click.confirm(_say("agree"), default=False))
        if has_begun:
            await begin(engine, model)
    if has_begun and not is_quiet:
        await _watch(engine, model)
    return {**asdict(cost), "begun": has_begun}


async def _cost(engine: AsyncEngine, settings: Settings, model: str) -> Cost:
    """Return what all passages cost: a Latin letter is a quarter of a token, one of another script (three bytes) a whole one."""
    row = await Alone(engine).row("""
        SELECT count(*) AS passages, coalesce(sum(char_length(text)), 0) AS letters, coalesce(sum(octet_length(text)), 0) AS bytes
          FROM passages""")
    others = (row.bytes - row.letters) // 2
    tokens = int((row.letters - others) / 4 + others)
    price = known_of(model).usd
    seconds = await _seconds_of_one(settings, model) * row.passages
    return Cost(model, row.passages, tokens, None if price is None else tokens * price / 1_000_000, seconds)


async def _seconds_of_one(settings: Settings, model: str) -> float:
    async with Embedder(settings) as embedder:
        try:
            await embedder.passages(model, _TRIED[:1])  # loads it
            began = time.monotonic()
            await embedder.passages(model, _TRIED)
        except EmbeddingError as error:
            raise UnavailableError(why(error, model)) from error
        return (time.monotonic() - began) / len(_TRIED)


def _shown(cost: Cost, old: str) -> str:
    usd = _say("price_unknown") if cost.usd is None else _say("free") if not cost.usd else f"${cost.usd:.2f}"
    minutes = _say("minutes", minutes=f"{cost.seconds / 60:.0f}") if cost.seconds > 90 else _say("seconds", seconds=f"{cost.seconds:.0f}")
    return _say("cost", model=cost.model, old=old, passages=f"{cost.passages:,}", tokens=f"{cost.tokens:,}", usd=usd, time=minutes)


async def _watch(engine: AsyncEngine, model: str) -> None:
    """Show how far the workers are, until all is embedded, or nothing has moved for a while."""
    moved, made = time.monotonic(), -1
    with progress(_say("embedding")) as update:
        while not _is_whole(one := await _of(engine, model)):
            if one.made != made:
                moved, made = time.monotonic(), one.made
            if one.error or time.monotonic() - moved > BEGIN_SECONDS:
                raise UnavailableError(say(f"health.vectors_{one.error}", detail=model) if one.error else _say("nobody", model=model))
            update(completed=one.made, total=one.made + one.waiting)
            await asyncio.sleep(LOOK_SECONDS)
    click.echo(_say("whole", progress=one.progress))


def _is_whole(one: Embedding) -> bool:
    return one.is_current and not one.waiting


async def _of(engine: AsyncEngine, model: str) -> Embedding:
    found = await embeddings(engine)
    return next((one for one in found if one.name == model), Embedding(model, is_current=False, error=None, made=0, waiting=0))


def _say(key: str, **values: object) -> str:
    return PHRASES.say(f"embed.{key}", terminal_language(), **values)
