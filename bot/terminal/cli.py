"""`nod ask`: the smallest platform. One question, its answer as it grows, where it comes from."""

import asyncio
import json
import os
import sys

import click

from nod.errors import ConfigError
from nod.language import clean, terminal_language
from nod.settings import load_settings


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--conversation", metavar="ID", default="", help="Go on with an earlier conversation; an ID that nobody used begins one.")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="Search this too, such as channel:slack:C1; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One object at the end, for programs.")
def ask(text: tuple[str, ...], conversation: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Ask nod something here; Ctrl-C stops the answer."""
    from bot.terminal.asking import Wish, ask_and_show  # `nod --help` loads no SQLAlchemy
    from bot.terminal.platform import TerminalPlatform
    from knowledge.documents import check_scope
    from nod.logs import start_logs

    settings = load_settings()
    start_logs("error")  # what goes wrong is said in a sentence
    terminal = TerminalPlatform(None if as_json else sys.stdout, sys.stderr, terminal_language())
    asked = clean(" ".join(text)).strip()
    if not asked:
        raise click.UsageError(terminal.phrase("ask_something"))
    if len(conversation) > 200:
        raise ConfigError(terminal.phrase("no_conversation"))
    for scope in scopes:
        check_scope(scope)
    try:
        shown = asyncio.run(ask_and_show(settings, Wish(asked, conversation, scopes), terminal))
    except BrokenPipeError:  # `nod ask … | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(shown.json(), ensure_ascii=False))
    if shown.was_interrupted:
        sys.exit(130)
    if shown.answer.status != "answered":
        sys.exit(1)
