"""Who can read where in Discord now: permissions as the gateway tells them, roles as Discord has them."""

import asyncio

import discord

from bot.discord.places import Places
from bot.fresh import Fresh
from bot.platform import PlatformError
from nod.contracts import Person, Place, Readers
from nod.errors import first_line
from nod.logs import log

WAIT_SECONDS = 1.5

_log = log(__name__)


class Members:
    """What is known of a guild's members. What is not known counts as the narrowest.

    Channels, their permissions and what roles may are told by the gateway at once; which roles somebody has is asked.
    """

    def __init__(self, client: discord.Client, places: Places) -> None:
        self._client = client
        self._places = places
        self._members: Fresh[discord.Member | None] = Fresh()
        self.is_told = False  # whether the gateway is connected: else what is known of channels may be old

    async def readers(self, place: Place, person: Person) -> Readers:
        """Return who can read a place now; of a direct one, what the person can read who alone reads it."""
        if place.visibility != "direct":
            return Readers(are_members=self._are_members(place))
        own = (place.channel,) if place.platform == "discord" and not place.workspace else ()
        guild = self._guild(person.workspace)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                member = await self._member(guild, int(person.external_id)) if guild else None
        except (PlatformError, TimeoutError) as error:
            _log.warning("who can read a place is not known, the narrowest holds", channel=place.channel, error=first_line(error))
            member = None
        if not guild or not member:
            return Readers(channels=own)
        channels = (str(channel.id) for channel in guild.channels if channel.permissions_for(member).view_channel)
        return Readers(are_members=True, channels=(*channels, *own))

    def _are_members(self, place: Place) -> bool:
        """Return whether a channel is read by members alone: anybody may look into what all can see of a guild that is in the directory."""
        guild = self._guild(place.workspace)
        channel = guild and guild.get_channel(int(place.channel))
        if not guild or not channel:
            return False
        return "DISCOVERABLE" not in guild.features or not channel.permissions_for(guild.default_role).view_channel

    def _guild(self, workspace: str) -> discord.Guild | None:
        return self._client.get_guild(int(workspace)) if workspace and self.is_told else None

    async def _member(self, guild: discord.Guild, user: int) -> discord.Member | None:
        return await self._members.get(f"{guild.id}:{user}", lambda: self._places.member(guild, user))
