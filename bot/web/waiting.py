"""How many thumbs wait for a reviewer: the number beside Review in the bar."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


async def reviews_waiting(engine: AsyncEngine) -> int:
    """Return how many answers have a standing thumbs-down and no verdict; other people's direct messages in chat do not count."""
    async with engine.connect() as db:
        found = await db.execute(
            text("""
                SELECT count(DISTINCT v.answer_id) FROM votes v JOIN answers a USING (answer_id) JOIN questions q USING (question_id)
                 WHERE v.value = 'down' AND a.deleted_at IS NULL AND NOT (q.visibility = 'direct' AND a.platform IN ('slack', 'discord'))
                   AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.answer_id = v.answer_id AND r.superseded_at IS NULL)""")
        )
        return int(found.scalar_one())
