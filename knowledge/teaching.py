"""What people teach in a few words: documents whose every version is kept, with who taught it and when, and a way back.

Taught again under the same title, or from the same message, it replaces what was taught before. It can be used in the next question.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.documents import enter_document, keep_passages, scope_id_of, source_id_of
from knowledge.loaded import visible
from knowledge.loaders import text as plain_text
from knowledge.reading import Read
from knowledge.removal import take_away
from knowledge.sources import Content
from knowledge.split import split
from nod.contracts import Person, Place
from nod.errors import LoadError, NotFoundError
from nod.record import Record

MOST_CHARACTERS = 20_000
TITLE_CHARACTERS = 80
_MEDIA_TYPE = "text/plain"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What somebody teaches: to which scope, under which title (none: its first line), from which message."""

    text: str
    scope: str
    title: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Taught:
    """A version that was kept. `is_new`: nothing like it was taught before, so nothing was replaced."""

    lesson_id: int
    document_id: int
    title: str
    scope: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Version:
    """What a document said from a time on. `taught_by` is a name, "" when it is not known any more."""

    lesson_id: int
    version: int
    title: str
    text: str
    taught_by: str
    taught_at: datetime
    is_undone: bool


def scope_taught_in(place: Place, person: Person) -> str:
    """Return who may see what is taught at a place: as narrow as it is."""
    if place.visibility == "direct":
        return f"person:{person.platform}:{person.external_id}"
    if place.visibility == "private":
        return f"channel:{place.platform}:{place.channel}"
    return f"workspace:{place.platform}:{place.workspace}"


async def teach(engine: AsyncEngine, record: Record, lesson: Lesson, person: Person) -> Taught:
    """Keep what somebody teaches; the very same again changes nothing. Raises LoadError (`empty`, `too_long`), ConfigError for a scope."""
    said = visible(lesson.text).strip()
    if not said:
        raise LoadError("There is nothing to learn: the text is empty.", "empty")
    if len(said) > MOST_CHARACTERS:
        raise LoadError(
            f"That is too long to be taught at once: {len(said)} of {MOST_CHARACTERS} characters. Give it as a file.", "too_long"
        )
    title = title_of(visible(lesson.title)) or title_of(said)
    async with engine.begin() as db:
        scope_id = await scope_id_of(db, lesson.scope)
        source_id = await source_id_of(db, "teach", "", scope_id)
        given = Content(said.encode(), title, _MEDIA_TYPE, url=lesson.url)
        document_id = await enter_document(db, source_id, scope_id, lesson.url or _key(title), given)
        before = await _current(db, document_id)
        if before is not None and (before.title, before.text) == (title, said):
            lesson_id = int(before.lesson_id)
        else:
            lesson_id = await _keep(db, record, document_id, title, lesson, person)
        await _say(db, document_id, scope_id)
    return Taught(lesson_id, document_id, title, lesson.scope, is_new=before is None)


async def _keep(db: AsyncConnection, record: Record, document_id: int, title: str, lesson: Lesson, person: Person) -> int:
    """Add a version; return its number among all lessons."""
    row = await db.execute(
        text("""
            INSERT INTO lessons (document_id, version, title, text, url, taught_by)
            SELECT :document, coalesce(max(version), 0) + 1, :title, :text, :url, :person FROM lessons WHERE document_id = :document
            RETURNING lesson_id"""),
        {
            "document": document_id, "title": title, "text": visible(lesson.text).strip(), "url": lesson.url,
            "person": await record.person_id(db, person),
        },
    )  # fmt: skip
    return int(row.scalar_one())


def title_of(said: str) -> str:
    """Return the first line of a text, shortened to a title."""
    line = next((line.strip().lstrip("#>*- ") for line in said.splitlines() if line.strip()), "")
    line = " ".join(line.split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    at = line.rfind(" ", TITLE_CHARACTERS // 2, TITLE_CHARACTERS)
    return f"{line[: at if at > 0 else TITLE_CHARACTERS - 1]}…"


def _key(title: str) -> str:
    return title.casefold().rstrip("?!. …。？！")


async def _current(db: AsyncConnection, document_id: int) -> Any:
    """Return the newest version of a document that was not undone, or None."""
    row = await db.execute(
        text("SELECT lesson_id, title, text FROM lessons WHERE document_id = :id AND undone_at IS NULL ORDER BY version DESC LIMIT 1"),
        {"id": document_id},
    )
    return row.first()


async def _say(db: AsyncConnection, document_id: int, scope_id: int) -> bool:
    """Have a document say its newest version that was not undone; return whether there is one."""
    row = (
        await db.execute(
            text("""
                UPDATE documents d SET taught_by = l.taught_by, url = l.url FROM lessons l
                 WHERE d.document_id = :id AND l.lesson_id = (
                       SELECT lesson_id FROM lessons WHERE document_id = :id AND undone_at IS NULL ORDER BY version DESC LIMIT 1)
                RETURNING l.title, l.text"""),
            {"id": document_id},
        )
    ).first()
    if not row:
        return False
    pieces = await asyncio.to_thread(lambda: split(plain_text.load(row.text.encode()).blocks))
    read = Read(tuple(pieces), row.title, datetime.now(UTC), None, None)
    await keep_passages(db, document_id, scope_id, read, name=row.title)
    return True


# ── the way back ──


@dataclass(frozen=True, slots=True)
class Undone:
    """What was undone: `is_gone` when nothing had been taught before it."""

    title: str
    is_gone: bool


async def undo(engine: AsyncEngine, lesson_id: int, person: Person, *, is_admin: bool = False) -> Undone:
    """Take back the newest version of what was taught, as its teacher or an admin: the one before it answers again.

    The gaps it closed are open again. Raises NotFoundError for what is not theirs, was undone, or was replaced since.
    """
    async with engine.begin() as db:
        row = (
            await db.execute(
                text("""
                    UPDATE lessons l SET undone_at = now() FROM documents d LEFT JOIN persons p ON p.person_id = d.taught_by
                     WHERE l.lesson_id = :id AND d.document_id = l.document_id AND d.removed_at IS NULL AND l.undone_at IS NULL
                       AND l.version = (SELECT max(version) FROM lessons n WHERE n.document_id = l.document_id AND n.undone_at IS NULL)
                       AND (:is_admin OR (p.platform, p.workspace, p.external_id) = (:platform, :workspace, :external_id))
                    RETURNING l.document_id, l.title, d.scope_id"""),
                {"id": lesson_id, "is_admin": is_admin, **person.model_dump(include={"platform", "workspace", "external_id"})},
            )
        ).first()
        if not row:
            raise NotFoundError("This was taken back, replaced or removed already.")
        await db.execute(
            text("UPDATE knowledge_gaps SET closed_at = NULL, lesson_id = NULL, tell_at = NULL, told_at = NULL WHERE lesson_id = :id"),
            {"id": lesson_id},
        )
        is_gone = not await _say(db, row.document_id, row.scope_id)
        if is_gone:
            await take_away(db, row.document_id)
    return Undone(row.title, is_gone)


async def document_taught(engine: AsyncEngine, lesson_id: int) -> int:
    """Return the document of which something is a version. Raises NotFoundError."""
    async with engine.connect() as db:
        found = await db.execute(text("SELECT document_id FROM lessons WHERE lesson_id = :id"), {"id": lesson_id})
        if (document_id := found.scalar_one_or_none()) is None:
            raise NotFoundError(f"Nothing was taught as {lesson_id}.")
    return int(document_id)


async def versions(engine: AsyncEngine, document_id: int) -> list[Version]:
    """Return all that a document was taught, the newest first; what was undone too."""
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT lesson_id, version, title, text, coalesce(p.name, '') AS taught_by, taught_at, undone_at IS NOT NULL AS is_undone
                  FROM lessons LEFT JOIN persons p ON p.person_id = taught_by WHERE document_id = :id ORDER BY version DESC"""),
            {"id": document_id},
        )
        return [Version(**row) for row in rows.mappings()]
