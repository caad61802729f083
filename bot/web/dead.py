"""The page of the questions that were given up after three strikes: ask one anew, or close it. For admins."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bot.web.checks import ADMINS
from bot.web.page import Here, Looking
from bot.web.waiting import reviews_waiting
from nod.dead import drop, letter_named, letters, retry

router = APIRouter(prefix="/dead", dependencies=ADMINS)

SHOWN = 100


@router.get("")
async def given_up(web: Here, visitor: Looking) -> HTMLResponse:
    """Show what was given up and is still open, the newest first."""
    found = await letters(web.services.engine)
    return web.page(
        "dead/page.html",
        visitor,
        letters=found[:SHOWN],
        more=max(0, len(found) - SHOWN),
        waiting=await reviews_waiting(web.services.engine),
    )


@router.post("/{dead_id}/retry")
async def ask_anew(dead_id: UUID, web: Here, visitor: Looking) -> HTMLResponse:
    """Ask a question anew; the message with its apology becomes the answer."""
    letter = await letter_named(web.services.engine, str(dead_id))
    await retry(web.services.record, letter, visitor.me.person_id)
    web.services.waker.wake()
    return web.page("dead/done.html", visitor, letter=letter, said=visitor.t("dead.retried"))


@router.post("/{dead_id}/drop")
async def close(dead_id: UUID, web: Here, visitor: Looking) -> HTMLResponse:
    """Close a question for good; its apology stays where it is."""
    letter = await letter_named(web.services.engine, str(dead_id))
    await drop(web.services.engine, letter, visitor.me.person_id)
    return web.page("dead/done.html", visitor, letter=letter, said=visitor.t("dead.dropped"))
