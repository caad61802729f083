"""The light model: small, quick questions beside an answer (checks), never streamed, each within its own time. Silence is no fault."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nod.logs import log
from workers.attempt import Attempt
from workers.memory import tokens_in
from workers.spending import Price, price_of

if TYPE_CHECKING:  # quoting does without LangChain and its three seconds of imports
    from langchain_core.language_models import BaseChatModel

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Light:
    """A light model by its name."""

    name: str
    model: "BaseChatModel"

    @property
    def price(self) -> Price | None:
        """What it costs, if that is known."""
        return price_of(self.name)

    async def says(self, attempt: Attempt, instructions: str, question: str, seconds: float) -> str:
        """Return what it answers within so many seconds, "" when it does not. What it cost counts for the attempt."""
        try:
            async with asyncio.timeout(seconds):
                message = await self.model.ainvoke([("system", instructions), ("human", question)])
        except Exception as error:  # noqa: BLE001  # each provider has its own tree; whoever asks goes on without it
            _log.warning("the light model does not answer", model=self.name, error=f"{type(error).__name__}: {error}")
            self._spend(attempt, instructions + question, "")
            return ""
        self._spend(attempt, instructions + question, message.text)
        return str(message.text)

    def _spend(self, attempt: Attempt, asked: str, said: str) -> None:
        """Count what a call cost, by an estimate of its tokens: its provider counts them alike, and one that was broken off too."""
        if price := self.price:
            attempt.spend(price.cost_usd(tokens_in(asked), tokens_in(said)))
