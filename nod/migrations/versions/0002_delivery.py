"""What delivery under faults needs: every attempt of an answer, and dead letters that can be closed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DEAD = "status = 'failed' AND error = 'strikes' AND superseded_at IS NULL AND dropped_at IS NULL"


def upgrade() -> None:
    op.add_column("answers", sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("dead_letters", "answers", ["answered_at"], unique=False, postgresql_where=sa.text(DEAD))
    op.create_table(
        "attempts",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('answered', 'failed', 'withdrawn', 'strike', 'released', 'taken', 'edited')", name=op.f("attempts_outcome_known")
        ),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name="attempts_answer_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", "attempt", name="attempts_pkey"),
    )
    op.create_index("attempts_taken", "attempts", ["answer_id"], unique=False, postgresql_where=sa.text("outcome = 'taken'"))


def downgrade() -> None:
    op.drop_table("attempts")
    op.drop_index("dead_letters", "answers")
    op.drop_column("answers", "dropped_at")
