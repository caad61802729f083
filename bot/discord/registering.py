"""The commands as Discord knows them, from nod's one table, in English and Korean. Registered only when they changed: a day takes 200."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import discord
from discord.http import Route

from bot.commands import COMMANDS, Command
from bot.discord.calls import Json, call
from bot.faces import PHRASES
from nod.language import Phrases
from nod.logs import log

_ROOM = Phrases(Path(__file__).parent / "phrases")
_STRING, _BOOLEAN = 3, 5
_CONTEXTS = [0, 1]  # servers and direct messages; not where only a person has installed nod: it could not read there
_INSTALLED_BY = [0]
_PATH = "/applications/{application_id}/commands"
MOST_TEXT = 4_000

_log = log(__name__)


async def register(client: discord.Client) -> bool:
    """Make Discord's commands those of the table; return whether anything had to change. Raises PlatformError."""
    app = client.application_id
    there: list[Json] = await call(client.http, Route("GET", _PATH, application_id=app), query={"with_localizations": "true"})
    wanted = [*(command_from(command) for command in COMMANDS), on_message()]
    if _plain(there) == _plain(wanted):
        return False
    await call(client.http, Route("PUT", _PATH, application_id=app), json=wanted)
    _log.info("commands registered", names=[command["name"] for command in wanted])
    return True


def command_from(command: Command) -> Json:
    """Return a command as Discord wants it."""
    return {
        "type": 1, "name": command.name, "name_localizations": {"ko": command.words[1]}, **_about(PHRASES, f"about.{command.name}"),
        "options": _options(command), "contexts": _CONTEXTS, "integration_types": _INSTALLED_BY,
    }  # fmt: skip


def on_message() -> Json:
    """Return the command in the menu of a message: teach what it says."""
    name = {"name": _ROOM.say("menu.teach", "en"), "name_localizations": {"ko": _ROOM.say("menu.teach", "ko")}}
    return {"type": 3, **name, "contexts": _CONTEXTS, "integration_types": _INSTALLED_BY}


def _options(command: Command) -> list[Json]:
    if not command.takes_text:
        return []
    name = "question" if command.name == "ask" else "text"
    options = [{"type": _STRING, "required": not command.has_dialog, "min_length": 1, "max_length": MOST_TEXT, **_named(name)}]
    return [*options, {"type": _BOOLEAN, "required": False, **_named("private")}] if command.name == "ask" else options


def _named(option: str) -> Json:
    name = {"name": option, "name_localizations": {"ko": _ROOM.say(f"option.{option}", "ko")}}
    return {**name, **_about(_ROOM, f"option_about.{option}")}


def _about(phrases: Phrases, key: str) -> Json:
    english = phrases.say(key, "en")
    korean = {"ko": phrases.say(key, "ko")[:100]}
    return {"description": (english[:1].upper() + english[1:])[:100], "description_localizations": korean}


# ── comparing ──

_COMPARED = ("type", "name", "description", "required", "min_length", "max_length")


def _plain(commands: list[Json]) -> dict[str, Json]:
    """Return what people see of commands, as it compares: Discord fills in what was left out, and orders as it likes."""
    return {str(command["name"]): _compared(command) | _reach(command) for command in commands}


def _compared(thing: Mapping[str, Any]) -> Json:
    plain = {name: thing.get(name) or None for name in _COMPARED}
    for name in ("name_localizations", "description_localizations"):
        plain[name] = dict(thing.get(name) or {})
    plain["options"] = [_compared(option) for option in thing.get("options") or ()]
    return plain


def _reach(command: Mapping[str, Any]) -> Json:
    return {name: sorted(command.get(name) or ()) for name in ("contexts", "integration_types")}
