"""The first tables."""

from alembic import op

from nod.migrations.functions import APPLY_VOTE
from nod.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    metadata.create_all(op.get_bind())
    op.execute(APPLY_VOTE)
    op.execute("ALTER TABLE passage_terms ALTER COLUMN codes SET STORAGE MAIN, SET (toast_tuple_target = 8160)")  # Korean rows pass 2 kB
    op.execute("ALTER TABLE posting_blocks ALTER COLUMN block SET STORAGE EXTERNAL")  # appended to all the time: never compressed
    op.execute("INSERT INTO search_stats (id) VALUES (1)")


def downgrade() -> None:
    op.execute("DROP FUNCTION apply_vote")
    metadata.drop_all(op.get_bind())
