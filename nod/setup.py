"""`nod setup`: asks one thing at a time, tests each answer at once, writes `.env`, and goes on where it was left.

Rooms bring their steps by entry point (`nod.setup`): what to open, what to paste, and how to test it.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from nod.envfile import set_value
from nod.errors import NodError
from nod.language import Language, terminal_language
from nod.saying import say
from nod.settings import Settings, load_settings

ENV_FILE = Path(".env")


class WrongValueError(NodError):
    """What was pasted cannot be right, or was refused; the sentence says why and what to paste instead."""

    kind = "wrong_value"


Try = Callable[[Settings, str], Coroutine[Any, Any, str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `say` comes first; with `name` a value is asked for, tested by `test` (which returns what to show) and written.

    Without a name, `test` waits for something to happen (an invitation) and is left out with Ctrl-C. `is_done`: nothing to do any more.
    """

    say: str
    test: Try
    name: str = ""
    is_secret: bool = True
    default: str = ""
    is_done: bool = False


Steps = Callable[[Settings, Language], Sequence[Step]]


@click.command()
@click.argument("what", required=False)
def setup(what: str | None) -> None:
    """Connect a language model, Slack or Discord, step by step (WHAT: model, slack, discord)."""
    load_settings()  # the language of .env
    points = {point.name: point for point in entry_points(group="nod.setup")}
    if what and what not in points:
        raise click.UsageError(say("setup.unknown", what=what, known=", ".join(points)))
    for name in [what] if what else points:
        if what or click.confirm(say("setup.want", what=name), default=True):
            _walk(points[name].load())
    click.echo(say("setup.done"))


def _walk(steps_of: Steps) -> None:
    """Take the steps in order; each sees what the ones before it wrote."""
    settings, language = load_settings(), terminal_language()
    for number in range(len(steps_of(settings, language))):
        step = steps_of(settings, language)[number]
        if step.is_done:
            continue
        click.echo(f" {number + 1}  {step.say}")
        if step.name:
            settings = _ask(step, settings)
        else:
            _wait(step, settings)


def _ask(step: Step, settings: Settings) -> Settings:
    """Ask until a value passes its test; one that stands in the settings already and passes is kept."""
    value = _known(step, settings)
    while True:
        value = value or click.prompt("   " + step.name, hide_input=step.is_secret, default=step.default or None).strip()
        try:
            shown = asyncio.run(step.test(settings, value))
        except NodError as error:
            click.echo(f"   ✗ {error}")
            value = ""
            continue
        set_value(ENV_FILE, step.name, value)
        os.environ.pop(step.name, None)  # what was written is what counts from now on
        click.echo(f"   ✓ {shown}")
        return load_settings()


def _known(step: Step, settings: Settings) -> str:
    for name, field in Settings.model_fields.items():
        if field.validation_alias == step.name and step.is_secret:
            secret = getattr(settings, name)
            return secret.get_secret_value() if secret else ""
    return ""


def _wait(step: Step, settings: Settings) -> None:
    try:
        click.echo(f"   ✓ {asyncio.run(step.test(settings, ''))}")
    except KeyboardInterrupt:
        click.echo("   " + say("setup.skipped"))
