"""`nod setup`: asks one thing at a time, tests each answer at once, writes them to `.env` together, and goes on where it was left.

Rooms bring their steps by entry point (`nod.setup`): what to open, what to paste, and how to test it.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from nod.envfile import ENV_FILE, set_values
from nod.errors import NodError
from nod.language import Language, terminal_language
from nod.saying import say
from nod.settings import Settings, load_settings

_ORDER = ("model", "slack", "discord")
_SHOWN_NAMES = 12


class WrongValueError(NodError):
    """What was pasted cannot be right, or was refused; the sentence says why and what to paste instead."""

    kind = "wrong_value"


Try = Callable[[Settings, str], Coroutine[Any, Any, str]]
Offer = Callable[[Settings], Coroutine[Any, Any, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `say` comes first; with `name` a value is asked for and tested by `test`, which returns what to show.

    Without a name `test` waits for something to happen (an invitation) and is left out with Ctrl-C; without either it is only said.
    `offer` returns what can be chosen, the best first, as far as that is known. `is_done`: nothing to do any more.
    """

    say: str
    test: Try | None = None
    name: str = ""
    is_secret: bool = True
    default: str = ""
    offer: Offer | None = None
    is_done: bool = False


Steps = Callable[[Settings, Language], Sequence[Step]]


@click.command()
@click.argument("what", required=False)
def setup(what: str | None) -> None:
    """Connect a language model, Slack or Discord, step by step (WHAT: model, slack, discord)."""
    settings = load_settings()  # the language of .env
    points = _points()
    if what and what not in points:
        raise click.UsageError(say("setup.unknown", what=what, known=", ".join(points)))
    chosen = [what] if what else list(points)
    if not sys.stdin.isatty():
        names = [step.name for one in chosen for step in points[one].load()(settings, terminal_language()) if step.name]
        click.echo(say("setup.no_terminal", names=", ".join(names)), err=True)
        raise click.exceptions.Exit(2)
    walked = [_walk(points[one].load()) for one in chosen if what or click.confirm(say(f"setup.want.{one}"), default=True)]
    if walked:
        click.echo(say("setup.done"))


def _points() -> dict[str, EntryPoint]:
    place = {name: number for number, name in enumerate(_ORDER)}
    found = sorted(entry_points(group="nod.setup"), key=lambda point: (place.get(point.name, len(place)), point.name))
    return {point.name: point for point in found}


def _walk(steps_of: Steps) -> None:
    """Take the steps in order; each sees what was answered before. All answers are written once the last of them passed its test."""
    language = terminal_language()
    answers: dict[str, str] = {}
    steps = steps_of(load_settings(), language)
    last = max(number for number, step in enumerate(steps) if step.name)
    try:
        for number in range(len(steps)):
            settings = load_settings(answers)
            step = steps_of(settings, language)[number]
            if not step.is_done:
                _take(number + 1, step, settings, answers)
            if number == last:
                _write(answers)
    except (click.Abort, KeyboardInterrupt):
        if answers and click.confirm("\n" + say("setup.keep", names=", ".join(answers)), default=False):
            _write(answers)
        raise click.Abort from None


def _take(number: int, step: Step, settings: Settings, answers: dict[str, str]) -> None:
    click.echo(f" {number}  {step.say}")
    if step.name:
        answers[step.name] = _answer(step, settings)
    elif step.test:
        try:
            click.echo(f"   ✓ {asyncio.run(step.test(settings, ''))}")
        except KeyboardInterrupt:
            click.echo("   " + say("setup.skipped"))


def _write(answers: dict[str, str]) -> None:
    """Write the answers into `.env`; what is written is what counts from now on."""
    set_values(ENV_FILE, answers)
    for name in answers:
        os.environ.pop(name, None)
    answers.clear()


def _answer(step: Step, settings: Settings) -> str:
    """Ask until a value passes its test; a secret that stands in the settings already is tested first, and kept when it passes."""
    assert step.test
    value, default = _known(step, settings), step.default
    if names := asyncio.run(step.offer(settings)) if step.offer else ():
        more = " …" if len(names) > _SHOWN_NAMES else ""
        click.echo("   " + say("setup.offered", names=", ".join(names[:_SHOWN_NAMES]) + more))
        default = default if default in names else names[0]
    while True:
        value = value or click.prompt("   " + step.name, hide_input=step.is_secret, default=default or None).strip()
        try:
            click.echo(f"   ✓ {asyncio.run(step.test(settings, value))}")
        except NodError as error:
            click.echo(f"   ✗ {error}")
            value = ""
        else:
            return value


def _known(step: Step, settings: Settings) -> str:
    for name, field in Settings.model_fields.items():
        if field.validation_alias == step.name and step.is_secret:
            secret = getattr(settings, name)
            return secret.get_secret_value() if secret else ""
    return ""
