"""One step of the agent: a streamed model call whose text goes straight into the reply, tried again when that may help."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks

from nod.errors import ModelError
from nod.logs import log
from nod.pause import pause
from workers.attempt import Attempt
from workers.faults import Patience, fault_from, is_passing

_log = log(__name__)


class Speech:
    """Lets a model speak into an attempt. `settings` are what binding the tools added to a call."""

    def __init__(self, model: BaseChatModel, settings: dict[str, Any], patience: Patience) -> None:
        self._model = model
        self._settings = settings
        self._patience = patience
        self._is_strict = _is_openai(model)

    async def say(self, attempt: Attempt, messages: Sequence[BaseMessage], *, is_last: bool) -> list[BaseMessage]:
        """Return the model's message, after those calls of it that made no sense and what it was told about them. Raises ModelError.

        In the last step it may use no tool, so it has to answer.
        """
        settings = {**self._settings, "tool_choice": "none"} if is_last else self._settings
        said: list[BaseMessage] = []
        while True:
            message = await self._patiently(attempt, [*messages, *said], settings)
            if is_last:
                return [*said, AIMessage(message.content)]
            refusals = _refusals(message)
            if not refusals or said:
                return [*said, message]
            said = [message, *refusals]

    async def _patiently(self, attempt: Attempt, messages: Sequence[BaseMessage], settings: dict[str, Any]) -> AIMessage:
        """Return what one call said; a call that failed before its first word is made again while patience lasts."""
        loop, tried, before = asyncio.get_running_loop(), 0, None
        attempt.seen = messages
        attempt.saying.new_paragraph()
        while True:
            heard, began, tried = _Heard(already=len(attempt.saying.text)), loop.time(), tried + 1
            try:
                await self._hear(attempt, heard, messages, settings)
                return self._message_of(attempt, heard)
            except Exception as error:
                fault = fault_from(error, has_said=heard.has_text)
                attempt.trouble_since = attempt.trouble_since or began
                wait = self._patience.wait_before_retry(fault, tried)
                is_late = loop.time() + wait > attempt.trouble_since + self._patience.retry_seconds
                if is_late or not is_passing(error, fault):
                    raise (before if before and fault.kind == "timeout" else fault) from error  # a last try gets less time
                before = fault
                _log.info("model is asked again", kind=fault.kind, wait_seconds=round(wait, 2), tried=tried)
                await asyncio.sleep(wait)

    async def _hear(self, attempt: Attempt, heard: "_Heard", messages: Sequence[BaseMessage], settings: dict[str, Any]) -> None:
        loop, patience = asyncio.get_running_loop(), self._patience
        first = loop.time() + patience.first_token(loop.time(), attempt.trouble_since)
        async with asyncio.timeout_at(first) as limit:
            async for chunk in self._model.astream(messages, **settings):
                heard.take(attempt, chunk)
                if not heard.has_text and len(attempt.saying.text) > heard.already:
                    heard.has_text = True
                    limit.reschedule(None)
                    await pause("growing")
                silent_until = loop.time() + patience.between_seconds
                limit.reschedule(silent_until if heard.has_text else max(first, silent_until))  # a role, or thoughts, may come long before

    def _message_of(self, attempt: Attempt, heard: "_Heard") -> AIMessage:
        """Return the message of a stream that ended, if it ended well."""
        if heard.reason in ("content_filter", "refusal", "SAFETY"):
            raise ModelError("The provider's filter stopped the answer.", "filtered")
        if self._is_strict and not heard.reason:
            raise ModelError("The stream ended without saying why.", "cut" if heard.has_text else "model_down")
        if heard.reason in ("length", "max_tokens", "MAX_TOKENS"):
            attempt.notices.append("cut")
        return heard.message()


@dataclass(slots=True)
class _Heard:
    """What came of one model call so far. `already`: how much the attempt had said before it."""

    already: int
    chunks: list[AIMessageChunk] = field(default_factory=list[AIMessageChunk])
    has_text: bool = False
    reason: str = ""

    def take(self, attempt: Attempt, chunk: AIMessageChunk) -> None:
        """Keep a chunk, say its text, count its tokens, and note why the stream ended."""
        self.chunks.append(chunk)
        if text := chunk.content if isinstance(chunk.content, str) else str(chunk.text):
            attempt.grow(text)
        if usage := chunk.usage_metadata:
            attempt.tokens_in = (attempt.tokens_in or 0) + usage["input_tokens"]
            attempt.tokens_out = (attempt.tokens_out or 0) + usage["output_tokens"]
        if (told := chunk.response_metadata) and (reason := told.get("finish_reason") or told.get("stop_reason")):
            self.reason = str(reason)

    def message(self) -> AIMessage:
        """Return the whole message. Chunks of plain text are joined: adding them up costs more than receiving them."""
        if all(isinstance(chunk.content, str) and not chunk.tool_call_chunks for chunk in self.chunks):
            return AIMessage("".join(str(chunk.content) for chunk in self.chunks))
        whole = add_ai_message_chunks(self.chunks[0], *self.chunks[1:])
        return AIMessage(
            whole.content,
            tool_calls=whole.tool_calls,
            invalid_tool_calls=whole.invalid_tool_calls,
            additional_kwargs=whole.additional_kwargs,
        )


def _is_openai(model: BaseChatModel) -> bool:
    """Return whether a model's streams always say why they end, so that silence about it is a cut."""
    return str(model.get_lc_namespace()[-1]).startswith("openai") or type(model).__name__ == "ChatOpenAI"


def _refusals(message: AIMessage) -> list[ToolMessage]:
    """Return what a model is told whose only tool calls cannot be read."""
    if message.tool_calls or message.text:
        return []
    return [
        ToolMessage("The arguments were no valid JSON; call the tool again or answer.", tool_call_id=call["id"], name=call["name"] or "")
        for call in message.invalid_tool_calls
        if call["id"]
    ]
