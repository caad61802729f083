"""What stands below "nod is up": one row per part, and for each missing one the one thing to do."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from nod.doctor import Finding
from nod.saying import say, say_count
from nod.screen import Screen
from nod.settings import Settings
from nod.standing import Counts


def nod_program() -> str:
    """Return the path of the `nod` program of this installation."""
    beside = Path(sys.executable).with_name("nod")
    return str(beside) if beside.exists() else shutil.which("nod") or "nod"


def shown_command(settings: Settings, *, with_port: bool = False) -> str:
    """Return `nod` as a person can type it here: relative to this folder, with the data folder when it is not the usual one.

    Commands find the rest by the data folder; only an address of the page needs its port.
    """
    program = Path(nod_program())
    typed = program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program
    words = [f"NOD_DATA_DIR={settings.data_dir}"] if "NOD_DATA_DIR" in os.environ and settings.data_dir != Path(".nod") else []
    if with_port and "NOD_WEB_PORT" in os.environ and not settings.web_url:
        words.append(f"NOD_WEB_PORT={settings.web_port}")
    return " ".join([*words, str(typed)])


def documents_and_passages(documents: int, passages: int) -> str:
    """Return how much was learnt, such as `18 documents, 212 passages`."""
    return f"{say_count('up.documents', documents)}, {say_count('up.passages', passages)}"


def show_summary(screen: Screen, settings: Settings, counts: Counts, found: Mapping[str, Finding]) -> None:
    """Show what works, what is missing and what is broken."""
    nod = shown_command(settings)
    _found(screen, say("up.row.search"), found.get("search"), settings.embedding_model or say("up.search_lexical"), f"{nod} doctor")
    if settings.has_model:
        _found(screen, say("up.row.model"), found.get("model"), settings.model, f"{nod} setup model")
    else:
        screen.row("–", say("up.row.model"), say("up.no_model"), f"{nod} setup model")
    for role, has, minutes in (("slack", settings.has_slack, 4), ("discord", settings.has_discord, 3)):
        if has:
            _found(screen, say(f"up.role.{role}"), found.get(role), say("up.starting"), f"{nod} setup {role}")
        else:
            screen.row("–", say(f"up.role.{role}"), say("up.not_connected"), f"{nod} setup {role}", say_count("up.about_minutes", minutes))
    if counts.own_documents:
        screen.row("✓", say("up.row.documents"), documents_and_passages(counts.own_documents, counts.own_passages))
    else:
        screen.row("–", say("up.row.documents"), say("up.none"), f"{nod} ingest {say('up.folder_word')}")
    screen.line(f" {say('up.hints', nod=nod)}")


def _found(screen: Screen, label: str, finding: Finding | None, otherwise: str, todo: str) -> None:
    if finding is None:
        screen.row("✓", label, otherwise)
    elif finding.state != "broken":
        screen.row("✓", label, finding.sentence)
    else:
        screen.row("✗", label, finding.sentence, finding.todo or todo)
