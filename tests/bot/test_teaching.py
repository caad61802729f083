"""What a teacher is told is true, whatever lasts or fails beside it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.commands import Asker
from bot.teaching import learn
from knowledge.gaps import gap_of
from knowledge.teaching import scope_taught_in
from nod.record import Record
from tests.asked import JISU, asks

TEXT = "It opens on Tuesdays."


@pytest.mark.parametrize("fault", ["slow", "late", "broken", "broken without a word"])
async def test_what_is_learnt_is_said_to_be_learnt_though_its_gap_is_not_closed_in_time(
    engine: AsyncEngine, record: Record, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    asked = asks("When does the pool open?", visibility="private")
    accepted = await record.accept(asked)
    await record.keep_gap(accepted.question_id, scope_taught_in(asked.place, asked.person), "en")

    async def closing(*_: object) -> int:
        if fault == "broken":
            raise ConnectionError("away")
        if fault == "broken without a word":
            raise TimeoutError
        if fault == "late":
            limit.reschedule(asyncio.get_running_loop().time())
        await asyncio.sleep(60)
        return 1

    monkeypatch.setattr("bot.teaching.close", closing)
    monkeypatch.setattr("bot.teaching.CLOSE_SECONDS", 60 if fault == "late" else 0.05)
    services = cast(Any, SimpleNamespace(engine=engine, record=record))
    gap = await gap_of(engine, accepted.question_id)
    async with asyncio.timeout(5) as limit:
        said = await learn(services, Asker(JISU, asked.place, "en"), TEXT, gap=gap)
    assert said.lesson_id is not None
    assert "Learnt" in said.text
    assert "will be told" not in said.text


async def test_whoever_teaches_waits_for_no_merge(engine: AsyncEngine, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    async def merging(*_: object, **__: object) -> int:
        raise AssertionError("merged while somebody waits")

    monkeypatch.setattr("knowledge.index.merge", merging)
    place = asks("?", visibility="private").place
    said = await learn(cast(Any, SimpleNamespace(engine=engine, record=record)), Asker(JISU, place, "en"), TEXT)
    assert said.lesson_id is not None


@pytest.mark.filterwarnings("ignore:'audioop' is deprecated:DeprecationWarning")  # discord.py imports it
async def test_a_dialog_of_discord_gives_back_what_was_typed_when_the_record_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.discord.teaching import Teaching

    async def away(*_: object) -> None:
        raise ConnectionError("PostgreSQL is away")

    monkeypatch.setattr("bot.discord.teaching.gap_behind", away)
    teaching = Teaching(cast(Any, SimpleNamespace(services=None)))
    asker = Asker(JISU, asks("?").place, "en")
    said = await teaching._learnt(asker, TEXT, answer_id=uuid4())
    assert (said.text, said.lesson_id) == (f"That did not work. Try again in a moment.\n>>> {TEXT}", None)
