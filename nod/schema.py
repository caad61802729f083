"""The tables of the record. Rows point at persons by number; the platform's own id of a person stands in `persons` alone."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "%(column_0_label)s_index", "uq": "%(table_name)s_%(column_0_name)s_key", "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s_fkey", "pk": "%(table_name)s_pkey",
    }
)  # fmt: skip


def _at(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required, server_default=func.now() if required else None)


def _json(name: str, empty: str = "[]") -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'::jsonb"))


def _one_of(column: str, *words: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(word) for word in words)})", name=f"{column}_known")


class HalfVector(UserDefinedType[str]):
    """pgvector's vector of two bytes a number, of any length; read and written as text such as `[0.5,-1]`."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name in SQL."""
        return "halfvec"


ischema_names["halfvec"] = HalfVector  # pyright: ignore[reportArgumentType]  # its values are typed as the types that it begins with


def _number() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


PLATFORMS = ("slack", "discord", "web", "cli")

# ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────

persons = Table(
    "persons", metadata,
    Column("person_id", BigInteger, Identity(always=True), primary_key=True),
    Column("pseudonym", Text, nullable=False),  # made from what is unique below
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("external_id", Text),  # null after erasure
    Column("name", Text, nullable=False, server_default=""),
    Column("language", Text),
    Column("consent", Text, nullable=False, server_default="unset"),
    _at("consent_at"),
    _at("created_at", required=True),
    _at("erased_at"),
    UniqueConstraint("platform", "workspace", "external_id"),
    Index("persons_by_pseudonym", "pseudonym"),
    _one_of("platform", *PLATFORMS),
    _one_of("consent", "unset", "granted", "refused"),
)  # fmt: skip

accounts = Table(
    "accounts", metadata,
    Column("account_id", BigInteger, Identity(always=True), primary_key=True),
    Column("person_id", ForeignKey(persons.c.person_id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("language", Text),
    _at("created_at", required=True),
    _at("disabled_at"),
    _one_of("role", "admin", "reviewer", "member"),
)  # fmt: skip

sign_in_links = Table(
    "sign_in_links", metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # SHA-256: the link itself is kept nowhere
    Column("account_id", ForeignKey(accounts.c.account_id, ondelete="CASCADE"), nullable=False),
    _at("created_at", required=True),
    _at("expires_at", required=True),
    _at("used_at"),
)  # fmt: skip

sessions = Table(
    "sessions", metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey(accounts.c.account_id, ondelete="CASCADE"), nullable=False),
    Column("csrf_token", Text, nullable=False),
    _at("created_at", required=True),
    _at("seen_at", required=True),
    _at("expires_at", required=True),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    _number(),
    _at("at", required=True),
    Column("person_id", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    _json("detail", "{}"),
)  # fmt: skip

# ── questions and answers ─────────────────────────────────────────────────────────────────────────────────────────

processes = Table(
    "processes", metadata,
    Column("process_id", Uuid, primary_key=True),
    Column("role", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    _at("started_at", required=True),
    _at("seen_at", required=True),
    _json("detail", "{}"),
)  # fmt: skip

conversations = Table(
    "conversations", metadata,
    Column("conversation_id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("opened_by", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    Column("title", Text),
    Column("last_position", BigInteger, nullable=False, server_default="0"),
    _at("created_at", required=True),
    _at("deleted_at"),
    UniqueConstraint("platform", "workspace", "channel", "thread"),
    _one_of("platform", *PLATFORMS),
    Index("conversations_opened_by", "opened_by"),
)  # fmt: skip

questions = Table(
    "questions", metadata,
    Column("question_id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("conversation_id", ForeignKey(conversations.c.conversation_id, ondelete="CASCADE"), nullable=False),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("person_id", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    Column("text", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    _json("files"),
    _json("scopes"),  # searched beyond the place's audience (terminal)
    Column("route", JSONB, nullable=False),
    _at("asked_at", required=True),
    _at("accepted_at", required=True),
    UniqueConstraint("platform", "workspace", "channel", "message_id"),
    _one_of("visibility", "public", "private", "direct"),
    Index("questions_conversation", "conversation_id"),
    Index("questions_person", "person_id"),
    Index("questions_channel", "platform", "workspace", "channel", text("asked_at DESC")),
)  # fmt: skip

prompt_versions = Table(
    "prompt_versions", metadata,
    Column("prompt_version", Text, primary_key=True),  # SHA-256 of system prompt, tool schemas and parameters
    Column("system_prompt", Text, nullable=False),
    _json("tools"),
    _json("parameters", "{}"),
    _at("created_at", required=True),
)  # fmt: skip

answers = Table(
    "answers", metadata,
    Column("answer_id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("question_id", ForeignKey(questions.c.question_id, ondelete="CASCADE"), nullable=False),
    Column("conversation_id", ForeignKey(conversations.c.conversation_id, ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey(persons.c.person_id, ondelete="CASCADE"), nullable=False),
    Column("platform", Text, nullable=False),
    Column("version", SmallInteger, nullable=False, server_default="1"),
    Column("position", BigInteger, nullable=False),
    # the claim: `attempt` fences, three `strikes` end it (DESIGN.md, heartbeat and strikes)
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("strikes", SmallInteger, nullable=False, server_default="0"),
    Column("process_id", Uuid),
    Column("queue_place", Integer),  # that was told last: it never rises
    _at("accepted_at", required=True),
    _at("due_at", required=True),  # from when on it waits to be claimed
    _at("claimed_at"),
    _at("first_token_at"),
    _at("answered_at"),
    _at("stop_requested_at"),
    _at("stopped_at"),
    # what was said
    Column("text", Text),
    _json("sources"),
    _json("citations"),  # its sentences that point to sources, each with what the check of it said
    _json("notices"),
    Column("error", Text),
    # what stood behind it
    Column("messages", JSONB),
    Column("prompt_hash", LargeBinary),
    Column("context_hash", LargeBinary),
    Column("withheld", JSONB),  # what a model said that is not shown, since no source says it
    Column("prompt_version", ForeignKey(prompt_versions.c.prompt_version)),
    Column("model", Text),
    _json("parameters", "{}"),
    _json("passages"),
    _json("tool_calls"),
    Column("tokens_in", Integer),
    Column("tokens_out", Integer),
    Column("cost_usd", Numeric(12, 6)),
    Column("experiment", Text),
    Column("arm", Text),
    # delivery: which bot process shows it
    Column("delivery_id", Uuid),
    _at("first_shown_at"),
    _at("shown_at"),
    _at("superseded_at"),
    _at("deleted_at"),
    _at("content_purged_at"),
    _at("dropped_at"),  # a dead letter that an admin closed
    UniqueConstraint("question_id", "version"),
    _one_of("status", "waiting", "running", "answered", "failed", "withdrawn"),
    Index("one_running_per_conversation", "conversation_id", unique=True, postgresql_where=text("status = 'running'")),
    Index("open_answers", "conversation_id", "position", postgresql_where=text("status IN ('waiting', 'running')")),
    Index("answers_conversation", "conversation_id", "position"),
    Index("undelivered_answers", "platform", postgresql_where=text("shown_at IS NULL")),
    Index("answers_person", "person_id"),
    Index("answers_accepted", text("accepted_at DESC")),
    Index(
        "dead_letters", "answered_at",
        postgresql_where=text("status = 'failed' AND error = 'strikes' AND superseded_at IS NULL AND dropped_at IS NULL"),
    ),
)  # fmt: skip

attempts = Table(  # every claim of an answer and how it ended; written within the statements that claim and end it
    "attempts", metadata,
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("process_id", Uuid, nullable=False),
    Column("role", Text),  # role, host and pid as they were then: a process that has left is on no list any more
    Column("host", Text),
    Column("pid", Integer),
    _at("claimed_at", required=True),
    _at("ended_at"),
    Column("outcome", Text),
    Column("error", Text),
    _one_of("outcome", "answered", "failed", "withdrawn", "strike", "released", "taken", "edited"),
    Index("attempts_taken", "answer_id", postgresql_where=text("outcome = 'taken'")),
)  # fmt: skip

answer_messages = Table(
    "answer_messages", metadata,
    _number(),
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE"), nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("platform", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("message_id", Text),  # null from the plan to post until the platform has named it
    Column("mode", Text, nullable=False, server_default="post"),  # post, stream: what its platform needs to go on with it
    _at("planned_at", required=True),
    _at("shown_from"),
    _at("shown_to"),
    Index("answer_messages_part", "answer_id", "part", unique=True, postgresql_where=text("shown_to IS NULL")),
    Index(
        "answer_messages_now", "platform", "channel", "message_id",
        unique=True, postgresql_where=text("shown_to IS NULL AND message_id IS NOT NULL"),
    ),
)  # fmt: skip

requests = Table(
    "requests", metadata,
    Column("request_id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    _json("arguments", "{}"),
    Column("result", JSONB),
    _at("created_at", required=True),
    _at("deadline_at", required=True),
    _at("answered_at"),
    Index("open_requests", "answer_id", postgresql_where=text("answered_at IS NULL")),
)  # fmt: skip

budget_alerts = Table(  # what the admins of a platform are told of a day's spending, once
    "budget_alerts", metadata,
    Column("day", Date, primary_key=True),
    Column("percent", SmallInteger, primary_key=True, autoincrement=False),
    Column("platform", Text, primary_key=True),
    _at("begun_at", required=True),
    _at("told_at"),
    _one_of("platform", *PLATFORMS),
)  # fmt: skip

search_costs = Table(  # what models cost on a day (UTC) for searches, all together; what an answer cost stands with it
    "search_costs", metadata,
    Column("day", Date, primary_key=True),
    Column("usd", Numeric, nullable=False),
)  # fmt: skip

seen_messages = Table(  # the last message heard per channel, for platforms which do not send again what was missed
    "seen_messages", metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("message_id", Text, nullable=False),
    _at("seen_at", required=True),
)  # fmt: skip

# ── votes and reviews (semantics: docs, feedback) ─────────────────────────────────────────────────────────────────

signals = Table(  # last known state of every token a person can set on an answer; unset rows stay as tombstones
    "signals", metadata,
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey(persons.c.person_id, ondelete="CASCADE"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("message_id", Text, primary_key=True, server_default=""),
    Column("token", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("present", Boolean, nullable=False),
    _at("at", required=True),
    Column("event_id", Text, nullable=False),
    Index("signals_message", "message_id", "person_id", "token", postgresql_where=text("present")),
)  # fmt: skip

votes = Table(  # the one vote that counts; value null: withdrawn
    "votes", metadata,
    Column("vote_id", BigInteger, Identity(always=True), primary_key=True),
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey(persons.c.person_id, ondelete="CASCADE"), nullable=False),
    Column("value", Text),
    Column("source", Text, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False, server_default="{}"),
    Column("comment", Text),
    _at("first_at", required=True),
    _at("changed_at", required=True),
    Column("changes", Integer, nullable=False, server_default="0"),
    UniqueConstraint("answer_id", "person_id"),
    _one_of("value", "up", "down"),
    Index("votes_new", text("changed_at DESC"), postgresql_where=text("value IS NOT NULL")),
    Index("votes_person", "person_id"),
)  # fmt: skip

vote_events = Table(  # append-only, once per platform event; answer_id null until the message is known to the record
    "vote_events", metadata,
    Column("event_id", Text, primary_key=True),
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE")),
    Column("person_id", ForeignKey(persons.c.person_id, ondelete="CASCADE"), nullable=False),
    Column("platform", Text, nullable=False),
    Column("channel", Text, nullable=False, server_default=""),
    Column("message_id", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text),
    _at("at", required=True),
    _at("received_at", required=True),
    _one_of("kind", "set", "unset"),
    Index("vote_events_unjoined", "platform", "channel", "message_id", postgresql_where=text("answer_id IS NULL")),
    Index("vote_events_answer", "answer_id", "at"),
)  # fmt: skip

reviews = Table(
    "reviews", metadata,
    Column("review_id", BigInteger, Identity(always=True), primary_key=True),
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE"), nullable=False),
    Column("reviewer_id", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    Column("verdict", Text, nullable=False),
    Column("correction", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("note", Text),
    _at("created_at", required=True),
    _at("superseded_at"),
    _one_of("verdict", "good", "fixable", "bad", "skipped"),
    CheckConstraint("verdict <> 'fixable' OR length(btrim(coalesce(correction, ''))) > 0", name="fixable_has_correction"),
    Index("reviews_current", "answer_id", "reviewer_id", unique=True, postgresql_where=text("superseded_at IS NULL")),
)  # fmt: skip

training_platforms = Table(  # whether rows of a platform may leave as training data; a missing row: NOD_TRAINING_PLATFORMS
    "training_platforms", metadata,
    Column("platform", Text, primary_key=True),
    Column("allowed", Boolean, nullable=False),
    _at("changed_at", required=True),
    _one_of("platform", *PLATFORMS),
)  # fmt: skip

exports = Table(
    "exports", metadata,
    Column("export_id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("format", Text, nullable=False),
    _json("parameters", "{}"),
    Column("rows", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    _json("left_out", "{}"),
    _at("created_at", required=True),
)  # fmt: skip

export_rows = Table(  # which answers went into which file: erasure can name the files to make again
    "export_rows", metadata,
    Column("export_id", ForeignKey(exports.c.export_id, ondelete="CASCADE"), primary_key=True),
    Column("row_key", Text, primary_key=True),
    Column("answer_id", Uuid, nullable=False),
    Index("export_rows_answer", "answer_id"),
)  # fmt: skip

# ── knowledge (docs: search) ──────────────────────────────────────────────────────────────────────────────────────

scopes = Table(
    "scopes", metadata,
    Column("scope_id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # everyone, channel:slack:C1, person:slack:U1, …
)  # fmt: skip

sources = Table(
    "sources", metadata,
    Column("source_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("scope_id", ForeignKey(scopes.c.scope_id), nullable=False),
    _at("created_at", required=True),
    _at("synced_at"),  # when its last sync ended well
    Column("error", Text),
    Column("error_kind", Text),
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("note", Text),  # which limit the last sync met
    Column("stamp", Text),  # what it was as a whole then: the same again, and nothing is to be done
    # staying in step; null: only when somebody says so
    Column("every_seconds", Integer),
    _at("due_at"),
    # the claim: `attempt` fences, `claimed_until` is moved on while somebody is at it
    Column("attempt", Integer, nullable=False, server_default="0"),
    _at("claimed_until"),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("is_asked", Boolean, nullable=False, server_default="false"),  # somebody waits for it: what cannot be read is tried again
    _json("missed"),  # what the last sync could not fetch: {location, kind, sentence}, the first of them
    _at("removed_at"),  # taken away with a way back, as its documents are
    Column("removed_by", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    UniqueConstraint("kind", "location", "scope_id"),
    _one_of("kind", "handbook", "upload", "folder", "file", "url", "teach", "site", "git"),
    Index("sources_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)  # fmt: skip

left_out = Table(  # what somebody took out of a source that stays in step: it does not come back by itself
    "left_out", metadata,
    Column("source_id", ForeignKey(sources.c.source_id, ondelete="CASCADE"), primary_key=True),
    Column("location", Text, primary_key=True),
)  # fmt: skip

documents = Table(
    "documents", metadata,
    Column("document_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source_id", ForeignKey(sources.c.source_id, ondelete="CASCADE"), nullable=False),
    Column("scope_id", ForeignKey(scopes.c.scope_id), nullable=False),
    Column("location", Text, nullable=False),  # path below the source, or address
    Column("title", Text, nullable=False),
    Column("url", Text),
    Column("media_type", Text, nullable=False, server_default=""),
    Column("language", Text),
    Column("content_hash", LargeBinary),  # SHA-256 of the bytes
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
    Column("stamp", Text),  # by which its source tells without reading it that it is the same
    Column("pages", Integer),
    Column("passage_count", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("error", Text),
    Column("error_kind", Text),
    Column("taught_by", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    _at("document_date"),
    _at("created_at", required=True),
    _at("updated_at", required=True),
    Column("process_id", Uuid),
    _at("claimed_at"),
    _at("removed_at"),  # taken away with a way back: until it is gone for good it stands in a scope that nobody searches
    Column("removed_by", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    Column("removed_scope_id", ForeignKey(scopes.c.scope_id)),  # where it goes back to
    UniqueConstraint("source_id", "location"),
    _one_of("state", "waiting", "reading", "ready", "failed"),
    Index("documents_waiting", "document_id", postgresql_where=text("state IN ('waiting', 'reading')")),
    Index("documents_answering", "scope_id", "language", postgresql_where=text("passage_count > 0")),
    Index("documents_removed", "removed_at", postgresql_where=text("removed_at IS NOT NULL")),
)  # fmt: skip

lessons = Table(  # every version of what somebody taught; the newest that was not undone is what the document says
    "lessons", metadata,
    Column("lesson_id", BigInteger, Identity(always=True), primary_key=True),
    Column("document_id", ForeignKey(documents.c.document_id, ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("url", Text),  # of the message that was taught
    Column("taught_by", ForeignKey(persons.c.person_id, ondelete="SET NULL")),
    _at("taught_at", required=True),
    _at("undone_at"),
    UniqueConstraint("document_id", "version"),
    Index("lessons_taught_by", "taught_by"),
)  # fmt: skip

passages = Table(
    "passages", metadata,
    Column("passage_id", BigInteger, Identity(always=True), primary_key=True),
    Column("document_id", ForeignKey(documents.c.document_id, ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("heading", Text, nullable=False, server_default=""),
    Column("page", Integer),
    Column("text", Text, nullable=False),
    Column("text_hash", LargeBinary, nullable=False),
    UniqueConstraint("document_id", "ordinal"),
)  # fmt: skip

passage_terms = Table(  # what search reads: shared SEARCH design, "Tables"
    "passage_terms", metadata,
    Column("passage_id", BigInteger, primary_key=True, autoincrement=False),
    Column("document_id", BigInteger, nullable=False),
    Column("scope_id", Integer, nullable=False),
    Column("slot", Integer),
    Column("analyser", SmallInteger, nullable=False),
    Column("title_terms", SmallInteger, nullable=False),
    Column("codes", LargeBinary, nullable=False),
    Index("passage_terms_slot", "slot", unique=True),
    Index("passage_terms_document", "document_id"),
    Index("passage_terms_tail", "scope_id", postgresql_where=text("slot IS NULL")),
)  # fmt: skip

posting_blocks = Table(
    "posting_blocks", metadata,
    Column("term", Integer, primary_key=True, autoincrement=False),
    Column("segment", Integer, primary_key=True, autoincrement=False),
    Column("block", LargeBinary, nullable=False),
)  # fmt: skip

term_counts = Table(
    "term_counts", metadata,
    Column("term", Integer, primary_key=True, autoincrement=False),
    Column("passages", Integer, nullable=False),
)  # fmt: skip

search_stats = Table(
    "search_stats", metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default="1"),
    Column("passages", BigInteger, nullable=False, server_default="0"),
    Column("total_length", Float, nullable=False, server_default="0"),
    Column("total_title", Float, nullable=False, server_default="0"),
    Column("next_slot", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("id = 1", name="one_row"),
)  # fmt: skip

embedding_models = Table(  # whose vectors there are: the one that is searched with, and one that is being built beside it
    "embedding_models", metadata,
    Column("model_id", SmallInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # as LangChain names it: openai:text-embedding-3-small
    Column("is_current", Boolean, nullable=False, server_default="false"),
    Column("dimensions", Integer),  # of its vectors; unknown before the first
    _at("created_at", required=True),
    Column("process_id", Uuid),  # which worker embeds with it
    _at("failed_at"),  # it did not answer; empty again when it does
    Column("error", Text),  # why, as knowledge/embedding.py tells kinds apart
    Index("one_current_embedding_model", "is_current", unique=True, postgresql_where=text("is_current")),
)  # fmt: skip

passage_vectors = Table(  # without an embedding: it waits for one
    "passage_vectors", metadata,
    Column("passage_id", ForeignKey(passages.c.passage_id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("model_id", ForeignKey(embedding_models.c.model_id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("scope_id", Integer, nullable=False),
    Column("is_refused", Boolean, nullable=False, server_default="false"),  # the model takes no part of its text
    Column("embedding", HalfVector),  # of length 1
    Index("passage_vectors_scope", "model_id", "scope_id"),
    Index("passage_vectors_waiting", "model_id", "passage_id", postgresql_where=text("embedding IS NULL AND NOT is_refused")),
)  # fmt: skip

knowledge_gaps = Table(
    "knowledge_gaps", metadata,
    _number(),
    Column("question_id", ForeignKey(questions.c.question_id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    Column("language", Text, nullable=False),
    _at("created_at", required=True),
    _at("closed_at"),
    Column("lesson_id", ForeignKey(lessons.c.lesson_id, ondelete="SET NULL")),  # what closed it
    _at("tell_at"),  # from when on its asker is to be told; null: they were told of a question of theirs that is alike, or taught it
    _at("told_at"),
    Index("gaps_open", "created_at", postgresql_where=text("closed_at IS NULL")),
    Index("gaps_to_tell", "tell_at", postgresql_where=text("tell_at IS NOT NULL AND told_at IS NULL")),
    Index("gaps_lesson", "lesson_id"),
)  # fmt: skip
