"""`nod ingest -` teaches what is typed or piped in, `nod ingest --gaps` lists what nobody has taught yet."""

import json
from typing import TYPE_CHECKING

import click

from knowledge.documents import ALL_WORKSPACES
from nod.contracts import EVERYONE, Person
from nod.database import with_engine
from nod.language import terminal_language

if TYPE_CHECKING:
    from knowledge.gaps import Cluster

LOCAL_ADMIN = Person(platform="cli", workspace="", external_id="admin")
SEEN = (EVERYONE, ALL_WORKSPACES, "person:cli:admin")  # of gaps, in the terminal: what was asked privately is its asker's


def teach_text(text: str, scope: str, *, as_json: bool) -> None:
    """Teach a text and say so. Raises LoadError for one that is empty or too long."""
    from knowledge.teaching import Lesson, teach
    from nod.record import Record
    from nod.secret import secret_key

    taught = with_engine(lambda engine, settings: teach(engine, Record(engine, secret_key(settings)), Lesson(text, scope), LOCAL_ADMIN))
    known = {"document_id": taught.document_id, "title": taught.title, "scope": taught.scope, "is_new": taught.is_new}
    click.echo(json.dumps(known, ensure_ascii=False) if as_json else _say("taught", title=taught.title))


def show_gaps(*, as_json: bool) -> None:
    """List what was asked in vain, alike questions together, those most people asked first."""
    from knowledge.gaps import open_gaps

    clusters = with_engine(lambda engine, _: open_gaps(engine, SEEN))
    if as_json:
        rows = [
            {
                "question": cluster.question, "questions": len(cluster.gaps), "people": cluster.people, "languages": cluster.languages,
                "scope": cluster.scope, "asked_at": cluster.asked_at.isoformat(),
            }
            for cluster in clusters
        ]  # fmt: skip
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        click.echo("\n".join(_line(cluster) for cluster in clusters) or _say("no_gaps"))


def _line(cluster: "Cluster") -> str:
    languages = ", ".join(f"{language} {count}" for language, count in cluster.languages.items())
    said = _say("gap_one" if cluster.people == 1 else "gap", people=cluster.people, languages=languages)
    return f"{' '.join(cluster.question.split())[:120]}\n    {said} · {cluster.scope}"


def _say(key: str, /, **values: object) -> str:
    from knowledge.phrases import PHRASES

    return PHRASES.say(f"ingest.{key}", terminal_language(), **values)
