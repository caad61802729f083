"""What a platform told is kept for less than a minute, asked for once, and never when it was refused."""

import asyncio

import pytest

from bot.fresh import KEEP_SECONDS, Fresh
from workers.attempt import READERS_SECONDS


class Platform:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_away = False

    async def ask(self) -> int:
        self.asked += 1
        await self.may_answer.wait()
        if self.is_away:
            raise OSError("away")
        return self.asked


async def test_what_is_known_is_not_asked_again_until_it_is_old_or_forgotten() -> None:
    platform, fresh = Platform(), Fresh[int](keep_seconds=0.05)
    assert [await fresh.get("a", platform.ask), await fresh.get("a", platform.ask), await fresh.get("b", platform.ask)] == [1, 1, 2]
    fresh.forget("a")
    assert await fresh.get("a", platform.ask) == 3
    await asyncio.sleep(0.06)
    assert await fresh.get("a", platform.ask) == 4


async def test_many_who_ask_at_once_share_a_question_and_who_gives_up_leaves_it_to_them() -> None:
    platform, fresh = Platform(), Fresh[int]()
    platform.may_answer.clear()
    many = [asyncio.create_task(fresh.get("a", platform.ask)) for _ in range(9)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fresh.get("a", platform.ask), 0.02)
    platform.may_answer.set()
    assert await asyncio.gather(*many) == [1] * 9


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    platform, fresh = Platform(), Fresh[int]()
    platform.is_away = True
    failed = await asyncio.gather(*[fresh.get("a", platform.ask) for _ in range(3)], return_exceptions=True)
    assert [str(each) for each in failed] == ["away"] * 3
    platform.is_away = False
    assert await fresh.get("a", platform.ask) == 2


def test_what_bot_and_worker_keep_is_less_than_the_minute_that_is_promised() -> None:
    assert KEEP_SECONDS + READERS_SECONDS < 60
