"""The one agent of a process: compiled once, it streams what the model says into the reply, with patience for the model's faults."""

import asyncio
import contextlib
import contextvars
import json
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import langsmith
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage, convert_to_openai_messages
from langchain_core.tools import BaseTool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.prebuilt.tool_node import ToolCallRequest
from langsmith.utils import tracing_is_enabled

from knowledge.search import Found
from nod.errors import ModelError
from nod.logs import log
from workers.attempt import Attempt
from workers.breaker import Breaker
from workers.faults import Patience, fault_from
from workers.files import Given
from workers.shelf import as_data, written
from workers.speaker import Speaker
from workers.speech import Speech
from workers.spending import price_of
from workers.tools import TOOLS
from workers.tools.search_knowledge import NOTHING_FOUND, offered

PROMPT = (Path(__file__).parent / "prompts" / "system.md").read_text("utf-8").strip()
MOST_STEPS = 6  # model calls for one answer; the last one may use no tool and so has to answer
TOOL_SECONDS = 20.0
FIRST_SEARCH = "search001"  # the id of the search made before the model is asked: nine letters and digits suit every provider
_STEPS = {"calculate": "calculating"}  # tools that are plain functions do not tell what they do; the others tell it themselves

_log = log(__name__)


class Agent:
    """Answers with a language model and tools. Make it once per process: compiling costs more than answering.

    `models` are those that may answer, by name: the first does, the others stand in for it.
    """

    def __init__(self, models: Sequence[tuple[str, BaseChatModel]], patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        langsmith.set_runtime_overrides(aio_to_thread=_on_the_loop)
        tools: list[BaseTool] = [tool(function) for function in TOOLS]
        self._tools = [convert_to_openai_tool(each) for each in tools]
        speakers = [_speaker_from(name, model, tools, _version(PROMPT, self._tools, {"model": name})) for name, model in models]
        steps = _Steps(Speech(speakers, self.patience))
        self._graph: Any = create_agent(models[0][1], tools, system_prompt=PROMPT, middleware=[steps], context_schema=Attempt)

    async def answer(self, attempt: Attempt, found: Found, given: Given) -> None:
        """Let the model answer into the attempt. Raises ModelError when it does not; what was said before stays said."""
        attempt.tools = self._tools
        start = {"messages": first_messages(attempt, found, given)}
        age = time.monotonic() - attempt.began
        try:
            with _telling_that_it_goes_on(attempt, self.patience.note_seconds):
                async with asyncio.timeout(self.patience.answer_seconds - age):
                    await self._graph.ainvoke(start, {"recursion_limit": 4 * MOST_STEPS}, context=attempt)
        except TimeoutError as error:
            raise fault_from(error, has_said=bool(attempt.text)) from error
        finally:
            attempt.saying.close()
            attempt.messages = as_sent(attempt.seen)
        if not attempt.text and not attempt.saying.is_unknown:
            raise ModelError("The model said nothing.", "empty")


async def _on_the_loop(
    to_thread: Callable[..., Awaitable[Any]], context: contextvars.Context, function: Callable[..., Any], /, *given: Any, **named: Any
) -> Any:
    """Run what LangSmith does around each step on the loop while nothing is traced: it would go to a thread and back all the same."""
    if tracing_is_enabled():
        return await to_thread(context, function, *given, **named)
    return context.run(function, *given, **named)


def _speaker_from(name: str, model: BaseChatModel, tools: Sequence[BaseTool], prompt_version: str) -> Speaker:
    bound: Any = model.bind_tools(tools)
    price = price_of(name)
    if price is None:
        _log.warning("the price of this model is not known: its cost is counted as 0", model=name)
    return Speaker(name, model, bound.kwargs, prompt_version, price, Breaker(name))


@contextlib.contextmanager
def _telling_that_it_goes_on(attempt: Attempt, seconds: float) -> Generator[None]:
    """Tell whoever waits, after each so many seconds without a word, that the work goes on."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        nonlocal timer
        if not attempt.text:
            attempt.saying.tell("step", "still_working")
            timer = loop.call_later(seconds, tell)

    timer = loop.call_later(seconds, tell)
    try:
        yield
    finally:
        timer.cancel()


class _Steps(AgentMiddleware[Any, Attempt]):
    """Runs each step: one streamed model call with patience, or a tool with a time limit."""

    def __init__(self, speech: Speech) -> None:
        super().__init__()
        self._speech = speech

    async def awrap_model_call(self, request: ModelRequest[Attempt], handler: object) -> ModelResponse[Any]:  # noqa: ARG002  # we stream ourselves
        """Call the model; what it says goes straight into the reply, not through LangChain's callbacks (a third of the CPU)."""
        attempt = request.runtime.context
        attempt.steps += 1
        messages = [*([request.system_message] if request.system_message else []), *request.messages]
        said = await self._speech.say(attempt, messages, is_last=attempt.steps >= MOST_STEPS)
        return ModelResponse(result=said)

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]) -> Any:
        """Run a tool. One that fails or takes too long becomes a sentence: an answer never dies of a tool."""
        attempt: Any = request.runtime.context
        call = request.tool_call
        if step := _STEPS.get(call["name"]):
            attempt.saying.tell("step", step)
        try:
            async with asyncio.timeout(TOOL_SECONDS):
                result: Any = await handler(request)
        except Exception as error:  # noqa: BLE001  # the task edge of tools: logged, and told to the model
            _log.warning("tool failed", tool=call["name"], error=f"{type(error).__name__}: {error}")
            text = f"{call['name']} does not work just now; answer without it."
            result = ToolMessage(text, tool_call_id=call["id"] or "", name=call["name"], status="error")
        content = str(getattr(result, "content", ""))
        attempt.tool_calls.append({"name": call["name"], "arguments": call["args"], "step": attempt.steps, "result": content[:2000]})
        return result


def first_messages(attempt: Attempt, found: Found, given: Given) -> list[BaseMessage]:
    """Return what the model is shown after the system prompt: earlier turns, the question, and the search made for it.

    The search stands there as a tool's result: models trust tools least, which is what other people's text deserves.
    """
    task = attempt.task
    search = {"name": "search_knowledge", "args": {"query": task.text}, "id": FIRST_SEARCH}
    return [
        *(HumanMessage(turn.text) if turn.role == "user" else AIMessage(turn.text) for turn in attempt.turns),
        HumanMessage(task.text),
        AIMessage("", tool_calls=[search]),
        ToolMessage(_read(attempt, found, given), tool_call_id=FIRST_SEARCH, name="search_knowledge"),
    ]


def _read(attempt: Attempt, found: Found, given: Given) -> str:
    """Return what the model may read before it answers: the files given with the question, then what the search found."""
    parts = [f"The file {as_data(name)} could not be read; say so." for name in given.failed]
    if given.passages:
        parts += ["The beginnings of the files given with the question:", written(attempt.shelf.put(given.passages))]
    known = {passage.passage_id for passage in given.passages}
    if fresh := [passage for passage in found.passages if passage.passage_id not in known]:
        parts.append(offered(attempt, found.is_known, fresh))
    elif not given.passages:
        parts.append(NOTHING_FOUND)
    return "\n\n".join(parts)


def as_sent(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Return messages in the OpenAI chat format, which provenance and training files are kept in."""
    sent: Any = convert_to_openai_messages(list(messages))
    return sent


def _version(prompt: str, tools: list[dict[str, Any]], parameters: dict[str, Any]) -> str:
    """Return the SHA-256 of all that shapes every answer alike."""
    return sha256(json.dumps([prompt, tools, parameters], ensure_ascii=False, sort_keys=True).encode()).hexdigest()
