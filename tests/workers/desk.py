"""People who ask a worker of this test process, or of its own, and what they see."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis
from sqlalchemy import text

from knowledge.ingest import document_state, queue_upload, read_waiting
from nod.contracts import Accepted, Answer, AnswerEvent, FileRef
from nod.files import Files
from nod.process import STORE_ERRORS
from nod.record import Record
from nod.settings import Settings
from nod.stream import reply_key
from tests.asked import JISU, asks
from workers.app import worker
from workers.faults import Patience
from workers.loop import Answering

QUICK = Patience(**{name: seconds / 20 for name, seconds in asdict(Patience()).items()} | {"answer_seconds": 110.0})

LEAVE = """# 휴가 규정

## 이월

쓰지 않은 연차는 다음 해 3월 31일까지 닷새까지 이월할 수 있어요. 반차는 반나절로 계산해요.

## Carry-over

Unused leave may be carried over until 31 March of the next year, up to five days. Half days count as half.
"""


class Desk:
    """Asks questions and waits for what becomes of them."""

    def __init__(self, record: Record, redis: Redis, settings: Settings) -> None:
        self.record, self.redis, self.settings = record, redis, settings
        self.answering: Answering | None = None
        self.files = Files(settings.data_dir)

    @contextlib.asynccontextmanager
    async def open(self, patience: Patience | None = None, **changes: Any) -> AsyncGenerator[Answering]:
        """A worker in this process."""
        async with worker(self.settings.model_copy(update=changes), patience) as answering:
            running = asyncio.create_task(answering.run())
            self.answering = answering
            try:
                yield answering
            finally:
                answering.end()
                await running

    async def asks(self, question: str, *, files: tuple[FileRef, ...] = (), **how: Any) -> Accepted:
        """Commit a question, as a bot does (`thread`, `visibility`, `platform`: where)."""
        asked = asks(question, person=JISU, **how)
        accepted = await self.record.accept(asked.model_copy(update={"files": files}))
        self.wake()
        return accepted

    async def holds(self, name: str, content: str, scope: str = "everyone") -> None:
        """Let nod learn a document, as it learns an uploaded one."""
        document_id = await self.uploads(name, content.encode(), scope)
        assert await read_waiting(self.record.engine, self.files, uuid4()) == 1
        assert (await document_state(self.record.engine, document_id)).state == "ready"

    async def uploads(self, name: str, content: bytes, scope: str) -> int:
        """Keep a file that waits to be read."""
        return await queue_upload(self.record.engine, self.files, name=name, sha256=self.files.keep(content), scope=scope)

    def wake(self) -> None:
        if self.answering:
            self.answering.woken.set()

    async def reads(self, accepted: Accepted | UUID, within: float = 15.0) -> Answer:
        """The answer, once it is one."""
        answer_id = accepted if isinstance(accepted, UUID) else accepted.answer_id

        async def ended() -> Answer | None:
            with contextlib.suppress(*STORE_ERRORS):  # a reader looks again
                answer = await self.record.answer(answer_id)
                return answer if answer.is_terminal else None
            return None

        return await until(ended, within, "an answer")

    async def hears(self, question: str, *, within: float = 15.0, **how: Any) -> Answer:
        """Ask, and wait for the answer."""
        return await self.reads(await self.asks(question, **how), within)

    async def events(self, answer_id: UUID, attempt: int = 1) -> list[AnswerEvent]:
        """What was streamed so far."""
        rows = await self.redis.xrange(reply_key(answer_id, attempt))
        return [AnswerEvent.model_validate_json(fields["e"]) for _, fields in rows]

    async def until_said(self, answer_id: UUID, words: str, attempt: int = 1) -> None:
        """Wait until these words stand in the stream."""

        async def said() -> bool:
            return words in "".join(event.text for event in await self.events(answer_id, attempt))

        await until(said, 15.0, f"{words!r} in the stream")

    async def until_announced(self, answer_id: UUID, attempt: int = 1) -> list[AnswerEvent]:
        """The whole stream, once its end was announced."""

        async def ended() -> list[AnswerEvent] | None:
            events = await self.events(answer_id, attempt)
            return events if events and events[-1].kind in ("done", "failed") else None

        return await until(ended, 10.0, "the end of the stream")

    async def row(self, answer_id: UUID) -> dict[str, Any]:
        """All that the record holds of an answer."""
        async with self.record.engine.connect() as db:
            return dict((await db.execute(text("SELECT * FROM answers WHERE answer_id = :id"), {"id": answer_id})).mappings().one())


async def until(found: Callable[[], Awaitable[Any]], within: float, what: str) -> Any:
    """Wait until there is something, for so many seconds at most."""
    end = asyncio.get_running_loop().time() + within
    while not (value := await found()):
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"waited {within} s for {what}")
        await asyncio.sleep(0.01)
    return value
