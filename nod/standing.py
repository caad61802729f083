"""What the record says about an installation, in short queries on one connection: for `nod up`, which must stay small."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from nod.attempts import ending

_COUNTS = """
    SELECT (SELECT count(*) FROM questions), (SELECT count(*) FROM votes WHERE value IS NOT NULL),
           count(*), count(*) FILTER (WHERE s.kind = 'handbook'), coalesce(sum(passage_count), 0),
           coalesce(sum(passage_count) FILTER (WHERE s.kind = 'handbook'), 0)
      FROM documents d JOIN sources s USING (source_id) WHERE d.state = 'ready'"""

_SIGNED_IN = """
    SELECT EXISTS (SELECT 1 FROM sessions s JOIN accounts a USING (account_id)
                    WHERE a.role = 'admin' AND a.disabled_at IS NULL AND s.expires_at > now())"""

_RELEASE = ending(
    "UPDATE answers a SET status = 'waiting', process_id = NULL, due_at = now() WHERE status = 'running' AND process_id = ANY(%s)",
    "'released'",
).encode()


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is."""

    questions: int
    votes: int
    documents: int
    handbook_documents: int
    passages: int
    handbook_passages: int

    @property
    def own_documents(self) -> int:
        """Return how many documents are the team's own."""
        return self.documents - self.handbook_documents

    @property
    def own_passages(self) -> int:
        """Return how many passages are the team's own."""
        return self.passages - self.handbook_passages


class Standing:
    """One connection to the record, opened when first used and again after an outage."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://")
        self._db: psycopg.Connection | None = None

    def _connection(self) -> psycopg.Connection:
        if self._db is None or self._db.broken or self._db.closed:
            self._db = psycopg.connect(self._url, autocommit=True, connect_timeout=5, application_name="nod up")
        return self._db

    def close(self) -> None:
        """Close the connection."""
        if self._db:
            self._db.close()
            self._db = None

    def revision(self) -> str:
        """Return the revision of the tables, empty when there are none yet."""
        db = self._connection()
        if db.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return ""
        row = db.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""

    def counts(self) -> Counts:
        """Return how many questions, votes and documents there are."""
        row = self._connection().execute(_COUNTS).fetchone()
        assert row is not None
        return Counts(*(int(number) for number in row))

    def admin_is_signed_in(self) -> bool:
        """Return whether some admin's browser is still signed in."""
        return self._connection().execute(_SIGNED_IN).fetchone() == (True,)

    def answers_running(self) -> int:
        """Return how many answers are being made."""
        row = self._connection().execute("SELECT count(*) FROM answers WHERE status = 'running'").fetchone()
        return int(row[0]) if row else 0

    def entered(self) -> set[str]:
        """Return the ids of the processes that have entered themselves."""
        return {str(process_id) for (process_id,) in self._connection().execute("SELECT process_id FROM processes")}

    def release(self, process_ids: Sequence[UUID]) -> None:
        """Set what killed processes were answering waiting again, without a strike: it was us who killed them."""
        self._connection().execute(_RELEASE, (list(process_ids),))
