"""Components: rows, buttons, selects, the parts of Components V2, modals; what people read in them, and whom it would ping."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.discord_rules import Form, Json

TEXT_DISPLAYS = 4000
COMPONENTS_IN_ALL = 40
ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = frozenset({3, 5, 6, 7, 8})
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
V2_TOP = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER})
V2_IN_CONTAINER = V2_TOP - {CONTAINER}


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
