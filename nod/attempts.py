"""How a claim ends: the attempt's row is closed within the statement that ends it. The claim itself adds the row (nod/claims.py)."""

_ENDING = """
    WITH ended AS ({update} RETURNING a.answer_id, a.attempt, a.status, {outcome} AS outcome, {error} AS error),
         closed AS (
           UPDATE attempts t SET ended_at = now(), outcome = e.outcome, error = e.error
             FROM ended e WHERE t.answer_id = e.answer_id AND t.attempt = e.attempt)
    SELECT answer_id, status FROM ended"""


def ending(update: str, outcome: str, error: str = "CAST(NULL AS text)") -> str:
    """Return the statement that ends claims by an `UPDATE answers a …` and closes their attempts; it gives a row per claim that ended.

    `outcome` and `error` are SQL. A claim made by a nod before there were attempts ends as well.
    """
    return _ENDING.format(update=update, outcome=outcome, error=error)
