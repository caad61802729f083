"""Application commands: their names, options and sizes, and the endpoints that register them."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

from tests.fakes.discord_api import Call, Endpoint
from tests.fakes.discord_rules import Form, Json, Refusal, need_object, unknown

LOCALES = frozenset(
    [
        "id",
        "da",
        "de",
        "en-GB",
        "en-US",
        "es-ES",
        "es-419",
        "fr",
        "hr",
        "it",
        "lt",
        "hu",
        "nl",
        "no",
        "pl",
        "pt-BR",
        "ro",
        "fi",
        "sv-SE",
        "vi",
        "tr",
        "cs",
        "el",
        "bg",
        "ru",
        "uk",
        "hi",
        "th",
        "zh-CN",
        "ja",
        "zh-TW",
        "ko",
    ]
)


COMMAND_FIELDS = frozenset(
    {
        "id",
        "name",
        "name_localizations",
        "description",
        "description_localizations",
        "options",
        "default_member_permissions",
        "dm_permission",
    }
    | {"default_permission", "integration_types", "contexts", "type", "nsfw"}
)
OPTION_FIELDS = frozenset(
    {"type", "name", "name_localizations", "description", "description_localizations", "required", "choices", "options", "channel_types"}
    | {"min_value", "max_value", "min_length", "max_length", "autocomplete", "file_types"}
)
COMMANDS_BY_TYPE = {1: 100, 2: 5, 3: 5}


def check_commands(commands: Any) -> list[Json]:
    """A whole set of commands (bulk overwrite): each one right, names unique per type, no more than a scope may hold."""
    form = Form()
    if not isinstance(commands, list):
        form.wrong((), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        form.refuse()
    seen: set[tuple[int, str]] = set()
    for index, command in enumerate(commands):
        check_command(form, command, (index,))
        key = (command.get("type", 1), command.get("name", ""))
        if key in seen:
            form.wrong((index,), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        seen.add(key)
    form.refuse()
    for kind, most in COMMANDS_BY_TYPE.items():
        if sum(command.get("type", 1) == kind for command in commands) > most:
            raise Refusal(400, 30032, f"Maximum number of application commands reached ({most}).")
    return commands


def check_command(form: Form, command: Any, path: tuple[Any, ...]) -> None:
    """One command: name, description, options, localizations, 8,000 characters in all."""
    if not isinstance(command, dict):
        form.wrong(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used.")
        return
    form.only(command, COMMAND_FIELDS, path)
    kind = command.get("type", 1)
    if kind not in COMMANDS_BY_TYPE:
        form.wrong((*path, "type"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3).")
        return
    if kind == 1:
        _named(form, command, path)
        form.text(command.get("description"), (*path, "description"), 100, 1, required=True)
        _localized(form, command, "description", path, 100)
        _options(form, command.get("options"), (*path, "options"), depth=0)
    else:
        form.text(command.get("name"), (*path, "name"), 32, 1, required=True)
        _localized(form, command, "name", path, 32)
        if command.get("description") or command.get("options"):
            form.wrong(
                (*path, "description"),
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION",
                "Context menu commands have no description or options",
            )
    for index, place in enumerate(command.get("contexts") or []):
        if place not in (0, 1, 2):
            form.wrong((*path, "contexts", index), "BASE_TYPE_CHOICES", "Value must be one of (0, 1, 2).")
    for index, place in enumerate(command.get("integration_types") or []):
        if place not in (0, 1):
            form.wrong((*path, "integration_types", index), "BASE_TYPE_CHOICES", "Value must be one of (0, 1).")
    if _characters(command) > 8000:
        form.wrong(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _named(form: Form, thing: Json, path: tuple[Any, ...]) -> None:
    for name, where in [(thing.get("name"), (*path, "name")), *_translations(thing, "name", path)]:
        form.text(name, where, 32, 1, required=True)
        if isinstance(name, str) and (name != name.lower() or not all(_may_name(letter) for letter in name)):
            form.wrong(where, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    _known_locales(form, thing, "name", path)


def _may_name(letter: str) -> bool:
    category = unicodedata.category(letter)
    return (
        letter in "-_'"
        or category[0] in "LN"
        or (category[0] == "M" and ("\u0900" <= letter <= "\u097f" or "\u0e00" <= letter <= "\u0e7f"))
    )


def _localized(form: Form, thing: Json, name: str, path: tuple[Any, ...], most: int) -> None:
    _known_locales(form, thing, name, path)
    for text, where in _translations(thing, name, path):
        form.text(text, where, most, 1, required=True)


def _known_locales(form: Form, thing: Json, name: str, path: tuple[Any, ...]) -> None:
    for locale in set(thing.get(f"{name}_localizations") or {}) - LOCALES:
        form.wrong((*path, f"{name}_localizations", locale), "BASE_TYPE_CHOICES", "This locale is not known.")


def _translations(thing: Json, name: str, path: tuple[Any, ...]) -> list[tuple[Any, tuple[Any, ...]]]:
    return [(text, (*path, f"{name}_localizations", locale)) for locale, text in (thing.get(f"{name}_localizations") or {}).items()]


def _options(form: Form, options: Any, path: tuple[Any, ...], depth: int) -> None:
    names: set[str] = set()
    optional_seen = False
    for index, option in enumerate(form.items(options, path, 25)):
        here = (*path, index)
        form.only(option, OPTION_FIELDS, here)
        _named(form, option, here)
        form.text(option.get("description"), (*here, "description"), 100, 1, required=True)
        _localized(form, option, "description", here, 100)
        if option.get("name") in names:
            form.wrong(here, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
        names.add(option.get("name", ""))
        kind = option.get("type")
        if kind not in range(1, 12) or (kind in (1, 2) and depth > 1) or (kind == 2 and depth > 0):
            form.wrong(
                (*here, "type"),
                "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                "Sub-command and sub-command group option types are mutually exclusive",
            )
        elif kind in (1, 2):
            _options(form, option.get("options"), (*here, "options"), depth + 1)
        elif option.get("required") and optional_seen:
            form.wrong(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
        optional_seen = optional_seen or (kind not in (1, 2) and not option.get("required"))
        for place, choice in enumerate(form.items(option.get("choices"), (*here, "choices"), 25)):
            form.text(choice.get("name"), (*here, "choices", place, "name"), 100, 1, required=True)
            if kind == 3:
                form.text(choice.get("value"), (*here, "choices", place, "value"), 100, 1, required=True)
        if option.get("choices") and option.get("autocomplete"):
            form.wrong(here, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES", "Choices and autocomplete exclude each other")
        form.number(option.get("min_length"), (*here, "min_length"), 0, 6000)
        form.number(option.get("max_length"), (*here, "max_length"), 1, 6000)


def _characters(thing: Json) -> int:
    longest = sum(
        max([len(str(thing.get(name) or "")), *(len(str(text)) for text in (thing.get(f"{name}_localizations") or {}).values())])
        for name in ("name", "description")
    )
    choices = sum(len(str(choice.get("value", ""))) + len(str(choice.get("name", ""))) for choice in thing.get("choices") or [])
    return longest + choices + sum(_characters(option) for option in thing.get("options") or [])


def _scope(call: Call) -> dict[str, Json]:
    world, guild_id = call.world, call.params.get("guild_id")
    if call.params["application_id"] != world.application_id:
        raise Refusal(403, 20012, "You are not authorized to perform this action on this application")
    if guild_id is not None and guild_id not in world.guilds:
        raise Refusal(403, 50001, "Missing Access")
    return world.commands.setdefault(guild_id, {})


def _registered(call: Call, scope: dict[str, Json], command: Json) -> Json:
    world, guild_id = call.world, call.params.get("guild_id")
    same = next((old for old in scope.values() if (old["name"], old["type"]) == (command["name"], command.get("type", 1))), None)
    told: Json = {
        "id": same["id"] if same else world.new_id(), "application_id": world.application_id, "version": world.new_id(), "type": 1, "description": "",
        "default_member_permissions": None, "nsfw": False, "options": [], "name_localizations": None, "description_localizations": None,
    }  # fmt: skip
    told |= {"guild_id": guild_id} if guild_id else {"contexts": None, "integration_types": [0], "dm_permission": True}
    return told | {name: value for name, value in command.items() if name != "id"}


async def form_commands_put(call: Call) -> Any:
    """PUT the whole set of commands."""
    scope, commands = _scope(call), check_commands(call.body)
    new = {told["id"]: told for told in [_registered(call, scope, command) for command in commands]}
    scope.clear()
    scope.update(new)
    call.world.command_writes.append(
        {"at": time.monotonic(), "guild": call.params.get("guild_id"), "names": [told["name"] for told in new.values()]}
    )
    call.world.touch()
    return list(new.values())


async def commands_get(call: Call) -> Any:
    """GET all commands."""
    return list(_scope(call).values())


async def form_command_create(call: Call) -> Any:
    """POST one command; one of the same name is replaced."""
    scope, form = _scope(call), Form()
    check_command(form, call.body, ())
    form.refuse()
    told = _registered(call, scope, call.body)
    is_new = told["id"] not in scope
    scope[told["id"]] = told
    call.world.touch()
    return (201 if is_new else 200), told


def _command(call: Call) -> Json:
    if (found := _scope(call).get(call.params["command_id"])) is None:
        raise unknown("application command")
    return found


async def command_get(call: Call) -> Any:
    """GET one command."""
    return _command(call)


async def form_command_edit(call: Call) -> Any:
    """PATCH one command."""
    form, command = Form(), _command(call)
    changed = {**command, **need_object(call.body)}
    check_command(form, {name: value for name, value in changed.items() if name not in ("application_id", "version", "guild_id")}, ())
    form.refuse()
    command.update(call.body)
    return command


async def command_delete(call: Call) -> Any:
    """DELETE one command."""
    del _scope(call)[_command(call)["id"]]


ENDPOINTS = [
    endpoint
    for base in ("/applications/{application_id}", "/applications/{application_id}/guilds/{guild_id}")
    for endpoint in (
        Endpoint("commands.get", "GET", base + "/commands", commands_get),
        Endpoint("commands.put", "PUT", base + "/commands", form_commands_put),
        Endpoint("command.create", "POST", base + "/commands", form_command_create),
        Endpoint("command.get", "GET", base + "/commands/{command_id}", command_get),
        Endpoint("command.edit", "PATCH", base + "/commands/{command_id}", form_command_edit),
        Endpoint("command.delete", "DELETE", base + "/commands/{command_id}", command_delete),
    )
]
