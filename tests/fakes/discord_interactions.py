"""The fake's interactions and application commands: three seconds for the first answer, one answer, a token of 15 minutes."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord_api import Call, Endpoint
from tests.fakes.discord_rest import SEND_FLAGS, edit, fill, rewrite
from tests.fakes.discord_rules import (
    CALLBACK_FIELDS,
    COMPONENTS_V2,
    EPHEMERAL,
    LABEL,
    LOADING,
    SELECTS,
    SUPPRESS_EMBEDS,
    TEXT_INPUT,
    VOICE,
    WEBHOOK_FIELDS,
    Form,
    Json,
    Refusal,
    check_command,
    check_commands,
    check_message,
    check_modal,
    flat_components,
    need_object,
    unknown,
)
from tests.fakes.discord_world import DM, Channel, Message, User, World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ANSWERS = {
    COMMAND: {REPLY, DEFER, MODAL},
    COMPONENT: {REPLY, DEFER, DEFER_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {REPLY, DEFER, DEFER_UPDATE, UPDATE},
}
WEBHOOK_FLAGS = SUPPRESS_EMBEDS | EPHEMERAL | COMPONENTS_V2 | (1 << 12) | VOICE


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


# ----------------------------------------------------------------------------------------------- what people can do


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


# ------------------------------------------------------------------------------------------------ how the bot answers


async def form_callback(call: Call) -> Any:
    """POST the first answer: within three seconds, once."""
    world, body = call.world, need_object(call.body)
    interaction: Interaction | None = world.interactions.get(call.params["interaction_id"])
    if interaction is None or not secrets.compare_digest(interaction.token.encode(), call.params["token"].encode()):
        raise unknown("interaction")
    kind, data = body.get("type"), body.get("data") or {}
    if interaction.answered_at is None and time.monotonic() - interaction.at > world.settings.first_response_seconds:
        raise unknown("interaction")
    if interaction.answered_at is not None:
        raise Refusal(400, 40060, "Interaction has already been acknowledged.")
    form = Form()
    form.only(body, {"type", "data"})
    if kind not in ANSWERS[interaction.type]:
        form.wrong(("type",), "BASE_TYPE_CHOICES", f"Value must be one of {tuple(sorted(ANSWERS[interaction.type]))}.")
    if kind in (UPDATE, DEFER_UPDATE) and interaction.message_id is None:
        form.wrong(("type",), "INTERACTION_TYPE_INVALID", "There is no message to update")
    form.refuse()
    message = _first_answer(call, interaction, kind, need_object(data))
    interaction.answered_at, interaction.response_type = time.monotonic(), kind
    interaction.responses.append({"type": kind, "data": data, "at": time.monotonic(), "is_ephemeral": interaction.is_ephemeral})
    world.touch()
    if call.query.get("with_response", "").lower() not in ("1", "true"):
        return None
    told: Json = {"id": interaction.id, "type": interaction.type}
    resource: Json = {"type": kind}
    if message is not None:
        told |= {
            "response_message_id": message.id,
            "response_message_loading": kind == DEFER,
            "response_message_ephemeral": bool(message.flags & EPHEMERAL),
        }
        resource["message"] = world.payload(message, content=True)
    return {"interaction": told, "resource": resource}


def _first_answer(call: Call, interaction: Interaction, kind: int, data: Json) -> Message | None:
    world = call.world
    if kind in (REPLY, UPDATE):
        check_message(data, CALLBACK_FIELDS, WEBHOOK_FLAGS, ("data",))
    if kind == REPLY:
        return _say(call, interaction, data, ("data",), is_original=True)
    if kind == DEFER:
        form = Form()
        form.only(data, {"flags"}, ("data",))
        form.refuse()
        message = _blank(world, interaction)
        message.flags = LOADING | ((data.get("flags") or 0) & EPHEMERAL)
        interaction.is_ephemeral, interaction.original_id = bool(message.flags & EPHEMERAL), message.id
        interaction.messages.append(message.id)
        world.write(message, "defer")
        world.announce("MESSAGE_CREATE", message)
        return message
    if kind == MODAL:
        check_modal(data)
        interaction.modal = data
    elif kind == CHOICES:
        form = Form()
        for index, choice in enumerate(form.items(data.get("choices"), ("data", "choices"), 25)):
            form.text(choice.get("name"), ("data", "choices", index, "name"), 100, 1, required=True)
        form.refuse()
        interaction.choices = data.get("choices") or []
    else:
        interaction.original_id = interaction.message_id
        message = world.messages[interaction.message_id or ""]
        if kind == UPDATE:
            if message.deleted:
                raise unknown("Message")
            edit(call, message, data, ("data",))
        return message
    return None


def _blank(world: World, interaction: Interaction) -> Message:
    message = Message(world.new_id(), interaction.channel_id, world.bot.id, "", time.time(), interaction_id=interaction.id)
    message.type = 20 if interaction.type == COMMAND and interaction.data.get("type") == 1 else 23 if interaction.type == COMMAND else 0
    return message


def _say(call: Call, interaction: Interaction, data: Json, path: tuple[str, ...], is_original: bool) -> Message:
    world = call.world
    message = _blank(world, interaction)
    if not is_original:
        message.type, original = 19, world.messages.get(interaction.original_id or "")
        if original is not None:
            message.reference = {"type": 0, "message_id": original.id, "channel_id": original.channel_id}
    fill(world, message, call, data, path)
    if is_original:
        interaction.is_ephemeral, interaction.original_id = bool(message.flags & EPHEMERAL), message.id
    interaction.messages.append(message.id)
    world.write(message, "create")
    world.announce("MESSAGE_CREATE", message)
    return message


def _by_token(call: Call) -> Interaction:
    world = call.world
    if call.params["application_id"] != world.application_id:
        raise unknown("Webhook")
    interaction: Interaction | None = world.interactions_by_token.get(call.params["token"])
    if interaction is None or time.monotonic() - interaction.at > world.settings.token_seconds:
        raise Refusal(401, 50027, "Invalid Webhook Token")
    if interaction.answered_at is None:
        raise unknown("Webhook")
    return interaction


def _message_of(call: Call, interaction: Interaction) -> Message:
    asked = call.params.get("message_id", "@original")
    message = call.world.messages.get((interaction.original_id or "") if asked == "@original" else asked)
    if message is None or message.deleted or (message.id not in interaction.messages and message.id != interaction.original_id):
        raise unknown("Message")
    return message


async def form_followup_create(call: Call) -> Any:
    """POST a further message; the first one after a deferral fills the deferred message."""
    world, body = call.world, need_object(call.body)
    interaction = _by_token(call)
    check_message(body, WEBHOOK_FIELDS, WEBHOOK_FLAGS)
    original = world.messages.get(interaction.original_id or "")
    if interaction.response_type == DEFER and original is not None and original.flags & LOADING:
        return _fill_deferred(
            call, interaction, original, {name: value for name, value in body.items() if name not in ("username", "avatar_url")}
        )
    message = _say(call, interaction, body, (), is_original=False)
    _remember(interaction, "followup", message)
    return world.payload(message, content=True)


def _fill_deferred(call: Call, interaction: Interaction, message: Message, body: Json) -> Json:
    """What stood as "thinking…" now speaks. Whether only one person sees it was fixed by the deferral."""
    body = {**body, "flags": (body.get("flags") or 0) & ~EPHEMERAL}
    told = rewrite(call, message, body)
    _remember(interaction, "original", message)
    return told


def _remember(interaction: Interaction, how: str, message: Message) -> None:
    last = {
        "type": how,
        "message": message.id,
        "content": message.content,
        "at": time.monotonic(),
        "is_ephemeral": bool(message.flags & EPHEMERAL),
    }
    interaction.responses.append(last)


async def form_followup_edit(call: Call) -> Any:
    """PATCH the original answer, or a further one."""
    body = need_object(call.body)
    interaction = _by_token(call)
    message = _message_of(call, interaction)
    check_message(body, WEBHOOK_FIELDS - {"username", "avatar_url"}, SEND_FLAGS)
    if message.flags & LOADING:
        return _fill_deferred(call, interaction, message, body)
    told = edit(call, message, body)
    _remember(interaction, "edit", message)
    return told


async def followup_get(call: Call) -> Any:
    """GET the original answer, or a further one."""
    return call.world.payload(_message_of(call, _by_token(call)), content=True)


async def followup_delete(call: Call) -> Any:
    """DELETE the original answer, or a further one."""
    call.world.delete(_message_of(call, _by_token(call)))


# ---------------------------------------------------------------------------------------------------------- commands


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


_W = "/webhooks/{application_id}/{token}"
_FREE: Json = {"needs_token": False, "counts_globally": False}

ENDPOINTS = [
    Endpoint(
        "interaction.callback",
        "POST",
        "/interactions/{interaction_id}/{token}/callback",
        form_callback,
        "webhook",
        takes_files=True,
        **_FREE,
    ),
    Endpoint("followup.create", "POST", _W, form_followup_create, "webhook", takes_files=True, **_FREE),
    Endpoint("followup.get", "GET", _W + "/messages/{message_id}", followup_get, "webhook", **_FREE),
    Endpoint("followup.edit", "PATCH", _W + "/messages/{message_id}", form_followup_edit, "webhook", takes_files=True, **_FREE),
    Endpoint("followup.delete", "DELETE", _W + "/messages/{message_id}", followup_delete, "webhook", **_FREE),
    *[
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
    ],
]
