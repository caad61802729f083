"""The record: questions accepted, answers given, messages shown. PostgreSQL is where nod's promises are kept.

Every function is one or two short transactions; none holds a connection while anything else is awaited.
"""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from nod.attempts import ending
from nod.connect import Alone
from nod.contracts import (
    PRIVATE_THREAD,
    Accepted,
    Answer,
    Citation,
    Outcome,
    Part,
    Person,
    Place,
    Question,
    Route,
    ShownMessage,
    Source,
    Turn,
)
from nod.errors import NotFoundError
from nod.heartbeat import DEAD_SECONDS
from nod.logs import log

_log = log(__name__)

_PERSON = """
        INSERT INTO persons (pseudonym, platform, workspace, external_id, name, language)
        SELECT :pseudonym, :p_platform, :p_workspace, :p_external_id, :p_name, :p_language {condition}
        ON CONFLICT (platform, workspace, external_id) DO UPDATE
           SET name = coalesce(nullif(excluded.name, ''), persons.name), language = coalesce(excluded.language, persons.language)
        RETURNING person_id, name, language"""

_ACCEPT = f"""
    WITH known AS (
        SELECT question_id, answer_id, q.conversation_id FROM questions q JOIN answers a USING (question_id)
         WHERE q.platform = :platform AND q.workspace = :workspace AND q.channel = :channel AND q.message_id = :message_id
         ORDER BY a.version DESC LIMIT 1),
    person AS ({_PERSON.format(condition="WHERE NOT EXISTS (SELECT FROM known)")}),
    conversation AS (
        INSERT INTO conversations (platform, workspace, channel, thread, visibility, opened_by, last_position)
        SELECT :platform, :workspace, :channel, :thread, :visibility, person_id, 1 FROM person
        ON CONFLICT (platform, workspace, channel, thread) DO UPDATE
           SET last_position = conversations.last_position + 1, visibility = excluded.visibility, deleted_at = NULL
        RETURNING conversation_id, last_position),
    question AS (
        INSERT INTO questions (conversation_id, platform, workspace, channel, thread, message_id, person_id, text, language, visibility,
                               files, scopes, route, asked_at)
        SELECT conversation_id, :platform, :workspace, :channel, :thread, :message_id, person_id, :text, :language, :visibility,
               CAST(:files AS jsonb), CAST(:scopes AS jsonb), CAST(:route AS jsonb), :asked_at FROM person, conversation
        ON CONFLICT (platform, workspace, channel, message_id) DO NOTHING
        RETURNING question_id),
    answer AS (
        INSERT INTO answers (question_id, conversation_id, person_id, platform, version, position, delivery_id)
        SELECT question_id, conversation_id, person_id, :platform, 1, last_position, :delivery_id FROM question, person, conversation
        RETURNING answer_id, accepted_at)
    SELECT question_id, answer_id, conversation_id, person_id, name, person.language, last_position, accepted_at
      FROM question, answer, conversation, person
    UNION ALL SELECT question_id, answer_id, conversation_id, NULL, NULL, NULL, NULL, NULL FROM known"""  # noqa: S608  # our own fragment

_NEW_ANSWER = text("""
    INSERT INTO answers (question_id, conversation_id, person_id, platform, version, position, delivery_id)
         VALUES (:question_id, :conversation_id, :person_id, :platform, :version, :position, :delivery_id)
    RETURNING answer_id""")

_ANSWER = """
    SELECT a.answer_id, a.question_id, a.conversation_id, a.person_id, a.version, a.position, a.attempt, a.strikes, a.status,
           coalesce(a.text, '') AS text, a.sources, a.citations, a.notices, a.error, a.model, a.accepted_at, a.answered_at,
           a.first_shown_at, a.shown_at, a.stopped_at, q.platform, q.workspace, q.channel, q.thread, q.visibility, q.text AS question,
           q.language, q.route, q.files, p.platform AS p_platform, p.workspace AS p_workspace,
           coalesce(p.external_id, '') AS p_external_id, p.name AS p_name, p.language AS p_language
      FROM answers a JOIN questions q USING (question_id) JOIN persons p ON p.person_id = a.person_id"""

_FINISHED = """
    UPDATE answers a SET status = :status, text = :text, sources = CAST(:sources AS jsonb),
           citations = CAST(:citations AS jsonb), withheld = CAST(:withheld AS jsonb), notices = CAST(:notices AS jsonb),
           error = :error, messages = CAST(:messages AS jsonb), prompt_hash = :prompt_hash, context_hash = :context_hash,
           prompt_version = :prompt_version,
           model = :model, parameters = CAST(:parameters AS jsonb), passages = CAST(:passages AS jsonb),
           tool_calls = CAST(:tool_calls AS jsonb), tokens_in = :tokens_in, tokens_out = :tokens_out, cost_usd = :cost_usd,
           first_token_at = :first_token_at, answered_at = now(), process_id = NULL,
           stopped_at = CASE WHEN :stopped THEN now() END,
           shown_at = CASE WHEN platform IN ('web', 'cli') THEN now() END
     WHERE answer_id = :answer_id AND attempt = :attempt AND status = 'running'"""
_FINISH = ending(_FINISHED, outcome="a.status", error="a.error")

# What waits ends at once, with nothing said; what runs is ended by its worker, which keeps what was said.
_STOP = """
    UPDATE answers a SET stop_requested_at = coalesce(a.stop_requested_at, now()),
           status = CASE WHEN a.status = 'waiting' THEN 'withdrawn' ELSE a.status END,
           stopped_at = CASE WHEN a.status = 'waiting' THEN now() END, answered_at = CASE WHEN a.status = 'waiting' THEN now() END,
           shown_at = CASE WHEN a.status = 'waiting' AND a.platform IN ('web', 'cli') THEN now() END"""

_STOP_ALL = f"""
    WITH theirs AS (
        SELECT a.answer_id FROM answers a JOIN questions q USING (question_id) JOIN persons p ON p.person_id = a.person_id
         WHERE p.pseudonym = :pseudonym AND q.platform = :platform AND q.channel = :channel
           AND (CAST(:thread AS text) = '' OR :thread IN (q.thread, q.message_id))
           AND q.asked_at <= coalesce(CAST(:at AS timestamptz), now())
           AND (a.status IN ('waiting', 'running') OR a.answered_at >= CAST(:at AS timestamptz))),
    stopped AS ({_STOP} FROM theirs WHERE a.answer_id = theirs.answer_id AND a.status IN ('waiting', 'running'))
    SELECT count(*) AS meant FROM theirs"""  # noqa: S608  # our own update

# The same row goes on, its version one higher: nothing was answered yet, so it keeps its place in the conversation and its
# messages. Waiting again it is claimed as the next attempt, and the one that answers the old text has lost its claim.
_EDIT = """
    WITH open AS (
        SELECT a.answer_id, q.question_id FROM answers a JOIN questions q USING (question_id)
         WHERE q.platform = :platform AND q.workspace = :workspace AND q.channel = :channel AND q.message_id = :message_id
           AND q.text <> :text AND a.status IN ('waiting', 'running') AND a.stop_requested_at IS NULL
           FOR UPDATE OF a, q),
    asked AS (UPDATE questions q SET text = :text, language = :language FROM open WHERE q.question_id = open.question_id),
    ended AS (
        UPDATE attempts t SET ended_at = now(), outcome = 'edited' FROM open
         WHERE t.answer_id = open.answer_id AND t.ended_at IS NULL)
    UPDATE answers a SET status = 'waiting', process_id = NULL, due_at = now(), version = a.version + 1
      FROM open WHERE a.answer_id = open.answer_id"""

_WITHDRAW = """
    WITH open AS (
        UPDATE answers a SET status = 'withdrawn', process_id = NULL, answered_at = now() FROM questions q
         WHERE q.question_id = a.question_id AND a.status IN ('waiting', 'running')
           AND q.platform = :platform AND q.workspace = :workspace AND q.channel = :channel AND q.message_id = ANY(:message_ids)
        RETURNING a.answer_id),
    ended AS (
        UPDATE attempts t SET ended_at = now(), outcome = 'withdrawn' FROM open
         WHERE t.answer_id = open.answer_id AND t.ended_at IS NULL)
    SELECT count(*) AS ended FROM open"""

_IS_ITS_TURN = """
    SELECT NOT EXISTS (
        SELECT FROM answers a WHERE a.conversation_id = :id AND a.position < :position AND a.shown_at IS NULL AND a.status <> 'withdrawn'
           AND a.superseded_at IS NULL AND a.deleted_at IS NULL
           AND NOT EXISTS (SELECT FROM answer_messages m WHERE m.answer_id = a.answer_id AND m.message_id IS NOT NULL)) AS is_its_turn"""


class Record:
    """The record in PostgreSQL. `secret` makes pseudonyms; it never changes once there are persons.

    What is asked is accepted on the connections of `intake`, if it is given.
    """

    def __init__(self, engine: AsyncEngine, secret: str, intake: AsyncEngine | None = None) -> None:
        self.engine = engine
        self._alone = Alone(engine)
        self._intake = Alone(intake or engine)
        self._prompt_versions: set[str] = set()  # which this process has kept
        self._secret = secret.encode()

    # ── intake ──

    async def accept(self, question: Question, delivery_id: UUID | None = None) -> Accepted:
        """Commit a question with its first answer, waiting; heard before, return what was committed then.

        One statement. It locks the conversation before it adds the question, so positions in a conversation follow the order of commits.
        Raises NotFoundError for a question that was erased.
        """
        place = question.place
        values = {
            **self._person(question.person),
            "platform": place.platform, "workspace": place.workspace, "channel": place.channel, "thread": place.thread,
            "visibility": place.visibility, "message_id": question.message_id, "text": question.text, "language": question.language,
            "files": _json([f.model_dump(mode="json") for f in question.files]), "scopes": _json(list(question.scopes)),
            "route": question.route.model_dump_json(), "asked_at": question.asked_at, "delivery_id": delivery_id,
        }  # fmt: skip
        for _ in range(2):  # once more when another process was just accepting the same message
            if row := await self._intake.row(_ACCEPT, **values):
                return _accepted_from(row, question)
        raise NotFoundError(f"What was asked in message {question.message_id} was erased.")

    async def again(self, answer_id: UUID, delivery_id: UUID | None = None) -> UUID | None:
        """Open the next version of an answer (Retry, another answer) at the end of its conversation; return its id.

        None when a version is already open: pressing twice is pressing once. An apology's message goes on as the new version's.
        """
        async with self.engine.begin() as db:
            old = (
                await db.execute(
                    text("""
                        UPDATE conversations c SET last_position = last_position + 1 FROM answers a
                         WHERE a.answer_id = :answer_id AND c.conversation_id = a.conversation_id
                        RETURNING c.last_position, a.question_id, a.conversation_id, a.person_id, a.platform, a.status"""),
                    {"answer_id": answer_id},
                )
            ).first()
            if not old:
                raise NotFoundError(f"There is no answer {answer_id}.")
            newest = (
                await db.execute(
                    text("SELECT answer_id, version, status FROM answers WHERE question_id = :q ORDER BY version DESC LIMIT 1"),
                    {"q": old.question_id},
                )
            ).one()
            if newest.status in ("waiting", "running"):
                await db.rollback()
                return None
            new_id: UUID = (
                await db.execute(
                    _NEW_ANSWER,
                    {
                        "question_id": old.question_id, "conversation_id": old.conversation_id, "person_id": old.person_id,
                        "platform": old.platform, "version": newest.version + 1, "position": old.last_position, "delivery_id": delivery_id,
                    },
                )
            ).scalar_one()  # fmt: skip
            await db.execute(
                text("UPDATE answers SET superseded_at = now() WHERE question_id = :q AND answer_id <> :new AND superseded_at IS NULL"),
                {"q": old.question_id, "new": new_id},
            )
            if newest.status == "failed":
                await _hand_over_messages(db, newest.answer_id, new_id)
        return new_id

    async def stop(self, answer_id: UUID, person_id: int | None = None) -> bool:
        """Ask for an answer to end now; return whether it was still open. With `person_id`, only its asker may."""
        stopped = await self._alone.run(
            f"""{_STOP}
                WHERE answer_id = :answer_id AND status IN ('waiting', 'running')
                  AND (CAST(:person_id AS bigint) IS NULL OR person_id = :person_id)""",
            answer_id=answer_id, person_id=person_id,
        )  # fmt: skip
        return stopped > 0

    async def stop_all(self, person: Person, channel: str, *, thread: str = "", at: datetime | None = None) -> int:
        """Ask for all open answers of a person in a channel to end now, or those of one conversation; return how many there were.

        With `at`, when they said so, only what was asked before is meant, and what ended since counts: heard twice or late it is the same.
        """
        found = await self._alone.row(
            _STOP_ALL, platform=person.platform, channel=channel, pseudonym=self.pseudonym(person), thread=thread, at=at
        )
        return int(found.meant)

    async def edit(self, place: Place, message_id: str, new_text: str, language: str) -> bool:
        """Answer a question anew, in its place and messages, because its asker changed it; False when it says the same or is answered."""
        where = {"platform": place.platform, "workspace": place.workspace, "channel": place.channel, "message_id": message_id}
        return await self._alone.run(_EDIT, **where, text=new_text, language=language) > 0

    async def withdraw(self, place: Place, message_ids: Sequence[str]) -> int:
        """End the open answers to questions that were deleted, without a word; return how many there were."""
        where = {"platform": place.platform, "workspace": place.workspace, "channel": place.channel}
        return int((await self._alone.row(_WITHDRAW, **where, message_ids=list(message_ids))).ended)

    async def is_first_direct(self, question_id: UUID) -> bool:
        """Return whether a question is the first one its person asked in a direct message."""
        found = await self._alone.row(
            """
            SELECT NOT EXISTS (SELECT 1 FROM questions o WHERE o.person_id = q.person_id AND o.visibility = 'direct'
                                  AND o.question_id <> q.question_id) AS is_first
              FROM questions q WHERE q.question_id = :id AND q.visibility = 'direct'""",
            id=question_id,
        )
        return bool(found and found.is_first)

    # ── answering ──

    async def finish(self, answer_id: UUID, attempt: int, outcome: Outcome) -> bool:
        """Commit how an attempt ended, with all that stood behind it; False when another attempt holds the answer: say nothing then."""
        made = outcome.provenance
        if made.prompt_version and made.prompt_version not in self._prompt_versions:
            await self._keep_prompt_version(outcome)
        ended = await self._alone.row(
            _FINISH,
            answer_id=answer_id, attempt=attempt, status=outcome.status, text=outcome.text, error=outcome.error,
            sources=_json([s.model_dump(mode="json") for s in outcome.sources]),
            citations=_json([c.model_dump(mode="json") for c in outcome.citations]),
            withheld=_json(made.withheld) if made.withheld else None, notices=_json(list(outcome.notices)),
            messages=_json(made.messages), prompt_hash=made.prompt_hash if made.messages else None,
            context_hash=made.context_hash or None, prompt_version=made.prompt_version or None, model=made.model or None,
            parameters=_json(made.parameters), passages=_json(made.passages), tool_calls=_json(made.tool_calls),
            tokens_in=made.tokens_in, tokens_out=made.tokens_out, cost_usd=made.cost_usd,
            first_token_at=made.first_token_at, stopped=outcome.stopped,
        )  # fmt: skip
        return ended is not None

    async def _keep_prompt_version(self, outcome: Outcome) -> None:
        made = outcome.provenance
        system = next((str(m.get("content", "")) for m in made.messages if m.get("role") == "system"), "")
        await self._alone.run(
            """
            INSERT INTO prompt_versions (prompt_version, system_prompt, tools, parameters)
                 VALUES (:version, :system, CAST(:tools AS jsonb), CAST(:parameters AS jsonb)) ON CONFLICT DO NOTHING""",
            version=made.prompt_version, system=system, tools=_json(made.tools), parameters=_json(made.parameters),
        )  # fmt: skip
        self._prompt_versions.add(made.prompt_version)

    async def keep_gap(self, question_id: UUID, scope: str, language: str) -> None:
        """Keep that nothing nod may show answers a question, and who would see what is taught about it. Kept twice it is there once.

        What was asked in a private thread is the thread's alone, whatever `scope` says: its channel has other readers.
        """
        await self._alone.run(
            """
            INSERT INTO knowledge_gaps (question_id, scope, language)
            SELECT question_id, CASE WHEN visibility = 'private' AND route->'extra' ? :private_thread
                                     THEN concat_ws(':', 'thread', platform, channel, thread) ELSE :scope END, :language
              FROM questions WHERE question_id = :id ON CONFLICT DO NOTHING""",
            id=question_id, scope=scope, language=language, private_thread=PRIVATE_THREAD,
        )  # fmt: skip

    async def answer(self, answer_id: UUID) -> Answer:
        """Return one answer. Raises NotFoundError."""
        if found := await self._answers("WHERE a.answer_id = :id", id=answer_id):
            return found[0]
        raise NotFoundError(f"There is no answer {answer_id}.")

    async def answers_in(self, conversation_id: UUID, limit: int = 200) -> list[Answer]:
        """Return the last answers of a conversation, oldest first, superseded versions left out."""
        found = await self._answers(
            "WHERE a.conversation_id = :id AND a.superseded_at IS NULL AND a.deleted_at IS NULL ORDER BY a.position DESC LIMIT :limit",
            id=conversation_id, limit=limit,
        )  # fmt: skip
        return found[::-1]

    async def turns(self, conversation_id: UUID, before_position: int, limit: int = 100) -> list[Turn]:
        """Return what was said in a conversation before a position, oldest first: what memory is rebuilt from."""
        found = await self._answers(
            """WHERE a.conversation_id = :id AND a.position < :before AND a.status = 'answered' AND a.superseded_at IS NULL
                 AND a.deleted_at IS NULL ORDER BY a.position DESC LIMIT :limit""",
            id=conversation_id, before=before_position, limit=limit,
        )  # fmt: skip
        return [turn for answer in reversed(found) for turn in turns_of(answer)]

    async def positions(self, conversation_id: UUID, before_position: int, limit: int = 100) -> list[int]:
        """Return the positions of the last turns that memory may hold before answering at a position, in order."""
        found = await self._alone.rows(
            """
            SELECT position FROM answers WHERE conversation_id = :id AND position < :before
               AND status = 'answered' AND superseded_at IS NULL AND deleted_at IS NULL ORDER BY position DESC LIMIT :limit""",
            id=conversation_id, before=before_position, limit=limit,
        )  # fmt: skip
        return [row.position for row in found][::-1]

    async def _answers(self, where: str, **values: object) -> list[Answer]:
        return [answer_from(row) for row in await self._alone.rows(f"{_ANSWER} {where}", **values)]

    # ── showing ──

    async def undelivered(self, platform: str, process_id: UUID, limit: int = 500) -> list[Answer]:
        """Take over the delivery of answers which no living process shows; return what this process has to show, what waits last."""
        await self._alone.run(
            """
            UPDATE answers SET delivery_id = :me WHERE answer_id IN (
                SELECT answer_id FROM answers a WHERE platform = :platform AND shown_at IS NULL
                   AND (delivery_id IS NULL OR (delivery_id <> :me AND NOT EXISTS (
                        SELECT 1 FROM processes p WHERE p.process_id = a.delivery_id AND p.seen_at > now() - make_interval(secs => :dead))))
                 ORDER BY accepted_at LIMIT :limit FOR UPDATE SKIP LOCKED)""",
            platform=platform, me=process_id, limit=limit, dead=DEAD_SECONDS,
        )  # fmt: skip
        return await self._answers(
            "WHERE a.platform = :platform AND a.shown_at IS NULL AND a.delivery_id = :me "
            "ORDER BY a.status = 'waiting', a.accepted_at LIMIT :limit",
            platform=platform, me=process_id, limit=limit,
        )  # fmt: skip

    async def is_its_turn(self, answer: Answer) -> bool:
        """Return whether nothing that was asked before it in its conversation is still without a message: people read downwards."""
        return (await self._alone.row(_IS_ITS_TURN, id=answer.conversation_id, position=answer.position)).is_its_turn

    async def parts(self, answer_id: UUID) -> list[Part]:
        """Return the messages that show an answer now, in order."""
        rows = await self._alone.rows(
            """
            SELECT answer_id, part, channel, message_id, mode, planned_at, shown_from FROM answer_messages
             WHERE answer_id = :id AND shown_to IS NULL ORDER BY part""",
            id=answer_id,
        )
        return [Part(**row._asdict()) for row in rows]

    async def plan_part(self, answer_id: UUID, part: int, channel: str, mode: str = "post") -> None:
        """Write down that a message is about to be posted: a plan without an id has an unknown outcome after a crash."""
        await self._alone.run(
            """
            INSERT INTO answer_messages (answer_id, part, platform, channel, mode)
            SELECT :id, :part, platform, :channel, :mode FROM answers WHERE answer_id = :id
            ON CONFLICT (answer_id, part) WHERE shown_to IS NULL
            DO UPDATE SET channel = excluded.channel, mode = excluded.mode, planned_at = now()""",
            id=answer_id, part=part, channel=channel, mode=mode,
        )  # fmt: skip

    async def name_part(self, answer_id: UUID, part: int, message_id: str, mode: str | None = None) -> None:
        """Write down the platform's id of a message, and from when it is shown."""
        await self._alone.run(
            """
            WITH part AS (UPDATE answer_messages SET message_id = :message, mode = coalesce(CAST(:mode AS text), mode),
                                 shown_from = coalesce(shown_from, now())
                           WHERE answer_id = :id AND part = :part AND shown_to IS NULL)
            UPDATE answers SET first_shown_at = now() WHERE answer_id = :id AND first_shown_at IS NULL""",
            id=answer_id, part=part, message=message_id, mode=mode,
        )  # fmt: skip

    async def first_shown(self, answer_id: UUID) -> None:
        """Write down that the first sign of an answer can be seen (where it is no message of its own); without waiting for the disk."""
        await self._alone.run(
            """
            UPDATE answers SET first_shown_at = now() FROM (SELECT set_config('synchronous_commit', 'off', TRUE)) AS soon
             WHERE answer_id = :id AND first_shown_at IS NULL""",
            id=answer_id,
        )

    async def drop_parts(self, answer_id: UUID, from_part: int) -> None:
        """Close the parts from a number on: they are no longer shown."""
        await self._alone.run(
            "UPDATE answer_messages SET shown_to = now() WHERE answer_id = :id AND part >= :part AND shown_to IS NULL",
            id=answer_id, part=from_part,
        )  # fmt: skip

    async def confirm(self, answer_id: UUID, process_id: UUID) -> bool:
        """Write down that the final text is shown, without waiting for the disk; False when another process delivers this answer by now."""
        confirmed = await self._alone.run(
            """
            UPDATE answers SET shown_at = now() FROM (SELECT set_config('synchronous_commit', 'off', TRUE)) AS soon
             WHERE answer_id = :id AND delivery_id = :me
               AND shown_at IS NULL AND status IN ('answered', 'failed', 'withdrawn')""",
            id=answer_id, me=process_id,
        )  # fmt: skip
        return confirmed > 0

    async def shown_by(self, platform: str, channel: str, message_id: str) -> UUID | None:
        """Return the answer which a platform message shows now."""
        found = await self._alone.row(
            """
            SELECT answer_id FROM answer_messages WHERE platform = :platform AND channel = :channel
               AND message_id = :message AND shown_to IS NULL""",
            platform=platform, channel=channel, message=message_id,
        )  # fmt: skip
        return found.answer_id if found else None

    async def recent_messages(self, platform: str, hours: float, limit: int) -> list[ShownMessage]:
        """Return the messages that show answers now, the newest first, which were posted in the last hours."""
        rows = await self._alone.rows(
            """
            SELECT m.channel, m.message_id, q.workspace FROM answer_messages m JOIN answers a USING (answer_id)
              JOIN questions q USING (question_id)
             WHERE m.platform = :platform AND m.shown_to IS NULL AND m.message_id IS NOT NULL
               AND m.shown_from > now() - make_interval(secs => :seconds)
             ORDER BY m.shown_from DESC LIMIT :limit""",
            platform=platform, seconds=hours * 3600, limit=limit,
        )  # fmt: skip
        return [ShownMessage(**row._asdict()) for row in rows]

    async def known_messages(self, platform: str, channel: str, message_ids: Sequence[str]) -> set[str]:
        """Return which of these platform messages are already known to show an answer."""
        rows = await self._alone.rows(
            "SELECT message_id FROM answer_messages WHERE platform = :platform AND channel = :channel AND message_id = ANY(:ids)",
            platform=platform, channel=channel, ids=list(message_ids),
        )  # fmt: skip
        return {row.message_id for row in rows}

    # ── people, places ──

    async def person_id(self, db: AsyncConnection, person: Person) -> int:
        """Return the number of a person, who is added at first sight."""
        row = await db.execute(text(_PERSON.format(condition="")), self._person(person))
        return int(row.scalar_one())

    def _person(self, person: Person) -> dict[str, str | None]:
        return {
            "pseudonym": self.pseudonym(person), "p_platform": person.platform, "p_workspace": person.workspace,
            "p_external_id": person.external_id, "p_name": person.name, "p_language": person.language,
        }  # fmt: skip

    def pseudonym(self, person: Person) -> str:
        """Return the name under which a person appears everywhere but in `persons`: a keyed hash, the same for ever."""
        key = f"{person.platform}:{person.workspace}:{person.external_id}"
        return "u_" + hmac.new(self._secret, key.encode(), "sha256").hexdigest()[:16]

    async def seen_message(self, platform: str, workspace: str, channel: str, message_id: str) -> None:
        """Remember the last message heard in a channel, for catching up after a restart."""
        await self._alone.run(
            """
            INSERT INTO seen_messages (platform, workspace, channel, message_id)
            SELECT :platform, :workspace, :channel, :message FROM (SELECT set_config('synchronous_commit', 'off', TRUE)) AS soon
            ON CONFLICT (platform, workspace, channel) DO UPDATE SET message_id = excluded.message_id, seen_at = now()""",
            platform=platform, workspace=workspace, channel=channel, message=message_id,
        )  # fmt: skip

    async def seen_messages(self, platform: str) -> dict[str, tuple[str, datetime]]:
        """Return, per channel, the last message heard and when."""
        rows = await self._alone.rows(
            "SELECT channel, message_id, seen_at FROM seen_messages WHERE platform = :platform", platform=platform
        )
        return {row.channel: (row.message_id, row.seen_at) for row in rows}


def turns_of(answer: Answer) -> tuple[Turn, Turn]:
    """Return a question and its answer as two turns of memory."""
    return (
        Turn(role="user", text=answer.question, position=answer.position),
        Turn(role="assistant", text=answer.text, position=answer.position),
    )


async def _hand_over_messages(db: AsyncConnection, old: UUID, new: UUID) -> None:
    await db.execute(
        text("""
            WITH closed AS (UPDATE answer_messages SET shown_to = now() WHERE answer_id = :old AND shown_to IS NULL
                            RETURNING part, platform, channel, message_id, mode)
            SELECT * FROM closed"""),
        {"old": old},
    )
    await db.execute(
        text("""
            INSERT INTO answer_messages (answer_id, part, platform, channel, message_id, mode, shown_from)
            SELECT :new, part, platform, channel, message_id, mode, now() FROM answer_messages
             WHERE answer_id = :old AND shown_to = now()"""),
        {"old": old, "new": new},
    )


def _accepted_from(row: Any, question: Question) -> Accepted:
    ids = {"question_id": row.question_id, "answer_id": row.answer_id, "conversation_id": row.conversation_id}
    if row.person_id is None:
        return Accepted(**ids)
    person = question.person.model_copy(update={"name": row.name, "language": row.language})
    answer = Answer(
        **ids, person_id=row.person_id, person=person, place=question.place, route=question.route, question=question.text,
        language=question.language, version=1, position=row.last_position, attempt=0, strikes=0, status="waiting",
        accepted_at=row.accepted_at,
    )  # fmt: skip
    return Accepted(**ids, answer=answer)


def answer_from(row: Any) -> Answer:
    """Convert a row of the answers query."""
    values = row._asdict()
    return Answer(
        **{name: values[name] for name in Answer.model_fields if name in values and name not in ("route", "sources", "citations")},
        person=_person_from(values),
        place=_place_from(values),
        route=Route.model_validate(values["route"]),
        sources=tuple(Source.model_validate(source) for source in values["sources"]),
        citations=tuple(Citation.model_validate(citation) for citation in values["citations"]),
    )


def _person_from(values: dict[str, Any]) -> Person:
    return Person(
        platform=values["p_platform"], workspace=values["p_workspace"], external_id=values["p_external_id"], name=values["p_name"],
        language=values["p_language"],
    )  # fmt: skip


def _place_from(values: dict[str, Any]) -> Place:
    return Place(**{name: values[name] for name in ("platform", "workspace", "channel", "thread", "visibility")})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
