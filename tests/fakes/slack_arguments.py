"""What each Web API method accepts, needs and may: arguments, scopes and tiers, one table each.

Real Slack overlooks many unknown arguments. The fake refuses them all, so that a misspelt one is found here.
"""

# ruff: noqa: SIM905 -- lists of words read best as words
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 -- Slack refuses; nothing broke
    """Slack's `{"ok": false, "error": ...}`, with whatever goes beside it."""

    def __init__(self, error: str, *messages: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = {**more, **({"response_metadata": {"messages": [f"[ERROR] {each}" for each in messages]}} if messages else {})}


_LOOKS = "icon_emoji icon_url username"
_POST = f"channel! text as_user:bool attachments:list blocks:list thread_ts link_names:bool parse markdown_text {_LOOKS}"

# name, with `!` when required and `:kind` when it is no string
ARGUMENTS = {
    "api.test": "error foo",
    "auth.test": "",
    "apps.connections.open": "",
    "chat.postMessage": f"{_POST} reply_broadcast:bool unfurl_links:bool unfurl_media:bool mrkdwn:bool metadata:dict",
    "chat.postEphemeral": f"{_POST} user!",
    "chat.update": "channel! ts! text attachments:list blocks:list as_user:bool file_ids:list link_names:bool parse reply_broadcast:bool "
    "metadata:dict markdown_text",
    "chat.delete": "channel! ts! as_user:bool",
    "chat.startStream": f"channel! thread_ts markdown_text recipient_team_id recipient_user_id chunks:list task_display_mode {_LOOKS}",
    "chat.appendStream": "channel! ts! markdown_text chunks:list",
    "chat.stopStream": "channel! ts! markdown_text chunks:list blocks:list metadata:dict session_status",
    "chat.getPermalink": "channel! message_ts!",
    "assistant.threads.setStatus": f"channel_id! thread_ts! status! loading_messages:list {_LOOKS}",
    "assistant.threads.setSuggestedPrompts": "channel_id! thread_ts title prompts:list!",
    "agents.sessions.setStatus": f"status! channel_id thread_ts title initiator_user_id {_LOOKS}",
    "agents.sessions.rename": "title! channel_id thread_ts",
    "conversations.replies": "channel! ts! cursor inclusive:bool include_all_metadata:bool latest limit:int oldest",
    "conversations.history": "channel! cursor inclusive:bool include_all_metadata:bool latest limit:int oldest",
    "conversations.info": "channel! include_locale:bool include_num_members:bool",
    "conversations.members": "channel! cursor limit:int",
    "conversations.open": "channel users return_im:bool prevent_creation:bool",
    "users.info": "user! include_locale:bool",
    "users.list": "cursor include_locale:bool limit:int team_id",
    "users.conversations": "cursor exclude_archived:bool limit:int types user",
    "team.info": "team domain include_slackbot_availability:bool",
    "reactions.add": "channel! name! timestamp!",
    "reactions.remove": "name! channel file file_comment timestamp",
    "reactions.get": "channel file file_comment full:bool timestamp",
    "files.info": "file! count:int cursor limit:int page:int",
    "files.getUploadURLExternal": "filename! length:int! alt_txt snippet_type",
    "files.completeUploadExternal": "files:list! channel_id channels initial_comment thread_ts blocks:list",
    "views.open": "view:dict! trigger_id interactivity_pointer",
    "views.push": "view:dict! trigger_id interactivity_pointer",
    "views.publish": "user_id! view:dict! hash",
    "views.update": "view:dict! external_id view_id hash",
    "bots.info": "bot",
    "emoji.list": "include_categories:bool",
}

# These read their arguments from the query or a form; a JSON body is not looked at.
WITHOUT_JSON = set(
    "conversations.replies conversations.history conversations.info conversations.members users.info users.list users.conversations team.info "
    "reactions.get files.info files.getUploadURLExternal bots.info emoji.list".split()
)

_PLACE = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
SCOPES = {
    **dict.fromkeys([name for name in ARGUMENTS if name.startswith(("chat.", "agents."))], "chat:write"),
    "chat.getPermalink": "",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "conversations.open": "im:write",
    "users.info": "users:read",
    "users.list": "users:read",
    "bots.info": "users:read",
    "team.info": "team:read",
    "emoji.list": "emoji:read",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "reactions.get": "reactions:read",
    "files.info": "files:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}

# Calls a minute for one app in one workspace: the documented least. chat.postMessage is counted per channel instead.
TIERS = {
    **dict.fromkeys("chat.startStream chat.stopStream emoji.list users.list".split(), 20),
    **dict.fromkeys(
        "chat.update chat.delete reactions.add reactions.remove reactions.get conversations.replies conversations.history conversations.info "
        "conversations.open users.conversations team.info bots.info agents.sessions.setStatus agents.sessions.rename".split(),
        50,
    ),
    **dict.fromkeys(
        "chat.appendStream chat.postEphemeral conversations.members users.info files.info files.getUploadURLExternal "
        "files.completeUploadExternal views.open views.push views.publish views.update assistant.threads.setSuggestedPrompts".split(),
        100,
    ),
    "assistant.threads.setStatus": 600,  # "special", not published
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of one method."""

    name: str
    kind: str
    required: bool


def _parsed(line: str) -> dict[str, Argument]:
    out: dict[str, Argument] = {}
    for word in line.split():
        name, _, kind = word.rstrip("!").partition(":")
        out[name] = Argument(name, kind or "str", word.endswith("!"))
    return out


# Bolt sends team_id with every call
METHODS = {method: _parsed(f"{line} team_id") for method, line in ARGUMENTS.items()}


def arguments_from(method: str, given: Json) -> Json:
    """The arguments with their true types; unknown, missing and misshapen ones are refused by name."""
    known = METHODS[method]
    given = {key: value for key, value in given.items() if value is not None}
    wrong = [f"unknown field: {key}" for key in given if key not in known]
    wrong += [f"missing required field: {name}" for name, each in known.items() if each.required and name not in given]
    if wrong:
        raise Refusal("invalid_arguments", *wrong)
    return {key: _value(known[key], value) for key, value in given.items()}


def _value(argument: Argument, value: Any) -> Any:
    name, kind = argument.name, argument.kind
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "bool" and value in (True, False, "1", "0", "true", "false"):
        return value in (True, "1", "true")
    if kind == "int" and not isinstance(value, bool) and str(value).lstrip("-").isdigit():
        return int(value)
    if kind in ("list", "dict"):
        return _structure(name, kind, value)
    raise Refusal("invalid_arguments", f"must be a {kind} [json-pointer:/{name}]")


def _structure(name: str, kind: str, value: Any) -> Any:
    wrong = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format", "chunks": "invalid_chunks"}.get(
        name, "invalid_arguments"
    )
    if isinstance(value, str):
        if name == "file_ids" and not value.startswith("["):
            return value.split(",")
        try:
            value = json.loads(value)
        except ValueError:
            raise Refusal(wrong, f"is no JSON [json-pointer:/{name}]") from None
    if not isinstance(value, list if kind == "list" else dict):
        raise Refusal(wrong, f"must be a {kind} [json-pointer:/{name}]")
    return value


def scope_needed(method: str, channel_kind: str | None) -> str:
    """The scope this call needs, or nothing; reading a place depends on what kind of place it is."""
    if method in ("conversations.history", "conversations.replies"):
        return f"{_PLACE[channel_kind or 'channel']}:history"
    if method in ("conversations.info", "conversations.members", "users.conversations"):
        return f"{_PLACE[channel_kind or 'channel']}:read"
    return SCOPES.get(method, "")
