"""An answer that grows before its reader: from its beginning whenever one joins, through lost connections, emptied Redis, a new page process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from redis.asyncio import Redis

from nod.record import Record
from tests.speaker import Speaker
from tests.web.conftest import start_site
from tests.web.visitors import Visitor, arrive


class Stream:
    """What a browser's EventSource hears."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.heard: list[tuple[str, dict[str, str]]] = []

    async def next(self) -> tuple[str, dict[str, str]]:
        name = ""
        async for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                self.heard.append((name, json.loads(line.removeprefix("data: "))))
                return self.heard[-1]
        return ("closed", {})

    async def until(self, html: str) -> dict[str, str]:
        """Read on until a text is shown."""
        while True:
            name, data = await self.next()
            assert name != "closed", f"never showed {html!r}; heard {self.heard}"
            if html in data.get("html", ""):
                return data

    async def end(self) -> dict[str, str]:
        while (heard := await self.next())[0] in ("step", "grew"):
            pass
        assert heard[0] == "end"
        return heard[1]


@pytest.fixture
async def speaker(record: Record, redis: Redis) -> Speaker:
    return Speaker(record, redis)


@pytest.fixture
async def visitor(site: str, services) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(base_url=site, trust_env=False, timeout=30) as http:
        yield await arrive(services, http, "member", "지수")


@asynccontextmanager
async def watching(visitor: Visitor, answer_id) -> AsyncIterator[Stream]:
    async with visitor.http.stream("GET", f"/chat/answers/{answer_id}/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.aiter_lines())


async def test_an_answer_is_seen_growing_and_ends_as_committed(visitor, speaker):
    answer_id = await visitor.ask("연차 이월 돼?")
    await speaker.claim()
    async with watching(visitor, answer_id) as stream:
        await speaker.steps("searched", passages=3)
        assert await stream.next() == ("step", {"note": "Reading 3 passages…"})
        for piece in ("네, ", "**5일**까지 ", "이월돼요 [1]."):
            await speaker.says(piece)
            await stream.until(speaker.said.split("*")[0].strip())
        await speaker.commits()
        end = await stream.end()
    grown = [data["html"] for name, data in stream.heard if name == "grew" and data["html"]]
    assert len(set(grown)) == 3
    assert "<strong>5일</strong>" in end["html"]
    assert "5일" in end["said"]


async def test_a_connection_that_was_lost_shows_all_from_the_beginning_when_it_comes_back(visitor, speaker):
    answer_id = await visitor.ask("Long?")
    await speaker.claim()
    async with watching(visitor, answer_id) as stream:
        await speaker.says("one ")
        await stream.until("one")
    await speaker.says("two ")
    async with watching(visitor, answer_id) as stream:
        await stream.until("one two")
        await speaker.says("three")
        await stream.until("one two three")
        await speaker.commits()
        assert "one two three" in (await stream.end())["html"]


async def test_two_readers_of_one_answer_both_see_all_of_it(visitor, speaker):
    answer_id = await visitor.ask("다 보여?")
    await speaker.claim()
    async with watching(visitor, answer_id) as first:
        await speaker.says("하나 ")
        await first.until("하나")
        async with watching(visitor, answer_id) as late:
            await late.until("하나")
            await speaker.says("둘 ")
            await asyncio.gather(first.until("하나 둘"), late.until("하나 둘"))
            await speaker.commits("하나 둘 셋")
            assert all("하나 둘 셋" in end["html"] for end in await asyncio.gather(first.end(), late.end()))


@pytest.mark.parametrize("is_late", [False, True])
async def test_an_answer_that_was_stopped_before_it_spoke_says_so(visitor, speaker, is_late):
    answer_id = await visitor.ask("Stopped?")
    await speaker.claim()
    if is_late:
        await speaker.commits(status="withdrawn")
    async with watching(visitor, answer_id) as stream:
        if not is_late:
            await speaker.commits(status="withdrawn")
        assert "stopped before there was an answer" in (await stream.end())["html"]


async def test_a_reader_who_comes_late_gets_the_committed_answer_at_once(visitor, speaker):
    answer_id = await visitor.ask("Late?")
    await speaker.claim()
    await speaker.says("said")
    await speaker.commits()
    async with watching(visitor, answer_id) as stream:
        assert (await stream.next())[0] == "end"


async def test_an_end_that_nobody_announced_is_found_in_the_record(visitor, speaker):
    answer_id = await visitor.ask("Silent?")
    await speaker.claim()
    async with watching(visitor, answer_id) as stream:
        await speaker.says("half")
        await stream.until("half")
        await speaker.commits("half and whole", announced=False)
        assert "half and whole" in (await stream.end())["html"]


async def test_when_redis_is_emptied_growing_stops_and_the_committed_text_is_shown(visitor, speaker, redis):
    answer_id = await visitor.ask("Emptied?")
    await speaker.claim()
    async with watching(visitor, answer_id) as stream:
        await speaker.says("one ")
        await stream.until("one")
        await redis.flushdb()
        await speaker.says("two ", offset=100)
        await speaker.commits("one, what was lost, two")
        assert "one, what was lost, two" in (await stream.end())["html"]
    assert not any("two" in data["html"] for name, data in stream.heard if name == "grew")


async def test_another_attempt_keeps_the_old_text_until_it_speaks_and_then_replaces_it(visitor, speaker, record, redis):
    answer_id = await visitor.ask("Again?")
    await speaker.claim()
    async with watching(visitor, answer_id) as stream:
        await speaker.says("the first attempt said this")
        await stream.until("the first attempt")
        await speaker.claims.release()
        second = Speaker(record, redis)
        await second.claim()
        note = ""
        while "Continuing" not in note:
            name, data = await stream.next()
            note = data["note"]
            assert "the first attempt" in data["html"], name
        await second.says("anew")
        assert "the first attempt" not in (await stream.until("anew"))["html"]
        await second.commits()
        assert "anew" in (await stream.end())["html"]


async def test_a_page_process_that_is_told_to_end_lets_its_streams_go_and_the_next_one_goes_on(visitor, speaker, roles):
    answer_id = await visitor.ask("Deploy?")
    await speaker.claim()
    async with watching(visitor, answer_id) as stream:
        await speaker.says("before ")
        await stream.until("before")
        (web,) = roles.running
        web.child.terminate()
        assert (await stream.next())[0] == "closed"
    assert web.child.wait(10) == 0
    start_site(roles)
    async with watching(visitor, answer_id) as stream:
        await speaker.says("and after")
        await stream.until("before and after")
        await speaker.commits()
        await stream.end()


async def test_stop_is_asked_of_the_record_by_its_asker(visitor, speaker):
    answer_id = await visitor.ask("Stop me?")
    await speaker.claim()
    assert (await visitor.post(f"/chat/answers/{answer_id}/stop")).status_code == 204
    assert await speaker.claims.to_stop() == {answer_id}
