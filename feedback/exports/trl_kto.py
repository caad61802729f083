"""TRL KTO rows (JSONL): `prompt` and `completion` as messages, `label` a bool. One row an answer, not a vote.

A corrected answer gives two rows: its old reply (false) and the correction (true). Order matters to TRL's trainer, which pairs
neighbours inside a batch (trl/trainer/kto_trainer.py): rows of one prompt never stand side by side, and labels are mixed.
"""

from collections import deque
from typing import Any

from feedback.rows import Row, prompt_key, with_argument_objects
from feedback.samples import Sample, Selection


def rows_from(selection: Selection, unreviewed_ups: int | None) -> list[Row]:  # noqa: ARG001  # every standing vote counts here
    """Return one row for each answer with a verdict or a majority of votes, and one more for each correction."""
    rows: list[Row] = []
    for sample in selection.samples:
        if sample.is_good is None:
            selection.left_out["tie"] += 1
            continue
        rows.append(_row(sample, sample.reply, label=sample.is_good, suffix=""))
        if sample.verdict == "fixable" and sample.correction:
            rows.append(_row(sample, sample.correction, label=True, suffix="+correction"))
    return _mixed(rows)


def _row(sample: Sample, reply: str, *, label: bool, suffix: str) -> Row:
    value: dict[str, Any] = {
        "prompt": [with_argument_objects(message) for message in sample.messages],
        "completion": [{"role": "assistant", "content": reply}],
        "label": label,
    }
    if sample.tools:
        value["tools"] = sample.tools
    return Row(sample.answer_id + suffix, sample.answer_id, prompt_key(sample.messages), value)


def _mixed(rows: list[Row]) -> list[Row]:
    """Return the rows with labels spread evenly and equal prompts apart, as far as that is possible."""
    ups, downs = [row for row in rows if row.value["label"]], [row for row in rows if not row.value["label"]]
    spread = [row for _, _, row in sorted([*_placed(ups, 0), *_placed(downs, 1)], key=lambda placed: placed[:2])]
    waiting, ordered = deque(spread), list[Row]()
    while waiting:
        turn = next((n for n, row in enumerate(waiting) if not ordered or row.prompt_key != ordered[-1].prompt_key), 0)
        ordered.append(waiting[turn])
        del waiting[turn]
    return ordered


def _placed(rows: list[Row], side: int) -> list[tuple[float, int, Row]]:
    return [((n + 0.5) / len(rows), side, row) for n, row in enumerate(rows)]
