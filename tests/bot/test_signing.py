"""A status gives way to the words: a step that waits for its turn does not come after them."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.signing import Sign


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("bot.signing.STEP_SECONDS", 0.2)
    return []


@pytest.fixture
def sign(shown: list[str]) -> Sign:
    async def show(_: object, phrase: str, **__: object) -> None:
        shown.append(phrase)

    async def first_shown(_: object) -> None: ...

    answer = SimpleNamespace(answer_id=None, code="q-1")
    return Sign(cast(Any, SimpleNamespace(first_shown=first_shown)), cast(Any, SimpleNamespace(sign=show)), cast(Any, answer))


async def test_a_step_stands_there_before_the_next_one_does(sign: Sign, shown: list[str]) -> None:
    for phrase in ("찾고 있어요…", "한국어로도 찾고 있어요…", "3곳을 읽고 있어요…"):
        sign.show(phrase)
        await asyncio.sleep(0.02)
    assert shown == ["찾고 있어요…"]
    await asyncio.sleep(0.4)
    assert shown == ["찾고 있어요…", "3곳을 읽고 있어요…"]


async def test_a_step_that_waits_does_not_come_after_the_words(sign: Sign, shown: list[str]) -> None:
    sign.show("Searching…")
    await asyncio.sleep(0.02)
    sign.show("Reading…")
    sign.hold()  # words are being posted, which takes a while
    await asyncio.sleep(0.4)
    sign.replaced(was_busy=False)
    assert shown == ["Searching…"]
