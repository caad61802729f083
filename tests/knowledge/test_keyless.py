"""Searches where no model key is: a worker gives the vector of a question, one is enough, and without any it is said that words alone count."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from knowledge import keyless
from knowledge.keyless import MOST_CHARACTERS, AskingWorkers, by_words_alone, tell_vectors
from knowledge.search import Found, Search
from knowledge.search_cli import _show
from nod import anyone
from nod.connect import redis_from
from nod.contracts import EVERYONE
from nod.stream import Follower
from nod.tasks import end_tasks
from tests.knowledge.shelf import MISSPELT, SMALL, Vectors

LONG = 30.0  # for which a search may wait for a worker; one that does fails its test
SOON = 10.0


class Keyless:
    """A process without keys that searches, and workers that have them."""

    def __init__(self, shelf: Vectors, redis: Redis) -> None:
        self.shelf = shelf
        self.redis = redis

    async def finds(self, question: str, wait_seconds: float = LONG) -> Found:
        async with asyncio.timeout(SOON), Follower(self.redis) as follower:
            asking = AskingWorkers(self.shelf.engine, self.redis, follower, wait_seconds)
            return await Search(self.shelf.engine, asking).find(question, [EVERYONE])

    @asynccontextmanager
    async def workers(self, count: int = 1) -> AsyncIterator[None]:
        """So many workers live and listen."""
        asking = self.shelf.asks(self.shelf.embedder)
        tasks = [asyncio.create_task(tell_vectors(self.redis, self.shelf.engine, asking)) for _ in range(count)]
        await self.listened_to(count)
        yield
        await end_tasks(tasks)

    async def listened_to(self, count: int) -> None:
        name = anyone._name(self.redis, keyless._VECTORS)
        async with asyncio.timeout(10):
            while dict(await self.redis.pubsub_numsub(name))[name] < count:
                await asyncio.sleep(0.01)

    @property
    def asked(self) -> int:
        """How often the model was asked for vectors."""
        return len(self.shelf.agent.embedded)


@pytest.fixture
async def web(shelf: Vectors, redis: Redis) -> Keyless:
    await shelf.embeds()
    return Keyless(shelf, redis)


async def test_a_search_without_a_key_finds_what_one_with_it_finds_and_one_of_several_workers_asks_the_model(web: Keyless):
    async with web.workers(3):
        for question in (MISSPELT, "연차 이월"):
            with_key, before = await web.shelf.finds(question), web.asked
            found = await web.finds(question)
            assert web.asked == before + 1
            assert found.missing is None
            assert [passage.title for passage in found.passages] == [passage.title for passage in with_key.passages]
            for one, other in zip(found.passages, with_key.passages, strict=True):
                assert one.parts == pytest.approx(other.parts, abs=0.001)
    kept = [await web.redis.ttl(key) for key in await web.redis.keys("request:*")]
    assert kept
    assert max(kept) <= anyone.KEEP_SECONDS


@pytest.mark.parametrize("trouble", ["none lives", "frozen", "no time", "no redis"])
async def test_without_a_worker_words_are_searched_alone_and_that_is_said(web: Keyless, trouble: str):
    async with web.redis.pubsub() as frozen, redis_from("redis://127.0.0.1:1/0") as away:
        if trouble in ("frozen", "no time"):
            await frozen.subscribe(anyone._name(web.redis, keyless._VECTORS))
            await web.listened_to(1)
        web.redis = away if trouble == "no redis" else web.redis
        found = await web.finds("연차 이월", {"frozen": 0.2, "no time": 0.0}.get(trouble, LONG))
    assert (found.missing, found.is_known, found.passages[0].title) == ("worker", True, "휴가 규정")
    assert "vectors" not in found.passages[0].parts
    assert by_words_alone(found, "en") == "By words alone: no worker answered in time."
    assert by_words_alone(found, "ko") == "낱말로만 찾았어요. 제때 응답한 워커가 없어요."


async def test_a_model_that_does_not_answer_its_worker_is_told_apart_and_left_alone(web: Keyless):
    web.shelf.agent.embeds(status=500)
    async with web.workers():
        found = await web.finds(MISSPELT)
        assert (found.missing, found.passages) == ("model", ())
        assert by_words_alone(found, "en") == "By words alone: the embedding model gave no vector."
        before = web.asked
        assert (await web.finds("연차 이월")).missing == "model"
    assert web.asked == before


def test_the_terminal_says_so_too(capsys: pytest.CaptureFixture[str]):
    _show("travel", Found(missing="model"))
    assert capsys.readouterr().out == "Nothing found.\nBy words alone: the embedding model gave no vector.\n"


@pytest.mark.parametrize("why", ["no model is whole", "its vectors do not count in Korean"])
async def test_what_goes_by_words_in_answers_too_asks_no_worker_and_says_nothing(web: Keyless, why: str):
    change = "is_current = false" if why == "no model is whole" else "name = 'ollama:all-minilm'"
    async with web.shelf.engine.begin() as db:
        await db.execute(text(f"UPDATE embedding_models SET {change}"))
    found = await web.finds("연차 이월")
    assert (found.missing, by_words_alone(found, "ko"), found.passages[0].title) == (None, "", "휴가 규정")


async def test_of_a_long_question_the_beginning_is_sent(web: Keyless):
    async with web.workers():
        assert (await web.finds("travel " * MOST_CHARACTERS)).missing is None
    assert web.shelf.agent.embedded[-1] == [("travel " * MOST_CHARACTERS)[:MOST_CHARACTERS]]


async def test_a_worker_gives_a_few_vectors_at_a_time_and_leaves_the_rest(web: Keyless, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keyless, "MOST_AT_ONCE", 1)
    web.shelf.agent.embeds(after=0.5)
    async with web.workers():
        before = web.asked
        found = await asyncio.gather(*(web.finds(f"{MISSPELT} {n}", 2.0) for n in range(3)))
    assert sorted(one.missing or "" for one in found) == ["", "worker", "worker"]
    assert web.asked == before + 1


async def test_a_question_for_a_model_that_is_no_longer_current_gets_no_vector(web: Keyless, monkeypatch: pytest.MonkeyPatch):
    model = await keyless.current(web.shelf.engine)
    assert model is not None

    async def earlier(_: object) -> object:
        return replace(model, model_id=model.model_id + 1)

    monkeypatch.setattr("knowledge.nearest.current", earlier)
    async with web.workers():
        before = web.asked
        assert (await web.finds(MISSPELT)).missing == "model"
    assert web.asked == before
    assert model.name == SMALL
