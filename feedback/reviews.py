"""Reviews: what a reviewer says of an answer. A reviewer's newer verdict takes the place of their older one."""

import json
from collections.abc import Sequence
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from feedback.phrases import say
from nod.connect import Alone
from nod.errors import NodError, NotFoundError
from nod.language import clean
from nod.trace import question_named

Verdict = Literal["good", "fixable", "bad", "skipped"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class ReviewError(NodError):
    """A verdict that cannot be kept as it is."""

    kind = "review"


async def answer_named(engine: AsyncEngine, name: str) -> UUID:
    """Return the answer which a code, a link or an id names as in `nod trace`: of several to one question the one with votes.

    Raises NotFoundError for none, ReviewError for several.
    """
    db = Alone(engine)
    question_id = await question_named(db, name)
    found = await db.rows(
        """
        SELECT answer_id, EXISTS (SELECT 1 FROM votes v WHERE v.answer_id = a.answer_id) AS has_votes
          FROM answers a WHERE question_id = :id AND status = 'answered' ORDER BY version""",
        id=question_id,
    )
    named = [row for row in found if str(row.answer_id) == name.strip().lower()] or [row for row in found if row.has_votes] or found
    if not named:
        raise NotFoundError(say("not_answered", name=name))
    if len(named) > 1:
        raise ReviewError(say("several", name=name, ids=", ".join(str(row.answer_id) for row in named)))
    return named[0].answer_id


async def review(  # noqa: PLR0913  # the fields of one form
    engine: AsyncEngine,
    answer_id: UUID,
    reviewer_id: int | None,
    verdict: Verdict,
    *,
    correction: str | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
) -> bool:
    """Keep a verdict, audited; return whether a model made the answer: only then it can be a training row.

    Raises ReviewError for a `fixable` without a correction, NotFoundError for an unknown answer.
    """
    correction = clean(correction).strip() if correction else None
    if verdict == "fixable" and not correction:
        raise ReviewError(say("needs_correction"))
    values: dict[str, Any] = {
        "answer": answer_id, "reviewer": reviewer_id, "verdict": verdict, "correction": correction if verdict == "fixable" else None,
        "tags": list(tags), "note": note,
    }  # fmt: skip
    async with engine.begin() as db:
        found = text("SELECT coalesce(jsonb_array_length(messages), 0) > 0 FROM answers WHERE answer_id = :answer FOR UPDATE")
        is_a_models = (await db.execute(found, values)).scalar_one_or_none()
        if is_a_models is None:
            raise NotFoundError(say("no_answer", answer=answer_id))
        await db.execute(
            text("""
                UPDATE reviews SET superseded_at = now()
                 WHERE answer_id = :answer AND reviewer_id IS NOT DISTINCT FROM :reviewer AND superseded_at IS NULL"""),
            values,
        )
        await db.execute(
            text("""
                INSERT INTO reviews (answer_id, reviewer_id, verdict, correction, tags, note)
                     VALUES (:answer, :reviewer, :verdict, :correction, :tags, :note)"""),
            values,
        )
        await db.execute(
            text("INSERT INTO audit (person_id, action, subject, detail) VALUES (:reviewer, 'review', :subject, CAST(:detail AS jsonb))"),
            {"reviewer": reviewer_id, "subject": str(answer_id), "detail": json.dumps({"verdict": verdict})},
        )
    return is_a_models


async def undo(engine: AsyncEngine, answer_id: UUID, reviewer_id: int | None) -> bool:
    """Take a reviewer's current verdict back; the one before it stands again. Return whether there was one."""
    async with engine.begin() as db:
        gone = await db.execute(
            text("""
                DELETE FROM reviews
                 WHERE answer_id = :a AND reviewer_id IS NOT DISTINCT FROM CAST(:r AS bigint) AND superseded_at IS NULL"""),
            {"a": answer_id, "r": reviewer_id},
        )
        await db.execute(
            text("""
                UPDATE reviews SET superseded_at = NULL WHERE review_id = (
                    SELECT max(review_id) FROM reviews WHERE answer_id = :a AND reviewer_id IS NOT DISTINCT FROM CAST(:r AS bigint))"""),
            {"a": answer_id, "r": reviewer_id},
        )
    return gone.rowcount > 0
