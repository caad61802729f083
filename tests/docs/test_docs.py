"""What the docs say is so: links lead somewhere, printed commands parse, and nothing that can be used is left out."""

import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from feedback.exports import FORMATS
from knowledge.loaders import FORMATS as FILE_FORMATS
from nod.cli import nod
from nod.contracts import code_from
from workers.tools import TOOLS

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
TEXTS = [*PAGES, *ROOT.glob("*/phrases/*.toml"), *ROOT.glob("bot/*/phrases/*.toml")]
HANDBOOK = {language: "\n".join(p.read_text("utf-8") for p in (ROOT / "docs" / language).glob("*.md")) for language in ("en", "ko")}
PLACEHOLDERS = {"ROLE": "member", "NAME": "Minji"}


def commands_in(path: Path) -> list[str]:
    """Return the words behind each `.venv/bin/nod`: Latin ones, quoted ones and placeholders, up to where prose goes on."""
    return re.findall(
        r"\.venv/bin/nod((?: (?:폴더|경로|민지|규정\.pdf|\"[^\"\n]+\"|[!#-&(-;=?-_a-z~]+))*)", filled(path.read_text("utf-8"))
    )


def filled(phrase: str) -> str:
    """Return a phrase with its placeholders filled in."""
    return (
        phrase.replace("{role}", "member")
        .replace("{platform}", "slack")
        .replace("{code}", "q-7f3a91c2")
        .replace("--for 이름", "--for NAME")
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("path", [path for path in TEXTS if commands_in(path)], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_printed_command_is_one_that_runs(path):
    wrong = []
    for typed in commands_in(path):
        words = [PLACEHOLDERS.get(word, word) for word in shlex.split(typed.rstrip(".,;:)"))]
        command: click.Command = nod
        try:
            context = click.Context(nod)
            while isinstance(command, click.Group) and words:
                name, command, words = command.resolve_command(context, words)
                context = click.Context(command, parent=context, info_name=name)
            command.make_context(command.name, list(words))
        except click.exceptions.Exit:
            continue
        except click.ClickException as error:
            wrong.append(f"nod{typed}: {error.format_message()}")
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_both_handbooks_have_the_same_pages(language):
    other = {"en": "ko", "ko": "en"}[language]
    assert {p.name for p in (ROOT / "docs" / language).glob("*.md")} == {p.name for p in (ROOT / "docs" / other).glob("*.md")}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_command_export_or_file_format_is_left_out(language):
    text = HANDBOOK[language]
    commands = {point.name for point in entry_points(group="nod.commands")} - {"up", "migrate"}
    assert {name for name in commands if f"nod {name}" not in text} == set()
    assert {name for name in [*FORMATS, "csv"] if f"`{name}`" not in text} == set()
    assert {found.called for found in FILE_FORMATS if not re.search(found.called, text, re.IGNORECASE)} - {"text", "source code"} == set()


def test_every_tool_is_described_where_the_model_is_told_of_it():
    told = "\n".join(p.read_text("utf-8") for p in (ROOT / "workers" / "prompts").glob("*.md"))
    assert {tool.__name__ for tool in TOOLS if f"`{tool.__name__}`" not in told} == set()


def test_the_ids_in_the_docs_look_like_real_ones():
    from uuid import UUID

    example = re.search(r"q-[0-9a-f]+", HANDBOOK["en"])
    assert example
    assert len(example[0]) == len(code_from(UUID(int=0)))
