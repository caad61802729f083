"""What limits need: the place in the queue that was told last, and what admins were told of a day's spending; one rule for one person.

A pseudonym is made from platform, workspace and id, which are unique: a second unique rule said nothing more, and of two processes that
entered the same new person at once one was refused.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("answers", sa.Column("queue_place", sa.Integer(), nullable=True))
    op.create_table(
        "budget_alerts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("percent", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("platform IN ('slack', 'discord', 'web', 'cli')", name=op.f("budget_alerts_platform_known")),
        sa.PrimaryKeyConstraint("day", "percent", "platform", name="budget_alerts_pkey"),
    )
    op.drop_constraint("persons_pseudonym_key", "persons")
    op.create_index("persons_by_pseudonym", "persons", ["pseudonym"])


def downgrade() -> None:
    op.drop_index("persons_by_pseudonym", "persons")
    op.create_unique_constraint("persons_pseudonym_key", "persons", ["pseudonym"])
    op.drop_table("budget_alerts")
    op.drop_column("answers", "queue_place")
