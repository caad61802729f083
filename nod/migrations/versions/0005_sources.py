"""Sources that stay in step: when each is due, who is at it, how far, what went wrong; by what a document is known to be unchanged."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('handbook', 'upload', 'folder', 'file', 'url', 'teach'{more})"


def upgrade() -> None:
    for column in (
        sa.Column("every_seconds", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stamp", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("error_kind", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("sources", column)
    op.drop_constraint("sources_kind_known", "sources")
    op.create_check_constraint(op.f("sources_kind_known"), "sources", _KINDS.format(more=", 'site', 'git'"))
    op.create_index("sources_due", "sources", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.add_column("documents", sa.Column("stamp", sa.Text(), nullable=True))
    op.create_table(
        "left_out",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.source_id"], name="left_out_source_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source_id", "location", name="left_out_pkey"),
    )
    op.execute("UPDATE sources SET every_seconds = 10, due_at = now() WHERE kind = 'folder'")


def downgrade() -> None:
    op.drop_table("left_out")
    op.drop_column("documents", "stamp")
    op.drop_index("sources_due", "sources")
    op.execute(
        "DELETE FROM passage_terms WHERE document_id IN (SELECT document_id FROM documents JOIN sources USING (source_id) WHERE kind IN ('site', 'git'))"
    )
    op.execute("DELETE FROM sources WHERE kind IN ('site', 'git')")
    op.drop_constraint("sources_kind_known", "sources")
    op.create_check_constraint(op.f("sources_kind_known"), "sources", _KINDS.format(more=""))
    for name in ("failures", "error_kind", "note", "stamp", "total", "done", "claimed_until", "attempt", "due_at", "every_seconds"):
        op.drop_column("sources", name)
