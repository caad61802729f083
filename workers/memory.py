"""What was said before in a conversation: a cache of the record in Redis, rebuilt when it is empty or behind, within a token budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from nod.contracts import Task, Turn
from nod.logs import log
from nod.record import Record
from nod.settings import Settings

MOST_TURNS = 100
_DAY_SECONDS = 86_400
_TURNS = TypeAdapter(list[Turn])

_log = log(__name__)


def memory_key(conversation_id: UUID) -> str:
    """Return the name of the Redis list that holds a conversation's turns."""
    return f"memory:{conversation_id.hex}"


def tokens_in(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few; no tokeniser is asked."""
    octets = len(text.encode())
    return 4 + octets  # tightened below once measured


def within(turns: Sequence[Turn], budget: int) -> tuple[Turn, ...]:
    """Return the last turns that fit into a budget, whole, oldest first; of a last turn that alone is too long, its beginning."""
    kept: list[Turn] = []
    for turn in reversed(turns):
        budget -= tokens_in(turn.text)
        if budget < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


@dataclass(frozen=True, slots=True)
class Memory:
    """The turns of conversations. Without Redis it reads the record."""

    redis: "Redis"
    record: Record
    settings: Settings

    async def turns(self, task: Task) -> tuple[Turn, ...]:
        """Return what was said before an answer, oldest first, within NOD_MEMORY_TOKENS."""
        if task.position <= 1:
            return ()
        kept = await self._kept(task.conversation_id)
        if task.version > 1 or not await self._is_current(kept, task):
            kept = await self.record.turns(task.conversation_id, task.position, MOST_TURNS)
        return within(kept, self.settings.memory_tokens)

    async def remember(self, task: Task, turns: Sequence[Turn]) -> None:
        """Keep the turns of a conversation up to this answer. The list is written as a whole: it can never have a hole."""
        key = memory_key(task.conversation_id)
        rows = [turn.model_dump_json() for turn in turns]
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
        """Whether the list ends with the record's last turn; its version is that turn's position."""
        version = kept[-1].position if kept else 0
        return version == task.position - 1 or version == await self.record.last_position(task.conversation_id, task.position)
