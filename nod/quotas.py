"""How many answers may run at once of one person, in one channel, in one workspace: the part of the claim that holds back."""

from dataclasses import dataclass

NONE = 2_000_000_000  # more than can ever run
STALLED_SECONDS = 6.0  # a claimer that stands still for so long loses its turn

# `turn` counts what runs of a person, so it is the number of their answers that would run.
WITHIN_PERSON = ", allowed AS (SELECT answer_id, turn, accepted_at FROM ranked WHERE turn <= :of_person)"

# A running answer is the first of its conversation, so `open` holds all of them; what waits is counted after what runs. The page and
# the terminal have no channels and no workspaces.
WITHIN_ALL = """, placed AS (
           SELECT o.answer_id, o.status = 'waiting' AS waits, o.accepted_at, r.turn, c.platform, c.workspace, c.channel,
                  c.platform IN ('web', 'cli') AS is_free
             FROM open o JOIN conversations c USING (conversation_id) LEFT JOIN ranked r USING (answer_id)
            WHERE o.status = 'running' OR r.turn <= :of_person),
         by_channel AS (
           SELECT *, row_number() OVER (PARTITION BY platform, workspace, channel ORDER BY waits, turn, accepted_at) AS in_channel
             FROM placed),
         by_workspace AS (
           SELECT *, row_number() OVER (PARTITION BY platform, workspace ORDER BY waits, turn, accepted_at) AS in_workspace
             FROM by_channel WHERE NOT waits OR is_free OR in_channel <= :of_channel),
         allowed AS (SELECT answer_id, turn, accepted_at FROM by_workspace WHERE waits AND (is_free OR in_workspace <= :of_workspace))"""

# Two claims at the same instant would not see each other's and could exceed a quota together: one at a time, for as long as the
# transaction lasts. PostgreSQL ends that of a process which was frozen in it.
ONE_AT_A_TIME = """
    SELECT set_config('idle_in_transaction_session_timeout', CAST(:stalled AS text) || 's', TRUE),
           pg_advisory_xact_lock(hashtext('nod claims within quotas'))"""


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many answers may run at once; 0 is no quota."""

    person: int = 0
    channel: int = 0
    workspace: int = 0

    @property
    def is_set(self) -> bool:
        """Whether there is any."""
        return bool(self.person or self.channel or self.workspace)

    @property
    def has_places(self) -> bool:
        """Whether there is one of a channel or a workspace."""
        return bool(self.channel or self.workspace)

    @property
    def values(self) -> dict[str, int]:
        """The quotas as the claim wants them."""
        return {"of_person": self.person or NONE, "of_channel": self.channel or NONE, "of_workspace": self.workspace or NONE}
