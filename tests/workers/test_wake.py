"""A wake-up wakes: sent by one process's Waker, heard by the other's Celery consumer, with nobody looking by themselves."""

import asyncio

import pytest

from nod.wake import READ, WAKE, Waker, celery_from
from workers.app import Ears


@pytest.mark.parametrize("name", [WAKE, READ])
async def test_a_wake_up_rings_the_bell_of_its_kind(redis_url, name):
    bells = {WAKE: asyncio.Event(), READ: asyncio.Event()}
    ears, waker = Ears(celery_from(redis_url), bells[WAKE].set, bells[READ].set), Waker(redis_url)
    ears.start()
    try:
        waker.wake(name)
        await asyncio.wait_for(bells[name].wait(), 10)
        assert [other for other, bell in bells.items() if bell.is_set()] == [name]
        assert waker.failed == 0
    finally:
        await waker.close()
        await asyncio.to_thread(ears.stop)
