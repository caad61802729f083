"""What searches cost a day, for the limit of the day: in Redis it was lost with its memory."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_costs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("usd", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="search_costs_pkey"),
    )


def downgrade() -> None:
    op.drop_table("search_costs")
