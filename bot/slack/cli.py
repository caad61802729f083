"""`nod slack`: run the bot; `nod slack manifest`: what it asks of a workspace."""

import json

import click

from nod.settings import load_settings


@click.group(invoke_without_command=True)
@click.pass_context
def slack(ctx: click.Context) -> None:
    """Run the Slack bot (called bare), or print its manifest."""
    if ctx.invoked_subcommand:
        return
    import uvloop  # `nod --help` loads no Slack client

    from bot.slack.connection import run

    uvloop.run(run(load_settings()))


@slack.command()
@click.option("--explain", is_flag=True, help="Say why each permission and event is asked for.")
def manifest(explain: bool) -> None:
    """Print the manifest for https://api.slack.com/apps → Create New App → From a manifest."""
    from bot.slack import manifest as asked

    click.echo(asked.explanation() if explain else json.dumps(asked.manifest(), ensure_ascii=False, indent=2))
