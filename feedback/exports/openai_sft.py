"""OpenAI chat fine-tuning rows (JSONL): one object a line with `messages` ending in the assistant's.

Only the reviewed reply is learnt: earlier assistant messages carry weight 0 (openai-openapi,
FineTuneChatCompletionRequestAssistantMessage). Tool call arguments are JSON texts.
"""

from typing import Any

from feedback.rows import Row, learnable, prompt_key, with_argument_texts
from feedback.samples import Message, Selection


def rows_from(selection: Selection, unreviewed_ups: int | None) -> list[Row]:
    """Return one row for each answer to imitate."""
    return [
        Row(sample.answer_id, sample.answer_id, prompt_key(sample.messages), _value(sample.messages, text, sample.tools))
        for sample, text in learnable(selection, unreviewed_ups)
    ]


def _value(prompt: list[Message], reply: str, tools: list[dict[str, Any]]) -> dict[str, Any]:
    messages = [_unlearnt(with_argument_texts(message)) for message in prompt]
    value: dict[str, Any] = {"messages": [*messages, {"role": "assistant", "content": reply}]}
    if tools:
        value["tools"] = tools
    return value


def _unlearnt(message: Message) -> Message:
    return {**message, "weight": 0} if message["role"] == "assistant" else message
