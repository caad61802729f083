"""Dead letters: the answers that were given up after three strikes. Each waits here until it is asked anew or closed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from nod.connect import Alone
from nod.contracts import Contract, PlatformName, code_from
from nod.errors import NotFoundError
from nod.record import Record
from nod.saying import say

IS_DEAD = "a.status = 'failed' AND a.error = 'strikes' AND a.superseded_at IS NULL AND a.dropped_at IS NULL AND a.deleted_at IS NULL"

# What somebody wrote to nod alone in a chat is shown to nobody else, not even here.
_LETTERS = f"""
    SELECT a.answer_id, a.question_id, a.answered_at AS given_up_at, a.platform, q.workspace, q.channel, q.language, p.pseudonym AS who,
           CASE WHEN q.visibility = 'direct' AND a.platform IN ('slack', 'discord') THEN NULL ELSE q.text END AS question,
           a.attempt AS attempts, last.outcome AS last_outcome, last.error AS last_error
      FROM answers a JOIN questions q USING (question_id) JOIN persons p ON p.person_id = a.person_id
      LEFT JOIN attempts last ON last.answer_id = a.answer_id AND last.attempt = a.attempt
     WHERE {IS_DEAD}"""  # noqa: S608  # our own condition

_DROP = f"""
    WITH dropped AS (UPDATE answers a SET dropped_at = now() WHERE a.answer_id = :id AND {IS_DEAD} RETURNING a.answer_id)
    INSERT INTO audit (person_id, action, subject) SELECT CAST(:by AS bigint), 'dead_dropped', answer_id::text FROM dropped"""  # noqa: S608
_RETRIED = "INSERT INTO audit (person_id, action, subject) VALUES (:by, 'dead_retried', :subject)"


class Letter(Contract):
    """One dead letter. `question` is None where it was asked in a direct message of a chat; `last_error` is what struck it last."""

    answer_id: UUID
    question_id: UUID
    given_up_at: datetime
    platform: PlatformName
    workspace: str
    channel: str
    language: str
    who: str
    question: str | None
    attempts: int
    last_outcome: str | None
    last_error: str | None

    @property
    def code(self) -> str:
        """The short id which people read and quote."""
        return code_from(self.question_id)

    def is_named(self, name: str) -> bool:
        """Return whether a code or an id means this letter."""
        return name.strip().lower() in (self.code, str(self.answer_id), str(self.question_id))


async def letters(engine: AsyncEngine) -> list[Letter]:
    """Return all dead letters, the newest first."""
    return [Letter(**row._asdict()) for row in await Alone(engine).rows(f"{_LETTERS} ORDER BY a.answered_at DESC")]


async def letter_named(engine: AsyncEngine, name: str) -> Letter:
    """Return the dead letter which a code such as `q-7f3a91c2` or an id means. Raises NotFoundError, also when it means several."""
    found = [letter for letter in await letters(engine) if letter.is_named(name)]
    if not found:
        raise NotFoundError(say("dead.unknown", name=name))
    if len(found) > 1:
        raise NotFoundError(say("dead.several", name=name, ids=", ".join(str(letter.answer_id) for letter in found)))
    return found[0]


async def retry(record: Record, letter: Letter, by: int | None) -> UUID | None:
    """Ask anew, in the apology's message; return the new answer's id, None when that is under way already. Wake a worker then."""
    new_id = await record.again(letter.answer_id)
    if new_id:
        await Alone(record.engine).run(_RETRIED, by=by, subject=str(letter.answer_id))
    return new_id


async def drop(engine: AsyncEngine, letter: Letter, by: int | None) -> bool:
    """Close a letter for good; the apology stays where it is. Return whether it was still open."""
    return await Alone(engine).run(_DROP, id=letter.answer_id, by=by) > 0
