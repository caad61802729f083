"""Votes as a table in a terminal: one line each, in the words that people read."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from feedback.phrases import say
from feedback.votes import VoteRow
from nod.contracts import code_from
from nod.screen import shortened

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("reference")  # `[1]: …` is a citation, not a link
_REASONS = 16  # cells


def show(votes: Sequence[VoteRow]) -> None:
    """Print votes as wide as the terminal; what does not fit is cut, but never the code, by which the other commands know an answer."""
    console = Console()
    table = Table(
        Column(say("column.code"), no_wrap=True), Column(say("column.vote"), no_wrap=True),
        Column(say("column.question"), no_wrap=True, ratio=1), Column(say("column.answer"), no_wrap=True, ratio=1),
        Column(say("column.reasons"), no_wrap=True, max_width=_REASONS), Column(say("column.verdict"), no_wrap=True),
        box=None, pad_edge=False, expand=True,
    )  # fmt: skip
    for vote in votes:
        table.add_row(
            code_from(vote.question_id), {"up": "👍", "down": "👎"}.get(vote.vote, "–"), _question(vote, console.width),
            Text(_line(plain_from(vote.answer or ""), console.width)), ", ".join(vote.reasons), vote.verdict or "",
        )  # fmt: skip
    console.print(table)


def plain_from(markdown: str) -> str:
    """Return the words of a Markdown text without its marks, a table as its cells."""
    tokens = [token for token in _MARKDOWN.parse(markdown) if token.type in ("inline", "fence", "code_block")]
    return " ".join("".join(part.content or " " * (part.type.endswith("break")) for part in token.children or [token]) for token in tokens)


def _question(vote: VoteRow, cells: int) -> Text:
    """Return the question, behind it the one before it: many a follow-up says nothing without."""
    question = Text(_line(vote.question, cells))
    return question.append(f"  ← {shortened(vote.earlier, cells)}", "dim") if vote.earlier else question


def _line(text: str | None, cells: int) -> str:
    return shortened(text or say("private"), cells)
