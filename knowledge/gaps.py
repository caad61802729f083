"""What nobody has taught yet: questions that nod could not answer, those that are alike together; who is told once somebody taught it.

Two questions are alike when nearly the same words tell what they ask, in either script. Questions of different scopes never meet: what
was asked in a direct message is seen by its asker alone.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.documents import is_in_scopes
from knowledge.likeness import Gist, gist_of
from nod.contracts import Person, Place, Readers
from nod.errors import NotFoundError

ALIKE = 0.78  # of what both tell (knowledge.likeness): one word more is alike, one of four that is another word is not
MOST_OPEN = 1_000  # gaps that are looked at
UNDO_SECONDS = 15  # nobody is told before what was taught can be undone
TELL_DAYS = 3  # whoever cannot be reached for so long is not told any more

_GAP = """
    SELECT g.id AS gap_id, g.question_id, q.text, g.language, g.scope, g.created_at, q.person_id,
           q.platform, q.workspace, q.channel, q.thread, q.visibility,
           coalesce(p.platform, q.platform) AS p_platform, coalesce(p.workspace, '') AS p_workspace,
           coalesce(p.external_id, '') AS p_external_id, coalesce(p.name, '') AS p_name
      FROM knowledge_gaps g JOIN questions q USING (question_id) LEFT JOIN persons p USING (person_id)"""


@dataclass(frozen=True, slots=True)
class Gap:
    """One question that could not be answered."""

    gap_id: int
    question_id: UUID
    question: str
    language: str
    scope: str
    asked_at: datetime
    person_id: int | None
    person: Person
    place: Place

    @property
    def may_see(self) -> tuple[str, ...]:
        """All scopes that may be shown to its asker where they asked, while they belong there; whoever tells them asks whether they do."""
        return self.place.audience(self.person, Readers(are_members=True, channels=(self.place.channel,)))


@dataclass(frozen=True, slots=True)
class Cluster:
    """Questions of one scope that are alike, the oldest first."""

    gaps: tuple[Gap, ...]

    @property
    def gap_id(self) -> int:
        """The number by which it is known: that of its first question."""
        return self.gaps[0].gap_id

    @property
    def question(self) -> str:
        """The words that most have asked in."""
        return Counter(gap.question for gap in self.gaps).most_common(1)[0][0]

    @property
    def scope(self) -> str:
        """Who could see what is taught."""
        return self.gaps[0].scope

    @property
    def people(self) -> int:
        """How many different people asked."""
        return len({gap.person_id for gap in self.gaps})

    @property
    def languages(self) -> dict[str, int]:
        """How many asked in which language, the most first."""
        return dict(Counter(gap.language for gap in self.gaps).most_common())

    @property
    def asked_at(self) -> datetime:
        """When it was asked last."""
        return max(gap.asked_at for gap in self.gaps)


def clustered(gaps: Iterable[Gap]) -> list[Cluster]:
    """Return gaps in clusters, those most people asked for first."""
    found: list[tuple[Gist, list[Gap]]] = []
    near: defaultdict[tuple[str, int | str], list[int]] = defaultdict(list)  # places in `found` by scope and term: few share one
    for gap in gaps:
        asked = gist_of(gap.question)
        keys = [(gap.scope, term) for term in asked.terms]
        places = {place for key in keys for place in near[key]}
        best, place = max(((asked.likeness(found[place][0]), -place) for place in places), default=(0.0, 0))
        if best >= ALIKE:
            found[-place][1].append(gap)
            continue
        for key in keys:
            near[key].append(len(found))
        found.append((asked, [gap]))
    return sorted((Cluster(tuple(alike)) for _, alike in found), key=lambda c: (c.people, len(c.gaps), c.asked_at), reverse=True)


async def open_gaps(engine: AsyncEngine, scopes: Sequence[str], person_id: int | None = None) -> list[Cluster]:
    """Return what was asked in these scopes, or in all workspaces, and nobody has taught.

    What was asked in a private thread somebody (`person_id`) sees who asked it there.
    """
    where = f"{is_in_scopes('g.scope')} OR (g.scope LIKE 'thread:%' AND q.person_id = CAST(:person AS bigint))"
    async with engine.connect() as db:
        found = await _open(db, where, scopes, person_id)
    return await asyncio.to_thread(clustered, found)  # a thousand questions are no work for an event loop, nor for an open transaction


async def gap_of(engine: AsyncEngine, question_id: UUID) -> Gap:
    """Return the gap that a question left, closed or open. Raises NotFoundError."""
    async with engine.connect() as db:
        row = (await db.execute(text(f"{_GAP} WHERE g.question_id = :id"), {"id": question_id})).mappings().first()
    if not row:
        raise NotFoundError(f"The question {question_id} left no gap.")
    return _gap(row)


async def _open(db: AsyncConnection, where: str, scopes: Sequence[str], person_id: int | None = None) -> list[Gap]:
    rows = await db.execute(
        text(f"{_GAP} WHERE g.closed_at IS NULL AND ({where}) ORDER BY g.created_at DESC LIMIT :most"),
        {"scopes": list(scopes), "most": MOST_OPEN, "person": person_id},
    )
    return [_gap(row) for row in rows.mappings()][::-1]


def _gap(row: Any) -> Gap:
    place = Place(**{name: row[name] for name in ("platform", "workspace", "channel", "thread", "visibility")})
    person = Person(**{name: row[f"p_{name}"] for name in ("platform", "workspace", "external_id", "name")})
    return Gap(
        row["gap_id"], row["question_id"], row["text"], row["language"], row["scope"], row["created_at"], row["person_id"], person, place
    )


# ── closing ──


async def close(engine: AsyncEngine, gap: Gap, lesson_id: int, scope: str) -> int:
    """Close a gap with what was taught, and all open ones that are alike and whose askers may see it where they asked.

    Return how many people will be told, of those who asked where the gap itself was seen: who asked privately is told and not counted.
    Each is told once, whoever taught it not at all.
    """
    async with engine.connect() as db:
        found = await _open(db, "TRUE", ())
    alike = await asyncio.to_thread(_alike, gap, found)
    seen = {each.gap_id: each for each in (gap, *alike) if scope in each.may_see}  # itself, even with too many open ones to look at
    async with engine.begin() as db:
        teacher = await db.execute(text("SELECT taught_by FROM lessons WHERE lesson_id = :id"), {"id": lesson_id})
        untold = (None, teacher.scalar_one_or_none())
        # who can read a private thread is not known here, so what was taught for it is told to nobody
        last = {each.person_id: each for each in seen.values() if each.person_id not in untold and not scope.startswith("thread:")}
        await db.execute(
            text("""
                UPDATE knowledge_gaps SET closed_at = now(), lesson_id = :lesson, told_at = NULL,
                       tell_at = CASE WHEN id = ANY(:told) THEN now() + make_interval(secs => :seconds) END
                 WHERE id = ANY(:ids) AND closed_at IS NULL"""),
            {"lesson": lesson_id, "ids": list(seen), "told": [each.gap_id for each in last.values()], "seconds": UNDO_SECONDS},
        )
    return sum(each.scope == gap.scope for each in last.values())


def _alike(gap: Gap, found: Iterable[Gap]) -> list[Gap]:
    asked = gist_of(gap.question)
    return [each for each in found if asked.likeness(gist_of(each.question)) >= ALIKE]


# ── telling ──


@dataclass(frozen=True, slots=True)
class News:
    """What somebody is told who asked in vain: their question, what was taught since, and by whom; if they may see its scope now."""

    gap_id: int
    person: Person
    question: str
    language: str
    text: str
    taught_by: str
    scope: str


async def take_news(engine: AsyncEngine, platform: str, limit: int = 5, person_id: int | None = None) -> list[News]:
    """Return what people of a platform are to be told now, and write down that they were: of two processes one tells.

    Whoever may not see it any more, where they asked, is not told.
    """
    async with engine.begin() as db:
        rows = await db.execute(
            text(f"""
                WITH due AS MATERIALIZED (
                    SELECT g.id FROM knowledge_gaps g JOIN questions q USING (question_id)
                     WHERE g.tell_at < now() AND g.told_at IS NULL AND g.closed_at > now() - make_interval(days => :days)
                       AND q.platform = :platform AND (CAST(:person AS bigint) IS NULL OR q.person_id = :person)
                     ORDER BY g.tell_at LIMIT :limit FOR UPDATE OF g SKIP LOCKED),
                told AS (UPDATE knowledge_gaps SET told_at = now() FROM due WHERE knowledge_gaps.id = due.id RETURNING knowledge_gaps.id)
                SELECT gap.*, l.text AS taught, coalesce(t.name, '') AS taught_by, s.name AS seen_by
                  FROM told JOIN ({_GAP}) gap ON gap.gap_id = told.id JOIN knowledge_gaps g ON g.id = told.id
                  JOIN lessons l ON l.lesson_id = g.lesson_id JOIN documents d USING (document_id) JOIN scopes s USING (scope_id)
                  LEFT JOIN persons t ON t.person_id = l.taught_by"""),  # noqa: S608  # our own
            {"platform": platform, "limit": limit, "person": person_id, "days": TELL_DAYS},
        )
        found = [(_gap(row), row) for row in rows.mappings()]
    return [
        News(gap.gap_id, gap.person, gap.question, gap.language, row["taught"], row["taught_by"], row["seen_by"])
        for gap, row in found
        if gap.person.external_id and row["seen_by"] in gap.may_see
    ]


async def tell_later(engine: AsyncEngine, gap_id: int, wait_seconds: float) -> None:
    """Put back what could not be told now."""
    async with engine.begin() as db:
        await db.execute(
            text("UPDATE knowledge_gaps SET told_at = NULL, tell_at = now() + make_interval(secs => :wait) WHERE id = :id"),
            {"id": gap_id, "wait": wait_seconds},
        )
