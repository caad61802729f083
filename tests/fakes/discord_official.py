"""discord.py itself, pointed at a fake: what anybody must set on the official client so that it connects elsewhere."""

from __future__ import annotations

import warnings

import yarl

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)  # discord.py imports it for voice
    import discord

from discord.gateway import DiscordWebSocket
from discord.http import Route


def point_at(url: str) -> None:
    """Send every REST call of discord.py to this address (one process has one)."""
    Route.BASE = url


async def log_in(client: discord.Client, token: str) -> None:
    """Log in, and take the gateway's address from the API's answer: a plain Client never asks for it."""
    await client.login(token)
    answer = await client.http.request(Route("GET", "/gateway"))
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(answer["url"])


__all__ = ["Route", "discord", "log_in", "point_at"]
