"""What a place may not be shown and its asker may: then they alone are told that there is an answer, and nobody else that there is one."""

from collections.abc import Sequence

from sqlalchemy import text

from nod.contracts import EVERYONE
from nod.readers import person_alone
from workers.attempt import Attempt

KIND = "offer_alone"
OPEN_SECONDS = 600.0  # for a bot to tell it; later it would surprise

_SCOPE = text("SELECT name FROM scopes JOIN documents USING (scope_id) WHERE document_id = :document")


async def offer_alone(attempt: Attempt) -> None:
    """Have the asker of an unknown answer told, once, if more than their place may be shown would answer them.

    Nothing of it is said on the reply stream but the request, nor kept with the answer, which others see.
    """
    task, reach = attempt.task, attempt.reach
    if task.place.visibility == "direct" or (task.attempt > 1 and await reach.requests.was_asked(task.answer_id, KIND)):
        return
    alone = person_alone(task.person)
    scopes = alone.audience(task.person, await reach.readers(alone, task.person))
    hidden = set(scopes) - {EVERYONE, *await attempt.scopes()}
    if hidden and await _is_answered_in(attempt, sorted(hidden)):
        await attempt.saying.until_written()
        await reach.requests.ask(task.answer_id, task.attempt, KIND, {}, OPEN_SECONDS)


async def _is_answered_in(attempt: Attempt, scopes: Sequence[str]) -> bool:
    """Return whether documents of these scopes are enough to answer from; where they hold nothing, the handbook is found instead."""
    earlier = [turn.text for turn in attempt.turns if turn.role == "user"]
    found = await attempt.reach.find(attempt.task.text, scopes, earlier)
    if not found.is_known:
        return False
    async with attempt.reach.record.engine.connect() as db:
        best = await db.execute(_SCOPE, {"document": found.passages[0].document_id})
        return best.scalar_one_or_none() in scopes
