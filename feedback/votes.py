"""Votes: one person's one thumb on one answer, however often and by whatever means it was given.

The rule (docs, feedback): the latest standing signal of a person is their vote; taking all back withdraws it. The function
`apply_vote` in PostgreSQL applies an event once and in any order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from nod.contracts import Citation, Contract, Person, Vote, VoteValue
from nod.errors import NotFoundError
from nod.record import Record

REASONS = ("wrong", "outdated", "off_topic", "incomplete", "no_source", "style", "unsafe")

_APPLY = text("""
    SELECT apply_vote(:event, CAST(:answer AS uuid), :person, :platform, :channel, :message, :source, :token, :kind, :value, :at)""")

# A vote heard before the id of its message was stored waits without an answer, a day at most (DESIGN.md, crash windows).
_EARLY = text("""
    SELECT e.event_id, m.answer_id, e.person_id, e.platform, e.channel, e.message_id, e.source, e.token, e.kind, e.value, e.at
      FROM vote_events e JOIN answer_messages m USING (platform, channel, message_id)
     WHERE e.answer_id IS NULL AND m.shown_to IS NULL ORDER BY e.at LIMIT 200""")


class VoteRow(Contract):
    """One person's vote on one answer, as `nod feedback list` and the review page show it. Texts are None where they are private."""

    answer_id: UUID
    question_id: UUID
    question: str | None
    answer: str | None
    vote: str
    reasons: tuple[str, ...]
    comment: str | None
    voter: str
    platform: str
    place: str
    language: str
    model: str | None
    prompt_version: str | None
    voted_at: datetime
    changed_at: datetime
    verdict: str | None
    sources: tuple[dict[str, Any], ...] = ()
    citations: tuple[Citation, ...] = ()
    correction: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    earlier: str | None = None  # what was asked in this conversation just before


async def cast(engine: AsyncEngine, record: Record, vote: Vote) -> UUID | None:
    """Apply a thumb; return the answer it counts for, None while its message is not known yet (it waits, a day at most)."""
    async with engine.begin() as db:
        person_id = await record.person_id(db, vote.person)
        answer_id = vote.answer_id or await _shown_by(db, vote)
        await db.execute(
            _APPLY,
            {
                "event": vote.event_id, "answer": answer_id, "person": person_id, "platform": vote.person.platform,
                "channel": vote.channel, "message": vote.message_id, "source": vote.source, "token": vote.token, "kind": vote.kind,
                "value": vote.value, "at": vote.at,
            },
        )  # fmt: skip
    return answer_id


async def _shown_by(db: AsyncConnection, vote: Vote) -> UUID | None:
    """Return the answer whose message this is: the one shown now, else the last one it showed."""
    found = await db.execute(
        text("""
            SELECT answer_id FROM answer_messages WHERE platform = :platform AND channel = :channel AND message_id = :message
             ORDER BY shown_to DESC NULLS FIRST LIMIT 1"""),
        {"platform": vote.person.platform, "channel": vote.channel, "message": vote.message_id},
    )
    return found.scalar_one_or_none()


async def join_early(engine: AsyncEngine) -> int:
    """Give early votes to the answers whose messages are known by now, and drop those older than a day; return how many joined."""
    async with engine.begin() as db:
        rows = (await db.execute(_EARLY)).all()
        for row in rows:
            await db.execute(
                _APPLY,
                {
                    "event": row.event_id, "answer": row.answer_id, "person": row.person_id, "platform": row.platform,
                    "channel": row.channel, "message": row.message_id, "source": row.source, "token": row.token, "kind": row.kind,
                    "value": row.value, "at": row.at,
                },
            )  # fmt: skip
        await db.execute(text("DELETE FROM vote_events WHERE answer_id IS NULL AND received_at < now() - interval '1 day'"))
    return len(rows)


async def explain(
    engine: AsyncEngine, record: Record, answer_id: UUID, person: Person, reasons: Sequence[str], comment: str | None
) -> None:
    """Add reasons and a comment to a person's standing vote. Raises NotFoundError when there is none, ValueError for an unknown reason."""
    if unknown := [reason for reason in reasons if reason not in REASONS]:
        raise ValueError(f"There is no reason {unknown[0]!r}; reasons are: {', '.join(REASONS)}.")
    async with engine.begin() as db:
        person_id = await record.person_id(db, person)
        done = await db.execute(
            text("""
                UPDATE votes SET reasons = :reasons, comment = coalesce(:comment, comment), changed_at = greatest(changed_at, now())
                 WHERE answer_id = :answer AND person_id = :person AND value IS NOT NULL"""),
            {"reasons": sorted(set(reasons), key=REASONS.index), "comment": comment, "answer": answer_id, "person": person_id},
        )
    if not done.rowcount:
        raise NotFoundError("You have no vote on this answer; vote first, then say why.")


async def vote_of(engine: AsyncEngine, record: Record, answer_id: UUID, person: Person) -> str | None:
    """Return a person's standing vote on an answer: `up`, `down` or None."""
    async with engine.connect() as db:
        found = await db.execute(
            text("""
                SELECT v.value FROM votes v JOIN persons p USING (person_id)
                 WHERE v.answer_id = :answer AND p.pseudonym = :pseudonym"""),
            {"answer": answer_id, "pseudonym": record.pseudonym(person)},
        )
        return found.scalar_one_or_none()


class Standing(Contract):
    """One reaction that stands on a message, as far as is known: where, whose, and which."""

    message_id: str
    person: Person
    token: str
    value: VoteValue


async def reactions_on(engine: AsyncEngine, platform: str, channel: str, message_ids: Sequence[str]) -> list[Standing]:
    """Return the thumbs that stand as reactions on messages of a channel: what a platform does not name one by one when it clears them."""
    async with engine.connect() as db:
        rows = await db.execute(
            text("""
                SELECT DISTINCT s.message_id, p.platform, p.workspace, p.external_id, p.name, s.token, s.value
                  FROM signals s JOIN persons p USING (person_id) JOIN answer_messages m USING (answer_id, message_id)
                 WHERE s.message_id = ANY(:messages) AND s.present AND s.source = 'reaction'
                   AND m.platform = :platform AND m.channel = :channel AND p.external_id IS NOT NULL"""),
            {"platform": platform, "channel": channel, "messages": list(message_ids)},
        )
        return [
            Standing(
                message_id=row.message_id,
                person=Person(platform=row.platform, workspace=row.workspace, external_id=row.external_id, name=row.name),
                token=row.token, value=row.value,
            )
            for row in rows
        ]  # fmt: skip


async def signal_of(  # the parts of a signal's key
    engine: AsyncEngine, record: Record, answer_id: UUID, person: Person, source: str, token: str
) -> VoteValue | None:
    """Return what one means of voting (a button, an emoji) of a person says of an answer now; None when it is not set."""
    async with engine.connect() as db:
        found = await db.execute(
            text("""
                SELECT s.value FROM signals s JOIN persons p USING (person_id)
                 WHERE s.answer_id = :answer AND p.pseudonym = :pseudonym AND s.source = :source AND s.token = :token AND s.present"""),
            {"answer": answer_id, "pseudonym": record.pseudonym(person), "source": source, "token": token},
        )
        return found.scalars().first()


async def list_votes(
    engine: AsyncEngine, *, limit: int | None = None, vote: str | None = None, platform: str | None = None
) -> list[VoteRow]:
    """Return votes, newest change first, one row per person and answer.

    Question and answer of a direct message on a chat platform are not shown: its writer has not shared them with reviewers.
    """
    async with engine.connect() as db:
        rows = await db.execute(_LIST, {"limit": limit, "vote": vote, "platform": platform})
        return [VoteRow.model_validate(dict(row)) for row in rows.mappings()]


_LIST = text("""
    SELECT a.answer_id, a.question_id, coalesce(v.value, 'withdrawn') AS vote, v.reasons, v.comment, p.pseudonym AS voter, a.platform,
           q.workspace || '/' || q.channel || CASE WHEN q.thread <> '' THEN '/' || q.thread ELSE '' END AS place, q.language, a.model,
           a.prompt_version, v.first_at AS voted_at, v.changed_at, r.verdict, r.correction, coalesce(r.tags, '{}') AS tags, r.note,
           CASE WHEN private.yes THEN NULL ELSE q.text END AS question, CASE WHEN private.yes THEN NULL ELSE a.text END AS answer,
           CASE WHEN private.yes THEN '[]'::jsonb ELSE a.sources END AS sources,
           CASE WHEN private.yes THEN '[]'::jsonb ELSE a.citations END AS citations,
           CASE WHEN NOT private.yes THEN before.text END AS earlier
      FROM votes v JOIN answers a USING (answer_id) JOIN questions q USING (question_id) JOIN persons p ON p.person_id = v.person_id
     CROSS JOIN LATERAL (SELECT q.visibility = 'direct' AND a.platform IN ('slack', 'discord') AS yes) private
      LEFT JOIN LATERAL (SELECT verdict, correction, tags, note FROM reviews WHERE answer_id = a.answer_id AND superseded_at IS NULL
                          ORDER BY created_at DESC LIMIT 1) r ON true
      LEFT JOIN LATERAL (SELECT CASE WHEN b.deleted_at IS NULL AND e.visibility = q.visibility THEN e.text END AS text
                           FROM answers b JOIN questions e USING (question_id)
                          WHERE b.conversation_id = a.conversation_id AND b.position < a.position AND b.question_id <> a.question_id
                          ORDER BY b.position DESC LIMIT 1) before ON true
     WHERE (CAST(:vote AS text) IS NULL OR coalesce(v.value, 'withdrawn') = :vote)
       AND (CAST(:platform AS text) IS NULL OR a.platform = :platform)
     ORDER BY v.changed_at DESC, v.vote_id DESC LIMIT :limit""")
