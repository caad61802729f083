"""Questions as people ask them, for tests that need one."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text as sql

from nod.contracts import Outcome, Person, Place, PlatformName, Provenance, Question, Readers, Route, Visibility
from nod.language import language_of

JISU = Person(platform="slack", workspace="T1", external_id="U1", name="지수")
ALEX = Person(platform="slack", workspace="T1", external_id="U2", name="Alex")


def asks(
    text: str, *, person: Person = JISU, thread: str = "1.0", message_id: str | None = None,
    platform: PlatformName = "slack", visibility: Visibility = "public",
) -> Question:  # fmt: skip
    """Return a question asked in a thread of a channel; another `message_id` is another message."""
    person = person.model_copy(update={"platform": platform})
    return Question(
        person=person,
        place=Place(platform=platform, workspace="T1", channel="C1", thread=thread, visibility=visibility),
        message_id=message_id or uuid4().hex,
        text=text,
        route=Route(channel="C1", thread=thread),
        language=language_of(text),
        asked_at=datetime.now(UTC),
    )


def says(text: str, *history: dict[str, object]) -> Outcome:
    """Return a finished answer of a model which saw `history` before it."""
    messages = [{"role": "system", "content": "You are nod."}, *(history or ({"role": "user", "content": "?"},))]
    return Outcome(status="answered", text=text, provenance=Provenance(messages=messages, model="openai:gpt-4o", prompt_version="v1"))


async def falls_silent(engine, claims):
    """Make a process one that has not been heard for 7 s: the database's clock decides, so what it reads is moved."""
    async with engine.begin() as db:
        await db.execute(
            sql("UPDATE processes SET seen_at = seen_at - interval '7 seconds' WHERE process_id = :me"), {"me": claims.process_id}
        )


async def unknown(*_: object) -> Readers:
    """Who can read a place while no bot says: the narrowest."""
    return Readers()
