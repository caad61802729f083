"""The tool `search_knowledge`."""

from collections.abc import Sequence
from typing import Any

from langchain.tools import ToolRuntime

from knowledge.search import Passage
from workers.attempt import Attempt
from workers.looking import look
from workers.shelf import written

NOTHING_FOUND = (
    "Nothing that nod may show here has to do with it. If this is about the team, say that you looked and do not know; "
    "do not guess, cite nothing."
)
DOUBT = (
    "The search doubts that these passages answer it. If they do not, and this is about the team, say that you looked and do not know; "
    "do not guess."
)


async def search_knowledge(query: str, runtime: ToolRuntime[Attempt, Any]) -> str:
    """Search what the team knows (documents, policies, notes) and return numbered passages to cite.

    Use the words that the answer would be written in. Call it again with other words only if the passages do not answer.
    """
    attempt = runtime.context
    if not query.strip():
        return "The query is empty; search for the words that the answer would be written in."
    found = await look(attempt, query)
    attempt.saying.tell("step", "searched", passages=len(found.passages))
    return offered(attempt, found.is_known, found.passages) if found.passages else NOTHING_FOUND


def offered(attempt: Attempt, is_known: bool, passages: Sequence[Passage]) -> str:
    """Return passages as the model reads them; it judges better than a score whether they answer, so it is told the doubt and shown all."""
    doubt = "" if is_known else DOUBT + "\n\n"
    return doubt + written(attempt.shelf.put(passages))
