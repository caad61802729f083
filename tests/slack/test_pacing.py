"""What a process asks of Slack in a minute: never more than it promises, the end of an answer always, and nothing while it wants none."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.pacing import APPEND, BEYOND_AT_ONCE, POST, RULES, START, STATUS, STOP, UPDATE, Pace

PROMISED = {START: 20, STOP: 20, UPDATE: 50, APPEND: 100}  # a minute: tiers 2, 3 and 4


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def goes(pace: Pace, method: str, answer: object, where: str = "") -> bool:
    """Whether a call that must be made goes at once; one that does not gives up."""
    try:
        async with asyncio.timeout(0.02):
            async with pace.turn(method, answer, where):
                return True
    except TimeoutError:
        return False


@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from(sorted(PROMISED))), max_size=300))
def test_no_method_gets_more_calls_in_a_minute_than_slack_promises(steps: list[tuple[float, str]]) -> None:
    clock = Clock()
    pace, taken = Pace(clock), {method: list[float]() for method in PROMISED}
    for passes, method in steps:
        clock.now += passes / 10
        if not pace.take(method):
            taken[method].append(clock.now)
    for method, at in taken.items():
        assert all(later - earlier >= 60 for earlier, later in zip(at, at[PROMISED[method] :], strict=False))


def test_a_channel_gets_a_message_a_second_and_a_burst_of_few() -> None:
    clock = Clock()
    pace, taken = Pace(clock), 0
    while clock.now < 1_030.0:
        taken += not pace.take(POST, "C1")
        clock.now += 0.1
    assert 25 <= taken <= 33
    assert not pace.take(POST, "C2")


async def test_growth_leaves_each_answer_the_call_for_its_end() -> None:
    clock = Clock()
    pace = Pace(clock)
    for answer in range(40):
        assert pace.may_begin(UPDATE)
        pace.owe(UPDATE, answer)
    grown = 0
    for _ in range(80):  # seconds: less than after which an answer that does not grow is forgotten
        clock.now += 0.7
        grown += not pace.take(UPDATE)
    assert 5 <= grown <= RULES[UPDATE].most - 40
    assert pace.take(UPDATE) > 0
    assert not pace.take(UPDATE, is_urgent=True)
    clock.now += 61.0
    assert all([await goes(pace, UPDATE, answer) for answer in range(40)])


def test_the_second_half_of_a_minutes_growth_lasts_for_the_minute() -> None:
    clock = Clock()
    pace, at = Pace(clock), list[float]()
    for _ in range(1_200):
        clock.now += 0.05
        if not pace.take(APPEND):
            at.append(clock.now - 1_000.0)
    assert len([second for second in at if second < 5]) >= 40  # few who grow do so at once
    assert len([second for second in at if second > 40]) >= 10  # and many do until the end


def test_no_stream_is_begun_that_could_not_be_ended_in_time() -> None:
    clock = Clock()
    pace = Pace(clock)
    begun = 0
    for _ in range(100):
        clock.now += 4.0  # slow enough for the beginnings, and none of them ends
        if pace.has_room(START) and pace.has_room(STOP) and not pace.take(START):
            begun += 1
        for answer in range(begun):
            pace.owe(STOP, answer)
    assert begun == RULES[STOP].most


async def test_last_edits_go_beyond_what_is_promised_until_slack_refuses_one() -> None:
    clock = Clock()
    pace = Pace(clock)
    for answer in range(RULES[UPDATE].most):
        assert await goes(pace, UPDATE, answer)
    assert pace.take(UPDATE) > 0
    under_way = [pace.turn(UPDATE, answer) for answer in range(BEYOND_AT_ONCE)]
    for turn in under_way:
        await turn.__aenter__()
    assert not await goes(pace, UPDATE, "one too many at once")
    await under_way[0].__aexit__(None, None, None)
    assert pace.may_begin(UPDATE)
    assert await goes(pace, UPDATE, "the next")
    pace.refused(UPDATE, 7.0)
    assert not pace.may_begin(UPDATE)
    clock.now += 8.0
    assert not await goes(pace, UPDATE, "beyond, after a refusal")
    clock.now += 61.0
    assert await goes(pace, UPDATE, "as promised")


@pytest.mark.parametrize(("method", "where"), [(UPDATE, ""), (STOP, ""), (POST, "C1"), (STATUS, "")])
async def test_while_slack_wants_no_call_none_is_made(method: str, where: str) -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.refused(method, 30.0, where)
    assert pace.take(method, where) == 30.0
    assert not await goes(pace, method, "a", where)
    clock.now += 30.1
    assert await goes(pace, method, "a", where)


async def test_final_words_go_before_growth_and_in_the_order_of_asking() -> None:
    clock = Clock()
    pace, order = Pace(clock), list[int]()

    async def end(answer: int) -> None:
        async with pace.turn(STOP, answer):
            order.append(answer)

    for _ in range(RULES[STOP].most):
        assert not pace.take(STOP)
    waiting = [asyncio.create_task(end(answer)) for answer in range(3)]
    await asyncio.sleep(0)
    clock.now += 62.0  # there is room again, and it belongs to those who wait
    assert pace.take(STOP) > 0
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert order == [0, 1, 2]
    assert not pace.take(STOP)
