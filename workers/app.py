"""A worker process: the event loop that answers, documents being read beside it, and Celery's wake-ups in a thread."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.worker import state

from knowledge.embedding import Embedder
from knowledge.keyless import tell_vectors, tell_words
from knowledge.nearest import AskingModel
from knowledge.search import Search
from knowledge.sources.followed import means_from
from nod.logs import log
from nod.process import Services, running
from nod.readers import readers_of
from nod.settings import Settings
from nod.tasks import end_tasks
from nod.wake import QUEUES, celery_from
from workers import tasks
from workers.attempt import Reach
from workers.conversation import Conversation
from workers.faults import Patience
from workers.interpreter import Interpreter
from workers.light import Light
from workers.loop import Answering, Cell
from workers.memory import Memory
from workers.models import light_model_from, models_from
from workers.reading import Reading
from workers.saying import Voice
from workers.spending import Spending, price_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from workers.agent import Agent
    from workers.nursery import Part

STOP_SECONDS = 1.0
NICENESS = 5  # where processors are short, bots that show signs and growing answers come before workers that make them

_log = log(__name__)


async def load(settings: Settings) -> None:
    """Load all code that answering needs, by making what answers once: it loads much of itself at its first use."""
    async with models_from(settings) as models, light_model_from(settings):
        _agent(models, None)


async def work(settings: Settings, part: "Part") -> None:
    """Answer questions until SIGTERM or Ctrl-C: a worker, which reads documents as well, or a cell."""
    os.nice(NICENESS)
    async with worker(settings) if part == "worker" else _answering("cell", settings, None, Cell) as answering:
        await answering.run()


@contextlib.asynccontextmanager
async def worker(settings: Settings, patience: Patience | None = None) -> AsyncGenerator[Answering]:
    """Give a worker, ready to `run`, with its readers and its ears; end them, and give back what it still holds."""
    async with _answering("worker", settings, patience, Answering) as answering:
        services = answering.services
        reading = Reading(services, means_from(settings))
        ears = Ears(celery_from(services.servers.redis_url), answering.woken.set, reading.ring)
        async with _at_work(reading), _at_work(ears):
            yield answering


@contextlib.asynccontextmanager
async def _answering(role: str, settings: Settings, patience: Patience | None, kind: type[Answering]) -> AsyncGenerator[Answering]:
    """Give what answers.

    It registers when it has loaded the model's code, which takes seconds: a worker on the list can answer.
    """
    async with models_from(settings) as models, light_model_from(settings) as light, Embedder(settings) as embedder:
        agent = _agent(models, patience)
        await embedder.load()
        async with running(role, settings) as services, Voice(services.redis) as voice:
            if agent is None:
                _log.info("no language model is connected: documents are quoted")
            memory = Memory(services.redis, services.record, settings)
            for_questions = light or next(iter(models), None)
            has_price = any(price_of(name) for name, _ in (*models, *([light] if light else [])))
            spending = Spending(services.engine, settings.daily_limit_usd if has_price else 0.0)
            interpreter = Interpreter(*for_questions, spending) if for_questions and settings.across_languages else None
            asking = AskingModel(services.engine, embedder) if embedder.wanted else None
            reach = Reach(
                Search(services.engine, asking),
                services.record, services.requests, services.follower,
                lambda place, person: readers_of(services.redis, services.follower, place, person), interpreter,
            )  # fmt: skip
            checks = Light(*light) if light and settings.light_model else None
            conversation = Conversation(services.record, memory, agent, spending, checks)
            async with _telling(services, asking, interpreter) if role == "worker" else contextlib.nullcontext():
                yield kind(services, voice, memory, reach, conversation.answer)


@contextlib.asynccontextmanager
async def _telling(services: Services, asking: AskingModel | None, interpreter: Interpreter | None) -> AsyncGenerator[None]:
    """Give processes without keys the vectors of what is searched there, and its words in the other language, while this lasts."""
    vectors = [tell_vectors(services.redis, services.engine, asking)] if asking else []
    words = [tell_words(services.redis, interpreter.written_for_search)] if interpreter else []
    telling = [asyncio.create_task(tell, name="tell a search") for tell in (*vectors, *words)]
    try:
        yield
    finally:
        await end_tasks(telling)


@contextlib.asynccontextmanager
async def _at_work(helper: "Reading | Ears") -> AsyncGenerator[None]:
    """Let a thread help while this lasts."""
    helper.start()
    try:
        yield
    finally:
        await asyncio.to_thread(helper.stop)


def _agent(models: "Sequence[tuple[str, BaseChatModel]]", patience: Patience | None) -> "Agent | None":
    if not models:
        return None
    from workers.agent import Agent  # loads the whole of LangChain, which quoting does without

    return Agent(models, patience)


class Ears:
    """Celery's consumer in a thread of its own: it only rings bells. While Redis is away it tries again by itself and holds up nothing."""

    def __init__(self, app: Celery, wake: Callable[[], None], read: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        tasks.register(app, lambda: _ring(loop, wake), lambda: _ring(loop, read))
        app.set_default()  # a task runs in a thread of the pool, which looks it up in the default application
        self._worker: Any = app.WorkController(
            pool_cls="threads", concurrency=2, queues=sorted(set(QUEUES.values())),
            without_gossip=True, without_mingle=True, without_heartbeat=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._listen, name="celery", daemon=True)
        self._is_ending = False

    def start(self) -> None:
        """Begin to listen."""
        state.should_stop = None
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, waiting a second at most. Wake-ups still in Redis ring in another worker, or change nothing."""
        self._is_ending = True
        state.should_stop = 0
        self._thread.join(STOP_SECONDS)

    def _listen(self) -> None:
        try:
            self._worker.start()
        except Exception:  # noqa: BLE001  # the edge of a thread; while ending, kombu reads from sockets that are closed already
            if not self._is_ending:
                _log.exception("wake-ups are not heard any more, each second's look remains")


def _ring(loop: asyncio.AbstractEventLoop, bell: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: this process ends
        loop.call_soon_threadsafe(bell)
