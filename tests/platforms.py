"""A bot's own code on the fakes, in this process: its platform, and its delivery."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery import Delivery
from bot.platform import ChatPlatform
from bot.slack.members import Members
from bot.slack.pacing import Pace
from bot.slack.people import People, Us
from bot.slack.platform import SlackPlatform
from nod.process import Services
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.discord_official import Route, discord, point_at
from tests.fakes.slack import FakeSlack


@contextlib.asynccontextmanager
async def slack_platform(services: Services, fake: FakeSlack) -> AsyncIterator[ChatPlatform]:
    """Slack as a bot of ours sees it."""
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=fake.bot_token, base_url=fake.url, session=session, retry_handlers=[])
        us = Us(user=fake.bot_user, bot=fake.bot_id, team=fake.team)
        yield SlackPlatform(client, session, services.record, People(client, us), Members(client, us), Pace())


@contextlib.asynccontextmanager
async def discord_platform(services: Services, fake: FakeDiscord) -> AsyncIterator[ChatPlatform]:
    """Discord as a bot of ours sees it."""
    from bot.discord.members import (
        Members as DiscordMembers,  # here, since discord_official knows how to import discord.py without its warning
    )
    from bot.discord.pacing import Pace as Pacing
    from bot.discord.places import Places
    from bot.discord.platform import DiscordPlatform
    from bot.discord.reading import Reader

    real = Route.BASE
    point_at(fake.url)
    client = discord.Client(intents=discord.Intents.none())
    try:
        await client.login(fake.token)
        places = Places(client, services.record)
        yield DiscordPlatform(client, services.record, Reader(client, places), DiscordMembers(client, places), Pacing())
    finally:
        await client.close()
        Route.BASE = real


@contextlib.asynccontextmanager
async def delivered(services: Services, platform: ChatPlatform) -> AsyncIterator[Delivery]:
    """Deliver as a bot process does."""
    delivery = Delivery(services, platform)
    task = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
