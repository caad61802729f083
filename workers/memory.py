"""What was said before in a conversation: a cache of the record in Redis, rebuilt when it is empty or behind, within a token budget."""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from knowledge.about_nod import HANDBOOKS
from nod.contracts import Task, Turn
from nod.logs import log
from nod.record import Record
from nod.settings import Settings

MOST_EXCHANGES = 50
_DAY_SECONDS = 86_400
_DIGIT = re.compile("[0-9]")
_TURNS = TypeAdapter(list[Turn])

_OUTSIDE = text("""
    SELECT DISTINCT last.position
      FROM (SELECT position, passages FROM answers WHERE conversation_id = :id AND position < :before
             ORDER BY position DESC LIMIT :most) last
      CROSS JOIN LATERAL jsonb_array_elements(last.passages) shown
      LEFT JOIN documents d ON d.document_id = CAST(shown ->> 'document_id' AS bigint)
      LEFT JOIN scopes s USING (scope_id)
     WHERE s.name IS NULL OR s.name <> ALL(:scopes)""")

_log = log(__name__)


def memory_key(conversation_id: UUID) -> str:
    """Return the name of the Redis list that holds a conversation's turns."""
    return f"memory:{conversation_id.hex}"


def tokens_in(text: str) -> int:
    """Return about how many tokens a message has, rather too many than too few; no tokeniser is asked.

    1.7 a wide character (Hangul: three octets of UTF-8), 1 a digit, .5 any other, 4 for the message. Measured on 3,000 Korean and
    English passages, questions and source files with the tokenisers of gpt-4o, gpt-3.5, Llama 3, Qwen 3 and Gemma 3: together
    .41 to .78 of this estimate are used; at most 1.12, by titles of a few characters. Characters / 4 would be a third of the truth.
    """
    octets, characters, digits = len(text.encode()), len(text), len(_DIGIT.findall(text))
    wide = (octets - characters) / 2
    return math.ceil(4 + 1.7 * wide + digits + 0.5 * max(0.0, characters - wide - digits))


def within(turns: Sequence[Turn], budget: int) -> tuple[Turn, ...]:
    """Return the last questions with their answers that fit into a budget, whole, oldest first; never more than the budget.

    Only when the very last answer alone does not fit, its beginning is kept: without it a follow-up would have no meaning.
    """
    exchanges = [tuple(exchange) for _, exchange in itertools.groupby(turns, key=lambda turn: turn.position)]
    kept: list[Turn] = []
    for exchange in reversed(exchanges):
        needed = sum(tokens_in(turn.text) for turn in exchange)
        if needed > budget:
            return tuple(kept) if kept else _beginnings(exchange, budget)
        budget -= needed
        kept[:0] = exchange
    return tuple(kept)


def _beginnings(exchange: Sequence[Turn], budget: int) -> tuple[Turn, ...]:
    """Return an exchange cut down to a budget: each turn gets at most its share of what is left."""
    cut: list[Turn] = []
    for left, turn in zip(range(len(exchange), 0, -1), exchange, strict=True):
        text = _beginning(turn.text, budget // left)
        budget -= tokens_in(text)
        cut.append(turn.model_copy(update={"text": text}))
    return tuple(cut)


def _beginning(text: str, budget: int) -> str:
    while (needed := tokens_in(text)) > budget:
        text = text[: min(len(text) - 2, len(text) * budget // needed)].rstrip() + "…"
    return text


@dataclass(frozen=True, slots=True)
class Memory:
    """The turns of conversations. Without Redis it reads the record."""

    redis: "Redis"
    record: Record
    settings: Settings

    async def turns(self, task: Task) -> list[Turn]:
        """Return what was said before an answer, oldest first: the last 50 questions with their answers."""
        if task.position <= 1:
            return []
        kept = await self._kept(task.conversation_id)
        if not await self._is_current(kept, task):
            kept = await self.record.turns(task.conversation_id, task.position, MOST_EXCHANGES)
        return kept

    async def seen(self, task: Task, turns: Sequence[Turn], scopes: Sequence[str]) -> list[Turn]:
        """Return the turns that draw on nothing which somebody who reads alone may no longer see: they left a channel, or it was moved.

        Elsewhere all turns count: who reads a channel reads what was said in it.
        """
        if not turns or task.place.visibility != "direct":
            return list(turns)
        async with self.record.engine.connect() as db:
            rows = await db.execute(
                _OUTSIDE, {"id": task.conversation_id, "before": task.position, "scopes": [*scopes, *HANDBOOKS], "most": 2 * MOST_EXCHANGES}
            )
            outside = {row.position for row in rows}
        return [turn for turn in turns if turn.position not in outside]

    async def remember(self, task: Task, turns: Sequence[Turn]) -> None:
        """Keep the turns of a conversation up to this answer. The list is written as a whole: it can never have a hole."""
        key = memory_key(task.conversation_id)
        rows = [turn.model_dump_json() for turn in turns[-2 * MOST_EXCHANGES :]]
        try:
            async with self.redis.pipeline(transaction=True) as pipe:
                pipe.delete(key)
                pipe.rpush(key, *rows)
                pipe.expire(key, self.settings.memory_days * _DAY_SECONDS)
                await pipe.execute()
        except (TimeoutError, RedisError, OSError) as error:
            _log.warning("memory not written", conversation=str(task.conversation_id), error=str(error))

    async def _kept(self, conversation_id: UUID) -> list[Turn]:
        try:
            rows: Any = await self.redis.lrange(memory_key(conversation_id), 0, -1)
            return _TURNS.validate_json(f"[{','.join(rows)}]")
        except (TimeoutError, RedisError, OSError, ValidationError) as error:
            _log.warning("memory not read", conversation=str(conversation_id), error=str(error))
            return []

    async def _is_current(self, kept: Sequence[Turn], task: Task) -> bool:
        """Whether the list is the record's: nothing was said, replaced, deleted or brought back since it was written."""
        known = list(dict.fromkeys(turn.position for turn in kept))
        return known == await self.record.positions(task.conversation_id, task.position, MOST_EXCHANGES)
