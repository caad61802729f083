"""`nod status` and `nod health`: whether nod is ready, for a person, a program, a container."""

import asyncio
import json
import socket
from collections.abc import Sequence

import click

from nod import __version__
from nod.folder import DataFolder
from nod.health import Check, Process, is_ready, look_over, sentence
from nod.heartbeat import DEAD_SECONDS
from nod.saying import say
from nod.screen import padded
from nod.settings import Settings, load_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def status(as_json: bool) -> None:
    """Say whether nod is ready, and which of its processes run. Exit code 1 when it is not ready."""
    settings = load_settings()
    found, running = asyncio.run(look_over(settings))
    if as_json:
        click.echo(json.dumps(_status(settings, found, running), ensure_ascii=False, indent=2))
    else:
        _show(settings, found, running)
    if not is_ready(found):
        raise click.exceptions.Exit(1)


@click.command()
@click.option(
    "--role", required=True, type=click.Choice(("web", "worker", "slack", "discord")), help="The role of the process on this machine."
)
@click.option("--json", "as_json", is_flag=True, help="One object for programs.")
def health(role: str, as_json: bool) -> None:
    """Say whether this machine's process of a role is alive: its heartbeat, in the record. Exit code 1 when it is not."""
    _, running = asyncio.run(look_over(load_settings()))
    alive = [process for process in running if process.role == role and process.host == socket.gethostname() and process.is_alive]
    if as_json:
        click.echo(json.dumps({"role": role, "alive": bool(alive), "processes": [_row(process) for process in alive]}))
    else:
        click.echo(say("health.alive" if alive else "health.dead", role=role, seconds=f"{DEAD_SECONDS:.0f}"), err=not alive)
    if not alive:
        raise click.exceptions.Exit(1)


def _status(settings: Settings, found: Sequence[Check], running: Sequence[Process]) -> dict[str, object]:
    by_name = {check.name: check.is_well for check in found}
    return {
        "ready": is_ready(found),
        "version": __version__,
        "web": _web(settings, running),
        "redis": by_name["redis"],
        "database": by_name["database"],
        "processes": [_row(process) for process in running if process.is_alive],
        "connected": _connected(settings, running),
        "checks": [{"name": check.name, "ok": check.is_well, "needed": check.is_needed, "sentence": sentence(check)} for check in found],
    }  # fmt: skip


def _connected(settings: Settings, running: Sequence[Process]) -> dict[str, object]:
    bots = {process.role for process in running if process.is_alive and process.is_connected}
    return {"slack": "slack" in bots, "discord": "discord" in bots, "model": settings.model if settings.has_model else None}


def _web(settings: Settings, running: Sequence[Process]) -> str | None:
    if not any(process.role == "web" and process.is_alive for process in running):
        return None
    told = DataFolder(settings.data_dir).left()
    return told.web if told and told.web else settings.public_url


def _row(process: Process) -> dict[str, object]:
    return {
        "role": process.role, "pid": process.pid, "host": process.host, "since": process.since.isoformat(),
        "seen_seconds_ago": round(process.silent_seconds, 1),
    }  # fmt: skip


def _show(settings: Settings, found: Sequence[Check], running: Sequence[Process]) -> None:
    click.echo(say("health.ready" if is_ready(found) else "health.not_ready", version=__version__, web=_web(settings, running) or "–"))
    for check in found:
        click.echo(f" {'✓' if check.is_well else '✗'} {padded(say(f'health.name.{check.name}'), 18)}{sentence(check)}")
    for process in running:
        since, seen = f"{process.since.astimezone():%Y-%m-%d %H:%M}", f"{process.silent_seconds:.0f}"
        told = say("health.process", pid=process.pid, host=process.host, since=since, seen=seen)
        click.echo(f" {'✓' if process.is_alive else '✗'} {padded(f'nod {process.role}', 18)}{told}")
