"""`nod`: finds each room's commands by entry point and imports only the one that is run."""

import gc
import os
import sys
from importlib.metadata import entry_points

import click

from nod import __version__
from nod.errors import NodError
from nod.saying import say

_GROUPS = {
    "Run": ("up", "setup", "link", "slack", "discord", "web", "worker", "migrate"),
    "Look": ("doctor", "status", "health", "trace", "dead", "audit"),
    "Ask and teach": ("ask", "ingest", "search"),
    "Feedback and training": ("feedback", "eval", "train", "replay"),
    "Keep": ("backup", "restore", "retention", "erase"),
}


class _Commands(click.Group):
    """The commands of all rooms, loaded one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        found = {point.name for point in entry_points(group="nod.commands")}
        order = [name for names in _GROUPS.values() for name in names]
        return sorted(found, key=lambda name: order.index(name) if name in order else len(order))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        for point in entry_points(group="nod.commands", name=cmd_name):
            return point.load()
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        known = self.list_commands(ctx)
        for title, names in _GROUPS.items():
            rows = [(name, command.get_short_help_str(200)) for name in names if name in known and (command := self.get_command(ctx, name))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nod")
def nod() -> None:
    """Run and look after nod, a teammate in Slack and Discord."""


def main() -> None:
    """Run the command line. A clear error is one sentence on stderr and exit code 1; a wrong word is exit code 2."""
    gc.set_threshold(100_000, 10, 10)  # looking for garbage every 700 new objects took 9 % of a start, and some of each answer
    try:
        ended = nod(standalone_mode=False)  # click hands over the code of an Exit instead of raising it
        sys.exit(ended if isinstance(ended, int) else 0)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except NodError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("NOD_LOG_LEVEL") == "debug":
            raise
        kind = type(error).__name__
        click.echo(say("error.bug", kind=kind, error=error), err=True)
        sys.exit(1)
