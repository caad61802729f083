"""What the chat page reads and changes beside questions and answers: a person's conversations, their titles, what is deleted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from nod.contracts import Answer, Place
from nod.errors import NotFoundError

CHANNEL = "chat"
_MINE = "c.platform = 'web' AND c.workspace = '' AND c.channel = 'chat' AND c.opened_by = :person"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of the list. `id` is the conversation's thread: what its address and its files name."""

    id: UUID
    title: str
    last_at: datetime
    is_open: bool


def place_of(conversation: UUID) -> Place:
    """Return where a conversation of the page is held: only its asker reads there."""
    return Place(platform="web", workspace="", channel=CHANNEL, thread=str(conversation), visibility="direct")


async def conversations(engine: AsyncEngine, person_id: int, words: str = "", limit: int = 100) -> list[Conversation]:
    """Return a person's conversations, the last one used first; with `words` only those whose title or questions hold them."""
    async with engine.connect() as db:
        rows = await db.execute(
            text(f"""
                SELECT c.thread, coalesce(nullif(c.title, ''), first.text, '') AS title, last.at AS last_at, last.is_open
                  FROM conversations c
                  CROSS JOIN LATERAL (SELECT text FROM questions q WHERE q.conversation_id = c.conversation_id
                                       ORDER BY accepted_at LIMIT 1) first
                  CROSS JOIN LATERAL (SELECT max(accepted_at) AS at, bool_or(status IN ('waiting', 'running')) AS is_open
                                        FROM answers a WHERE a.conversation_id = c.conversation_id) last
                 WHERE {_MINE} AND c.deleted_at IS NULL AND last.at IS NOT NULL
                   AND (:words = '' OR strpos(lower(coalesce(c.title, '')), lower(:words)) > 0 OR EXISTS (
                        SELECT 1 FROM questions q WHERE q.conversation_id = c.conversation_id
                           AND strpos(lower(q.text), lower(:words)) > 0))
                 ORDER BY last.at DESC LIMIT :limit"""),  # noqa: S608  # only our own condition is put in
            {"person": person_id, "words": words, "limit": limit},
        )
        return [Conversation(UUID(row.thread), row.title, row.last_at, row.is_open) for row in rows]


async def find(engine: AsyncEngine, conversation: UUID, person_id: int) -> tuple[UUID, str] | None:
    """Return the record's id and the title of a person's conversation; None when nobody has begun it.

    Raises NotFoundError when it is somebody else's or was deleted.
    """
    async with engine.connect() as db:
        row = (
            await db.execute(
                text("""
                    SELECT conversation_id, coalesce(title, '') AS title, opened_by, deleted_at FROM conversations
                     WHERE platform = 'web' AND workspace = '' AND channel = 'chat' AND thread = :thread"""),
                {"thread": str(conversation)},
            )
        ).first()
    if row and (row.opened_by != person_id or row.deleted_at):
        raise NotFoundError(f"There is no conversation {conversation}.")
    return (row.conversation_id, row.title) if row else None


async def rename(engine: AsyncEngine, conversation: UUID, person_id: int, title: str) -> None:
    """Give a conversation a title; an empty one brings its first question back."""
    await _change(engine, "title = nullif(:title, '')", conversation, person_id, title=title)


async def delete(engine: AsyncEngine, conversation: UUID, person_id: int) -> None:
    """Take a conversation and its answers out of sight, and stop what is still being said in it."""
    await _change(engine, "deleted_at = now()", conversation, person_id)
    async with engine.begin() as db:
        await db.execute(
            text("""
                UPDATE answers a SET deleted_at = c.deleted_at,
                       stop_requested_at = CASE WHEN status IN ('waiting', 'running') THEN now() ELSE stop_requested_at END
                  FROM conversations c WHERE c.conversation_id = a.conversation_id AND c.thread = :thread AND c.platform = 'web'
                   AND c.opened_by = :person AND c.deleted_at IS NOT NULL AND a.deleted_at IS NULL"""),
            {"thread": str(conversation), "person": person_id},
        )


async def restore(engine: AsyncEngine, conversation: UUID, person_id: int) -> None:
    """Bring a deleted conversation back, with the answers that went with it."""
    async with engine.begin() as db:
        await db.execute(
            text(f"""
                UPDATE answers a SET deleted_at = NULL FROM conversations c
                 WHERE c.conversation_id = a.conversation_id AND c.thread = :thread AND {_MINE} AND a.deleted_at = c.deleted_at"""),  # noqa: S608  # our own condition
            {"thread": str(conversation), "person": person_id},
        )
    await _change(engine, "deleted_at = NULL", conversation, person_id)


async def _change(engine: AsyncEngine, what: str, conversation: UUID, person_id: int, **values: object) -> None:
    async with engine.begin() as db:
        done = await db.execute(
            text(f"UPDATE conversations c SET {what} WHERE c.thread = :thread AND {_MINE}"),  # noqa: S608  # `what` is written above
            {"thread": str(conversation), "person": person_id, **values},
        )
    if not done.rowcount:
        raise NotFoundError(f"There is no conversation {conversation}.")


async def delete_answer(engine: AsyncEngine, answer: Answer, *, is_deleted: bool) -> None:
    """Take a question with its answer out of sight, or bring it back."""
    async with engine.begin() as db:
        await db.execute(
            text("UPDATE answers SET deleted_at = CASE WHEN :gone THEN now() END WHERE answer_id = :id"),
            {"gone": is_deleted, "id": answer.answer_id},
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """What the page shows beside an answer: how it came about, what its asker thought of it, what was given with the question."""

    passages: int = 0
    tools: tuple[dict[str, Any], ...] = ()
    vote: str | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""
    files: tuple[str, ...] = ()


async def beside(engine: AsyncEngine, answers: list[Answer], person_id: int) -> dict[UUID, Beside]:
    """Return what stands beside each of these answers, for one reader."""
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT a.answer_id, jsonb_array_length(a.passages) AS passages, a.tool_calls, v.value, v.reasons, v.comment, q.files
                  FROM answers a JOIN questions q USING (question_id)
                  LEFT JOIN votes v ON v.answer_id = a.answer_id AND v.person_id = :person
                 WHERE a.answer_id = ANY(:ids)"""),
            {"ids": [answer.answer_id for answer in answers], "person": person_id},
        )
        return {
            row.answer_id: Beside(
                row.passages, tuple(row.tool_calls), row.value, tuple(row.reasons or ()), row.comment or "",
                tuple(file["name"] for file in row.files),
            )
            for row in rows
        }  # fmt: skip
