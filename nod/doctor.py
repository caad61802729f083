"""`nod doctor`: what works, what is broken and what to do. Each room brings its checks by entry point (`nod.checks`)."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points

import click

from nod.envfile import ENV_FILE
from nod.errors import NodError
from nod.language import Language, terminal_language
from nod.misspelt import misspelt
from nod.saying import say
from nod.screen import padded
from nod.settings import Settings, load_settings

CHECK_SECONDS = 20.0
_ORDER = {name: place for place, name in enumerate(("servers", "search", "model", "slack", "discord"))}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a real check found: `state` is `ok`, `off` (not configured) or `broken`; `todo` is the one thing that helps."""

    name: str
    state: str
    sentence: str
    todo: str = ""


Check = Callable[[Settings, Language], Awaitable[Finding]]


async def findings(settings: Settings, language: Language) -> list[Finding]:
    """Return what every check found. A check that hangs or fails is a finding too."""
    points = sorted(entry_points(group="nod.checks"), key=lambda point: _ORDER.get(point.name, len(_ORDER)))
    checked = await asyncio.gather(*(_checked(point.name, point.load(), settings, language) for point in points))
    return [*checked, *_unknown_settings()]


def _unknown_settings() -> list[Finding]:
    """Return that names in `.env` mean nothing; nothing when all of them do."""
    told = [
        say("doctor.misspelt" if meant else "doctor.unknown_setting", name=name, meant=meant) for name, meant in misspelt(ENV_FILE).items()
    ]
    return [Finding("settings", "broken", "; ".join(told), say("doctor.correct_settings"))] if told else []


async def _checked(name: str, check: Check, settings: Settings, language: Language) -> Finding:
    try:
        return await asyncio.wait_for(check(settings, language), CHECK_SECONDS)
    except TimeoutError:
        return Finding(name, "broken", say("doctor.slow", seconds=CHECK_SECONDS))
    except NodError as error:
        return Finding(name, "broken", str(error))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="An object for programs: checks with name, ok, state, sentence, todo.")
def doctor(as_json: bool) -> None:
    """Check everything that is connected, and say what to do. Exit code 1 when something is broken."""
    settings = load_settings()
    found = asyncio.run(findings(settings, terminal_language()))
    if as_json:
        rows = [
            {"name": one.name, "ok": one.state == "ok", "state": one.state, "sentence": one.sentence, "todo": one.todo} for one in found
        ]
        click.echo(json.dumps({"ok": not _broken(found), "checks": rows}, ensure_ascii=False, indent=2))
    else:
        for one in found:
            click.echo(line_from(one))
    if _broken(found):
        raise click.exceptions.Exit(1)


def _broken(found: Sequence[Finding]) -> bool:
    return any(one.state == "broken" for one in found)


def line_from(finding: Finding) -> str:
    """Return a finding as a line: ✓, – or ✗, what it is, what was found, and behind an arrow what to do."""
    mark = {"ok": "✓", "off": "–"}.get(finding.state, "✗")
    return f" {mark} {padded(finding.name, 12)}{finding.sentence}" + (f"   → {finding.todo}" if finding.todo else "")
