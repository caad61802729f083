"""Who can read a place now: only the bots of a platform know, so whoever searches asks them.

Every bot of the platform that hears it answers, and the first answer counts. Nothing is kept: while no bot is there, or its platform
does not answer in time, the narrowest holds (`Readers()`).
"""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from redis.asyncio import Redis

from nod.anyone import Inquiry, answer_anyone, ask_anyone
from nod.contracts import Person, Place, Readers
from nod.errors import first_line
from nod.logs import log
from nod.stream import Follower

WAIT_SECONDS = 2.0  # for a bot; it waits less for its platform
_OWN = ("web", "cli")  # where everybody reads alone, with an account of nod's own or of a chat

_log = log(__name__)
_Known = Callable[[Place, Person], Awaitable[Readers]]


class _WhoReads(Inquiry):
    place: Place
    person: Person


def person_alone(person: Person) -> Place:
    """Return a place which one person alone reads, outside any conversation: its audience is what they may see."""
    return Place(platform=person.platform, workspace=person.workspace, channel="", visibility="direct")


async def readers_of(redis: "Redis", follower: Follower, place: Place, person: Person) -> Readers:
    """Return who can read a place now, within 2 s; `person` is who alone reads a direct one. Never raises for a server that is away.

    On the page and in the terminal everybody belongs to the workspace of their own account; a Slack person's page is asked of Slack.
    """
    platform = person.platform if place.platform in _OWN else place.platform
    if platform in _OWN:
        return Readers(are_members=True)
    told = await ask_anyone(redis, follower, _channel(platform), _WhoReads(place=place, person=person), WAIT_SECONDS)
    try:
        return Readers.model_validate(told or {})
    except ValidationError as error:
        _log.warning("who can read a place is not known, the narrowest holds", platform=platform, error=first_line(error))
        return Readers()


async def tell_readers(redis: "Redis", platform: str, known: _Known) -> None:
    """Answer what is asked about a platform's places, until cancelled."""

    async def told(asked: _WhoReads) -> dict[str, Any]:
        return (await known(asked.place, asked.person)).model_dump()

    await answer_anyone(redis, _channel(platform), _WhoReads, told)


def _channel(platform: str) -> str:
    return f"readers:{platform}"
