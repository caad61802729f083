"""An answer for one reader, on the page or in the terminal. A reader owns nothing and confirms nothing.

Any number may see the same answer, join late, leave and come back: the reply stream is read from its beginning, and the record is
asked every second.
"""

import asyncio
import contextlib
from typing import Any

from bot.messages import Messages
from bot.showing import Showing
from nod.contracts import Answer
from nod.language import Language
from nod.process import LOOK_SECONDS, STORE_ERRORS
from nod.record import Record
from nod.stream import Follower


async def show(record: Record, follower: Follower, messages: Messages, language: Language) -> Answer:
    """Show an answer to one reader until the end is shown, and return it as committed; an outage of PostgreSQL is waited out.

    Raises NotFoundError when it is erased meanwhile.
    """
    showing = Showing(record, follower, messages, language, _pass_by)
    task = asyncio.create_task(showing.run(is_resumed=True), name=f"show {messages.answer.code}")
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
            with contextlib.suppress(*STORE_ERRORS):
                showing.look(await record.answer(messages.answer.answer_id))
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return showing.watch.answer


def _pass_by(kind: str, arguments: dict[str, Any]) -> None:
    """Leave a worker's request to the bot that holds the delivery."""
