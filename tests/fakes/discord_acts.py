"""What people do with the fake's bot: commands, buttons, selects, modals; each becomes an interaction that the gateway brings."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord_components import LABEL, SELECTS, TEXT_INPUT, flat_components
from tests.fakes.discord_rules import EPHEMERAL, Json
from tests.fakes.discord_things import DM, Channel, Message, User
from tests.fakes.discord_world import World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5


@dataclass(slots=True)
class Interaction:
    """Something a person did with the bot, and how the bot answered."""

    id: str
    token: str
    type: int
    user_id: str
    channel_id: str
    guild_id: str | None
    data: Json
    message_id: str | None = None
    at: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)
    responses: list[Json] = field(default_factory=list)
    answered_at: float | None = None
    response_type: int | None = None
    is_ephemeral: bool | None = None
    original_id: str | None = None
    messages: list[str] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None

    def view(self, world: World) -> Json:
        """The interaction as the tests see it."""
        return {
            "id": self.id, "type": self.type, "user": world.users[self.user_id].name, "user_id": self.user_id, "channel": self.channel_id,
            "data": self.data, "message": self.message_id, "at": self.at, "wall": self.wall, "responses": self.responses,
            "response_type": self.response_type, "is_ephemeral": self.is_ephemeral, "original": self.original_id, "modal": self.modal,
            "choices": self.choices, "answered_after": self.answered_at - self.at if self.answered_at else None,
            "has_failed": self.answered_at is None and time.monotonic() - self.at > world.settings.first_response_seconds,
            "messages": [world.view(world.messages[message]) for message in self.messages],
        }  # fmt: skip


def begin(world: World, kind: int, user: User, channel: Channel, data: Json, message: Message | None = None) -> Interaction:
    """A person does something: the bot hears of it."""
    interaction = Interaction(
        world.new_id(), secrets.token_urlsafe(48), kind, user.id, channel.id, channel.guild_id, data, message.id if message else None
    )
    world.interactions[interaction.id] = interaction
    world.interactions_by_token[interaction.token] = interaction
    settings = world.settings
    told: Json = {
        "id": interaction.id, "application_id": world.application_id, "type": kind, "data": data, "token": interaction.token, "version": 1,
        "channel_id": channel.id, "channel": world.channel_payload(channel), "app_permissions": str(world.permissions(world.bot, channel)),
        "locale": settings.locale, "entitlements": [], "entitlement_sku_ids": [], "attachment_size_limit": 10_485_760,
        "authorizing_integration_owners": {"0": channel.guild_id or "0"}, "context": 1 if channel.kind == DM else 0,
    }  # fmt: skip
    if channel.guild_id:
        guild = {"id": channel.guild_id, "locale": settings.locale, "features": []}
        told |= {
            "guild_id": channel.guild_id,
            "guild": guild,
            "guild_locale": settings.locale,
            "member": world.member(user, channel.guild_id, channel),
        }
        told["channel"]["permissions"] = str(world.permissions(user, channel))
    else:
        told["user"] = user.payload
    if message is not None:
        told["message"] = world.payload(message, content=True)
    world.emit("INTERACTION_CREATE", told, 0, channel.guild_id)
    world.touch()
    return interaction


def command_named(world: World, name: str, kind: int, guild_id: str | None) -> Json:
    """The command a person sees here; one that was never registered cannot be used."""
    for scope in (guild_id, None):
        for command in world.commands.get(scope, {}).values():
            if command["name"] == name and command.get("type", 1) == kind:
                contexts = command.get("contexts")
                if scope is None and contexts and (0 if guild_id else 1) not in contexts:
                    raise ValueError(f"the command {name!r} is not shown here: its contexts are {contexts}")
                return command
    raise ValueError(f"no command {name!r} of type {kind} is registered here")


def slash(world: World, name: str, options: Json, user: User, channel: Channel, focused: str | None = None) -> Interaction:
    """A person sends `/name option:value …`; sub-commands as "name sub"."""
    first, *subs = name.split()
    command = command_named(world, first, 1, channel.guild_id)
    known, wrap = command.get("options") or [], []
    for sub in subs:
        found = next((option for option in known if option["name"] == sub and option["type"] in (1, 2)), None)
        if found is None:
            raise ValueError(f"/{first} has no sub-command {sub!r}")
        wrap.append(found)
        known = found.get("options") or []
    data: Json = {"id": command["id"], "name": first, "type": 1}
    if focused is None and (missing := [o["name"] for o in known if o.get("required") and o["name"] not in options]):
        raise ValueError(f"/{name} needs {missing}")
    told = [
        _option(world, data, known, option, value, channel) | ({"focused": True} if option == focused else {})
        for option, value in options.items()
    ]
    for found in reversed(wrap):
        told = [{"name": found["name"], "type": found["type"], "options": told}]
    data["options"] = told
    if command.get("guild_id"):
        data["guild_id"] = command["guild_id"]
    return begin(world, AUTOCOMPLETE if focused is not None else COMMAND, user, channel, data)


def _option(world: World, data: Json, known: list[Json], name: str, value: Any, channel: Channel) -> Json:
    option = next((option for option in known if option["name"] == name), None)
    if option is None:
        raise ValueError(f"no option is called {name!r}")
    if option["type"] == 3 and not option.get("min_length", 0) <= len(value) <= option.get("max_length", 6000):
        raise ValueError(f"{name!r} is too short or too long to be sent")
    if option.get("choices") and value not in [choice["value"] for choice in option["choices"]]:
        raise ValueError(f"{value!r} is no choice of {name!r}")
    if option["type"] == 11:
        value = world.attach(value["filename"], value["data"], channel.id)
        data.setdefault("resolved", {}).setdefault("attachments", {})[value] = world.attachment_payload(value)
    if option["type"] == 6:
        user = world.user(str(value))
        value = user.id
        resolved = data.setdefault("resolved", {})
        resolved.setdefault("users", {})[user.id] = user.payload
        if channel.guild_id:
            member = world.member(user, channel.guild_id, channel)
            resolved.setdefault("members", {})[user.id] = {key: item for key, item in member.items() if key != "user"}
    return {"name": name, "type": option["type"], "value": value}


def context_menu(world: World, name: str, message: Message, user: User) -> Interaction:
    """A person picks a message command: the bot gets the whole message, whatever its intents."""
    channel = world.channels[message.channel_id]
    command = command_named(world, name, 3, channel.guild_id)
    resolved = {"messages": {message.id: world.payload(message, content=True)}}
    return begin(
        world, COMMAND, user, channel, {"id": command["id"], "name": name, "type": 3, "target_id": message.id, "resolved": resolved}
    )


def press(world: World, message: Message, custom_id: str, user: User, values: list[str] | None = None) -> Interaction:
    """A person presses a button, or selects values."""
    component = next((item for item in flat_components(message.components) if item.get("custom_id") == custom_id), None)
    if component is None or component.get("disabled") or message.deleted:
        there = [item["custom_id"] for item in flat_components(message.components) if item.get("custom_id") and not item.get("disabled")]
        raise ValueError(f"{custom_id!r} cannot be pressed on this message; it has {there}")
    if message.flags & EPHEMERAL and message.interaction_id and world.interactions[message.interaction_id].user_id != user.id:
        raise ValueError("only the person it was shown to sees this message")
    data: Json = {"custom_id": custom_id, "component_type": component["type"], "id": component.get("id", 1)}
    if values is not None:
        if component["type"] not in SELECTS or not component.get("min_values", 1) <= len(values) <= component.get("max_values", 1):
            raise ValueError(f"{values} cannot be selected in {custom_id!r}")
        offered = [option["value"] for option in component.get("options", [])]
        if component["type"] == 3 and (strange := set(values) - set(offered)):
            raise ValueError(f"{custom_id!r} does not offer {sorted(strange)}, only {offered}")
        data["values"] = values
    return begin(world, COMPONENT, user, world.channels[message.channel_id], data, message)


def submit(world: World, opened: Interaction, values: Json, user: User) -> Interaction:
    """A person fills in and sends the modal that an interaction opened."""
    if opened.modal is None:
        raise ValueError("this interaction opened no modal")
    left = dict(values)
    shown = [_filled(component, left) for component in opened.modal["components"] if component.get("type") != 10]
    if left:
        raise ValueError(f"the modal has no fields {sorted(left)}")
    message = world.messages.get(opened.message_id or "")
    return begin(
        world, MODAL_SUBMIT, user, world.channels[opened.channel_id], {"custom_id": opened.modal["custom_id"], "components": shown}, message
    )


def _filled(component: Json, values: Json) -> Json:
    if component["type"] == LABEL:
        return {"type": LABEL, "id": component.get("id", 1), "component": _field(component["component"], values)}
    return {"type": 1, "id": component.get("id", 1), "components": [_field(item, values) for item in component["components"]]}


def _field(item: Json, values: Json) -> Json:
    value = values.pop(item["custom_id"], None)
    told: Json = {"type": item["type"], "id": item.get("id", 1), "custom_id": item["custom_id"]}
    if item["type"] == TEXT_INPUT:
        value = item.get("value", "") if value is None else value
        least = item.get("min_length") or (1 if item.get("required", True) else 0)
        if not (least <= len(value) <= (item.get("max_length") or 4000)) and not (value == "" and not item.get("required", True)):
            raise ValueError(f"{item['custom_id']!r} does not take {len(value)} characters")
        return told | {"value": value}
    value = [] if value is None else value
    if not value and item.get("required", True):
        raise ValueError(f"{item['custom_id']!r} is required")
    return told | ({"value": value} if item["type"] in (21, 23) else {"values": value})
