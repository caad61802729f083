"""What nobody has taught yet, on the knowledge page; and the form in which somebody does."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from bot.web.checks import MEMBERS
from bot.web.documents import may_teach, scopes_seen
from bot.web.knowledge import tab
from bot.web.markdown import visible
from bot.web.page import Here, Looking, Visitor, Web
from knowledge.gaps import Cluster, close, open_gaps
from knowledge.teaching import MOST_CHARACTERS, Lesson, teach
from nod.contracts import EVERYONE
from nod.errors import LoadError, NotFoundError

router = APIRouter(prefix="/knowledge", dependencies=MEMBERS)


class Teaching(BaseModel):
    """What somebody teaches on the page, for whom, and which gap it closes (0: none)."""

    text: str = Field(max_length=MOST_CHARACTERS * 2)
    about: str = Field("", max_length=500)
    scope: str = EVERYONE
    gap: int = 0


@router.get("/gaps")
async def show(web: Here, visitor: Looking, question: UUID | None = None) -> HTMLResponse:
    """Show what was asked in vain where the visitor may see it, most wanted first; the form of one question is open."""
    seen = await scopes_seen(web, visitor.me)
    clusters = await open_gaps(web.services.engine, seen, visitor.me.person_id)
    opened = next((cluster.gap_id for cluster in clusters if question in [gap.question_id for gap in cluster.gaps]), 0)
    choices = {cluster.gap_id: _choices(visitor, seen, cluster) for cluster in clusters}
    return await tab(web, visitor, "knowledge/gaps.html", "gaps", clusters=clusters, choices=choices, opened=opened)


@router.post("/teach")
async def learn(teaching: Annotated[Teaching, Form()], web: Here, visitor: Looking) -> HTMLResponse:
    """Learn what the visitor teaches; when it closes a gap, those who asked are told."""
    engine = web.services.engine
    seen = await scopes_seen(web, visitor.me)
    cluster = await _cluster(web, visitor, seen, teaching.gap) if teaching.gap else None
    if teaching.scope not in _choices(visitor, seen, cluster):
        raise HTTPException(400, "error.wrong_request")
    about = teaching.about.strip() or (cluster.question if cluster else "")
    try:
        taught = await teach(engine, web.services.record, Lesson(teaching.text, teaching.scope, about), visitor.me.person)
    except LoadError as error:
        raise HTTPException(400, f"error.teach_{error.kind}") from None
    people = await close(engine, cluster.gaps[0], taught.lesson_id, taught.scope) if cluster else 0
    said = visitor.t("teach.learnt" if taught.is_new else "teach.replaced", title=visible(taught.title))
    parts = [
        said,
        visitor.t(f"teach.who_{taught.scope.partition(':')[0]}"),
        visitor.count("teach.tells", people) if people else "",
    ]
    return web.page(
        "knowledge/taught.html", visitor, said=" ".join(part for part in parts if part), lesson_id=taught.lesson_id,
        headers={"HX-Trigger": "nod-learnt"},
    )  # fmt: skip


def _choices(visitor: Visitor, seen: Sequence[str], cluster: Cluster | None) -> tuple[str, ...]:
    """Return for whom the visitor may teach: where a question was asked, its readers too."""
    return tuple(dict.fromkeys((*((cluster.scope,) if cluster else ()), *may_teach(visitor.me, seen))))


async def _cluster(web: Web, visitor: Visitor, seen: Sequence[str], gap_id: int) -> Cluster:
    for cluster in await open_gaps(web.services.engine, seen, visitor.me.person_id):
        if gap_id in [gap.gap_id for gap in cluster.gaps]:
            return cluster
    raise NotFoundError(f"There is no open gap {gap_id}.")
