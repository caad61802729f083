"""Writes one export: the file, the manifest beside it, and in the record which answers went into it."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from feedback.exports import FORMATS
from feedback.phrases import say
from feedback.redact import leaks
from feedback.rows import Row
from feedback.samples import select
from feedback.votes import list_votes
from nod import __version__
from nod.errors import NodError

CSV_COLUMNS = (
    "answer_id", "question", "answer", "vote", "reasons", "comment", "voter", "platform", "place", "language", "model", "prompt_version",
    "voted_at", "changed_at", "verdict", "correction", "tags", "note", "sources",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run (OWASP, CSV injection)


class ExportError(NodError):
    """An export that must not be written."""

    kind = "export"


@dataclass(frozen=True, slots=True)
class Report:
    """What an export did."""

    format: str
    rows: int
    left_out: dict[str, int]
    sha256: str
    file: str


async def export_training(engine: AsyncEngine, form: str, out: Path, allowed: frozenset[str], unreviewed_ups: int | None) -> Report:
    """Write a training file with its manifest and return the report; with no row to write, write nothing.

    Raises ExportError for a place that cannot be written, and when a second look at the finished file still finds personal data.
    """
    _try_place(out)
    selection = await select(engine, allowed)
    rows = FORMATS[form](selection, unreviewed_ups)
    left_out = dict(sorted(selection.left_out.items()))
    if not rows:
        return Report(form, 0, left_out, "", str(out))
    lines = [json.dumps(row.value, ensure_ascii=False) for row in rows]
    _refuse_leaks(rows, lines)
    content = "".join(line + "\n" for line in lines).encode()
    report = Report(form, len(rows), left_out, hashlib.sha256(content).hexdigest(), str(out))
    _write(out, content, report, {"unreviewed_ups": unreviewed_ups, "platforms": sorted(allowed)})
    await _keep(engine, report, rows)
    return report


def _refuse_leaks(rows: Sequence[Row], lines: Sequence[str]) -> None:
    for row, line in zip(rows, lines, strict=True):
        if found := leaks(line):
            kinds = ", ".join(found)
            raise ExportError(f"Nothing was written: answer {row.answer_id} still holds {kinds} after redaction. Please report this.")


async def export_csv(engine: AsyncEngine, out: Path) -> Report:
    """Write every vote for reading (UTF-8 with BOM, as spreadsheets want it); cells that a spreadsheet would run are quoted by `'`."""
    _try_place(out)
    votes = await list_votes(engine)
    text_file = io.StringIO(newline="")
    writer = csv.writer(text_file)
    writer.writerow(CSV_COLUMNS)
    writer.writerows([_cell(getattr(vote, column)) for column in CSV_COLUMNS] for vote in votes)
    content = b"\xef\xbb\xbf" + text_file.getvalue().encode()
    report = Report("csv", len(votes), {}, hashlib.sha256(content).hexdigest(), str(out))
    _write(out, content, report, {})
    return report


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case tuple():
            cell = ", ".join(f"[{item['n']}] {item['title']}" if isinstance(item, dict) else str(item) for item in value)
        case _ if hasattr(value, "isoformat"):
            return value.isoformat()
        case _:
            cell = str(value)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _try_place(out: Path) -> None:
    """Make the folder of a file and write to it, before any work is done. Raises ExportError."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise ExportError(say("unwritable", path=out, why=error.strerror)) from None


def _write(out: Path, content: bytes, report: Report, parameters: dict[str, Any]) -> None:
    """Write file and manifest so that a reader never sees half of either."""
    manifest = {
        "nod": __version__, "format": report.format, "rows": report.rows, "sha256": report.sha256, "left_out": report.left_out,
        "parameters": parameters, "columns": list(CSV_COLUMNS) if report.format == "csv" else None,
    }  # fmt: skip
    try:
        for path, data in ((out, content), (Path(f"{out}.manifest.json"), json.dumps(manifest, ensure_ascii=False, indent=2).encode())):
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            beside.write_bytes(data)
            beside.replace(path)
    except OSError as error:
        raise ExportError(say("unwritable", path=out, why=error.strerror)) from None


async def _keep(engine: AsyncEngine, report: Report, rows: Sequence[Row]) -> None:
    async with engine.begin() as db:
        export_id = (
            await db.execute(
                text("""
                    INSERT INTO exports (format, rows, sha256, left_out)
                         VALUES (:format, :rows, :sha256, CAST(:left_out AS jsonb)) RETURNING export_id"""),
                {"format": report.format, "rows": report.rows, "sha256": report.sha256, "left_out": json.dumps(report.left_out)},
            )
        ).scalar_one()
        await db.execute(
            text("INSERT INTO export_rows (export_id, row_key, answer_id) VALUES (:export, :key, CAST(:answer AS uuid))"),
            [{"export": export_id, "key": row.key, "answer": row.answer_id} for row in rows],
        )
