"""Named moments at which a process can die; a test makes one stand still there, so that it can be killed there.

Off unless NOD_PAUSE names a moment. Then the first process to reach it writes its pid to NOD_PAUSE_DIR/<moment> and stops
there for good. `nod up` never sets it.
"""

import asyncio
import os
from pathlib import Path
from typing import Literal

Moment = Literal[
    "heard",  # event received, question not committed
    "committed",  # question committed, platform not acknowledged
    "acknowledged",  # acknowledged, wake-up not sent
    "sent",  # wake-up sent, nothing shown
    "posted",  # message posted, its id not stored
    "claimed",  # claimed, no event yet
    "growing",  # some text shown, answer not committed
    "answered",  # answer committed, memory not written
    "remembered",  # memory written, `done` not written
    "finished",  # final text accepted by the platform, not confirmed in the record
    "edited",  # an edited question committed, its answer to begin again, nobody woken
    "vote_heard",  # vote received, not stored
]


async def pause(moment: Moment) -> None:
    """Stand still for ever if a test asked for this moment; otherwise do nothing."""
    if moment == os.environ.get("NOD_PAUSE") and _is_first(moment):
        await asyncio.Event().wait()


def _is_first(moment: str) -> bool:
    try:
        with (Path(os.environ["NOD_PAUSE_DIR"]) / moment).open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return False
    return True
