"""`nod discord`: run the bot; `nod discord invite`: the link that brings it into a server."""

from base64 import b64decode
from pathlib import Path

import click

from nod.errors import ConfigError
from nod.language import Phrases, terminal_language
from nod.settings import Settings, load_settings


@click.group(invoke_without_command=True)
@click.pass_context
def discord(ctx: click.Context) -> None:
    """Run the Discord bot (called bare), or print its invite link."""
    if ctx.invoked_subcommand:
        return
    import uvloop  # `nod --help` loads no Discord client

    from bot.discord.connection import run

    uvloop.run(run(load_settings()))


@discord.command()
@click.option("--explain", is_flag=True, help="Say why each permission and scope is asked for.")
def invite(explain: bool) -> None:
    """Print the link that brings nod into a server."""
    from bot.discord.invite import invite_link

    settings = load_settings()
    click.echo(invite_link(_application_id(settings)))
    if explain:
        click.echo(_explanation())


def _application_id(settings: Settings) -> str:
    """Return the application's id, which is the first part of the token. Raises ConfigError when there is no such token."""
    phrases = _phrases()
    language = terminal_language()
    if not settings.discord_token:
        raise ConfigError(phrases.say("no_token", language))
    first = settings.discord_token.get_secret_value().partition(".")[0]
    try:
        return str(int(b64decode(first + "=" * (-len(first) % 4), altchars=b"-_")))
    except ValueError:
        raise ConfigError(phrases.say("wrong", language)) from None


def _explanation() -> str:
    from bot.discord.invite import PERMISSIONS, SCOPES

    phrases, language = _phrases(), terminal_language()
    rows = [(name, reason) for name, (_, reason) in PERMISSIONS.items()]
    rows += [(scope, phrases.say(f"scope.{scope.replace('.', '_')}", language)) for scope in SCOPES]
    width = max(len(name) for name, _ in rows)
    return "\n".join([phrases.say("explained", language), *(f"  {name:<{width}}  {reason}" for name, reason in rows)])


def _phrases() -> Phrases:
    return Phrases(Path(__file__).parent / "phrases")
