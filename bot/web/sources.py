"""The source pane: the passage behind [n] as the model saw it, marked, between its neighbours, if its reader may (still) see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.web.checks import MEMBERS
from bot.web.page import Here, Looking
from bot.web.passages import Part, Told, parts_from
from bot.web.turns import Own
from knowledge.about_nod import HANDBOOKS
from nod.contracts import EVERYONE, Answer, Source
from nod.errors import NotFoundError

router = APIRouter(prefix="/chat/answers/{answer_id}/sources", dependencies=MEMBERS)

_DOCUMENT = text("""
    SELECT d.document_id, d.title, s.name AS scope, s.name = ANY(:scopes) AS is_visible, d.updated_at,
           d.removed_at IS NOT NULL AS is_removed
      FROM documents d JOIN scopes s ON s.scope_id = coalesce(d.removed_scope_id, d.scope_id) WHERE d.document_id = :document""")

_NEIGHBOURS = text("""
    SELECT p.text, p.heading, p.ordinal - here.ordinal AS distance FROM passages p JOIN passages here USING (document_id)
     WHERE here.passage_id = :passage AND here.document_id = :document AND p.ordinal BETWEEN here.ordinal - 2 AND here.ordinal + 2
     ORDER BY p.ordinal""")


@dataclass(frozen=True, slots=True)
class Opened:
    """A source as the pane shows it. `state`: current, changed (the document says something else now), gone."""

    source: Source
    state: str
    parts: tuple[Part, ...]
    scope: str = ""
    url: str | None = None


@router.get("/{n}")
async def own_source(answer: Own, n: int, web: Here, visitor: Looking) -> HTMLResponse:
    """Open a source of an own answer."""
    scopes = await web.audience(answer.place, visitor.me.person)
    opened = await open_source(web.services.engine, answer, n, scopes)
    return web.page("chat/source.html", visitor, opened=opened)


async def open_source(engine: AsyncEngine, answer: Answer, n: int, scopes: tuple[str, ...]) -> Opened:
    """Return source `n` of an answer for a reader of these scopes.

    Rights are asked for now, not remembered: whoever lost access to the document gets NotFoundError. What a deleted document
    said stays with the answers that used it.
    """
    source = next((source for source in answer.sources if source.n == n), None)
    if not source:
        raise NotFoundError(f"There is no source {n}.")
    async with engine.connect() as db:
        document = (await db.execute(_DOCUMENT, {"document": source.document_id, "scopes": [*scopes, *HANDBOOKS]})).first()
        if document and not document.is_visible:
            raise NotFoundError(f"There is no source {n}.")
        if not document or document.is_removed:
            return Opened(source, "gone", _alone(source))
        around = (await db.execute(_NEIGHBOURS, {"passage": source.passage_id, "document": source.document_id})).all()
    is_current = any(row.distance == 0 and row.text == source.passage for row in around)
    return Opened(
        source=source,
        state="current" if is_current else "changed",
        parts=_between(source, around) if is_current else _alone(source),
        scope="everyone" if document.scope in (EVERYONE, *HANDBOOKS) else document.scope.partition(":")[0],
        url=source.url if source.url and urlsplit(source.url).scheme in ("http", "https") else None,
    )


def _alone(source: Source) -> tuple[Part, ...]:
    return tuple(parts_from([Told(source.passage, is_marked=True)], source.title))


def _between(source: Source, around: Sequence[Row[Any]]) -> tuple[Part, ...]:
    """Return a passage between its neighbours; its own heading stands above the text already."""
    told = [Told(row.text, row.heading, is_marked=row.distance == 0) for row in around]
    return tuple(parts_from(told, source.title, above=source.heading if told[0].heading == source.heading else ""))
