"""`nod feedback`: look at votes, give verdicts, export, and decide what may leave as training data."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from feedback.phrases import say
from nod.database import with_engine
from nod.errors import NodError
from nod.program import typed
from nod.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from feedback.export import Report

T = TypeVar("T")

_PLATFORMS = ("slack", "discord", "web", "cli")
_CHANGEABLE = ("no_model", "reviewers_disagree", "tie", "not_reviewed", "bad")  # why answers stay, when somebody can do something about it
_RULED = ("slack", "discord")  # whose own rules stand in the way (PROMISES: Slack API terms of 2025; Discord Developer Policy)


@click.group()
def feedback() -> None:
    """Votes, verdicts and training files."""


@feedback.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest N (default: all).")
@click.option("--vote", type=click.Choice(["up", "down", "withdrawn"]), help="Only these votes.")
@click.option("--platform", type=click.Choice(_PLATFORMS), help="Only this platform.")
@click.option("--json", "as_json", is_flag=True, help="An array for programs.")
def list_(limit: int | None, vote: str | None, platform: str | None, as_json: bool) -> None:
    """List votes, newest first, one row per person and answer."""
    from feedback.listing import show
    from feedback.votes import list_votes

    votes = with_engine(lambda engine, _: list_votes(engine, limit=limit, vote=vote, platform=platform))
    if as_json:
        click.echo(json.dumps([vote.model_dump(mode="json") for vote in votes], ensure_ascii=False, indent=2))
    elif not votes:
        click.echo(say("no_votes"))
    else:
        show(votes)


@feedback.command("review")
@click.argument("name", metavar="CODE|LINK|ID")
@click.option("--verdict", type=click.Choice(["good", "fixable", "bad", "skipped"]), required=True, help="What you say of the answer.")
@click.option("--correction", help="The right answer; needed by `fixable`.")
@click.option("--tag", "tags", multiple=True, help="A word of your own; may be repeated.")
@click.option("--note", help="A note for other reviewers.")
def review_(name: str, verdict: str, correction: str | None, tags: tuple[str, ...], note: str | None) -> None:
    """Give a verdict on one answer: its code (q-…) as `nod feedback list` shows it, a link to its message or its id."""
    from feedback.reviews import answer_named, review

    async def judge(engine: "AsyncEngine", _: Settings) -> bool:
        answer_id = await answer_named(engine, name)
        return await review(engine, answer_id, None, verdict, correction=correction, tags=tags, note=note)  # pyright: ignore[reportArgumentType]  # click checked the word

    is_a_models = with_engine(judge)
    click.echo(say("saved", answer=name, verdict=verdict))
    if not is_a_models and verdict != "skipped":
        click.echo(say("only_quoted"))


@feedback.command()
@click.option("--format", "form", type=click.Choice(["openai-sft", "trl-kto", "csv"]), required=True, help="The file's format.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file; FILE.manifest.json goes beside it.")
@click.option(
    "--include-unreviewed", "unreviewed_ups", type=click.IntRange(min=1), is_flag=False, flag_value=1,
    help="openai-sft: also take unreviewed answers with at least N up-voters (default 1) and no down-vote.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The report on stdout, for programs.")
def export(form: str, out: Path, unreviewed_ups: int | None, as_json: bool) -> None:
    """Write a training file (openai-sft, trl-kto) or a table for reading (csv)."""
    report = with_engine(lambda engine, settings: _export(engine, settings, form, out, unreviewed_ups))
    if as_json:
        click.echo(json.dumps(asdict(report)))
    _show(report)
    if form != "csv" and not report.rows:
        raise NodError(_nothing_left(report))


async def _export(engine: "AsyncEngine", settings: Settings, form: str, out: Path, unreviewed_ups: int | None) -> "Report":
    from feedback.export import export_csv, export_training
    from feedback.samples import allowed_platforms

    if form == "csv":
        return await export_csv(engine, out)
    return await export_training(engine, form, out, await allowed_platforms(engine, settings.training_platforms), unreviewed_ups)


def _show(report: "Report") -> None:
    reasons = ", ".join(say(f"left_out.{reason}", count=count) for reason, count in report.left_out.items()) or say("nothing")
    click.echo(say("rows", count=report.rows, form=report.format, reasons=reasons), err=True)
    if report.rows or report.format == "csv":
        click.echo(f"{report.file} (sha256 {report.sha256[:12]}…), {report.file}.manifest.json", err=True)


def _nothing_left(report: "Report") -> str:
    """Return why there is nothing to export, and what to do about it: each reason about which something can be done."""
    off = [platform for platform in _PLATFORMS if f"training_off_{platform}" in report.left_out]
    rules = [say(f"rule.{platform}") for platform in off if platform in _RULED]
    commands = "   ".join(f"{typed()} feedback allow {platform}" for platform in off)
    said = [" ".join([*rules, say("allow", commands=commands)])] if off else []
    said += [say(f"todo.{reason}") for reason in report.left_out if reason in _CHANGEABLE]
    if not report.left_out:
        said = [say("no_votes")]
    return " ".join([say("nothing_written"), "\n".join(said)]).strip()


@feedback.command()
@click.argument("platform", type=click.Choice(_PLATFORMS))
def allow(platform: str) -> None:
    """Allow a platform's rows to leave as training data (audited)."""
    _decide(platform, allowed=True)
    if platform in _RULED:
        click.echo(say(f"rule.{platform}"))
    click.echo(say("allowed", platform=platform))


@feedback.command()
@click.argument("platform", type=click.Choice(_PLATFORMS))
def disallow(platform: str) -> None:
    """Keep a platform's rows out of training data (audited)."""
    _decide(platform, allowed=False)
    click.echo(say("disallowed", platform=platform))


def _decide(platform: str, *, allowed: bool) -> None:
    from feedback.samples import allow as decide

    with_engine(lambda engine, _: decide(engine, platform, allowed=allowed, person_id=None))
