"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from nod.migrations.functions import APPLY_VOTE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("export_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("left_out", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("export_id", name="exports_pkey"),
    )
    op.create_table(
        "passage_terms",
        sa.Column("passage_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("analyser", sa.SmallInteger(), nullable=False),
        sa.Column("title_terms", sa.SmallInteger(), nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("passage_id", name="passage_terms_pkey"),
    )
    op.create_index("passage_terms_document", "passage_terms", ["document_id"], unique=False)
    op.create_index("passage_terms_slot", "passage_terms", ["slot"], unique=True)
    op.create_index("passage_terms_tail", "passage_terms", ["scope_id"], unique=False, postgresql_where=sa.text("slot IS NULL"))
    op.create_table(
        "persons",
        sa.Column("person_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("consent", sa.Text(), server_default="unset", nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("consent IN ('unset', 'granted', 'refused')", name=op.f("persons_consent_known")),
        sa.CheckConstraint("platform IN ('slack', 'discord', 'web', 'cli')", name=op.f("persons_platform_known")),
        sa.PrimaryKeyConstraint("person_id", name="persons_pkey"),
        sa.UniqueConstraint("platform", "workspace", "external_id", name="persons_platform_key"),
        sa.UniqueConstraint("pseudonym", name="persons_pseudonym_key"),
    )
    op.create_table(
        "posting_blocks",
        sa.Column("term", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("term", "segment", name="posting_blocks_pkey"),
    )
    op.create_table(
        "processes",
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("process_id", name="processes_pkey"),
    )
    op.create_table(
        "prompt_versions",
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("system_prompt", sa.Text(), nullable=False),
        sa.Column("tools", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("prompt_version", name="prompt_versions_pkey"),
    )
    op.create_table(
        "scopes",
        sa.Column("scope_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope_id", name="scopes_pkey"),
        sa.UniqueConstraint("name", name="scopes_name_key"),
    )
    op.create_table(
        "search_stats",
        sa.Column("id", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("passages", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_length", sa.Float(), server_default="0", nullable=False),
        sa.Column("total_title", sa.Float(), server_default="0", nullable=False),
        sa.Column("next_slot", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("search_stats_one_row")),
        sa.PrimaryKeyConstraint("id", name="search_stats_pkey"),
    )
    op.create_table(
        "seen_messages",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "channel", name="seen_messages_pkey"),
    )
    op.create_table(
        "term_counts",
        sa.Column("term", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", name="term_counts_pkey"),
    )
    op.create_table(
        "training_platforms",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("platform IN ('slack', 'discord', 'web', 'cli')", name=op.f("training_platforms_platform_known")),
        sa.PrimaryKeyConstraint("platform", name="training_platforms_pkey"),
    )
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('admin', 'reviewer', 'member')", name=op.f("accounts_role_known")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name="accounts_person_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name="accounts_pkey"),
        sa.UniqueConstraint("person_id", name="accounts_person_id_key"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name="audit_person_id_fkey", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
    )
    op.create_table(
        "conversations",
        sa.Column("conversation_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("last_position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("platform IN ('slack', 'discord', 'web', 'cli')", name=op.f("conversations_platform_known")),
        sa.ForeignKeyConstraint(["opened_by"], ["persons.person_id"], name="conversations_opened_by_fkey", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("conversation_id", name="conversations_pkey"),
        sa.UniqueConstraint("platform", "workspace", "channel", "thread", name="conversations_platform_key"),
    )
    op.create_index("conversations_opened_by", "conversations", ["opened_by"], unique=False)
    op.create_table(
        "export_rows",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["export_id"], ["exports.export_id"], name="export_rows_export_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("export_id", "row_key", name="export_rows_pkey"),
    )
    op.create_index("export_rows_answer", "export_rows", ["answer_id"], unique=False)
    op.create_table(
        "sources",
        sa.Column("source_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('handbook', 'upload', 'folder', 'file', 'url', 'teach')", name=op.f("sources_kind_known")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.scope_id"], name="sources_scope_id_fkey"),
        sa.PrimaryKeyConstraint("source_id", name="sources_pkey"),
        sa.UniqueConstraint("kind", "location", "scope_id", name="sources_kind_key"),
    )
    op.create_table(
        "documents",
        sa.Column("document_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("passage_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_kind", sa.Text(), nullable=True),
        sa.Column("taught_by", sa.BigInteger(), nullable=True),
        sa.Column("document_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'reading', 'ready', 'failed')", name=op.f("documents_state_known")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.scope_id"], name="documents_scope_id_fkey"),
        sa.ForeignKeyConstraint(["source_id"], ["sources.source_id"], name="documents_source_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["taught_by"], ["persons.person_id"], name="documents_taught_by_fkey", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("document_id", name="documents_pkey"),
        sa.UniqueConstraint("source_id", "location", name="documents_source_id_key"),
    )
    op.create_index("documents_answering", "documents", ["scope_id"], unique=False, postgresql_where=sa.text("passage_count > 0"))
    op.create_index(
        "documents_waiting", "documents", ["document_id"], unique=False, postgresql_where=sa.text("state IN ('waiting', 'reading')")
    )
    op.create_table(
        "questions",
        sa.Column("question_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("route", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("visibility IN ('public', 'private', 'direct')", name=op.f("questions_visibility_known")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="questions_conversation_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name="questions_person_id_fkey", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("question_id", name="questions_pkey"),
        sa.UniqueConstraint("platform", "workspace", "channel", "message_id", name="questions_platform_key"),
    )
    op.create_index(
        "questions_channel", "questions", ["platform", "workspace", "channel", sa.literal_column("asked_at DESC")], unique=False
    )
    op.create_index("questions_conversation", "questions", ["conversation_id"], unique=False)
    op.create_index("questions_person", "questions", ["person_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="sessions_account_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="sessions_pkey"),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="sign_in_links_account_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="sign_in_links_pkey"),
    )
    op.create_table(
        "answers",
        sa.Column("answer_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("strikes", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_token_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("sources", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("notices", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("messages", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("prompt_hash", sa.LargeBinary(), nullable=True),
        sa.Column("context_hash", sa.LargeBinary(), nullable=True),
        sa.Column("prompt_version", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("passages", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("tool_calls", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=True),
        sa.Column("tokens_out", sa.Integer(), nullable=True),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=6), nullable=True),
        sa.Column("experiment", sa.Text(), nullable=True),
        sa.Column("arm", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("first_shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'running', 'answered', 'failed', 'withdrawn')", name=op.f("answers_status_known")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.conversation_id"], name="answers_conversation_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name="answers_person_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["prompt_version"], ["prompt_versions.prompt_version"], name="answers_prompt_version_fkey"),
        sa.ForeignKeyConstraint(["question_id"], ["questions.question_id"], name="answers_question_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", name="answers_pkey"),
        sa.UniqueConstraint("question_id", "version", name="answers_question_id_key"),
    )
    op.create_index("answers_accepted", "answers", [sa.literal_column("accepted_at DESC")], unique=False)
    op.create_index("answers_conversation", "answers", ["conversation_id", "position"], unique=False)
    op.create_index("answers_person", "answers", ["person_id"], unique=False)
    op.create_index(
        "one_running_per_conversation", "answers", ["conversation_id"], unique=True, postgresql_where=sa.text("status = 'running'")
    )
    op.create_index(
        "open_answers",
        "answers",
        ["conversation_id", "position"],
        unique=False,
        postgresql_where=sa.text("status IN ('waiting', 'running')"),
    )
    op.create_index("undelivered_answers", "answers", ["platform"], unique=False, postgresql_where=sa.text("shown_at IS NULL"))
    op.create_table(
        "knowledge_gaps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["question_id"], ["questions.question_id"], name="knowledge_gaps_question_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="knowledge_gaps_pkey"),
        sa.UniqueConstraint("question_id", name="knowledge_gaps_question_id_key"),
    )
    op.create_table(
        "passages",
        sa.Column("passage_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("heading", sa.Text(), server_default="", nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["documents.document_id"], name="passages_document_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("passage_id", name="passages_pkey"),
        sa.UniqueConstraint("document_id", "ordinal", name="passages_document_id_key"),
    )
    op.create_table(
        "answer_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), server_default="post", nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("shown_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name="answer_messages_answer_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="answer_messages_pkey"),
    )
    op.create_index(
        "answer_messages_now",
        "answer_messages",
        ["platform", "channel", "message_id"],
        unique=True,
        postgresql_where=sa.text("shown_to IS NULL AND message_id IS NOT NULL"),
    )
    op.create_index(
        "answer_messages_part", "answer_messages", ["answer_id", "part"], unique=True, postgresql_where=sa.text("shown_to IS NULL")
    )
    op.create_table(
        "requests",
        sa.Column("request_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name="requests_answer_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("request_id", name="requests_pkey"),
    )
    op.create_index("open_requests", "requests", ["answer_id"], unique=False, postgresql_where=sa.text("answered_at IS NULL"))
    op.create_table(
        "reviews",
        sa.Column("review_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "verdict <> 'fixable' OR length(btrim(coalesce(correction, ''))) > 0", name=op.f("reviews_fixable_has_correction")
        ),
        sa.CheckConstraint("verdict IN ('good', 'fixable', 'bad', 'skipped')", name=op.f("reviews_verdict_known")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name="reviews_answer_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["persons.person_id"], name="reviews_reviewer_id_fkey", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("review_id", name="reviews_pkey"),
    )
    op.create_index(
        "reviews_current", "reviews", ["answer_id", "reviewer_id"], unique=True, postgresql_where=sa.text("superseded_at IS NULL")
    )
    op.create_table(
        "signals",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name="signals_answer_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name="signals_person_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", "person_id", "source", "message_id", "token", name="signals_pkey"),
    )
    op.create_index("signals_message", "signals", ["message_id", "person_id", "token"], unique=False, postgresql_where=sa.text("present"))
    op.create_table(
        "vote_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('set', 'unset')", name=op.f("vote_events_kind_known")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name="vote_events_answer_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name="vote_events_person_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("event_id", name="vote_events_pkey"),
    )
    op.create_index("vote_events_answer", "vote_events", ["answer_id", "at"], unique=False)
    op.create_index(
        "vote_events_unjoined",
        "vote_events",
        ["platform", "channel", "message_id"],
        unique=False,
        postgresql_where=sa.text("answer_id IS NULL"),
    )
    op.create_table(
        "votes",
        sa.Column("vote_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changes", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("value IN ('up', 'down')", name=op.f("votes_value_known")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name="votes_answer_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name="votes_person_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("vote_id", name="votes_pkey"),
        sa.UniqueConstraint("answer_id", "person_id", name="votes_answer_id_key"),
    )
    op.create_index(
        "votes_new", "votes", [sa.literal_column("changed_at DESC")], unique=False, postgresql_where=sa.text("value IS NOT NULL")
    )
    op.create_index("votes_person", "votes", ["person_id"], unique=False)
    op.execute(APPLY_VOTE)
    op.execute("ALTER TABLE passage_terms ALTER COLUMN codes SET STORAGE MAIN, SET (toast_tuple_target = 8160)")  # Korean rows pass 2 kB
    op.execute("ALTER TABLE posting_blocks ALTER COLUMN block SET STORAGE EXTERNAL")  # appended to all the time: never compressed
    op.execute("INSERT INTO search_stats (id) VALUES (1)")


def downgrade() -> None:
    op.execute("DROP FUNCTION apply_vote")
    for table in (
        "votes",
        "vote_events",
        "signals",
        "reviews",
        "requests",
        "answer_messages",
        "passages",
        "knowledge_gaps",
        "answers",
        "sign_in_links",
        "sessions",
        "questions",
        "documents",
        "sources",
        "export_rows",
        "conversations",
        "audit",
        "accounts",
        "training_platforms",
        "term_counts",
        "seen_messages",
        "search_stats",
        "scopes",
        "prompt_versions",
        "processes",
        "posting_blocks",
        "persons",
        "passage_terms",
        "exports",
    ):
        op.drop_table(table)
