"""Reads a BEIR folder: passages, questions, and which passages answer them. A line that cannot be used is refused by file and number.

`corpus.jsonl` and `queries.jsonl` have `_id` or `id`, and `text`; passages may have a `title`, questions a `history`: the turns before,
oldest first. `qrels/test.tsv`, else `qrels.tsv`, has question, passage and grade, separated by tabs; a header line is skipped.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from knowledge.phrases import PHRASES
from nod.errors import ConfigError
from nod.language import clean, terminal_language

QRELS = ("qrels/test.tsv", "qrels.tsv")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the turns before it, oldest first, and the grade (1 or more) of each passage that answers it."""

    id: str
    text: str
    earlier: tuple[str, ...]
    wanted: dict[str, int]


@dataclass(frozen=True, slots=True)
class BeirSet:
    """A folder that was read. `notes` are sentences about what in it does not fit together."""

    name: str
    corpus: list[Line]
    questions: list[Asked]
    notes: list[str] = field(default_factory=list)


def beir_from(folder: Path) -> BeirSet:
    """Return what a folder holds; of the questions those that a passage answers. Raises ConfigError."""
    if not folder.is_dir():
        _refuse("no_folder", folder=folder)
    corpus = [Line(row.id, row.text_at("title", ""), row.text_at("text")) for row in _rows(_file(folder, "corpus.jsonl"))]
    if not corpus:
        _refuse("empty", file=folder / "corpus.jsonl")
    queries = list(_rows(_file(folder, "queries.jsonl")))
    qrels = _file(folder, *QRELS)
    wanted = _wanted(qrels)
    questions = [Asked(row.id, row.text_at("text"), row.history(), wanted[row.id]) for row in queries if row.id in wanted]
    if not questions:
        _refuse("none_judged", file=qrels, other=folder / "queries.jsonl")
    missing = {
        "unknown_questions": wanted.keys() - {question.id for question in questions},
        "unknown_passages": {passage for passages in wanted.values() for passage in passages} - {line.id for line in corpus},
    }
    notes = [_say(key, file=qrels, folder=folder, count=len(ids), example=min(ids)) for key, ids in missing.items() if ids]
    return BeirSet(folder.resolve().name, corpus, questions, notes)


def _file(folder: Path, *names: str) -> Path:
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    return found or _refuse("no_file", folder=folder, file=names[-1])


# ── lines ──


@dataclass(frozen=True, slots=True)
class _Row:
    """One JSON line, and where it stands."""

    path: Path
    number: int
    values: dict[str, Any]
    id: str

    def text_at(self, name: str, otherwise: str | None = None) -> str:
        value = self.values.get(name, otherwise)
        return clean(value) if isinstance(value, str) else self.refuse("no_text", field=name)

    def history(self) -> tuple[str, ...]:
        turns = self.values.get("history") or []
        if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
            self.refuse("bad_history")
        return tuple(clean(turn) for turn in turns)

    def refuse(self, key: str, **values: object) -> NoReturn:
        _refuse(key, file=self.path, line=self.number, **values)


def _rows(path: Path) -> Iterator[_Row]:
    """Give the lines of a JSONL file. Each id is there once, and fits a run file."""
    seen: set[str] = set()
    for number, line in _lines(path):
        row = _row(path, number, line)
        if not row.id or re.search(r"[\t\r\n]", row.id):
            row.refuse("no_id")
        if row.id in seen:
            row.refuse("twice", id=row.id)
        seen.add(row.id)
        yield row


def _row(path: Path, number: int, line: str) -> _Row:
    try:
        values = json.loads(line)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        _refuse("no_json", file=path, line=number)
    given = values.get("_id", values.get("id"))
    return _Row(path, number, values, "" if given is None else str(given))


def _wanted(path: Path) -> dict[str, dict[str, int]]:
    """Return for each question the passages with a grade above zero."""
    wanted: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        columns = line.split("\t")
        if len(columns) != 3 or not re.fullmatch(r"\s*-?\d{1,9}\s*", columns[2]):
            if number == 1 and len(columns) == 3:
                continue  # the header
            _refuse("bad_grade", file=path, line=number)
        if (grade := int(columns[2])) > 0:
            wanted.setdefault(columns[0], {})[columns[1]] = grade
    return wanted


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank, with their numbers. Only line feeds part them: JSON may hold other line ends."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError:
        _refuse("not_utf8", file=path)
    except OSError as error:
        _refuse("unreadable", file=path, why=error.strerror)


def _say(key: str, **values: object) -> str:
    return PHRASES.say(f"eval.{key}", terminal_language(), **values)


def _refuse(key: str, **values: object) -> NoReturn:
    raise ConfigError(_say(key, **values))
