"""Writes a question once in the other language, with the light model, so that documents in it are found.

It never holds up an answer for longer than its budget, and never fails one: what is late, fails or makes no sense is done without.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nod.language import language_of, other_language
from nod.logs import log
from workers.breaker import Breaker
from workers.faults import DOWN, fault_from
from workers.memory import tokens_in
from workers.shelf import as_data
from workers.spending import Spending, price_of

if TYPE_CHECKING:  # quoting does without LangChain and its three seconds of imports
    from langchain_core.language_models import BaseChatModel

    from workers.attempt import Attempt  # which names the interpreter

PROMPT = (Path(__file__).parent / "prompts" / "other_language.md").read_text("utf-8").strip()
BUDGET_SECONDS = 0.4
LONGEST = 400  # characters of a question; a longer one, such as a pasted log, would come too late
MOST_EARLIER = 2  # questions shown with it, for "and in Busan?"
_NAMES = {"ko": "Korean", "en": "English"}
_SHORT_OCTETS = 20  # a question of one word may well take three in the other language

_log = log(__name__)


@dataclass(slots=True)
class _Written:
    """How one call went, as it is kept with the answer. `result` is what is searched for: nothing when `dropped` says why."""

    result: str = ""
    dropped: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    began: float = field(default_factory=time.monotonic)


class Interpreter:
    """The light model of this process, for questions alone.

    Where none is set the model that answers is asked: it costs some hundred tokens a question, and nobody has to set anything to find
    documents in both languages. One that is too slow for it is hardly asked any more after five times (workers/breaker.py).
    """

    def __init__(self, name: str, model: "BaseChatModel", spending: Spending) -> None:
        self._name, self._model, self._spending = name, model, spending
        self._price = price_of(name)
        self._breaker = Breaker(name)

    async def written(self, attempt: "Attempt", query: str, earlier: Sequence[str] = ()) -> str:
        """Return a question in the other language. "": it is done without, because it came too late, failed, or is no translation."""
        if not await self._may_ask(query):
            return ""
        messages = _messages(query, earlier)
        written = _begun(messages, query)
        estimate = self._spend(attempt, written)  # before the call: its provider counts one that is broken off, too
        await self._write(messages, query, written)
        self._spend(attempt, written, already=estimate)
        attempt.tool_calls.append(self._kept(attempt, query, written))
        return written.result

    async def written_for_search(self, query: str) -> str:
        """Return what is searched in the other language, as `written` does; there is no answer with which it is kept."""
        if not await self._may_ask(query):
            return ""
        messages = _messages(query, ())
        written = _begun(messages, query)
        try:
            await self._write(messages, query, written)
        finally:
            await self._spending.add_search(self._cost_usd(written))
        return written.result

    async def _may_ask(self, query: str) -> bool:
        return len(query) <= LONGEST and not await self._spending.is_reached() and self._breaker.lets_through()

    async def _write(self, messages: list[tuple[str, str]], query: str, written: _Written) -> None:
        try:
            async with asyncio.timeout(BUDGET_SECONDS):
                said = await self._model.ainvoke(messages)
        except Exception as error:  # noqa: BLE001  # each provider has its own errors; none of them is the answer's
            written.dropped = fault_from(error, has_said=False).kind
            if written.dropped in DOWN:
                self._breaker.failed(written.dropped)
            _log.info("question is not searched in the other language", model=self._name, kind=written.dropped, error=str(error)[:300])
            return
        self._breaker.answered()
        if usage := said.usage_metadata:
            written.tokens_in, written.tokens_out = usage["input_tokens"], usage["output_tokens"]
        text = " ".join(str(said.text).split())
        if is_translation(query, text):
            written.result = text
        else:
            written.dropped = "absurd"

    def _cost_usd(self, written: _Written) -> float | None:
        return self._price.cost_usd(written.tokens_in, written.tokens_out) if self._price else None

    def _spend(self, attempt: "Attempt", written: _Written, already: float = 0.0) -> float:
        """Count what a call costs beyond what is counted already; return what it costs."""
        if (usd := self._cost_usd(written)) is None:
            return 0.0
        attempt.spend(usd - already)
        return usd

    def _kept(self, attempt: "Attempt", query: str, written: _Written) -> dict[str, Any]:
        return {
            "name": "write_in_other_language", "arguments": {"query": query, "language": other_language(query)}, "step": attempt.steps,
            "result": written.result, "dropped": written.dropped, "model": self._name,
            "ms": round((time.monotonic() - written.began) * 1000), "tokens_in": written.tokens_in, "tokens_out": written.tokens_out,
            "cost_usd": self._cost_usd(written),
        }  # fmt: skip


def _begun(messages: list[tuple[str, str]], query: str) -> _Written:
    """Return a call that begins, with an estimate of its tokens."""
    return _Written(tokens_in=sum(tokens_in(content) for _, content in messages), tokens_out=tokens_in(query))


def is_translation(query: str, text: str) -> bool:
    """Return whether a text may be a question in the other language: in its script, and not three times as long.

    Octets are counted: a Korean syllable has three and says about as much as three Latin letters.
    """
    language = language_of(query)
    is_other = language_of(text, language) != language
    return is_other and len(text.encode()) <= 3 * max(len(query.encode()), _SHORT_OCTETS)


def _messages(query: str, earlier: Sequence[str]) -> list[tuple[str, str]]:
    """Return what the model is shown: people's words stand between marks which they cannot write."""
    before = "".join(f"⟦earlier question⟧\n{as_data(turn[:LONGEST])}\n" for turn in earlier[-MOST_EARLIER:])
    system = PROMPT.replace("{language}", _NAMES[other_language(query)])
    return [("system", system), ("human", f"{before}⟦question⟧\n{as_data(query)}\n⟦end⟧")]
