"""`nod dead`: what was given up after three strikes, and what is to become of it."""

import json
from typing import TYPE_CHECKING

import click

from nod.database import with_engine
from nod.saying import say
from nod.screen import padded, shortened

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from nod.dead import Letter
    from nod.settings import Settings

_as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")
_named = click.argument("name", metavar="ID|CODE")


@click.group()
def dead() -> None:
    """Look after the questions that were given up after three strikes."""


@dead.command("list")
@_as_json
def list_(as_json: bool) -> None:
    """List them, the newest first."""
    from nod.dead import letters

    found = with_engine(lambda engine, _: letters(engine))
    if as_json:
        click.echo(json.dumps([{"code": letter.code, **letter.model_dump(mode="json")} for letter in found], ensure_ascii=False, indent=2))
        return
    for letter in found:
        click.echo(_line(letter))
    click.echo(say("dead.what_to_do", code=found[0].code) if found else say("dead.none"))


def _line(letter: "Letter") -> str:
    at = f"{letter.given_up_at.astimezone():%Y-%m-%d %H:%M}"
    why = say("trace.process_died") if letter.last_outcome == "taken" else letter.last_error or "–"
    question = say("dead.direct") if letter.question is None else shortened(letter.question, 60)
    return f"{letter.code}  {at}  {padded(letter.platform, 8)}{letter.who}  {padded(shortened(why, 24), 25)}{question}"


@dead.command()
@_named
@_as_json
def retry(name: str, as_json: bool) -> None:
    """Ask one anew; the message with the apology becomes the answer."""
    letter, is_new = with_engine(lambda engine, settings: _retry(engine, settings, name))
    _tell(letter, "retried" if is_new else "retried_before", as_json=as_json)


async def _retry(engine: "AsyncEngine", settings: "Settings", name: str) -> "tuple[Letter, bool]":
    from nod.connect import servers_from
    from nod.dead import letter_named
    from nod.dead import retry as ask_anew
    from nod.record import Record
    from nod.secret import secret_key
    from nod.wake import Waker

    letter = await letter_named(engine, name)
    is_new = await ask_anew(Record(engine, secret_key(settings)), letter, None) is not None
    waker = Waker(servers_from(settings).redis_url)
    waker.wake()
    await waker.close()
    return letter, is_new


@dead.command()
@_named
@_as_json
def drop(name: str, as_json: bool) -> None:
    """Close one for good; the apology stays where it is."""
    letter, is_dropped = with_engine(lambda engine, _: _drop(engine, name))
    _tell(letter, "dropped" if is_dropped else "dropped_before", as_json=as_json)


async def _drop(engine: "AsyncEngine", name: str) -> "tuple[Letter, bool]":
    from nod.dead import drop as close
    from nod.dead import letter_named

    letter = await letter_named(engine, name)
    return letter, await close(engine, letter, None)


def _tell(letter: "Letter", done: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"code": letter.code, "question_id": str(letter.question_id), "done": done}))
    else:
        click.echo(say(f"dead.{done}", code=letter.code))
