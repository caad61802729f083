"""The command `nod worker`."""

import click


@click.command()
def worker() -> None:
    """Answer questions (run as many as you like)."""
    import uvloop  # `nod --help` loads none of this

    from nod.logs import start_logs
    from nod.settings import load_settings
    from workers.app import load, work
    from workers.nursery import Nursery

    settings = load_settings()
    start_logs(settings.log_level, settings.log_format, "worker")
    uvloop.run(load(settings))
    part = Nursery().hatch()
    uvloop.run(work(settings, part))
