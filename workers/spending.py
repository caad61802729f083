"""What answers and searches cost, and whether today's limit on it is reached."""

import asyncio
import contextlib
import re
import time
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from nod.budget import Spent, count_search, spent_today
from nod.logs import log
from nod.process import STORE_ERRORS

KNOWN_SECONDS = 10.0  # how long the record's sum is taken as known
_PRICES = Path(__file__).with_name("prices.toml")
_SAME_PRICE = re.compile(r"-(latest|\d{8}|\d{4}-\d{2}-\d{2})$")

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars per million tokens."""

    input_usd: float
    output_usd: float

    def cost_usd(self, tokens_in: int, tokens_out: int) -> float:
        """Return what so many tokens cost."""
        return (tokens_in * self.input_usd + tokens_out * self.output_usd) / 1_000_000


def price_of(model: str) -> Price | None:
    """Return the price of a model such as `openai:gpt-4o`; None when it is not known."""
    provider, _, name = model.partition(":")
    prices = _prices().get(provider, {})
    found = prices.get(name) or prices.get(_SAME_PRICE.sub("", name))
    return Price(*found) if found else None


@cache
def _prices() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_PRICES.read_text("utf-8"))["usd_per_million_tokens"]


class Spending:
    """What all answers and searches of today (UTC) cost together. A process asks for it every ten seconds at most, and not without need.

    Answers being written meanwhile are not broken off, so a day may cost a little more than its limit.
    """

    def __init__(self, engine: AsyncEngine, limit_usd: float) -> None:
        self._engine = engine
        self._limit_usd = limit_usd
        self._known = Spent(0.0, is_told=False)  # by the record
        self._since_usd = 0.0  # by this process since it was asked
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()
        self._warned_of = 0

    @property
    def is_told(self) -> bool:
        """Whether admins were told that today's limit is reached, as far as is known."""
        return self._known.is_told

    async def is_reached(self) -> bool:
        """Return whether today's limit is reached. A limit of 0 is none, and then nobody is asked."""
        if not self._limit_usd:
            return False
        async with self._asking:
            if self._asked_at is None or time.monotonic() - self._asked_at > KNOWN_SECONDS:
                await self._ask()
        return self._known.usd + self._since_usd >= self._limit_usd

    def add(self, usd: float | None) -> None:
        """Count what an answer cost, until the record is asked again."""
        self._since_usd += usd or 0.0

    async def add_search(self, usd: float | None) -> None:
        """Count what a search cost, for all processes. Never raises: while the record does not answer it counts here alone."""
        if usd:
            self.add(usd)
            with contextlib.suppress(*STORE_ERRORS):
                await count_search(self._engine, usd)

    async def _ask(self) -> None:
        self._known = await spent_today(self._engine)
        self._since_usd, self._asked_at = 0.0, time.monotonic()
        percent = self._known.percent(self._limit_usd)
        if percent > self._warned_of:
            said = "today's spending limit is reached" if percent == 100 else "today's spending limit is near"
            _log.warning(said, spent_usd=round(self._known.usd, 2), limit_usd=self._limit_usd)
        self._warned_of = percent  # a new day begins below it
