"""The tool `search_knowledge`."""

from typing import Any

from langchain.tools import ToolRuntime

from knowledge.search import Found
from workers.attempt import Attempt
from workers.shelf import as_data, written

FOUND = 6
NEAREST = 3


async def search_knowledge(query: str, runtime: ToolRuntime[Attempt, Any]) -> str:
    """Search what the team knows (documents, policies, notes) and return numbered passages to cite.

    Use the words that the answer would be written in. Call it again with other words only if the passages do not answer.
    """
    attempt = runtime.context
    if not query.strip():
        return "The query is empty; search for the words that the answer would be written in."
    attempt.saying.tell("step", "searching", query=query[:200])
    found = await attempt.reach.search.find(query, attempt.scopes, k=FOUND)
    attempt.saying.tell("step", "searched", passages=len(found.passages) if found.is_known else 0)
    if not found.is_known:
        return nothing_found(query, found)
    return written(attempt.shelf.put(found.passages))


def nothing_found(query: str, found: Found) -> str:
    """Return what the model is told when the search found nothing that answers: only the names of what lies nearest."""
    titles = list(dict.fromkeys(as_data(passage.title) for passage in found.passages))[:NEAREST]
    nearest = f" The nearest documents, which do not answer it: {', '.join(titles)}." if titles else ""
    return (
        f"Nothing that nod may show here answers {as_data(query[:200])!r}.{nearest} If this is about the team, say that you looked "
        "and do not know; do not guess, cite nothing."
    )
