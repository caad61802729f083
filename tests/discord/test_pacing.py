"""What a channel takes: counted with a clock that the test moves."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bot.discord.pacing import ALL_CALLS, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 6), st.booleans()), max_size=80))
def test_a_channel_never_gets_more_than_five_calls_in_five_seconds(steps: list[tuple[float, int, bool]]) -> None:
    clock = Clock()
    pace, taken = Pace(clock), []
    for passes, answer, is_sign in steps:
        clock.now += passes
        if not pace.take("general", answer, is_sign=is_sign):
            taken.append(clock.now)
    assert all(later - earlier >= 5 for earlier, later in zip(taken, taken[5:], strict=False))


def test_one_answer_grows_and_always_has_a_call_left_for_its_end() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert not pace.take("general", "a", is_sign=True)
    for _ in range(3):
        assert not pace.take("general", "a")
    assert pace.take("general", "a") > 0
    asyncio.run(asyncio.wait_for(pace.turn("general", "a"), 1))


def test_the_more_answers_a_channel_has_the_less_each_grows() -> None:
    pace = Pace(Clock())
    signs = [not pace.take("general", answer, is_sign=True) for answer in range(10)]
    assert signs.count(True) <= 2
    assert not any(not pace.take("general", answer) for answer in range(10))


def test_a_wait_is_as_long_as_it_says() -> None:
    clock = Clock()
    pace = Pace(clock)
    while not (wait_seconds := pace.take("general", "a")):
        pass
    clock.now += wait_seconds + 0.001
    assert not pace.take("general", "a")


def test_channels_share_only_what_the_whole_bot_may() -> None:
    pace = Pace(Clock())
    taken = sum(not pace.take(f"channel {number}", number) for number in range(200))
    assert 20 <= taken < ALL_CALLS


async def test_final_words_go_before_growth() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(5):
        await pace.turn("general", "a")
    waiting = asyncio.create_task(pace.turn("general", "b"))
    await asyncio.sleep(0)
    clock.now += 6.0  # there is room again, and it belongs to the one who waits
    assert pace.take("general", "c") > 0
    waiting.cancel()
