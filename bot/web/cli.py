"""`nod web`: the page as one process."""

import click

from nod.settings import load_settings


@click.command()
def web() -> None:
    """Run the web page: chat, review and knowledge."""
    import asyncio

    from bot.web.server import serve

    asyncio.run(serve(load_settings()))
