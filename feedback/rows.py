"""One row of a training file, and what formats share about messages."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from feedback.samples import Message, Sample, Selection


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file. `prompt_key` is equal for rows with the same prompt; `key` names the row for the manifest."""

    key: str
    answer_id: str
    prompt_key: str
    value: dict[str, Any]


def learnable(selection: Selection, unreviewed_ups: int | None) -> list[tuple[Sample, str]]:
    """Return the samples to imitate, each with its text: good replies and corrections; the others are counted as left out.

    `unreviewed_ups` also takes answers that nobody reviewed with at least so many up-voters and no down-vote.
    """
    chosen: list[tuple[Sample, str]] = []
    for sample in selection.samples:
        if sample.verdict == "good":
            chosen.append((sample, sample.reply))
        elif sample.verdict == "fixable" and sample.correction:
            chosen.append((sample, sample.correction))
        elif sample.verdict is None and unreviewed_ups and sample.ups >= unreviewed_ups and not sample.downs:
            chosen.append((sample, sample.reply))
        else:
            selection.left_out["bad" if sample.verdict == "bad" else "not_reviewed"] += 1
    return chosen


def prompt_key(messages: list[Message]) -> str:
    """Return a key that is equal for equal prompts."""
    return json.dumps(messages, ensure_ascii=False, sort_keys=True)


def with_argument_objects(message: Message) -> Message:
    """Return a message whose tool calls carry their arguments as objects: chat templates dump them (TRL)."""
    return _with_arguments(message, _as_object)


def with_argument_texts(message: Message) -> Message:
    """Return a message whose tool calls carry their arguments as JSON texts (OpenAI)."""
    return _with_arguments(message, _as_text)


def _as_object(arguments: Any) -> Any:
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def _as_text(arguments: Any) -> Any:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _with_arguments(message: Message, convert: Callable[[Any], Any]) -> Message:
    if not message.get("tool_calls"):
        return message
    return {**message, "tool_calls": [_converted(call, convert) for call in message["tool_calls"]]}


def _converted(call: dict[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    function = call["function"]
    return {**call, "function": {**function, "arguments": convert(function["arguments"])}}
