"""Makes vectors of texts with any LangChain embedding, named as LangChain does; what is known of a model stands in a table.

The only place in this room that imports LangChain, and only when a model is set.
"""

import asyncio
import contextlib
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
import numpy as np
from numpy.typing import NDArray

from knowledge.phrases import PHRASES
from nod.errors import ConfigError, NodError
from nod.language import terminal_language
from nod.settings import Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

AT_ONCE = 64  # texts in a call; providers take more, but what runs on a processor takes seconds for these
CALL_SECONDS = 60.0
SHORTEST = 100  # characters; a text that is refused is tried again by its first half, down to this
_KNOWN = Path(__file__).with_name("embedding_models.toml")
_OF_ONES_OWN = ("huggingface", "ollama")  # providers that run on a machine of one's own: LangChain's huggingface is sentence-transformers
_BY_STATUS = {400: "refused", 401: "bad_key", 403: "bad_key", 404: "no_model", 413: "refused", 422: "refused", 429: "too_many"}
_ENDLESS = 1_000_000  # tokens: what a tokeniser names that knows no limit is far beyond
_OPEN_TO_ALL = "nod"  # a text that every model takes

Vectors = NDArray[np.float32]


class EmbeddingError(NodError):
    """The embedding model did not answer; `kind` says why.

    Kinds: bad_key, no_model, too_many, refused, slow, other (another model answers under its name), config, down.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a model: its weight beside the words by language, price in US dollars per million tokens, longest text in bytes.

    `en_knows`, `ko_knows`: what its best cosine adds to the log-odds that nod knows, as slope and shift; nothing where nobody measured it.
    """

    en: float
    ko: float
    en_knows: tuple[float, float] = (0.0, 0.0)
    ko_knows: tuple[float, float] = (0.0, 0.0)
    usd: float | None = None
    most_bytes: int | None = None

    def weight(self, hangul_share: float) -> float:
        """Return how much vectors count for a question of which so large a share is Hangul."""
        return hangul_share * self.ko + (1 - hangul_share) * self.en

    def knows(self, hangul_share: float) -> tuple[float, float]:
        """Return slope and shift for a question of which so large a share is Hangul."""
        slope, shift = (hangul_share * ko + (1 - hangul_share) * en for ko, en in zip(self.ko_knows, self.en_knows, strict=True))
        return slope, shift


def known_of(model: str) -> Known:
    """Return what is known of a model such as `ollama:all-minilm`; for one that nobody measured, what does no harm."""
    provider, _, name = model.partition(":")
    table = _table()
    known = Known(**table[""] | table[max((part for part in table if part in name.lower()), key=len)])
    return replace(known, usd=0.0) if provider in _OF_ONES_OWN else known


def beginning(model: str, text: str) -> str:
    """Return as much of a text as a model takes. Of OpenAI's a token is a byte at least, so what has no more bytes has no more tokens."""
    most = known_of(model).most_bytes
    return text.encode()[:most].decode(errors="ignore") if most else text


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_KNOWN.read_text("utf-8"))


class Embedder:
    """Embeds with the models it is asked for, each loaded at its first use. One for each event loop: it keeps connections open."""

    def __init__(self, settings: Settings) -> None:
        self.wanted = settings.embedding_model
        self._settings = settings
        self._loaded: dict[str, Embeddings] = {}
        self._loading = asyncio.Lock()
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http:
            await self._http.aclose()

    async def load(self) -> None:
        """Load the model that is wanted, which takes seconds. One that cannot be loaded says so when it is asked."""
        with contextlib.suppress(NodError):
            if self.wanted:
                await self._embeddings(self.wanted)

    async def question(self, model: str, text: str) -> Vectors:
        """Return the vector of a question, of length 1; of one that is too long that of its beginning. Raises EmbeddingError."""
        return (await self._called(model, _one(beginning(model, text))))[0]

    async def passages(self, model: str, texts: Sequence[str]) -> list[Vectors | None]:
        """Return the vector of each text, of length 1; of one that is too long or refused that of its beginning, or None.

        Raises EmbeddingError.
        """
        texts = [beginning(model, text) for text in texts]
        try:
            return list(await self._called(model, _many(texts)))
        except EmbeddingError as error:
            if error.kind != "refused" or texts == [_OPEN_TO_ALL]:
                raise
        await self.passages(model, [_OPEN_TO_ALL])  # else it is the model that is wrong, not a text
        return [await self._of_one(model, text) for text in texts]

    async def _of_one(self, model: str, text: str) -> Vectors | None:
        while True:
            try:
                return (await self._called(model, _many([text])))[0]
            except EmbeddingError as error:
                if error.kind != "refused":
                    raise
            if len(text) < 2 * SHORTEST:
                return None
            text = text[: len(text) // 2]

    async def _called(self, model: str, call: "Call") -> Vectors:
        try:
            embeddings = await self._embeddings(model)
            async with asyncio.timeout(CALL_SECONDS):
                found = np.asarray(await call(embeddings), np.float32)
        except NodError as error:
            raise EmbeddingError(str(error), "config") from error
        except Exception as error:  # each provider has its own tree
            raise EmbeddingError(f"{type(error).__name__}: {str(error)[:300]}", _kind_of(error)) from error
        lengths = np.linalg.norm(found, axis=-1, keepdims=True) if found.ndim == 2 else np.zeros(1)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EmbeddingError(f"{model} gave no vectors", "down")
        return (found / lengths).astype(np.float32)

    async def _embeddings(self, model: str) -> "Embeddings":
        async with self._loading:
            if model not in self._loaded:
                self._http = self._http or httpx.AsyncClient(timeout=CALL_SECONDS)
                self._loaded[model] = await asyncio.to_thread(_embeddings, self._settings, model, self._http)  # seconds of imports
            return self._loaded[model]


Call = Callable[["Embeddings"], Awaitable[list[list[float]]]]


def _many(texts: Sequence[str]) -> Call:
    async def call(embeddings: "Embeddings") -> list[list[float]]:
        return await embeddings.aembed_documents(await asyncio.to_thread(lambda: [_fitting(embeddings, text) for text in texts]))

    return call


def _one(text: str) -> Call:
    async def call(embeddings: "Embeddings") -> list[list[float]]:
        return [await embeddings.aembed_query(_fitting(embeddings, text))]  # some models embed questions in another way than passages

    return call


def _fitting(embeddings: "Embeddings", text: str) -> str:
    """Return as much of a text as a model of sentence-transformers takes, by its own tokeniser; of any other model all of it.

    It is called just as sentence-transformers calls it: a fast one that is told something else while another thread uses it fails.
    """
    model: Any = getattr(embeddings, "_client", None)  # of langchain-huggingface
    most, tokenizer = getattr(model, "max_seq_length", None), getattr(model, "tokenizer", None)
    if not most or most > _ENDLESS or not getattr(tokenizer, "is_fast", False):  # the few slow ones tell no places, and leave out the rest
        return text
    while len(places := _places(tokenizer, text, most)) >= most:  # it may be longer: a letter can be several tokens, so no end tells
        text = text[: max(start for start, _ in places)]  # and once more: cut within a word it may have a token more
    return text


def _places(tokenizer: Any, text: str, most: int) -> list[tuple[int, int]]:
    """Return where in a text the tokens stand that a model is given of it."""
    said = text.replace("\n", " ")  # as langchain-huggingface does
    return tokenizer(said, padding=True, truncation="longest_first", max_length=most, return_offsets_mapping=True)["offset_mapping"]


def _embeddings(settings: Settings, model: str, http: httpx.AsyncClient) -> "Embeddings":
    """Return a LangChain embedding. Raises ConfigError."""
    from langchain.embeddings import init_embeddings

    provider, colon, name = model.partition(":")
    if not colon or not provider or not name:
        raise ConfigError(_say("wrong_name", model=model))
    if provider == "openai" and not settings.has_model:
        raise ConfigError(_say("no_key", model=model))
    try:
        return init_embeddings(model, **_options(settings, http) if provider == "openai" else {})
    except ImportError as error:
        missing = getattr(error.__cause__, "name", None) or provider
        package = str(missing).partition(".")[0].replace("_", "-")
        raise ConfigError(_say("no_package", model=model, package=package)) from None
    except ValueError:
        raise ConfigError(_say("wrong_name", model=model)) from None


def _options(settings: Settings, http: httpx.AsyncClient) -> dict[str, Any]:
    """Return what OpenAI's client is told. Texts are sent as they are: counting tokens first would fetch a tokeniser from the internet."""
    key: Any = settings.openai_api_key or "not-needed"
    own = {"model_kwargs": {"encoding_format": "float"}} if settings.openai_base_url else {}  # not every server of one's own knows base64
    return {
        "api_key": key, "base_url": settings.openai_base_url, "check_embedding_ctx_length": False, "chunk_size": AT_ONCE, "max_retries": 0,
        "http_async_client": http, **own,
    }  # fmt: skip


def _kind_of(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return "slow"
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return _BY_STATUS.get(status or 0, "down")


def _say(key: str, **values: object) -> str:
    return PHRASES.say(f"embedding.{key}", terminal_language(), **values)
