"""Search in processes that hold no model keys: a worker is asked for the vector of a question; the search, with its scopes, stays there."""

import asyncio
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from pydantic import Field
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.embedding import Vectors
from knowledge.nearest import Asking, AskingModel, Missing
from knowledge.phrases import PHRASES
from knowledge.search import Found, Search
from knowledge.vectors import Model, current
from nod.anyone import KEEP_SECONDS, Asked, answer_anyone, ask_anyone
from nod.language import Language
from nod.process import Services
from nod.stream import Follower, request_key

WAIT_SECONDS = 1.5  # for a worker, which itself waits less for its model
MOST_CHARACTERS = 2_000  # of a question
MOST_AT_ONCE = 4  # in one worker: whoever types fast takes nothing from those who are being answered
_CHANNEL = "vectors"
_HALF = "<f2"  # as PostgreSQL keeps them (halfvec)


class _Wanted(Asked):
    model_id: int
    question: str = Field(max_length=MOST_CHARACTERS)


def search_of(services: Services, wait_seconds: float = WAIT_SECONDS) -> Search:
    """Return the search of a process without keys: by vectors as well while an embedding model is set and a worker lives."""
    asking = AskingWorkers(services.engine, services.redis, services.follower, wait_seconds) if services.settings.embedding_model else None
    return Search(services.engine, asking)


def by_words_alone(found: Found, language: Language) -> str:
    """Return a sentence when vectors would have counted in a search and none came; else "".

    Of a question asked in two languages one may have got its vector: what that found has its part in the scores.
    """
    if not found.missing:
        return ""
    how = "partly" if any("vectors" in passage.parts for passage in found.passages) else "words"
    return PHRASES.say(f"search.{how}", language, why=PHRASES.say(f"search.no_{found.missing}", language))


class AskingWorkers(Asking):
    """Asks the workers; the first that answers suffices."""

    def __init__(self, engine: AsyncEngine, redis: "Redis", follower: Follower, wait_seconds: float) -> None:
        super().__init__(engine)
        self._redis = redis
        self._follower = follower
        self._wait_seconds = wait_seconds

    async def vector(self, model: Model, question: str) -> Vectors | Missing:
        """Return the vector of a question's beginning, or who gave none."""
        wanted = _Wanted(model_id=model.model_id, question=question[:MOST_CHARACTERS])
        told = await ask_anyone(self._redis, self._follower, _CHANNEL, wanted, self._wait_seconds)
        if told is None:
            return "worker"
        vector = np.frombuffer(b64decode(told.get("vector", "")), _HALF).astype(np.float32)
        return vector if len(vector) == model.dimensions else "model"


async def tell_vectors(redis: "Redis", engine: AsyncEngine, asking: AskingModel) -> None:
    """Answer in a worker which vectors questions have, each in one worker alone, until cancelled."""
    door = asyncio.Semaphore(MOST_AT_ONCE)

    async def told(wanted: _Wanted) -> dict[str, Any] | None:
        if door.locked():
            return None
        async with door:
            if not await redis.set(f"{request_key(wanted.request_id)}:taken", 1, nx=True, ex=KEEP_SECONDS):
                return None
            model = await current(engine)
            vector = await asking.vector(model, wanted.question) if model and model.model_id == wanted.model_id else "model"
        return {} if isinstance(vector, str) else {"vector": b64encode(vector.astype(_HALF).tobytes()).decode()}

    await answer_anyone(redis, _CHANNEL, _Wanted, told)
