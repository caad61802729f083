"""What people teach: every version of it with who taught it and when, the gaps it closes, who is told; documents taken away with a way back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("documents", sa.Column("removed_by", sa.BigInteger(), nullable=True))
    op.add_column("documents", sa.Column("removed_scope_id", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("documents_removed_scope_id_fkey"), "documents", "scopes", ["removed_scope_id"], ["scope_id"])
    op.create_foreign_key(op.f("documents_removed_by_fkey"), "documents", "persons", ["removed_by"], ["person_id"], ondelete="SET NULL")
    op.create_index("documents_removed", "documents", ["removed_at"], postgresql_where=sa.text("removed_at IS NOT NULL"))
    op.create_table(
        "lessons",
        sa.Column("lesson_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("taught_by", sa.BigInteger(), nullable=True),
        sa.Column("taught_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["documents.document_id"], name=op.f("lessons_document_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["taught_by"], ["persons.person_id"], name=op.f("lessons_taught_by_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("lessons_pkey")),
        sa.UniqueConstraint("document_id", "version", name=op.f("lessons_document_id_key")),
    )
    op.create_index("lessons_taught_by", "lessons", ["taught_by"])
    op.add_column("knowledge_gaps", sa.Column("lesson_id", sa.BigInteger(), nullable=True))
    op.add_column("knowledge_gaps", sa.Column("tell_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("knowledge_gaps", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("knowledge_gaps_lesson_id_fkey"), "knowledge_gaps", "lessons", ["lesson_id"], ["lesson_id"], ondelete="SET NULL"
    )
    op.create_index("gaps_open", "knowledge_gaps", ["created_at"], postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index("gaps_to_tell", "knowledge_gaps", ["tell_at"], postgresql_where=sa.text("tell_at IS NOT NULL AND told_at IS NULL"))
    op.create_index("gaps_lesson", "knowledge_gaps", ["lesson_id"])


def downgrade() -> None:
    for name in ("gaps_lesson", "gaps_to_tell", "gaps_open"):
        op.drop_index(name, "knowledge_gaps")
    for name in ("told_at", "tell_at", "lesson_id"):
        op.drop_column("knowledge_gaps", name)
    op.drop_table("lessons")
    op.drop_index("documents_removed", "documents")
    for name in ("removed_scope_id", "removed_by", "removed_at"):
        op.drop_column("documents", name)
