"""Training files, one format a module. A new format is one module and one line here (docs: how to add an export)."""

from collections.abc import Callable

from feedback.exports import openai_sft, trl_kto
from feedback.rows import Row
from feedback.samples import Selection

FORMATS: dict[str, Callable[[Selection, int | None], list[Row]]] = {
    "openai-sft": openai_sft.rows_from,
    "trl-kto": trl_kto.rows_from,
}
