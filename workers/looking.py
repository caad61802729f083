"""The one search of a worker, for the question and for what the model looks up: in the other language too, where that may help."""

from collections.abc import Sequence

from knowledge.across import both
from knowledge.search import Found
from nod.language import other_language
from nod.tasks import together
from workers.attempt import Attempt


async def look(attempt: Attempt, query: str, earlier: Sequence[str] = ()) -> Found:
    """Return what a search finds in the scopes of an attempt. `earlier` are the person's turns before this one, oldest first."""
    attempt.saying.tell("step", "searching", query=query[:200])
    find, scopes = attempt.reach.find, await attempt.scopes()
    found, asked = await together(find(query, scopes, earlier), _in_other_language(attempt, scopes, query, earlier))
    if not asked:
        return found
    attempt.saying.tell("step", f"searching_{other_language(query)}", query=asked[:200])
    return both(found, await find(asked, await attempt.scopes(), earlier), asked)


async def _in_other_language(attempt: Attempt, scopes: Sequence[str], query: str, earlier: Sequence[str]) -> str:
    """Return the query in the other language if there are documents in it; "" if not."""
    reach = attempt.reach
    if reach.interpreter is None or not await reach.is_worth_both(query, scopes):
        return ""
    return await reach.interpreter.written(attempt, query, earlier)
