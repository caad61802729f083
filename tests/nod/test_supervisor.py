"""How long a process that ended is left alone: one that cannot live for long, one that was killed never."""

import signal

from nod.supervisor import GIVEN_UP_SECONDS, MOST_QUICK_ENDS, QUICK_SECONDS, Slot


def waits(code: int, lived_seconds: float, times: int) -> list[float]:
    slot, found = Slot("worker", "worker"), []
    for _ in range(times):
        slot.ended(code, lived_seconds)
        found.append(slot.wait_seconds())
    return found


def test_a_process_that_ends_at_once_by_itself_is_left_alone_after_some_tries():
    assert waits(1, 1.0, MOST_QUICK_ENDS + 1) == [0.0, 2.0, GIVEN_UP_SECONDS, GIVEN_UP_SECONDS]


def test_a_worker_which_questions_kill_again_and_again_is_back_within_seconds():
    assert waits(-signal.SIGKILL, 1.0, 10) == [0.0, *[2.0] * 9]
    assert waits(-signal.SIGSEGV, 1.0, 10) == [0.0, *[2.0] * 9]


def test_a_process_that_lived_is_started_again_at_once():
    assert waits(1, QUICK_SECONDS, 5) == [0.0] * 5
