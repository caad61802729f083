"""Search in processes that hold no model keys: the search, with its scopes, stays there.

A worker is asked for the vector of a question, and for the question in the other language.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from pydantic import Field
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.across import asked_too, both, foreign
from knowledge.embedding import Vectors
from knowledge.nearest import Asking, AskingModel, Missing
from knowledge.phrases import PHRASES
from knowledge.search import Found, Search
from knowledge.vectors import Model, current
from nod.anyone import KEEP_SECONDS, Inquiry, answer_anyone, ask_anyone
from nod.language import Language, other_language
from nod.process import Services
from nod.settings import Settings
from nod.stream import Follower, request_key
from nod.tasks import together

WAIT_SECONDS = 1.5  # for workers, which themselves wait less for their models
MOST_CHARACTERS = 2_000  # of a question
MOST_AT_ONCE = 4  # in one worker: whoever types fast takes nothing from those who are being answered
_VECTORS, _WORDS = "vectors", "words"
_HALF = "<f2"  # as PostgreSQL keeps them (halfvec)


class _WantedWords(Inquiry):
    question: str = Field(max_length=MOST_CHARACTERS)


class _WantedVector(_WantedWords):
    model_id: int


W = TypeVar("W", bound=Inquiry)


@dataclass(frozen=True, slots=True)
class Means:
    """What a command searches with that is no process of nod's own: `find_whole` takes it in the place of Services."""

    settings: Settings
    engine: AsyncEngine
    redis: "Redis"
    follower: Follower


async def find_whole(
    services: Services | Means, question: str, scopes: Sequence[str], *, k: int, wait_seconds: float = WAIT_SECONDS
) -> Found:
    """Return what an answer would find: by vectors too, and in the other language, as far as workers tell them within so many seconds."""
    end = asyncio.get_running_loop().time() + wait_seconds
    found, (asked, untranslated) = await together(
        _search(services, wait_seconds).find(question, scopes, k=k), _in_other_language(services, question, scopes, wait_seconds)
    )
    if not asked:
        return replace(found, untranslated=untranslated)
    left = max(end - asyncio.get_running_loop().time(), 0.0)
    return both(found, await _search(services, left).find(asked, scopes, k=k), asked)


async def _in_other_language(
    services: Services | Means, question: str, scopes: Sequence[str], wait_seconds: float
) -> tuple[str, Missing | None]:
    """Return the question in the other language, or who did not write it where that would have been worth it."""
    if not (question and services.settings.across_languages) or not await Search(services.engine).is_worth_both(question, scopes):
        return "", None
    wanted = _WantedWords(question=question[:MOST_CHARACTERS])
    told = await ask_anyone(services.redis, services.follower, _WORDS, wanted, wait_seconds)
    if told is None:
        return "", "worker"
    words = str(told.get("words", ""))
    return words, None if words else "model"


def _search(services: Services | Means, wait_seconds: float) -> Search:
    """Return a search by vectors as well, while an embedding model is set and a worker lives."""
    asking = AskingWorkers(services.engine, services.redis, services.follower, wait_seconds) if services.settings.embedding_model else None
    return Search(services.engine, asking)


def notes(question: str, found: Found, language: Language) -> list[str]:
    """Return the sentences that belong below what `find_whole` found: as what else it searched, or what it could not search by."""
    has_no_model = found.untranslated != "model"  # or none that answers
    in_one = (has_no_model and foreign(question, found, found.passages, language)) or _in_one_language(question, found, language)
    return [sentence for sentence in (asked_too(found, language), in_one, by_words_alone(found, language)) if sentence]


def _in_one_language(question: str, found: Found, language: Language) -> str:
    if not found.untranslated:
        return ""
    why = PHRASES.say(f"search.untranslated_{found.untranslated}", language)
    return PHRASES.say(f"search.not_in_{other_language(question)}", language, why=why)


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
        wanted = _WantedVector(model_id=model.model_id, question=question[:MOST_CHARACTERS])
        told = await ask_anyone(self._redis, self._follower, _VECTORS, wanted, self._wait_seconds)
        if told is None:
            return "worker"
        vector = np.frombuffer(b64decode(told.get("vector", "")), _HALF).astype(np.float32)
        return vector if len(vector) == model.dimensions else "model"


async def tell_vectors(redis: "Redis", engine: AsyncEngine, asking: AskingModel) -> None:
    """Answer in a worker which vectors questions have, until cancelled."""

    async def told(wanted: _WantedVector) -> dict[str, Any]:
        model = await current(engine)
        vector = await asking.vector(model, wanted.question) if model and model.model_id == wanted.model_id else "model"
        return {} if isinstance(vector, str) else {"vector": b64encode(vector.astype(_HALF).tobytes()).decode()}

    await _tell(redis, _VECTORS, _WantedVector, told)


async def tell_words(redis: "Redis", write: Callable[[str], Awaitable[str]]) -> None:
    """Answer in a worker what to search for in the other language, as `write` has it ("": nothing), until cancelled."""

    async def told(wanted: _WantedWords) -> dict[str, Any]:
        return {"words": await write(wanted.question)}

    await _tell(redis, _WORDS, _WantedWords, told)


async def _tell(redis: "Redis", channel: str, kind: type[W], act: "Callable[[W], Awaitable[dict[str, Any]]]") -> None:
    """Answer what processes without keys ask, each time one worker alone: a model is paid for once."""
    door = asyncio.Semaphore(MOST_AT_ONCE)

    async def told(wanted: W) -> dict[str, Any] | None:
        if door.locked():
            return None
        async with door:
            if not await redis.set(f"{request_key(wanted.request_id)}:taken", 1, nx=True, ex=KEEP_SECONDS):
                return None
            return await act(wanted)

    await answer_anyone(redis, channel, kind, told)
