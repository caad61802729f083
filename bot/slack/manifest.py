"""What nod asks of a Slack workspace, all of it on day one: a new permission later would make every workspace install it again."""

from typing import Any

from bot.slack.render import TEACH

SCOPES = {
    "app_mentions:read": "hear when somebody mentions nod",
    "assistant:write": "be found as an agent: status while it works, suggested questions",
    "channels:history": "read the public channels it was invited to: threads it is asked about, edited and deleted questions",
    "channels:read": "know whether a channel is public and who is in it, so that an answer shows nothing its readers may not see",
    "chat:write": "answer",
    "commands": "/nod, and the entries in the menu of a message",
    "emoji:read": "know which of your own emoji mean thumbs up or down",
    "files:read": "read a file that is dropped beside a question",
    "files:write": "give back tables and documents",
    "groups:history": "the same as channels:history in private channels it was invited to",
    "groups:read": "the same as channels:read in private channels",
    "im:history": "hear direct messages",
    "im:read": "tell a direct message from a channel",
    "im:write": "tell somebody privately that their question was answered or corrected later",
    "mpim:history": "hear when it is mentioned in a group message",
    "mpim:read": "know who reads a group message",
    "mpim:write": "answer a group of reviewers",
    "reactions:read": "count 👍 and 👎 below its answers, also when they are taken back",
    "reactions:write": "mark a question as seen where no status can be shown",
    "team:read": "name the workspace to its admin",
    "users:read": "know who is a guest, call people by their names in a thread it reads, tell people from bots, know their language",
}

EVENTS = {
    "app_mention": "a question",
    "message.channels": "a mention in a thread; an edited or deleted question",
    "message.groups": "the same in private channels",
    "message.im": "a direct message",
    "message.mpim": "a mention in a group message",
    "reaction_added": "a vote",
    "reaction_removed": "a vote taken back",
    "app_home_opened": "a first direct message, and the page of one's own votes",
    "app_context_changed": "what somebody looks at while asking",
    "agent_session_stopped": "Slack's own stop button",
    "member_joined_channel": "nod was invited; who can read a channel has changed",
    "member_left_channel": "the same",
    "file_shared": "a file that arrives after its message",
    "tokens_revoked": "the permission was taken away",
    "app_uninstalled": "nod was removed",
}

DESCRIPTION = "Answers from what your team knows, with sources; your thumbs go to reviewers."
LONG_DESCRIPTION = (
    "Mention nod with a question and it answers in the thread from the documents it was given, names its sources and says so when it does "
    "not know. Thumbs below an answer go to your reviewers; what they correct can leave as training data. It runs on your own servers, "
    "shows in a channel only what everybody there may see, and is automated: it can be wrong."
)


def manifest() -> dict[str, Any]:
    """Return the app manifest, as Slack reads it."""
    return {
        "display_information": {"name": "nod", "description": DESCRIPTION, "long_description": LONG_DESCRIPTION},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "agent_view": {
                "agent_description": DESCRIPTION,
                "suggested_prompts": [
                    {"title": "What can you do?", "message": "What can you do?"},
                    {"title": "무엇을 할 수 있어?", "message": "무엇을 할 수 있어?"},
                ],
            },
            "bot_user": {"display_name": "nod", "always_online": True},
            "slash_commands": [
                {
                    "command": "/nod",
                    "description": "Ask nod, or say help / 질문하거나 도움말 보기",
                    "usage_hint": "ask … | search … | teach … | stop | web | privacy | help",
                    "should_escape": False,
                }
            ],
            "shortcuts": [
                {"name": "Teach nod", "type": "message", "callback_id": TEACH, "description": "nod learns what this message says"}
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def explanation() -> str:
    """Return every permission and event with its reason, one a line."""
    width = max(len(name) for name in (*SCOPES, *EVENTS))
    rows = [("Permissions", SCOPES), ("Events", EVENTS)]
    return "\n\n".join("\n".join([title, *(f"  {name:{width}}  {why}" for name, why in table.items())]) for title, table in rows)
