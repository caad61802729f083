"""Wake-ups ring through Celery, each its own bell."""

import asyncio

import pytest

from nod.wake import READ, WAKE, Waker, celery_from
from workers.app import Ears


@pytest.mark.parametrize("name", [WAKE, READ])
async def test_a_wake_up_rings_its_own_bell_and_no_other(redis_url: str, name: str) -> None:
    bells = {WAKE: asyncio.Event(), READ: asyncio.Event()}
    ears = Ears(celery_from(redis_url), bells[WAKE].set, bells[READ].set)
    ears.start()
    waker = Waker(redis_url)
    try:
        waker.wake(name)
        async with asyncio.timeout(15):
            await bells[name].wait()
    finally:
        await waker.close()
        await asyncio.to_thread(ears.stop)
    assert [of for of, bell in bells.items() if bell.is_set()] == [name]
    assert waker.failed == 0
