"""Sources on the knowledge page: who asked for a sync, what it could not fetch, and a way back for a source that was taken away."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("is_asked", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "sources", sa.Column("missed", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False)
    )
    op.add_column("sources", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sources", sa.Column("removed_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key("sources_removed_by_fkey", "sources", "persons", ["removed_by"], ["person_id"], ondelete="SET NULL")


def downgrade() -> None:
    for column in ("removed_by", "removed_at", "missed", "is_asked"):
        op.drop_column("sources", column)
