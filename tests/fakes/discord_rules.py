"""Discord's forms: what a message, a modal or a command may hold, and the refusal each mistake gets.

Figures from Discord's documentation of August 2026. Two rules are stricter than Discord itself, on purpose: a field that
Discord would ignore is refused, and a flag that it would drop is refused, because both are a mistake of the sender.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

EPHEMERAL, HAS_THREAD, LOADING, SUPPRESS_EMBEDS = 1 << 6, 1 << 5, 1 << 7, 1 << 2
SILENT, VOICE, COMPONENTS_V2 = 1 << 12, 1 << 13, 1 << 15

CONTENT = 2000
TEXT_DISPLAYS = 4000
COMPONENTS_IN_ALL = 40
FILE_BYTES = 10 * 1024 * 1024
REQUEST_BYTES = 25 * 1024 * 1024

SEND_FIELDS = frozenset(
    {"content", "nonce", "enforce_nonce", "tts", "embeds", "allowed_mentions", "message_reference", "components", "attachments", "flags"}
)
EDIT_FIELDS = frozenset({"content", "embeds", "flags", "allowed_mentions", "components", "attachments", "tts"})
WEBHOOK_FIELDS = frozenset({"content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "components", "attachments", "flags"})
CALLBACK_FIELDS = frozenset({"content", "tts", "embeds", "allowed_mentions", "components", "attachments", "flags"})

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = frozenset({3, 5, 6, 7, 8})
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
V2_TOP = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER})
V2_IN_CONTAINER = V2_TOP - {CONTAINER}

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


class Refusal(Exception):  # noqa: N818 - an answer that Discord gives, not an error of ours
    """An answer other than 2xx: HTTP status, Discord's code and sentence, and for forms where the mistake is."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.errors, self.headers = status, code, message, errors, dict(headers or {})
        self.extra: Json = {}

    @property
    def body(self) -> Json:
        """The JSON body of the answer."""
        told: Json = {"message": self.message, "code": self.code, **self.extra}
        return told if self.errors is None else told | {"errors": self.errors}


def unauthorized() -> Refusal:
    """401 for a missing or wrong token."""
    return Refusal(401, 0, "401: Unauthorized")


def unknown(what: str) -> Refusal:
    """404 with the code for a thing that is not there."""
    codes = {
        "Channel": 10003, "Guild": 10004, "Member": 10007, "Message": 10008, "User": 10013, "Emoji": 10014, "Webhook": 10015,
        "interaction": 10062, "application command": 10063,
    }  # fmt: skip
    return Refusal(400 if what == "Emoji" else 404, codes[what], f"Unknown {what}")


@dataclass(slots=True)
class Form:
    """Collects mistakes by their path in the body, and refuses once with all of them (50035)."""

    errors: Json = field(default_factory=dict)

    def wrong(self, path: Sequence[str | int], code: str, message: str) -> None:
        """Note one mistake."""
        at = self.errors
        for step in path:
            at = at.setdefault(str(step), {})
        at.setdefault("_errors", []).append({"code": code, "message": message})

    def refuse(self) -> None:
        """Raise when there was a mistake."""
        if self.errors:
            raise Refusal(400, 50035, "Invalid Form Body", self.errors)

    def text(self, value: Any, path: Sequence[str | int], most: int, least: int = 0, required: bool = False) -> None:
        """A string of `least` to `most` characters."""
        if value is None:
            if required:
                self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif not isinstance(value, str):
            self.wrong(path, "STRING_TYPE_CONVERT", f"Could not interpret {value!r} as string.")
        elif not least <= len(value) <= most:
            if least and most:
                self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
            else:
                self.wrong(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def number(self, value: Any, path: Sequence[str | int], least: int, most: int) -> None:
        """An integer between the bounds."""
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < least:
            self.wrong(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
        elif value > most:
            self.wrong(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")

    def items(self, value: Any, path: Sequence[str | int], most: int, least: int = 0) -> list[Any]:
        """A list of `least` to `most` items; an empty one when it is no list."""
        if value is None and not least:
            return []
        if not isinstance(value, list):
            self.wrong(path, "LIST_TYPE_CONVERT" if value is not None else "BASE_TYPE_REQUIRED", "Only iterables may be used in a ListType")
            return []
        if not least <= len(value) <= most:
            self.wrong(path, "BASE_TYPE_BAD_LENGTH" if least else "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return value

    def only(self, value: Mapping[str, Any], allowed: Iterable[str], path: Sequence[str | int] = ()) -> None:
        """No field but these."""
        for name in sorted(set(value) - set(allowed)):
            self.wrong([*path, name], "UNKNOWN_FIELD", f"The field {name!r} is not known here (Discord ignores it in silence).")


def need_object(body: Any) -> Json:
    """The body, which must be a JSON object."""
    if not isinstance(body, dict):
        raise Refusal(
            400, 50035, "Invalid Form Body", {"_errors": [{"code": "DICT_TYPE_CONVERT", "message": "Only dictionaries may be used."}]}
        )
    return body


# ----------------------------------------------------------------------------------------------------------- messages


def check_message(body: Json, fields: frozenset[str], flags_allowed: int, path: tuple[str, ...] = ()) -> None:
    """Refuse what Discord would refuse in the form of a message, whoever sends it (emptiness is judged later)."""
    form = Form()
    form.only(body, fields, path)
    form.text(body.get("content"), (*path, "content"), CONTENT)
    check_nonce(form, body.get("nonce"), (*path, "nonce"))
    flags = body.get("flags") or 0
    form.number(flags, (*path, "flags"), 0, (1 << 31) - 1)
    if isinstance(flags, int) and flags & ~flags_allowed:
        form.wrong((*path, "flags"), "INVALID_FLAGS", f"These flags cannot be set here: {flags & ~flags_allowed}")
    check_embeds(form, body.get("embeds"), (*path, "embeds"))
    check_mentions(form, body.get("allowed_mentions"), (*path, "allowed_mentions"))
    form.refuse()


def check_nonce(form: Form, nonce: Any, path: tuple[str, ...]) -> None:
    """A string or integer of at most 25 characters."""
    if nonce is not None and (isinstance(nonce, bool) or not isinstance(nonce, str | int) or len(str(nonce)) > 25):
        form.wrong(path, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")


def check_embeds(form: Form, embeds: Any, path: tuple[str, ...]) -> None:
    """Ten embeds, 6,000 characters together."""
    total = 0
    for index, embed in enumerate(form.items(embeds, path, 10)):
        here = (*path, index)
        if not isinstance(embed, dict):
            form.wrong(here, "DICT_TYPE_CONVERT", "Only dictionaries may be used.")
            continue
        footer, author = embed.get("footer") or {}, embed.get("author") or {}
        form.text(embed.get("title"), (*here, "title"), 256)
        form.text(embed.get("description"), (*here, "description"), 4096)
        form.text(footer.get("text"), (*here, "footer", "text"), 2048)
        form.text(author.get("name"), (*here, "author", "name"), 256)
        for name in ("url",):
            if (url := embed.get(name)) is not None and not str(url).startswith(("http://", "https://")):
                form.wrong((*here, name), "URL_TYPE_INVALID_SCHEME", 'Scheme must be one of ("http", "https").')
        parts = [embed.get("title"), embed.get("description"), footer.get("text"), author.get("name")]
        for place, item in enumerate(form.items(embed.get("fields"), (*here, "fields"), 25)):
            form.text(item.get("name"), (*here, "fields", place, "name"), 256, 1, required=True)
            form.text(item.get("value"), (*here, "fields", place, "value"), 1024, 1, required=True)
            parts += [item.get("name"), item.get("value")]
        if not any(parts) and not embed.get("image") and not embed.get("thumbnail"):
            form.wrong((*here, "description"), "BASE_TYPE_REQUIRED", "This field is required")
        total += sum(len(part) for part in parts if isinstance(part, str))
    if total > 6000:
        form.wrong(path, "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def check_mentions(form: Form, mentions: Any, path: tuple[str, ...]) -> None:
    """`allowed_mentions`: parse and lists exclude each other, at most 100 ids each."""
    if mentions is None:
        return
    if not isinstance(mentions, dict):
        form.wrong(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used.")
        return
    form.only(mentions, {"parse", "users", "roles", "replied_user"}, path)
    parse = form.items(mentions.get("parse"), (*path, "parse"), 3)
    for index, kind in enumerate(parse):
        if kind not in ("users", "roles", "everyone"):
            form.wrong((*path, "parse", index), "BASE_TYPE_CHOICES", "Value must be one of ('everyone', 'roles', 'users').")
    for kind in ("users", "roles"):
        if form.items(mentions.get(kind), (*path, kind), 100) and kind in parse:
            form.wrong(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.')


def check_components(components: Any, v2: bool, path: tuple[str, ...] = ()) -> None:
    """Rows of buttons and selects; with the flag also the parts of Components V2."""
    form, path = Form(), (*path, "components")
    walk = _Walk(form)
    rows = form.items(components, path, COMPONENTS_IN_ALL if v2 else 5)
    for index, component in enumerate(rows):
        walk.top(component, (*path, index), V2_TOP if v2 else frozenset({ROW}))
    if v2 and walk.count > COMPONENTS_IN_ALL:
        form.wrong(path, "MESSAGE_COMPONENTS_TOO_MANY", f"The maximum number of components on a message is {COMPONENTS_IN_ALL}.")
    if v2 and walk.characters > TEXT_DISPLAYS:
        form.wrong(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"Text of all components must be {TEXT_DISPLAYS} or fewer in length.")
    form.refuse()


class _Walk:
    """One walk over the components of a message or modal."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.count = self.characters = 0
        self.seen: set[str] = set()

    def top(self, component: Any, path: tuple[Any, ...], allowed: frozenset[int]) -> None:
        kind = component.get("type") if isinstance(component, dict) else None
        if kind not in allowed:
            self.form.wrong((*path, "type"), "UNION_TYPE_CHOICES", f'Value of field "type" must be one of {tuple(sorted(allowed))}.')
            return
        self.count += 1
        if kind == ROW:
            self.row(component, path)
        elif kind == TEXT:
            self.text(component, path)
        elif kind == SECTION:
            for index, item in enumerate(self.form.items(component.get("components"), (*path, "components"), 3, 1)):
                self.top(item, (*path, "components", index), frozenset({TEXT}))
            self.accessory(component.get("accessory"), (*path, "accessory"))
        elif kind == GALLERY:
            for index, item in enumerate(self.form.items(component.get("items"), (*path, "items"), 10, 1)):
                self.form.text((item.get("media") or {}).get("url"), (*path, "items", index, "media", "url"), 2048, 1, required=True)
        elif kind == FILE:
            if not str((component.get("file") or {}).get("url", "")).startswith("attachment://"):
                self.form.wrong((*path, "file", "url"), "URL_TYPE_INVALID_SCHEME", "Only attachment:// references may be used.")
        elif kind == CONTAINER:
            for index, item in enumerate(self.form.items(component.get("components"), (*path, "components"), COMPONENTS_IN_ALL, 1)):
                self.top(item, (*path, "components", index), V2_IN_CONTAINER)

    def text(self, component: Json, path: tuple[Any, ...]) -> None:
        content = component.get("content")
        self.form.text(content, (*path, "content"), TEXT_DISPLAYS, 1, required=True)
        self.characters += len(content) if isinstance(content, str) else 0

    def accessory(self, component: Any, path: tuple[Any, ...]) -> None:
        if not isinstance(component, dict) or component.get("type") not in (BUTTON, THUMBNAIL):
            self.form.wrong(path, "BASE_TYPE_REQUIRED", "This field is required")
            return
        self.count += 1
        if component["type"] == BUTTON:
            self.button(component, path)

    def row(self, row: Json, path: tuple[Any, ...]) -> None:
        items = self.form.items(row.get("components"), (*path, "components"), 5, 1)
        kinds = [item.get("type") for item in items if isinstance(item, dict)]
        if any(kind in SELECTS for kind in kinds) and len(kinds) > 1:
            self.form.wrong((*path, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
        for index, item in enumerate(items):
            here = (*path, "components", index)
            kind = item.get("type") if isinstance(item, dict) else None
            self.count += 1
            if kind == BUTTON:
                self.button(item, here)
            elif kind in SELECTS:
                self.select(item, here)
            else:
                self.form.wrong((*here, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).')

    def custom_id(self, component: Json, path: tuple[Any, ...]) -> None:
        custom_id = component.get("custom_id")
        self.form.text(custom_id, (*path, "custom_id"), 100, 1, required=True)
        if custom_id in self.seen:
            self.form.wrong((*path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        if isinstance(custom_id, str):
            self.seen.add(custom_id)

    def button(self, button: Json, path: tuple[Any, ...]) -> None:
        self.form.text(button.get("label"), (*path, "label"), 80)
        style = button.get("style")
        if style not in range(1, 7):
            self.form.wrong((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6).")
        elif style == 5:
            self.form.text(button.get("url"), (*path, "url"), 512, 1, required=True)
            if button.get("custom_id") is not None:
                self.form.wrong((*path, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A link button has no custom id")
        elif style < 5:
            self.custom_id(button, path)
        if not button.get("label") and not button.get("emoji") and style != 6:
            self.form.wrong(path, "BUTTON_COMPONENT_INVALID_LABEL", "A button needs a label or an emoji")

    def select(self, select: Json, path: tuple[Any, ...]) -> None:
        self.custom_id(select, path)
        self.form.text(select.get("placeholder"), (*path, "placeholder"), 150)
        least, most = select.get("min_values"), select.get("max_values")
        self.form.number(least, (*path, "min_values"), 0, 25)
        self.form.number(most, (*path, "max_values"), 1, 25)
        if select["type"] != STRING_SELECT:
            return
        options = self.form.items(select.get("options"), (*path, "options"), 25, 1)
        if isinstance(most, int) and len(options) < most:
            self.form.wrong((*path, "max_values"), "SELECT_COMPONENT_MAX_VALUES", "More values than options")
        values: set[str] = set()
        for index, option in enumerate(options):
            here = (*path, "options", index)
            self.form.text(option.get("label"), (*here, "label"), 100, 1, required=True)
            self.form.text(option.get("value"), (*here, "value"), 100, 1, required=True)
            self.form.text(option.get("description"), (*here, "description"), 100)
            if option.get("value") in values:
                self.form.wrong(here, "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
            values.add(option.get("value"))

    def text_input(self, component: Json, path: tuple[Any, ...], labelled: bool) -> None:
        self.custom_id(component, path)
        if component.get("style") not in (1, 2):
            self.form.wrong((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
        if not labelled:
            self.form.text(component.get("label"), (*path, "label"), 45, 1, required=True)
        self.form.text(component.get("placeholder"), (*path, "placeholder"), 100)
        self.form.text(component.get("value"), (*path, "value"), 4000)
        self.form.number(component.get("min_length"), (*path, "min_length"), 0, 4000)
        self.form.number(component.get("max_length"), (*path, "max_length"), 1, 4000)


def check_modal(data: Json) -> None:
    """A modal: title 45, custom id 100, one to five fields."""
    form, path = Form(), ("data",)
    walk = _Walk(form)
    form.only(data, {"custom_id", "title", "components"}, path)
    form.text(data.get("title"), (*path, "title"), 45, 1, required=True)
    form.text(data.get("custom_id"), (*path, "custom_id"), 100, 1, required=True)
    for index, component in enumerate(form.items(data.get("components"), (*path, "components"), 5, 1)):
        here = (*path, "components", index)
        kind = component.get("type") if isinstance(component, dict) else None
        if kind == ROW:
            for place, item in enumerate(form.items(component.get("components"), (*here, "components"), 1, 1)):
                if item.get("type") != TEXT_INPUT:
                    form.wrong((*here, "components", place, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (4,).')
                else:
                    walk.text_input(item, (*here, "components", place), labelled=False)
        elif kind == LABEL:
            form.text(component.get("label"), (*here, "label"), 45, 1, required=True)
            form.text(component.get("description"), (*here, "description"), 100)
            _check_labelled(walk, component.get("component") or {}, (*here, "component"))
        elif kind == TEXT:
            walk.text(component, here)
        else:
            form.wrong((*here, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1, 10, 18).')
    form.refuse()


def _check_labelled(walk: _Walk, item: Json, path: tuple[Any, ...]) -> None:
    if item.get("type") == TEXT_INPUT:
        walk.text_input(item, path, labelled=True)
    elif item.get("type") in SELECTS:
        walk.select(item, path)
    elif item.get("type") in (19, 21, 22, 23):  # file upload, radio group, check boxes
        walk.custom_id(item, path)
    else:
        walk.form.wrong((*path, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (3, 4, 5, 6, 7, 8, 19, 21, 22, 23).')


def flat_components(components: Any) -> list[Json]:
    """Every component of a message or modal, nested ones too."""
    found: list[Json] = []
    for component in components or []:
        found.append(component)
        found += flat_components(component.get("components"))
        found += [item for item in (component.get("accessory"), component.get("component")) if item]
    return found


def text_of(content: str | None, components: Any) -> str:
    """What people read in a message: its content, or the text displays of Components V2."""
    displayed = [item["content"] for item in flat_components(components) if item.get("type") == TEXT]
    return "\n".join(part for part in [content or "", *displayed] if part)


_PING = re.compile(r"<@!?(\d+)>|<@&(\d+)>|@(everyone|here)")


def pings(text: str, allowed: Json | None, replied_to: str | None) -> list[str]:
    """Whom this text would notify: `user:ID`, `role:ID`, `everyone`, `here`. No `allowed_mentions` means everybody it names.

    Text in code is counted too, and permission to mention everyone is assumed: only `allowed_mentions` is trusted.
    """
    parse = ["users", "roles", "everyone"] if allowed is None else allowed.get("parse") or []
    users, roles = (None, None) if allowed is None else (allowed.get("users") or [], allowed.get("roles") or [])
    found: list[str] = []
    for user, role, everyone in _PING.findall(text):
        if user and ("users" in parse or user in map(str, users or [])):
            found.append(f"user:{user}")
        elif role and ("roles" in parse or role in map(str, roles or [])):
            found.append(f"role:{role}")
        elif everyone and "everyone" in parse:
            found.append(everyone)
    if replied_to and (allowed is None or allowed.get("replied_user")):
        found.append(f"user:{replied_to}")
    return list(dict.fromkeys(found))


# ----------------------------------------------------------------------------------------------------------- commands

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
