"""One question's life, in order: what happened when, to which answer, by whom."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from nod.connect import Alone
from nod.contracts import Contract, PlatformName, Status, code_from
from nod.errors import NotFoundError
from nod.saying import say

_CODE = re.compile(r"q-([0-9a-f]{8})", re.IGNORECASE)
_SLACK = re.compile(r"https?://[^/]+/archives/(?P<channel>\w+)/p(?P<seconds>\d{9,11})(?P<micros>\d{6})/?(?:[?#].*)?")
_DISCORD = re.compile(r"https?://[^/]+/channels/(?:\d+|@me)/(?P<channel>\d+)/(?P<message>\d+)/?(?:[?#].*)?")

_BY_ID = "SELECT question_id FROM answers WHERE answer_id = :id UNION SELECT question_id FROM questions WHERE question_id = :id"
_BY_CODE = "SELECT question_id FROM questions WHERE question_id BETWEEN :first AND :last ORDER BY accepted_at DESC"
_BY_MESSAGE = """
    SELECT question_id FROM (
        SELECT question_id, accepted_at AS at FROM questions
         WHERE platform = :platform AND message_id = :message AND :channel IN (channel, thread, route ->> 'channel')
        UNION ALL
        SELECT a.question_id, m.planned_at FROM answer_messages m JOIN answers a USING (answer_id)
         WHERE m.platform = :platform AND m.channel = :channel AND m.message_id = :message) found
     ORDER BY at DESC LIMIT 1"""

_QUESTION = """
    SELECT q.question_id, q.platform, q.workspace, q.channel, q.thread, q.visibility, q.language, p.pseudonym AS who,
           CASE WHEN q.visibility = 'direct' AND q.platform IN ('slack', 'discord') THEN NULL ELSE q.text END AS question
      FROM questions q LEFT JOIN persons p USING (person_id) WHERE question_id = :id"""
_VERSIONS = "SELECT answer_id, version, status, attempt, strikes, error FROM answers WHERE question_id = :id ORDER BY version"

# `rank` orders what happened in the same statement, and therefore at the same time.
_EVENTS = """
    WITH a AS (SELECT * FROM answers WHERE question_id = :id)
    SELECT at, what, version, attempt, detail FROM (
        SELECT asked_at AS at, 0 AS rank, 'asked' AS what, NULL::int AS version, NULL::int AS attempt, '{}'::jsonb AS detail
          FROM questions WHERE question_id = :id
        UNION ALL SELECT accepted_at, 1, CASE version WHEN min(version) OVER () THEN 'accepted' ELSE 'opened_again' END, version, NULL, '{}'
                    FROM a
        UNION ALL SELECT t.claimed_at, 2, 'claimed', a.version, t.attempt,
                         jsonb_build_object('process_id', t.process_id, 'role', t.role, 'host', t.host, 'pid', t.pid)
                    FROM attempts t JOIN a USING (answer_id)
        UNION ALL SELECT claimed_at, 2, 'claimed', version, attempt, jsonb_build_object('process_id', process_id)
                    FROM a WHERE claimed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attempts t WHERE t.answer_id = a.answer_id)
        UNION ALL SELECT first_token_at, 3, 'first_token', version, attempt, '{}' FROM a
        UNION ALL SELECT t.ended_at, 4, t.outcome, a.version, t.attempt, jsonb_build_object('error', t.error)
                    FROM attempts t JOIN a USING (answer_id) WHERE t.outcome IN ('strike', 'released', 'taken', 'edited')
        UNION ALL SELECT stop_requested_at, 4, 'stop_asked', version, NULL, '{}' FROM a
        UNION ALL SELECT answered_at, 5, status, version, attempt,
                         jsonb_build_object('error', error, 'model', model, 'tokens_in', tokens_in, 'tokens_out', tokens_out,
                                            'cost_usd', cost_usd, 'is_stopped', stopped_at IS NOT NULL) FROM a
        UNION ALL SELECT m.shown_from, 6, 'message', a.version, NULL,
                         jsonb_build_object('part', m.part, 'channel', m.channel, 'message_id', m.message_id, 'mode', m.mode)
                    FROM answer_messages m JOIN a USING (answer_id)
        UNION ALL SELECT m.shown_to, 6, 'message_left', a.version, NULL,
                         jsonb_build_object('part', m.part, 'channel', m.channel, 'message_id', m.message_id)
                    FROM answer_messages m JOIN a USING (answer_id)
        UNION ALL SELECT first_shown_at, 7, 'first_shown', version, NULL, '{}' FROM a
        UNION ALL SELECT shown_at, 8, 'confirmed', version, NULL, '{}' FROM a
        UNION ALL SELECT v.at, 9, 'vote_' || v.kind, a.version, NULL,
                         jsonb_build_object('value', v.value, 'source', v.source, 'who', p.pseudonym)
                    FROM vote_events v JOIN a USING (answer_id) JOIN persons p ON p.person_id = v.person_id
        UNION ALL SELECT r.created_at, 9, 'reviewed', a.version, NULL, jsonb_build_object('verdict', r.verdict)
                    FROM reviews r JOIN a USING (answer_id)
        UNION ALL SELECT dropped_at, 9, 'dropped', version, NULL, '{}' FROM a
        UNION ALL SELECT deleted_at, 9, 'deleted', version, NULL, '{}' FROM a
    ) happened WHERE at IS NOT NULL ORDER BY at, rank, version, attempt"""


class Happened(Contract):
    """One thing that happened; `version` says to which answer, `attempt` in which try."""

    at: datetime
    what: str
    version: int | None
    attempt: int | None
    detail: dict[str, Any]


class Version(Contract):
    """One answer to the question, as it stands now."""

    answer_id: UUID
    version: int
    status: Status
    attempt: int
    strikes: int
    error: str | None


class Life(Contract):
    """A question and all that happened to it. `question` is None where it was asked in a direct message of a chat."""

    question_id: UUID
    platform: PlatformName
    workspace: str
    channel: str
    thread: str
    visibility: str
    language: str
    who: str | None
    question: str | None
    versions: tuple[Version, ...]
    events: tuple[Happened, ...]

    @property
    def code(self) -> str:
        """The short id which people read and quote."""
        return code_from(self.question_id)


async def life_of(engine: AsyncEngine, name: str) -> Life:
    """Return the life of the question which a link to a message, a code or an id names. Raises NotFoundError."""
    db = Alone(engine)
    question_id = await question_named(db, name)
    question, versions, events = [await db.rows(statement, id=question_id) for statement in (_QUESTION, _VERSIONS, _EVENTS)]
    return Life(
        **question[0]._asdict(),
        versions=tuple(Version(**row._asdict()) for row in versions),
        events=tuple(Happened(**row._asdict()) for row in events),
    )


async def question_named(db: Alone, name: str) -> UUID:
    """Return the question which a link to a message, a code or an id names. Raises NotFoundError for none, and for several."""
    name = name.strip()
    if link := message_from(name):
        platform, channel, message = link
        found = await db.rows(_BY_MESSAGE, platform=platform, channel=channel, message=message)
        missing = "trace.no_message"
    elif code := _CODE.fullmatch(name):
        ends = {"first": UUID(f"{code[1]}{'0' * 24}"), "last": UUID(f"{code[1]}{'f' * 24}")}
        found = await db.rows(_BY_CODE, **ends)
        missing = "trace.no_code"
    else:
        found = await db.rows(_BY_ID, id=_id_from(name))
        missing = "trace.no_id"
    if not found:
        raise NotFoundError(say(missing, name=name))
    if len(found) > 1:
        raise NotFoundError(say("trace.several", name=name, ids=", ".join(str(row.question_id) for row in found)))
    return found[0].question_id


def message_from(link: str) -> tuple[PlatformName, str, str] | None:
    """Return platform, channel and message id of a link to a message in Slack or Discord; None for anything else."""
    if found := _SLACK.fullmatch(link):
        return "slack", found["channel"], f"{found['seconds']}.{found['micros']}"
    if found := _DISCORD.fullmatch(link):
        return "discord", found["channel"], found["message"]
    return None


def _id_from(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError:
        raise NotFoundError(say("trace.no_name", name=name)) from None
