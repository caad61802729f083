"""Which languages a scope holds is asked before each search: an index tells, and a document's language is that of its text."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ANSWERING = "passage_count > 0"


def upgrade() -> None:
    op.execute("""
        UPDATE documents d SET language = CASE WHEN hangul > 0 AND hangul * 4 >= latin THEN 'ko' ELSE 'en' END
          FROM (SELECT document_id, sum(length(regexp_replace(text, '[^ᄀ-ᇿ㄰-㆏가-힣]', '', 'g'))) AS hangul,
                       sum(length(regexp_replace(text, '[^A-Za-z]', '', 'g'))) AS latin
                  FROM passages WHERE ordinal <= 10 GROUP BY document_id) AS read
         WHERE read.document_id = d.document_id AND hangul + latin > 0""")
    op.drop_index("documents_answering", "documents")
    op.create_index("documents_answering", "documents", ["scope_id", "language"], postgresql_where=sa.text(ANSWERING))


def downgrade() -> None:
    op.drop_index("documents_answering", "documents")
    op.create_index("documents_answering", "documents", ["scope_id"], postgresql_where=sa.text(ANSWERING))
