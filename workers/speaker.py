"""One language model of this process: how it is called, what it costs, and whether it answers just now."""

from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel

from workers.breaker import Breaker
from workers.spending import Price


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model which may speak into an answer. `settings` are what binding the tools adds to each call."""

    name: str
    model: BaseChatModel
    settings: dict[str, Any]
    prompt_version: str
    price: Price | None
    breaker: Breaker

    @property
    def is_strict(self) -> bool:
        """Whether its streams always say why they end, so that silence about it is a cut."""
        return str(self.model.get_lc_namespace()[-1]).startswith("openai") or type(self.model).__name__ == "ChatOpenAI"
