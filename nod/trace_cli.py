"""`nod trace`: one question's life in a terminal."""

import json
from typing import TYPE_CHECKING

import click

from nod.database import with_engine
from nod.saying import say
from nod.screen import padded, shortened

if TYPE_CHECKING:
    from datetime import datetime

    from nod.trace import Happened, Life


@click.command()
@click.argument("name", metavar="LINK|CODE|ID")
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def trace(name: str, as_json: bool) -> None:
    """Tell what happened to one question: a link to its message or its answer's, its code (q-…) or an id."""
    from nod.trace import life_of

    life = with_engine(lambda engine, _: life_of(engine, name))
    if as_json:
        click.echo(json.dumps({"code": life.code, **life.model_dump(mode="json")}, ensure_ascii=False, indent=2))
        return
    for line in _lines(life):
        click.echo(line)


def _lines(life: "Life") -> list[str]:
    asked = say("dead.direct") if life.question is None else f"“{shortened(life.question, 80)}”"
    place = "/".join(part for part in (life.platform, life.workspace, life.channel, life.thread) if part)
    began = life.events[0].at
    head = f"{life.code} · {place} · {life.who or '–'} · {began.astimezone():%Y-%m-%d %Z}"
    return [head, asked, *(_line(event, began, has_versions=len(life.versions) > 1) for event in life.events), *_ends(life)]


def _line(event: "Happened", began: "datetime", *, has_versions: bool) -> str:
    version = f"[{event.version}] " if has_versions and event.version else "    " if has_versions else ""
    after = padded(f"+{(event.at - began).total_seconds():.3f} s", 13)
    return f"  {event.at.astimezone():%H:%M:%S.%f}  {after}{version}{_phrase(event)}"


def _phrase(event: "Happened") -> str:
    told = {name: "–" if value is None else value for name, value in event.detail.items()}
    what = "stopped" if told.get("is_stopped") is True and event.what == "answered" else event.what
    if what == "claimed" and not event.detail.get("role"):
        what = "claimed_long_ago"
    if what == "answered" and not event.detail.get("model"):
        what = "quoted"
    return say(f"trace.{what}", attempt=event.attempt, **told)


def _ends(life: "Life") -> list[str]:
    """Return where each answer stands that is not over."""
    return [
        say(f"trace.still_{version.status}", version=version.version, attempt=version.attempt)
        for version in life.versions
        if version.status in ("waiting", "running")
    ]
