"""Every provider's language model, named as LangChain names it: `openai:gpt-4o`, `anthropic:…`, `ollama:…`."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nod.errors import ConfigError
from nod.settings import Settings

if TYPE_CHECKING:  # quoting does without LangChain and its three seconds of imports
    from langchain_core.language_models import BaseChatModel
    from openai import AsyncOpenAI

# Which package brings a provider (LangChain's own names).
PACKAGES = {
    "openai": "langchain-openai", "anthropic": "langchain-anthropic", "google_genai": "langchain-google-genai", "xai": "langchain-xai",
    "ollama": "langchain-ollama", "mistralai": "langchain-mistralai", "groq": "langchain-groq", "deepseek": "langchain-deepseek",
    "bedrock": "langchain-aws", "naver": "langchain-naver",
}  # fmt: skip


@contextlib.asynccontextmanager
async def models_from(settings: Settings) -> AsyncGenerator[list[tuple[str, "BaseChatModel"]]]:
    """Give the model that NOD_MODEL names and those of NOD_FALLBACK_MODELS, in this order, each with its name. Raises ConfigError.

    They connect at their first use. Without a key or an address of a server there is none of openai's.
    """
    named = [("NOD_MODEL", settings.model), *(("NOD_FALLBACK_MODELS", name) for name in settings.fallback_models)]
    async with _models(settings, named) as models:
        yield models


@contextlib.asynccontextmanager
async def light_model_from(settings: Settings) -> AsyncGenerator["tuple[str, BaseChatModel] | None"]:
    """Give the model that NOD_LIGHT_MODEL names, with its name; None when it names none. Raises ConfigError."""
    named = [("NOD_LIGHT_MODEL", settings.light_model)] if settings.light_model else []
    async with _models(settings, named) as models:
        yield models[0] if models else None


@contextlib.asynccontextmanager
async def _models(settings: Settings, named: Sequence[tuple[str, str]]) -> AsyncGenerator[list[tuple[str, "BaseChatModel"]]]:
    """Give models by the setting that names each."""
    async with contextlib.AsyncExitStack() as stack:
        client: Any = None
        models: list[tuple[str, BaseChatModel]] = []
        for setting, model in named:
            provider, name = _provider_and_name(setting, model)
            if provider != "openai":
                models.append((model, _of_other_provider(setting, provider, name)))
            elif settings.has_model:
                client = client or await stack.enter_async_context(_http_client())
                models.append((model, _openai(settings, name, client)))
        yield models


def _http_client() -> Any:
    from openai import DefaultAioHttpClient  # half of the CPU of the default one, per token

    return DefaultAioHttpClient(timeout=60.0)


def _of_other_provider(setting: str, provider: str, name: str) -> "BaseChatModel":
    package = PACKAGES.get(provider)
    said = f"{setting} is '{provider}:{name}'"
    if package is None:
        raise ConfigError(f"{said}, but no provider is called {provider!r}; use one of {', '.join(PACKAGES)}.")
    if find_spec(package.replace("-", "_")) is None:
        raise ConfigError(
            f"{said}, which needs the package {package}. "
            f"Install it with: .venv/bin/uv pip install {package}   (or name a model of openai: …)"
        )
    from langchain.chat_models import init_chat_model

    return init_chat_model(name, model_provider=provider)


def _provider_and_name(setting: str, model: str) -> tuple[str, str]:
    provider, colon, name = model.partition(":")
    if not colon or not provider or not name:
        raise ConfigError(f"{setting} is {model!r}; name the provider and the model, such as openai:gpt-4o")
    return provider, name


def _openai(settings: Settings, name: str, client: Any) -> "BaseChatModel":
    """Return a model behind OpenAI's chat completions, or a server that speaks them (vLLM, Ollama, LiteLLM).

    One HTTP client serves all answers. Retries are nod's own (workers/faults.py), so the client makes none.
    """
    from langchain_openai import ChatOpenAI

    key: Any = settings.openai_api_key or "not-needed"  # a server of one's own often wants none, the client wants one
    model = ChatOpenAI(
        model=name, api_key=key, base_url=settings.openai_base_url, max_retries=0, stream_usage=True, use_responses_api=False,
        stream_chunk_timeout=None, http_async_client=client,
    )  # fmt: skip
    model.async_client = _PlainChunks(model.root_async_client)
    return model


class _PlainChunks:
    """Chat completions whose streamed chunks stay plain dicts, as the wire has them.

    The client would make typed objects of each, which LangChain turns into dicts again: half of the CPU of an answer.
    `AsyncOpenAI.post` is the client's documented way for calls it has no types for.
    """

    def __init__(self, client: "AsyncOpenAI") -> None:
        self._client = client

    @property
    def with_raw_response(self) -> Any:
        """What LangChain calls for an answer that is not streamed: the client's own."""
        return self._client.chat.completions.with_raw_response

    async def create(self, **payload: Any) -> Any:
        """Return a stream of chunks (or, not streamed, the typed completion)."""
        from openai import AsyncStream

        if not payload.get("stream"):
            return await self._client.chat.completions.create(**payload)
        return await self._client.post("/chat/completions", body=payload, cast_to=object, stream=True, stream_cls=AsyncStream[object])
