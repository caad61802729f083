"""The fake's REST endpoints for people, guilds, channels, and the gateway's address."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord_api import Call, Endpoint
from tests.fakes.discord_messages import MISSING_ACCESS, need
from tests.fakes.discord_rules import Refusal, need_object, unknown
from tests.fakes.discord_things import THREAD
from tests.fakes.discord_world import World


async def me(call: Call) -> Any:
    """GET the bot's own user."""
    return call.world.bot.payload | {"verified": True, "mfa_enabled": True, "flags": 0, "locale": "en-US", "email": None, "bio": ""}


async def application(call: Call) -> Any:
    """GET the application, with the flags that tell which privileged intents are on."""
    world = call.world
    flags = (1 << 19) * world.settings.message_content + (1 << 15) * world.settings.members + (1 << 13) * world.settings.presences
    owner = {"id": "1", "username": "owner", "global_name": None, "discriminator": "0", "avatar": None}
    return {
        "id": world.application_id, "name": "nod", "icon": None, "description": "", "summary": "", "bot_public": True, "bot_require_code_grant": False,
        "verify_key": "0" * 64, "owner": owner, "team": None, "flags": flags, "hook": True, "bot": world.bot.payload, "redirect_uris": [],
        "interactions_endpoint_url": None, "role_connections_verification_url": None, "approximate_guild_count": len(world.guilds),
        "integration_types_config": {"0": {"oauth2_install_params": {"scopes": ["applications.commands", "bot"], "permissions": "0"}}},
    }  # fmt: skip


def _gateway_url(world: World) -> str:
    return f"{world.base.replace('http', 'ws', 1)}/gateway"


async def gateway(call: Call) -> Any:
    """GET the gateway's address."""
    return {"url": _gateway_url(call.world)}


async def gateway_bot(call: Call) -> Any:
    """GET the gateway's address, shards and what is left of the day's sessions."""
    limit = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
    return {"url": _gateway_url(call.world), "shards": 1, "session_start_limit": limit}


async def user_get(call: Call) -> Any:
    """GET a person."""
    if (user := call.world.users.get(call.params["user_id"])) is None:
        raise unknown("User")
    return user.payload


async def form_dm_open(call: Call) -> Any:
    """POST: open the direct message with a person."""
    body = need_object(call.body)
    if (user := call.world.users.get(str(body.get("recipient_id")))) is None:
        raise Refusal(400, 50033, "Invalid Recipient(s)")
    if user.bot:
        raise Refusal(403, 50007, "Cannot send messages to this user")
    return call.world.channel_payload(call.world.direct(user))


async def channel_get(call: Call) -> Any:
    """GET a channel."""
    channel = call.world.live_channel(call.params["channel_id"])
    need(call.world, channel)
    return call.world.channel_payload(channel)


def _guild(call: Call) -> Any:
    if (guild := call.world.guilds.get(call.params["guild_id"])) is None:
        raise unknown("Guild")
    return guild


async def guild_get(call: Call) -> Any:
    """GET a guild."""
    told = call.world.guild_payload(_guild(call), everybody=False)
    return {
        name: value
        for name, value in told.items()
        if name not in ("members", "channels", "threads", "presences", "voice_states", "member_count")
    }


async def guilds(call: Call) -> Any:
    """GET the bot's guilds."""
    return [
        {"id": guild.id, "name": guild.name, "icon": None, "owner": False, "permissions": "0", "features": []}
        for guild in call.world.guilds.values()
    ]


async def guild_channels(call: Call) -> Any:
    """GET a guild's channels (threads are not among them)."""
    guild = _guild(call)
    found = [channel for channel in call.world.channels.values() if channel.guild_id == guild.id and channel.kind != THREAD]
    return [call.world.channel_payload(channel) for channel in found]


async def guild_threads(call: Call) -> Any:
    """GET a guild's active threads."""
    guild = _guild(call)
    found = [
        channel
        for channel in call.world.channels.values()
        if channel.guild_id == guild.id and channel.kind == THREAD and not channel.archived
    ]
    return {"threads": [call.world.channel_payload(channel) for channel in found], "members": [], "has_more": False}


async def guild_roles(call: Call) -> Any:
    """GET a guild's roles."""
    return call.world.guild_payload(_guild(call), everybody=False)["roles"]


async def guild_member(call: Call) -> Any:
    """GET one member (needs no intent)."""
    guild = _guild(call)
    if call.params["user_id"] not in guild.members:
        raise unknown("Member")
    return call.world.member(call.world.users[call.params["user_id"]], guild.id)


async def guild_members(call: Call) -> Any:
    """GET members: refused without the members intent."""
    guild = _guild(call)
    if not call.world.settings.members:
        raise Refusal(403, MISSING_ACCESS, "Missing Access")
    after, limit = int(call.snowflake("after") or 0), int(call.snowflake("limit") or 1)
    found = sorted((user for user in guild.members if int(user) > after), key=int)[:limit]
    return [call.world.member(call.world.users[user], guild.id) for user in found]


ENDPOINTS = [
    Endpoint("me", "GET", "/users/@me", me),
    Endpoint("guilds", "GET", "/users/@me/guilds", guilds),
    Endpoint("dm.open", "POST", "/users/@me/channels", form_dm_open),
    Endpoint("application", "GET", "/oauth2/applications/@me", application),
    Endpoint("application", "GET", "/applications/@me", application),
    Endpoint("gateway", "GET", "/gateway", gateway, needs_token=False),
    Endpoint("gateway.bot", "GET", "/gateway/bot", gateway_bot),
    Endpoint("user.get", "GET", "/users/{user_id}", user_get),
    Endpoint("guild.get", "GET", "/guilds/{guild_id}", guild_get),
    Endpoint("guild.channels", "GET", "/guilds/{guild_id}/channels", guild_channels),
    Endpoint("guild.threads", "GET", "/guilds/{guild_id}/threads/active", guild_threads),
    Endpoint("guild.roles", "GET", "/guilds/{guild_id}/roles", guild_roles),
    Endpoint("guild.members", "GET", "/guilds/{guild_id}/members", guild_members),
    Endpoint("guild.member", "GET", "/guilds/{guild_id}/members/{user_id}", guild_member),
    Endpoint("channel.get", "GET", "/channels/{channel_id}", channel_get, "read"),
]
