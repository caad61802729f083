"""What only a bot can do, a worker requests: a row with a deadline, announced on the reply stream which that bot follows.

The bot answers in the row and announces it on `request:{id}`. The row is what counts; the announcement only saves waiting.
"""

import asyncio
import contextlib
import json
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from nod.connect import Alone
from nod.contracts import AnswerEvent
from nod.stream import Follower, reply_key, request_key, tell


class Requests:
    """Requests of workers to bots, and their answers."""

    def __init__(self, engine: AsyncEngine, redis: "Redis") -> None:
        self._alone = Alone(engine)
        self._redis = redis

    async def ask(self, answer_id: UUID, attempt: int, kind: str, arguments: dict[str, Any], wait_seconds: float) -> UUID:
        """Open a request and announce it; return its id."""
        row = await self._alone.row(
            """
            INSERT INTO requests (answer_id, kind, arguments, deadline_at)
                 VALUES (:id, :kind, CAST(:arguments AS jsonb), now() + make_interval(secs => :wait)) RETURNING request_id""",
            id=answer_id, kind=kind, arguments=json.dumps(arguments), wait=wait_seconds,
        )  # fmt: skip
        request_id: UUID = row.request_id
        event = AnswerEvent(kind="request", name=kind, data={"request_id": str(request_id), "arguments": arguments})
        await tell(self._redis, reply_key(answer_id, attempt), event)
        return request_id

    async def was_asked(self, answer_id: UUID, kind: str) -> bool:
        """Return whether something was requested for an answer, by whichever attempt at it."""
        found = await self._alone.row("SELECT FROM requests WHERE answer_id = :id AND kind = :kind LIMIT 1", id=answer_id, kind=kind)
        return found is not None

    async def result(self, request_id: UUID, follower: Follower, wait_seconds: float) -> dict[str, Any] | None:
        """Wait for the answer to a request; None when nobody answered in time."""
        end = asyncio.get_running_loop().time() + wait_seconds
        async with follower.follow(request_key(request_id)) as events:
            while (left := end - asyncio.get_running_loop().time()) > 0:
                if (found := await self._row(request_id)) is not None:
                    return found
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(events.get(), min(left, 1.0))
        return await self._row(request_id)

    async def open_for(self, answer_id: UUID) -> list[tuple[UUID, str, dict[str, Any]]]:
        """Return the requests of an answer which nobody has answered and which are not too late: id, kind, arguments."""
        rows = await self._alone.rows(
            """
            SELECT request_id, kind, arguments FROM requests
             WHERE answer_id = :id AND answered_at IS NULL AND deadline_at > now() ORDER BY created_at""",
            id=answer_id,
        )
        return [(row.request_id, row.kind, row.arguments) for row in rows]

    async def answer(self, request_id: UUID, result: dict[str, Any]) -> bool:
        """Answer a request once; return whether this was the first answer."""
        answered = await self._alone.run(
            "UPDATE requests SET result = CAST(:result AS jsonb), answered_at = now() WHERE request_id = :id AND answered_at IS NULL",
            id=request_id, result=json.dumps(result, ensure_ascii=False),
        )  # fmt: skip
        await tell(self._redis, request_key(request_id), AnswerEvent(kind="done"))
        return answered > 0

    async def _row(self, request_id: UUID) -> dict[str, Any] | None:
        row = await self._alone.row("SELECT result FROM requests WHERE request_id = :id", id=request_id)
        return row.result if row else None
