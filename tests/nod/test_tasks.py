"""Tasks beside each other: what one gives, and what becomes of the other when one fails."""

import asyncio

import pytest

from nod.tasks import together


async def test_of_two_that_run_together_the_other_is_ended_when_one_fails_and_the_error_is_raised_as_it_is():
    ended = asyncio.Event()

    async def waits() -> str:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()
        return "late"

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ConnectionError("lost")

    for pair in ((waits(), fails()), (fails(), waits())):
        ended.clear()
        with pytest.raises(ConnectionError, match="lost"):
            await together(*pair)
        assert ended.is_set()
