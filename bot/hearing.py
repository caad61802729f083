"""A question is committed first, then acknowledged, then woken for, then shown. A crash between any two loses nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from bot.delivery import Delivery
from bot.intake import is_stop
from nod.contracts import Accepted, Place, Question
from nod.language import clean, language_from, language_of
from nod.pause import pause
from nod.process import LOOK_SECONDS, Services


async def hear(services: Services, delivery: Delivery, question: Question, acknowledge: Callable[[], Awaitable[None]]) -> Accepted:
    """Accept a question and begin to show its answer. Heard before, it is only acknowledged, and workers are woken again.

    Heard twice at once (Slack tells of a mention in two events), it is accepted once.
    Raises what PostgreSQL raises, without acknowledging: the platform sends it again.
    """
    await pause("heard")
    accepted = await _accept(services, delivery, question)
    heard_at = time.monotonic()
    await pause("committed")
    await acknowledge()
    await pause("acknowledged")
    services.waker.wake()
    await pause("sent")
    if accepted.answer and time.monotonic() - heard_at < LOOK_SECONDS:
        delivery.show(accepted.answer)
    elif accepted.answer:  # the acknowledgement took so long that a look may have shown it meanwhile, even to its end
        await delivery.go_on(accepted.answer_id)
    return accepted


async def _accept(services: Services, delivery: Delivery, question: Question) -> Accepted:
    key = (question.place.workspace, question.place.channel, question.message_id)
    if known := delivery.accepting.get(key):
        return (await asyncio.shield(known)).model_copy(update={"answer": None})
    accepting = asyncio.create_task(services.record.accept(question, services.claims.process_id), name="accept")
    delivery.accepting[key] = accepting
    accepting.add_done_callback(lambda _: delivery.accepting.pop(key))
    return await asyncio.shield(accepting)


async def change(services: Services, place: Place, message_id: str, new_text: str) -> None:
    """Answer a question anew which its asker edited while it is being answered. Words alone count, and an answer given stays.

    Each bot may hear of it: the record knows whether there is such a question, and delivery finds that its answer began again.
    """
    new_text = clean(new_text).strip()
    if not new_text or is_stop(new_text):
        return
    language = language_of(new_text, language_from(services.settings.language))
    if await services.record.edit(place, message_id, new_text, language):
        await pause("edited")
        services.waker.wake()


async def withdraw(services: Services, place: Place, message_ids: Sequence[str]) -> None:
    """Withdraw the answers to questions that were deleted while they are being answered; an answer given stays."""
    if await services.record.withdraw(place, message_ids):
        services.waker.wake()
