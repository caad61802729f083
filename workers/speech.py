"""One step of the agent: a streamed model call whose text goes straight into the reply, tried again when that may help."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks

from nod.errors import ModelError
from nod.logs import log
from nod.pause import pause
from workers.attempt import Attempt
from workers.faults import DOWN, PASSING, Patience, fault_from, is_passing
from workers.memory import tokens_in
from workers.speaker import Speaker

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    """What is asked of a model. `models`: how many can still be asked, this one included; they share the time."""

    speaker: Speaker
    messages: Sequence[BaseMessage]
    settings: dict[str, Any]
    models: int


class Speech:
    """Lets models speak into an attempt: the first of them, and another one in its place while nobody has read a word."""

    def __init__(self, speakers: Sequence[Speaker], patience: Patience) -> None:
        self._speakers = speakers
        self._patience = patience

    async def say(self, attempt: Attempt, messages: Sequence[BaseMessage], *, is_last: bool) -> list[BaseMessage]:
        """Return the model's message, after those calls of it that made no sense and what it was told about them. Raises ModelError.

        In the last step it may use no tool, so it has to answer.
        """
        said: list[BaseMessage] = []
        while True:
            message = await self._by_someone(attempt, [*messages, *said], is_last=is_last)
            if is_last:
                return [*said, AIMessage(message.content)]
            refusals = _refusals(message)
            if not refusals or said:
                return [*said, message]
            said = [message, *refusals]

    async def _by_someone(self, attempt: Attempt, messages: Sequence[BaseMessage], *, is_last: bool) -> AIMessage:
        """Return what the first model says that answers. Of several faults the one is told that may pass."""
        attempt.seen = messages
        attempt.saying.new_paragraph()
        told: ModelError | None = None
        while True:
            speaker = self._speakers[attempt.speaker]
            attempt.model, attempt.prompt_version, attempt.parameters = speaker.name, speaker.prompt_version, {"model": speaker.name}
            settings = {**speaker.settings, "tool_choice": "none"} if is_last else speaker.settings
            try:
                return await self._patiently(attempt, _Call(speaker, messages, settings, self._models_left(attempt)))
            except ModelError as error:
                fault = error
            told = fault if told is None or fault.kind in PASSING else told
            if attempt.speaker + 1 == len(self._speakers) or attempt.saying.text or fault.kind == "filtered":
                raise told
            attempt.speaker += 1
            _log.info("another model takes over", model=speaker.name, kind=fault.kind, error=str(fault))

    def _models_left(self, attempt: Attempt) -> int:
        """Return how many models can be asked now: the one whose turn it is, and those behind it that are not left alone."""
        if attempt.saying.text:
            return 1
        return 1 + sum(speaker.breaker.is_closed for speaker in self._speakers[attempt.speaker + 1 :])

    async def _patiently(self, attempt: Attempt, call: _Call) -> AIMessage:
        """Return what one model said; a call that failed before its first word is made again while patience lasts."""
        loop, tried, before = asyncio.get_running_loop(), 0, None
        breaker, patience = call.speaker.breaker, self._patience
        budget_seconds = patience.handover_seconds if call.models > 1 else patience.retry_seconds
        while True:
            if not breaker.lets_through():
                raise before or ModelError(f"{call.speaker.name} failed over and over and is left alone for a while.", breaker.kind)
            heard, began, tried = _Heard(already=len(attempt.saying.text)), loop.time(), tried + 1
            try:
                await self._hear(attempt, heard, call)
                message = _message_of(attempt, heard, is_strict=call.speaker.is_strict)
            except Exception as error:
                fault = fault_from(error, has_said=heard.has_text)
                _note(call.speaker, error, fault)
                attempt.saying.forget_held()
                attempt.trouble_since = attempt.trouble_since or began
                wait = patience.wait_before_retry(fault, tried)
                is_late = loop.time() + wait > attempt.trouble_since + budget_seconds
                if is_late or not is_passing(error, fault):
                    raise (before if before and fault.kind == "timeout" else fault) from error  # a last try gets less time
                before = fault
                _log.info("model is asked again", kind=fault.kind, wait_seconds=round(wait, 2), tried=tried)
                await asyncio.sleep(wait)
            else:
                breaker.answered()
                return message

    async def _hear(self, attempt: Attempt, heard: "_Heard", call: _Call) -> None:
        loop, patience = asyncio.get_running_loop(), self._patience
        first = loop.time() + patience.first_token(loop.time(), attempt.trouble_since, call.models)
        try:
            async with asyncio.timeout_at(first) as limit:
                async for chunk in call.speaker.model.astream(call.messages, **call.settings):
                    heard.take(attempt, chunk)
                    if not heard.has_text and len(attempt.saying.text) > heard.already:
                        heard.has_text = True
                        limit.reschedule(None)
                        await pause("growing")
                    silent_until = loop.time() + patience.between_seconds  # a role, or thoughts, may come long before the first word
                    limit.reschedule(silent_until if heard.has_text else max(first, silent_until))
        finally:
            if call.speaker.price and heard.chunks:
                attempt.spend(call.speaker.price.cost_usd(*heard.tokens(call.messages)))


def _note(speaker: Speaker, error: Exception, fault: ModelError) -> None:
    """Let the breaker know of a fault: whether the provider is down, or there and unwilling. A cut says neither."""
    if fault.kind in DOWN and is_passing(error, fault):
        speaker.breaker.failed(fault.kind)
    elif fault.kind != "cut":
        speaker.breaker.answered()


def _message_of(attempt: Attempt, heard: "_Heard", *, is_strict: bool) -> AIMessage:
    """Return the message of a stream that ended, if it ended well."""
    if heard.reason in ("content_filter", "refusal", "SAFETY"):
        raise ModelError("The provider's filter stopped the answer.", "filtered")
    if is_strict and not heard.reason:
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
    tokens_in: int = 0
    tokens_out: int = 0

    def take(self, attempt: Attempt, chunk: AIMessageChunk) -> None:
        """Keep a chunk, say its text, count its tokens, and note why the stream ended."""
        self.chunks.append(chunk)
        if text := chunk.content if isinstance(chunk.content, str) else str(chunk.text):
            attempt.grow(text)
        if usage := chunk.usage_metadata:
            self.tokens_in += usage["input_tokens"]
            self.tokens_out += usage["output_tokens"]
            attempt.tokens_in = (attempt.tokens_in or 0) + usage["input_tokens"]
            attempt.tokens_out = (attempt.tokens_out or 0) + usage["output_tokens"]
        if (told := chunk.response_metadata) and (reason := told.get("finish_reason") or told.get("stop_reason")):
            self.reason = str(reason)

    def tokens(self, messages: Sequence[BaseMessage]) -> tuple[int, int]:
        """Return how many tokens the call read and wrote; estimated for one that was broken off, which its provider counts too."""
        if self.reason and self.tokens_in:
            return self.tokens_in, self.tokens_out
        said = tokens_in("".join(str(chunk.text) for chunk in self.chunks))
        return self.tokens_in or sum(tokens_in(str(message.content)) for message in messages), max(self.tokens_out, said)

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


def _refusals(message: AIMessage) -> list[ToolMessage]:
    """Return what a model is told whose only tool calls cannot be read."""
    if message.tool_calls or message.text:
        return []
    return [
        ToolMessage("The arguments were no valid JSON; call the tool again or answer.", tool_call_id=call["id"], name=call["name"] or "")
        for call in message.invalid_tool_calls
        if call["id"]
    ]
