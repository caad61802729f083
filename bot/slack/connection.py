"""Starts and stops the Slack bot: one client, one HTTP session, one socket, one delivery."""

import asyncio
import contextlib
import logging
from pathlib import Path

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery import Delivery
from bot.platform import PlatformError
from bot.slack.acknowledging import PING_SECONDS, SocketHandler
from bot.slack.calls import AppRefusedError, RefusedError, called
from bot.slack.listeners import Listeners
from bot.slack.members import Members
from bot.slack.pacing import Pace
from bot.slack.people import People, Us
from bot.slack.platform import SlackPlatform
from bot.slack.teaching import Teaching
from nod.errors import ConfigError
from nod.language import Phrases, terminal_language
from nod.logs import log
from nod.process import Services, running
from nod.settings import Settings

CALL_SECONDS = 15.0
CONNECTIONS = 100

_PHRASES = Phrases(Path(__file__).parent / "phrases")
_log = log(__name__)


async def run(settings: Settings) -> None:
    """Run the Slack bot until the process is told to end. Raises ConfigError when the tokens are missing or refused."""
    if not settings.slack_bot_token or not settings.slack_app_token:
        raise ConfigError(_PHRASES.say("no_tokens", terminal_language()))
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=5)
    async with (
        running("slack", settings) as services,
        aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session,
    ):
        # No retries in the client: one whose answer was lost may have happened, and delivery looks before it posts again.
        token = settings.slack_bot_token.get_secret_value()
        client = AsyncWebClient(token=token, base_url=settings.slack_api_url, session=session, retry_handlers=[])
        app_token = settings.slack_app_token.get_secret_value()
        if us := await _sign_in(client, app_token, services):
            await _serve(services, app_token, client, session, us)


async def _serve(services: Services, app_token: str, client: AsyncWebClient, session: aiohttp.ClientSession, us: Us) -> None:
    people, members = People(client, us), Members(client, us)
    platform = SlackPlatform(client, session, services.record, people, members, Pace())
    delivery = Delivery(services, platform)
    app = _app(services.settings, session, us)
    teaching = Teaching(services, client, session, people)
    Listeners(services, delivery, client, platform, people, members, teaching).join(app)
    socket = SocketHandler(app, app_token, ping_interval=PING_SECONDS)
    connecting = asyncio.create_task(socket.connect_async(), name="connect")
    try:
        await delivery.run()
    finally:
        connecting.cancel()
        await socket.close_async()


def _app(settings: Settings, session: aiohttp.ClientSession, us: Us) -> AsyncApp:
    """Return Bolt's app. Who we are is known already, so no event waits for Slack to say it; listeners bring their own client."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=us.team, bot_id=us.bot, bot_user_id=us.user)

    logger = logging.getLogger("slack_bolt.nod")
    logger.setLevel(logging.ERROR)  # it warns of SLACK_BOT_TOKEN being set, and of each event that nobody listens to
    client = AsyncWebClient(base_url=settings.slack_api_url, session=session, retry_handlers=[])
    return AsyncApp(client=client, authorize=authorize, process_before_response=True, logger=logger)


async def _sign_in(client: AsyncWebClient, app_token: str, services: Services) -> Us | None:
    """Return who we are, once Slack says so; None when the process is told to end before. Raises ConfigError for a refused token."""
    wait_seconds = 1.0
    while not services.ending.is_set():
        named = "SLACK_BOT_TOKEN"
        try:
            who = await called(client.auth_test())
            named = "SLACK_APP_TOKEN"
            await called(client.apps_connections_open(app_token=app_token))  # Bolt would try a refused one for ever
            _log.info("signed in to Slack", team=who.get("team"), bot=who.get("user"))
            return Us(user=who["user_id"], bot=who["bot_id"], team=who["team_id"])
        except (AppRefusedError, RefusedError) as error:
            raise ConfigError(_PHRASES.say("refused_token", terminal_language(), error=error, name=named)) from error
        except PlatformError as error:
            _log.warning("Slack does not answer yet", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(services.ending.wait(), wait_seconds)
            wait_seconds = min(wait_seconds * 2, 30.0)
    return None
