"""Searching while documents are replaced, merged and compacted: a document that is always there is always found."""

import asyncio

from knowledge import index
from knowledge.search import Search
from nod.contracts import EVERYONE
from tests.knowledge.conftest import Knowledge

ROUNDS = 30


async def test_no_search_ever_misses_a_document_that_is_replaced_merged_and_compacted(knowledge: Knowledge):
    """Read in separate snapshots, a passage is neither in the tail (merged just now) nor in the blocks (not yet): one search in forty."""
    for n in range(30):
        await knowledge.holds(f"문서 {n}", "병가 규정이에요.")
    await knowledge.holds("휴가", "연차 이월 규정이에요. 판 0")
    search, done, misses, searches = Search(knowledge.engine), asyncio.Event(), list[str](), 0

    async def look() -> None:
        nonlocal searches
        while not done.is_set():
            found = await search.find("연차 이월", [EVERYONE], k=3)
            searches += 1
            if [passage.title for passage in found.passages] != ["휴가"]:
                misses.append(" ".join(passage.text for passage in found.passages) or "nothing")

    async def change() -> None:
        for n in range(1, ROUNDS):
            await knowledge.holds("휴가", f"연차 이월 규정이에요. 판 {n}")
            await knowledge.merges()
            if n % 10 == 0:
                await index.compact(knowledge.engine)
        done.set()

    await asyncio.gather(change(), *(look() for _ in range(4)))
    assert searches > ROUNDS
    assert misses == []


async def test_mergers_at_once_give_every_passage_one_slot(knowledge: Knowledge):
    async def add(first: int) -> None:
        for n in range(first, first + 10):
            await knowledge.holds(f"문서 {n}", f"연차 {n}", f"이월 {n}")
            await knowledge.merges()

    await asyncio.gather(add(0), add(10), add(20))
    await knowledge.merges()
    assert len(await knowledge.titles("연차")) == len(await knowledge.titles("이월")) == 30
