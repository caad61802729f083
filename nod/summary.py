"""What stands below "nod is up": one row per part, and for each missing one the one thing to do."""

from collections.abc import Mapping

from nod.doctor import Finding
from nod.program import typed
from nod.saying import say, say_count
from nod.screen import Screen
from nod.settings import Settings
from nod.standing import Counts


def documents_and_passages(documents: int, passages: int) -> str:
    """Return how much was learnt, such as `18 documents, 212 passages`."""
    return f"{say_count('up.documents', documents)}, {say_count('up.passages', passages)}"


def show_summary(screen: Screen, settings: Settings, counts: Counts, found: Mapping[str, Finding]) -> None:
    """Show what works, what is missing and what is broken."""
    nod = typed()
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
