"""One attempt at an answer: what was asked, what has been said and found so far, and all that stands behind it."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from knowledge.search import Found, Search
from nod.connect import POOL_SIZE
from nod.contracts import Citation, Outcome, Person, Place, Provenance, Readers, Task, Turn
from nod.record import Record
from nod.requests import Requests
from nod.stream import Follower
from workers.interpreter import Interpreter
from workers.saying import Saying
from workers.shelf import Shelf

FOUND = 6  # passages a search gives to the model
READERS_SECONDS = 10.0  # for which a worker keeps who can read a place; its bot has known that for 45 s at most
SEARCHES_AT_ONCE = POOL_SIZE - 3  # so that claims, commits and files always find a connection


@dataclass(frozen=True, slots=True)
class Reach:
    """What tools can reach besides the attempt itself."""

    search: Search
    record: Record
    requests: Requests
    follower: Follower
    readers: Callable[[Place, Person], Awaitable[Readers]]
    interpreter: Interpreter | None = None
    door: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SEARCHES_AT_ONCE))

    async def find(self, query: str, scopes: Sequence[str], earlier: Sequence[str] = ()) -> Found:
        """Return what a search finds. In a burst searches wait here, in order, not for a connection, which would time out."""
        return await self.search.find(query, scopes, earlier=earlier, k=FOUND, door=self.door)

    async def is_worth_both(self, query: str, scopes: Sequence[str]) -> bool:
        """Return whether a query is worth asking in the other language too, in the same order as searches."""
        async with self.door:
            return await self.search.is_worth_both(query, scopes)


@dataclass(slots=True)
class Attempt:
    """The state of one attempt, which every tool of the agent works on."""

    task: Task
    saying: Saying
    reach: Reach
    shelf: Shelf = field(default_factory=Shelf)
    remembered: list[Turn] = field(default_factory=list[Turn])  # what was said before in this conversation
    turns: tuple[Turn, ...] = ()  # as much of it as the model is shown
    citations: tuple[Citation, ...] | None = None  # None: not checked yet
    withheld: dict[str, Any] = field(default_factory=dict[str, Any])
    instead: str = ""  # what is said in the place of what is withheld
    notices: list[str] = field(default_factory=list[str])
    seen: Sequence[Any] = ()  # the messages of the last model call, as LangChain has them
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tool_calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    model: str = ""
    prompt_version: str = ""
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    tools: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None  # None: no model was called, or none whose price is known
    first_token_at: datetime | None = None
    began: float = field(default_factory=time.monotonic)
    steps: int = 0
    speaker: int = 0  # which of the models speaks: the first, or one that took over
    trouble_since: float | None = None  # loop time at which the first model call began that failed
    is_stopped: bool = False  # somebody pressed Stop: the task was cancelled for that
    is_over: bool = False  # nothing more will be said: Stop comes too late
    _readers: Readers = field(default_factory=Readers)
    _readers_at: float = -math.inf

    async def scopes(self) -> tuple[str, ...]:
        """Return the scopes which everyone who can read this place now may see, and those that the terminal's owner named."""
        if time.monotonic() - self._readers_at > READERS_SECONDS:
            asked_at = time.monotonic()
            self._readers = await self.reach.readers(self.task.place, self.task.person)
            self._readers_at = asked_at  # not before: a second tool at the same time asks, too, instead of going by what is old
        return self.task.audience(self._readers)

    @property
    def text(self) -> str:
        """What was said so far."""
        return self.instead or self.saying.text.rstrip()

    def grow(self, piece: str) -> None:
        """Say more, and note when the first of it came."""
        self.saying.grow(piece)
        if self.first_token_at is None and self.saying.text:
            self.first_token_at = datetime.now(UTC)

    def spend(self, usd: float) -> None:
        """Count what a call of the model cost."""
        self.cost_usd = (self.cost_usd or 0.0) + usd

    def forget_model(self) -> None:
        """Forget what a model was shown which said nothing: what is said now is not its answer. What it cost stays."""
        self.messages, self.model, self.prompt_version, self.parameters, self.tools = [], "", "", {}, []

    def withhold(self, instead: str) -> None:
        """Keep what was said, but do not show it: say something else in its place."""
        self.withheld = {"text": self.text, "citations": [citation.model_dump(mode="json") for citation in self.citations or ()]}
        self.instead, self.citations = instead, ()

    def answered(self, *notices: str) -> Outcome:
        """Return how this attempt ended: with an answer."""
        return Outcome(
            status="answered", text=self.text, sources=self.shelf.sources(self.text), citations=self._citations(), notices=notices,
            provenance=self.provenance(),
        )  # fmt: skip

    def failed(self, kind: str) -> Outcome:
        """Return how this attempt ended: with an apology, and with what was said before it."""
        return Outcome(
            status="failed", text=self.text, sources=self.shelf.sources(self.text), citations=self._citations(), error=kind,
            provenance=self.provenance(),
        )  # fmt: skip

    def _citations(self) -> tuple[Citation, ...]:
        """Return the checked citations; of a model's text that was broken off, by rules. Quotes are word for word and need no check."""
        if self.citations is None and self.model:
            self.citations = self.shelf.citations(self.text)
        return self.citations or ()

    def stopped(self) -> Outcome:
        """Return how this attempt ended: somebody pressed Stop. What was said is kept."""
        if not self.text:
            return Outcome(status="withdrawn", stopped=True, provenance=self.provenance())
        return self.answered("stopped").model_copy(update={"stopped": True})

    def provenance(self) -> Provenance:
        """Return all that stands behind what was said."""
        return Provenance(
            messages=self.messages, model=self.model, prompt_version=self.prompt_version, parameters=self.parameters,
            passages=self.shelf.provenance(), tool_calls=self.tool_calls, tools=self.tools, tokens_in=self.tokens_in,
            tokens_out=self.tokens_out, cost_usd=self.cost_usd, context_hash=self.shelf.context_hash(), withheld=self.withheld,
            first_token_at=self.first_token_at,
        )  # fmt: skip
