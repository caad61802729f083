"""The claiming loop of a worker: claim what waits while there is room, run each answer as a task, commit, announce, end in order."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from nod import children
from nod.contracts import Outcome, Task, Turn, code_from
from nod.errors import first_line
from nod.logs import log
from nod.pause import pause
from nod.process import LOOK_SECONDS, Services, look
from nod.queue import expire
from nod.stream import reply_key
from nod.tasks import end_tasks
from workers.attempt import Attempt, Reach
from workers.memory import Memory
from workers.saying import GROW_SECONDS, Saying, Voice

COMMIT_SECONDS = 120.0  # how long a finished answer waits for PostgreSQL to come back
EXPIRE_EVERY_SECONDS = 5.0
BREATH_SECONDS = 0.02  # between two looks: a burst of wake-ups is one look
MOST_OUTAGES = 10  # of one answer in this process; more is no outage but a fault of the answer
AWAY = (OperationalError, InterfaceError, PoolTimeoutError)  # PostgreSQL is away: nobody's fault, so no strike

_log = log(__name__)
_Answer = Callable[[Attempt], Awaitable[Outcome]]


class Answering:
    """What this process answers just now."""

    hard_end_seconds = 120.0  # of any answer; what the model may take of it is less (Patience)
    drain_seconds = 25.0  # for answers still running when the process is to end; with the rest of ending it stays below 30

    def __init__(self, services: Services, voice: Voice, memory: Memory, reach: Reach, answer: _Answer) -> None:
        self.woken = asyncio.Event()
        self.services = services
        self._voice = voice
        self._memory = memory
        self._reach = reach
        self._answer = answer
        self.running: dict[tuple[UUID, int], tuple[Attempt, asyncio.Task[None]]] = {}  # by answer and attempt
        self._owed: dict[UUID, int] = {}  # answers to give back as soon as PostgreSQL takes them: attempt by id
        self._outages: Counter[UUID] = Counter()
        self._looked = self._judged = self._counted = self._expired = 0.0
        self.looks = 0

    async def run(self) -> None:
        """Answer until the process is to end; then let what is running end, for 25 s at most. What is left is released by the caller."""
        ending = asyncio.create_task(self._wake_at_end())
        await look(self.services.ending, self.woken, self._look)
        await ending
        tasks = [task for _, task in self.running.values()]
        if tasks:
            _log.info("answers are finishing", count=len(tasks))
            await asyncio.wait(tasks, timeout=self.drain_seconds)
        await end_tasks(tasks)

    def end(self) -> None:
        """Ask this worker to end, as SIGTERM does."""
        self.services.ending.set()

    async def _wake_at_end(self) -> None:
        await self.services.ending.wait()
        self.woken.set()

    async def _look(self) -> None:
        await asyncio.sleep(max(0.0, self._looked + BREATH_SECONDS - time.monotonic()))
        self._looked = time.monotonic()
        await self._give_back()
        await self._take_from_the_dead()
        await self._expire()
        room = self.services.settings.answers_at_once - len(self.running)
        if room > 0 and not self.services.ending.is_set():
            for task in await self._claim(room):
                self._begin(task)
        if self.running:
            self._stop(await self.services.claims.to_stop())
            await self._let_go()
        self.looks += 1

    async def _claim(self, room: int) -> list[Task]:
        return await self.services.claims.claim(room)

    async def _take_from_the_dead(self) -> None:
        """Free what the dead held, and ask the nursery for a cell while suspects wait."""
        now = time.monotonic()
        if now - self._judged >= LOOK_SECONDS / 2:
            self._judged = now
            if self.services.heartbeat.may_judge:
                await self.services.claims.take_from_the_dead()
            if (await self.services.claims.suspects())[0]:
                children.say_alive(children.CELL)

    async def _expire(self) -> None:
        """End what waited too long, before anything is claimed: after an outage it is told so, not answered an hour late."""
        if time.monotonic() - self._expired >= EXPIRE_EVERY_SECONDS:
            self._expired = time.monotonic()
            await expire(self.services.engine)

    def _begin(self, task: Task) -> None:
        saying = Saying(self._voice, reply_key(task.answer_id, task.attempt), GROW_SECONDS[task.place.platform])
        attempt = Attempt(task=task, saying=saying, reach=self._reach)
        running = asyncio.create_task(self._attend(attempt), name=f"answer {task.answer_id}")
        self.running[task.answer_id, task.attempt] = (attempt, running)

    def _stop(self, wanted: set[UUID]) -> None:
        for attempt, running in self.running.values():
            if attempt.task.answer_id in wanted and not attempt.is_stopped and not attempt.is_over:
                attempt.is_stopped = True
                running.cancel()

    async def _let_go(self) -> None:
        """End attempts that are not ours any more (the question was edited or deleted, the claim taken over): nobody pays for them."""
        now = time.monotonic()
        if now - self._counted < LOOK_SECONDS / 2:
            return
        self._counted = now
        running = list(self.running)
        held = await self.services.claims.held()
        for key in running:
            if key not in held and key in self.running and not self.running[key][0].is_over:
                _log.info("claim was lost", attempt=key[1])
                self.running[key][1].cancel()

    async def _attend(self, attempt: Attempt) -> None:
        """Run one attempt to its end, whatever that is."""
        task = attempt.task
        structlog.contextvars.bind_contextvars(code=code_from(task.question_id))  # of this asyncio task: all that is logged about it
        try:
            await pause("claimed")
            outcome = await self._outcome(attempt)
            attempt.is_over = True
            await self._finish(attempt, outcome)
        except AWAY as error:
            self._owe(task, error)
        except Exception as error:  # noqa: BLE001  # the task edge: logged, and a strike
            _log.exception("answer failed")
            attempt.is_over = True
            await self._strike(attempt, type(error).__name__)
        finally:
            self.running.pop((task.answer_id, task.attempt), None)
            self.woken.set()  # the next question of this conversation may wait

    async def _outcome(self, attempt: Attempt) -> Outcome:
        """Return how an attempt ended. Raises CancelledError when it is to end without a word: this process ends."""
        try:
            async with asyncio.timeout(self.hard_end_seconds):
                return await self._answer(attempt)
        except asyncio.CancelledError:
            if not attempt.is_stopped:
                raise
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
            return attempt.stopped()

    async def _finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """Commit, remember, announce, in this order. An attempt that lost its claim says nothing."""
        task = attempt.task
        if not await self._commit(task, outcome):
            _log.info("claim was lost", attempt=task.attempt)
            return
        await pause("answered")
        if outcome.status == "answered":
            await self._memory.remember(task, [*attempt.remembered, *turns_from(task, outcome)])
        await pause("remembered")
        attempt.saying.tell("failed" if outcome.status == "failed" else "done")

    async def _commit(self, task: Task, outcome: Outcome) -> bool:
        """Commit an outcome; while PostgreSQL is away keep it and try again. Nobody can take the claim meanwhile."""
        end = time.monotonic() + COMMIT_SECONDS
        while True:
            try:
                return await self.services.record.finish(task.answer_id, task.attempt, outcome)
            except AWAY as error:
                if time.monotonic() > end:
                    raise
                _log.warning("answer kept until the record is back", error=first_line(error))
                await asyncio.sleep(LOOK_SECONDS)

    def _owe(self, task: Task, error: BaseException) -> None:
        _log.warning("answer given back", error=first_line(error))
        self._outages[task.answer_id] += 1
        self._owed[task.answer_id] = task.attempt

    async def _give_back(self) -> None:
        for answer_id, attempt in list(self._owed.items()):
            if self._outages[answer_id] > MOST_OUTAGES:
                await self.services.claims.strike(answer_id, attempt, "outages")
            else:
                await self.services.claims.give_back(answer_id, attempt)
            del self._owed[answer_id]

    async def _strike(self, attempt: Attempt, error: str) -> None:
        task = attempt.task
        try:
            is_over = await self.services.claims.strike(task.answer_id, task.attempt, error)
        except AWAY as outage:
            self._owe(task, outage)
            return
        if is_over:
            attempt.saying.tell("failed")


class Cell(Answering):
    """Answers suspects, and ends when there are none left. See nod.claims."""

    async def _claim(self, room: int) -> list[Task]:  # noqa: ARG002  # what is in a cell already runs alone
        if self.running:
            return []
        tasks = await self.services.claims.claim_suspects()
        if not tasks:
            self.end()
        return tasks


def turns_from(task: Task, outcome: Outcome) -> tuple[Turn, Turn]:
    """Return a question and its answer as memory keeps them."""
    return (
        Turn(role="user", text=task.text, position=task.position),
        Turn(role="assistant", text=outcome.text, position=task.position),
    )
