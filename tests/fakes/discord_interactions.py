"""The fake's interactions, as the bot answers them: three seconds for the first answer, one answer, a token of 15 minutes."""

from __future__ import annotations

import secrets
import time
from typing import Any

from tests.fakes.discord_acts import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction
from tests.fakes.discord_api import Call, Endpoint
from tests.fakes.discord_components import check_modal
from tests.fakes.discord_messages import SEND_FLAGS, edit, fill, rewrite
from tests.fakes.discord_rules import (
    CALLBACK_FIELDS,
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    SUPPRESS_EMBEDS,
    VOICE,
    WEBHOOK_FIELDS,
    Form,
    Json,
    Refusal,
    check_message,
    need_object,
    unknown,
)
from tests.fakes.discord_things import Message
from tests.fakes.discord_world import World

REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ANSWERS = {
    COMMAND: {REPLY, DEFER, MODAL},
    COMPONENT: {REPLY, DEFER, DEFER_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {REPLY, DEFER, DEFER_UPDATE, UPDATE},
}
WEBHOOK_FLAGS = SUPPRESS_EMBEDS | EPHEMERAL | COMPONENTS_V2 | (1 << 12) | VOICE


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
]
