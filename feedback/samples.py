"""From votes and reviews to samples: which answers may leave, what was thought of them, and why the others stay.

An answer's verdict is its latest review; without one, the majority of its standing votes. Two reviewers who disagree, or as many
ups as downs, leave it out. Left out and counted as well: platforms not allowed, opted-out people, direct messages on chat
platforms, and answers no model made.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from feedback.redact import Redactor

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer that may leave: what the model saw, what it said, and what was thought of it."""

    answer_id: str
    question: str
    messages: list[Message]  # exactly what the model saw, redacted
    tools: list[dict[str, Any]]
    reply: str
    verdict: str | None  # good, fixable, bad; None: nobody reviewed it
    correction: str | None
    ups: int
    downs: int

    @property
    def is_good(self) -> bool | None:
        """Whether the reply itself was good: the verdict, else the majority; None for a tie."""
        if self.verdict:
            return self.verdict == "good"
        return None if self.ups == self.downs else self.ups > self.downs


@dataclass(slots=True)
class Selection:
    """The samples of an export and, by reason, how many answers were left out."""

    samples: list[Sample]
    left_out: Counter[str]


async def select(engine: AsyncEngine, allowed: frozenset[str]) -> Selection:
    """Return every answer with a vote or a verdict that may leave for training, in a fixed order."""
    async with engine.connect() as db:
        rows = (await db.execute(_CANDIDATES)).mappings().all()
    left_out: Counter[str] = Counter()
    samples = list(_chosen(rows, allowed, left_out))
    return Selection(sorted(samples, key=lambda sample: sha256(sample.answer_id.encode()).digest()), left_out)


def _chosen(rows: "list[RowMapping] | Any", allowed: frozenset[str], left_out: Counter[str]) -> Iterator[Sample]:
    for row in rows:
        if reason := _why_not(row, allowed):
            left_out[reason] += 1
        else:
            yield _sample_from(row)


def _why_not(row: RowMapping, allowed: frozenset[str]) -> str | None:
    """Return why an answer stays, None when it may leave. The order is the order in which a person would ask."""
    checks = (
        (row["platform"] not in allowed, f"training_off_{row['platform']}"),
        (row["refused"], "opted_out"),
        (row["visibility"] == "direct" and row["platform"] in ("slack", "discord"), "direct_message"),
        (row["deleted"], "deleted"),
        (not row["messages"], "no_model"),
        (row["verdicts"] > 1, "reviewers_disagree"),
        (not row["verdict"] and not row["ups"] and not row["downs"], "withdrawn"),
    )
    return next((reason for applies, reason in checks if applies), None)


def _sample_from(row: RowMapping) -> Sample:
    redactor = Redactor()
    return Sample(
        answer_id=str(row["answer_id"]),
        question=redactor.redact(row["question"]),
        messages=[_redacted(message, redactor) for message in row["messages"]],
        tools=row["tools"] or [],
        reply=redactor.redact(row["reply"] or ""),
        verdict=row["verdict"],
        correction=redactor.redact(row["correction"]) if row["correction"] else None,
        ups=row["ups"],
        downs=row["downs"],
    )


def _redacted(value: Any, redactor: Redactor) -> Any:
    """Return a message with every text in it redacted; ids of tool calls pair calls with results and stay."""
    match value:
        case str():
            return redactor.redact(value)
        case list():
            return [_redacted(item, redactor) for item in value]
        case dict():
            return {k: v if k in ("role", "id", "tool_call_id", "type") else _redacted(v, redactor) for k, v in value.items()}
        case _:
            return value


async def allowed_platforms(engine: AsyncEngine, default: tuple[str, ...]) -> frozenset[str]:
    """Return the platforms whose rows may leave as training data: what an admin decided, else the installation's default."""
    async with engine.connect() as db:
        rows = await db.execute(text("SELECT platform, allowed FROM training_platforms"))
        decided = {row.platform: row.allowed for row in rows}
    return frozenset(p for p in ("slack", "discord", "web", "cli") if decided.get(p, p in default))


async def allow(engine: AsyncEngine, platform: str, *, allowed: bool, person_id: int | None) -> None:
    """Allow or forbid that a platform's rows leave as training data; audited."""
    async with engine.begin() as db:
        await db.execute(
            text("""
                INSERT INTO training_platforms (platform, allowed) VALUES (:p, :a)
                ON CONFLICT (platform) DO UPDATE SET allowed = excluded.allowed, changed_at = now()"""),
            {"p": platform, "a": allowed},
        )
        await db.execute(
            text("INSERT INTO audit (person_id, action, subject) VALUES (:person, :action, :p)"),
            {"person": person_id, "action": "training allowed" if allowed else "training disallowed", "p": platform},
        )


_CANDIDATES = text("""
    WITH counted AS (
        SELECT v.answer_id, count(*) FILTER (WHERE value = 'up') AS ups, count(*) FILTER (WHERE value = 'down') AS downs,
               bool_or(p.consent = 'refused') AS refused
          FROM votes v JOIN persons p USING (person_id) GROUP BY 1),
    judged AS (
        SELECT answer_id, count(DISTINCT verdict) AS verdicts, (array_agg(verdict ORDER BY created_at DESC))[1] AS verdict,
               (array_agg(correction ORDER BY created_at DESC))[1] AS correction
          FROM reviews WHERE superseded_at IS NULL AND verdict <> 'skipped' GROUP BY 1)
    SELECT a.answer_id, a.platform, q.text AS question, q.visibility, a.messages, a.text AS reply, pv.tools,
           coalesce(c.ups, 0) AS ups, coalesce(c.downs, 0) AS downs, j.verdict, j.correction, coalesce(j.verdicts, 0) AS verdicts,
           a.deleted_at IS NOT NULL OR a.content_purged_at IS NOT NULL AS deleted,
           coalesce(c.refused, false) OR asker.consent = 'refused' AS refused
      FROM answers a JOIN questions q USING (question_id) JOIN persons asker ON asker.person_id = a.person_id
      LEFT JOIN counted c USING (answer_id) LEFT JOIN judged j USING (answer_id)
      LEFT JOIN prompt_versions pv ON pv.prompt_version = a.prompt_version
     WHERE (c.answer_id IS NOT NULL OR j.answer_id IS NOT NULL) AND a.status = 'answered'
     ORDER BY a.answer_id""")
