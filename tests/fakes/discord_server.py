"""A Discord that runs on loopback, as strict as the real one, for the official client to connect to.

`python -m tests.fakes.discord_server [--port 0] [--limits on|off]` prints one JSON line when it is ready and leaves when
its stdin closes. It knows nothing of nod. `/api/v10` is the REST API, `/gateway` the gateway, `/cdn` the files, `/_control`
is for tests (`tests.fakes.discord_fake.FakeDiscord`).
"""

from __future__ import annotations

import argparse
import asyncio

from aiohttp import web

from tests.fakes import discord_commands, discord_interactions, discord_messages, discord_places, discord_threads
from tests.fakes.discord_api import Api
from tests.fakes.discord_control import Control
from tests.fakes.discord_gateway import Gateway
from tests.fakes.discord_world import World
from tests.fakes.process import announce, let_go

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.FAKE00.a-token-that-opens-nothing-anywhere"


def application(world: World) -> tuple[web.Application, Gateway]:
    """The whole fake as one web application."""
    gateway = Gateway(world)
    modules = (discord_messages, discord_threads, discord_places, discord_interactions, discord_commands)
    api = Api(world, [endpoint for module in modules for endpoint in module.ENDPOINTS])
    control = Control(world, gateway, api)

    async def cdn(request: web.Request) -> web.Response:
        found = world.attachments.get(request.match_info["id"])
        if found is None or found.expired or request.query.get("hm") != found.id:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=found.data, headers={"Content-Type": found.content_type})

    app = web.Application(client_max_size=200 * 1024 * 1024)
    app.router.add_get("/gateway", gateway.handle)
    app.router.add_get("/gateway-resume", gateway.handle)
    app.router.add_get("/cdn/attachments/{channel}/{id}/{filename}", cdn)
    app.router.add_post("/_control", control.handle)
    app.router.add_route("*", "/{path:.*}", api.handle)
    return app, gateway


async def serve(port: int, limits: bool) -> None:
    """Run until stdin closes."""
    world = World(TOKEN, limits)
    app, gateway = application(world)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    real_port = runner.addresses[0][1]
    world.base = f"http://127.0.0.1:{real_port}"
    announce(
        {
            "url": f"{world.base}/api/v10", "control": f"{world.base}/_control", "token": world.token, "bot_id": world.bot.id,
            "application_id": world.application_id, "guild": world.guild.id,
        }
    )  # fmt: skip
    await let_go()
    gateway.drop()
    await runner.cleanup()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--limits", choices=("on", "off"), default="off")
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, asked.limits == "on"))


if __name__ == "__main__":
    main()
