"""Passages as vectors, beside their words."""

import sqlalchemy as sa
from alembic import op

from nod.errors import ConfigError
from nod.saying import say
from nod.schema import HalfVector

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NEEDED = (0, 8)  # half-precision vectors, and index scans that go on until the scope is filled


def upgrade() -> None:
    _bring_pgvector()
    op.create_table(
        "embedding_models",
        sa.Column("model_id", sa.SmallInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("model_id", name="embedding_models_pkey"),
        sa.UniqueConstraint("name", name="embedding_models_name_key"),
    )
    op.create_index("one_current_embedding_model", "embedding_models", ["is_current"], unique=True, postgresql_where=sa.text("is_current"))
    op.create_table(
        "passage_vectors",
        sa.Column("passage_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("is_refused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("embedding", HalfVector(), nullable=True),
        sa.ForeignKeyConstraint(["passage_id"], ["passages.passage_id"], name="passage_vectors_passage_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_models.model_id"], name="passage_vectors_model_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("passage_id", "model_id", name="passage_vectors_pkey"),
    )
    op.create_index("passage_vectors_scope", "passage_vectors", ["model_id", "scope_id"])
    op.create_index(
        "passage_vectors_waiting",
        "passage_vectors",
        ["model_id", "passage_id"],
        postgresql_where=sa.text("embedding IS NULL AND NOT is_refused"),
    )
    # Vectors of 1,536 numbers pass 2 kB; an exact search reads all in its scopes, so they stay in the row.
    op.execute("ALTER TABLE passage_vectors ALTER COLUMN embedding SET STORAGE MAIN, SET (toast_tuple_target = 8160)")


def _bring_pgvector() -> None:
    """Install pgvector. Raises ConfigError when this PostgreSQL has none, or an old one."""
    db = op.get_bind()
    offered = db.execute(
        sa.text("SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = 'vector'")
    ).scalar()
    if offered is None or tuple(int(number) for number in offered.split(".")[:2]) < NEEDED:
        raise ConfigError(say("error.no_pgvector", have=offered or "–"))
    try:
        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except sa.exc.ProgrammingError as error:
        raise ConfigError(say("error.pgvector_forbidden", why=str(error.orig).splitlines()[0])) from None


def downgrade() -> None:
    op.drop_table("passage_vectors")
    op.drop_table("embedding_models")
