"""The tool `read_thread`: what was written in this thread, also to others. A bot reads it, only as far as the asker may."""

from typing import Any

from langchain.tools import ToolRuntime

from workers.attempt import Attempt
from workers.shelf import as_data

WAIT_SECONDS = 10.0
MOST_CHARACTERS = 12_000


async def read_thread(runtime: ToolRuntime[Attempt, Any]) -> str:
    """Return the messages of the thread in which you were asked, oldest first, also those that were not addressed to you."""
    attempt = runtime.context
    attempt.saying.tell("step", "reading_thread")
    messages = await (_from_record(attempt) if attempt.task.place.platform in ("web", "cli") else _from_bot(attempt))
    if messages is None:
        return "The thread could not be read just now; answer without it, and say that you could not read it."
    if not messages:
        return "There is nothing in this thread but the question."
    return f"⟦thread⟧\n{_written(messages)}\n⟦end thread⟧"


async def _from_record(attempt: Attempt) -> list[dict[str, Any]]:
    """Return the turns of a conversation that has no other messages: the page's and the terminal's."""
    task = attempt.task
    turns = await attempt.reach.record.turns(task.conversation_id, task.position)
    return [{"author": "nod" if turn.role == "assistant" else task.person.name, "text": turn.text} for turn in turns]


async def _from_bot(attempt: Attempt) -> list[dict[str, Any]] | None:
    task, reach = attempt.task, attempt.reach
    arguments = {"channel": task.place.channel, "thread": task.place.thread}
    await attempt.saying.until_written()
    request_id = await reach.requests.ask(task.answer_id, task.attempt, "read_thread", arguments, WAIT_SECONDS)
    result = await reach.requests.result(request_id, reach.follower, WAIT_SECONDS)
    messages: Any = (result or {}).get("messages")
    return messages if isinstance(messages, list) else None


def _written(messages: list[dict[str, Any]]) -> str:
    """Return messages as lines; of a long thread the newest ones."""
    lines: list[str] = []
    left = MOST_CHARACTERS
    for message in reversed(messages):
        line = as_data(f"{message.get('author') or '?'}: {message.get('text') or ''}")
        left -= len(line)
        if left < 0 and lines:
            lines.append("(older messages left out)")
            break
        lines.append(line[:MOST_CHARACTERS])
    return "\n".join(reversed(lines))
