"""The command `nod worker`."""

import click


@click.command()
def worker() -> None:
    """Answer questions (run as many as you like)."""
    import uvloop  # `nod --help` loads none of this

    from nod.settings import load_settings
    from workers.app import work

    uvloop.run(work(load_settings()))
