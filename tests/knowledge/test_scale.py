"""Search among 100,000 passages: what the index proposes is what scoring every passage would find, and what is new is there at once."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.scale import add_document, agreement, merged
from benchmarks.synthetic import make

PASSAGES = 100_000
GOAL = 0.98


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_among_very_many_passages_the_best_are_found_and_a_new_one_at_once(engine: AsyncEngine, database_url: str):
    made = make(database_url, PASSAGES, questions=20)
    await merged(engine)
    found = await agreement(engine, made, made.questions)
    assert {name: share >= GOAL for name, share in found.items()} == dict.fromkeys(found, True), found
    await add_document(engine, "brandnewzz")
