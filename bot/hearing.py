"""A question is committed first, then acknowledged, then woken for, then shown. A crash between any two loses nothing."""

from collections.abc import Awaitable, Callable

from bot.delivery import Delivery
from nod.contracts import Accepted, Question
from nod.pause import pause
from nod.process import Services


async def hear(services: Services, delivery: Delivery, question: Question, acknowledge: Callable[[], Awaitable[None]]) -> Accepted:
    """Accept a question and begin to show its answer. Heard before, it is only acknowledged, and workers are woken again.

    Raises what PostgreSQL raises, without acknowledging: the platform sends it again.
    """
    await pause("heard")
    accepted = await services.record.accept(question, services.claims.process_id)
    await pause("committed")
    await acknowledge()
    await pause("acknowledged")
    services.waker.wake()
    await pause("sent")
    if accepted.is_new:
        await delivery.begin(accepted.answer_id)
    return accepted
