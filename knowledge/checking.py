"""Whether the embedding model answers: one short real call, for `nod doctor` and the summary of `nod up`."""

import time
from typing import TYPE_CHECKING

from nod.doctor import Finding
from nod.language import Language
from nod.saying import say
from nod.settings import Settings

if TYPE_CHECKING:
    from knowledge.embedding import EmbeddingError

_ENV = "NOD_EMBEDDING_MODEL in .env"


async def search(settings: Settings, language: Language) -> Finding:
    """Return whether search goes by words alone, or by vectors as well."""
    del language  # nod's own phrases are in the terminal's, which doctor hands on
    model = settings.embedding_model
    if not model:
        return Finding("search", "off", say("up.search_lexical"))
    from knowledge.embedding import Embedder, EmbeddingError  # not without a model: `nod doctor` stays quick

    async with Embedder(settings) as embedder:
        began = time.monotonic()
        try:
            await embedder.question(model, "nod")
            began = time.monotonic()  # the first call loads the model
            await embedder.question(model, "nod")
        except EmbeddingError as error:
            return Finding("search", "broken", why(error, model), _ENV)
        return Finding("search", "ok", say("up.search_vectors", model=model, seconds=f"{time.monotonic() - began:.1f}"))


def why(error: "EmbeddingError", model: str) -> str:
    """Return why an embedding model does not answer, in the terminal's language."""
    return str(error) if error.kind == "config" else say(f"health.vectors_{error.kind}", detail=model)
