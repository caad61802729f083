"""An answer for one reader, on the page or in the terminal. A reader owns nothing and confirms nothing.

Any number may see the same answer, join late, leave and come back: the reply stream is read from its beginning, and the record is
asked every second.
"""

import asyncio
import contextlib
import itertools
from typing import Any

from bot.messages import Messages
from bot.showing import Showing
from nod.contracts import Answer
from nod.language import Language
from nod.process import LOOK_SECONDS, STORE_ERRORS
from nod.queue import EXPIRE_SECONDS, PLACES_EVERY_LOOKS, TELL_SECONDS, expire, waited_seconds, waits
from nod.record import Record
from nod.stream import Follower


async def show(record: Record, follower: Follower, messages: Messages, language: Language) -> Answer:
    """Show an answer to one reader until the end is shown, and return it as committed; an outage of PostgreSQL is waited out.

    Raises NotFoundError when it is erased meanwhile.
    """
    showing = Showing(record, follower, messages, language, _pass_by)
    task = asyncio.create_task(showing.run(is_resumed=True), name=f"show {messages.answer.code}")
    try:
        for looks in itertools.count(1):
            if (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
                break
            with contextlib.suppress(*STORE_ERRORS):
                answer = await record.answer(messages.answer.answer_id)
                showing.look(answer)
                await _look_at_wait(record, showing, answer, looks)
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return showing.watch.answer


async def _look_at_wait(record: Record, showing: Showing, answer: Answer, looks: int) -> None:
    """Tell an answer's place once it has waited for long, and end one that has waited too long: nobody else may be there to look."""
    if (seconds := waited_seconds(answer)) > EXPIRE_SECONDS:
        await expire(record.engine)
    elif seconds > TELL_SECONDS and looks % PLACES_EVERY_LOOKS == 0:
        for wait in (await waits(record.engine, [answer.answer_id])).values():
            showing.wait(wait)


def _pass_by(kind: str, arguments: dict[str, Any]) -> None:
    """Leave a worker's request to the bot that holds the delivery."""
