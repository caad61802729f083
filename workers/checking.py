"""Whether the language model answers: one short real call, for `nod doctor` and `nod setup model`."""

import time
from collections.abc import Sequence
from pathlib import Path

from nod.doctor import CHECK_SECONDS, Finding
from nod.errors import ModelError
from nod.language import Language, Phrases
from nod.program import typed
from nod.settings import Settings
from nod.setup import Step, WrongValueError
from workers.spending import price_of

_PHRASES = Phrases(Path(__file__).parent / "phrases")


async def model(settings: Settings, language: Language) -> Finding:
    """Return whether the models that are set answer."""
    named = (settings.model, *settings.fallback_models, *([settings.light_model] if settings.light_model else []))
    names = [name for name in named if settings.has_model or not name.startswith("openai:")]
    if not names:
        return Finding("model", "off", _PHRASES.say("model.none", language), f"{typed()} setup model")
    said: list[str] = []
    for name in names:
        one = settings.model_copy(update={"model": name, "fallback_models": ()})
        try:
            seconds = await _answered(one)
        except ModelError as error:
            return Finding("model", "broken", _sentence(error, one, language), f"{typed()} setup model")
        said.append(_PHRASES.say("model.answered", language, model=name, seconds=f"{seconds:.1f}"))
    return Finding("model", "ok", " · ".join([*said, *_limit(names, settings, language)]))


def _limit(names: Sequence[str], settings: Settings, language: Language) -> list[str]:
    """Return what a day may cost at most, or that this cannot be known."""
    if not settings.daily_limit_usd:
        return []
    if unknown := [name for name in names if price_of(name) is None]:
        return [_PHRASES.say("model.no_price", language, model=unknown[0])]
    return [_PHRASES.say("model.at_most", language, usd=f"{settings.daily_limit_usd:.2f}")]


async def _answered(settings: Settings) -> float:
    """Return how long a short call takes, in seconds. Raises ModelError."""
    from workers.faults import fault_from
    from workers.models import models_from

    began = time.monotonic()
    async with models_from(settings) as [(_, language_model)]:
        try:
            async for _ in language_model.astream("Answer with the word OK."):  # streamed, as every answer is
                pass
        except Exception as error:  # each provider has its own tree; fault_from tells them apart
            raise fault_from(error, has_said=False) from error
    return time.monotonic() - began


async def _is_refused(settings: Settings, key: str) -> bool:
    """Return whether the server refuses a key; one that does not say so, or lists no models, is tried with the model."""
    from openai import AsyncOpenAI, AuthenticationError, OpenAIError

    async with AsyncOpenAI(api_key=key, base_url=settings.openai_base_url, max_retries=0, timeout=CHECK_SECONDS / 2) as client:
        try:
            await client.models.list()
        except AuthenticationError:
            return True
        except OpenAIError:
            return False
    return False


def _sentence(error: ModelError, settings: Settings, language: Language) -> str:
    return _PHRASES.say(f"model.error.{error.kind}", language, model=settings.model)


def steps(settings: Settings, language: Language) -> Sequence[Step]:
    """Return how to connect a model: where it is, the key, its name; the last step is a real call."""

    async def base_url(_: Settings, value: str) -> str:
        if value not in ("", "-") and not value.startswith(("http://", "https://")):
            raise WrongValueError(_PHRASES.say("model.wrong_url", language, value=value))
        return value

    async def key(settings: Settings, value: str) -> str:
        if not value.isascii() or " " in value:
            raise WrongValueError(_PHRASES.say("model.wrong_key", language))
        if await _is_refused(settings, value):
            raise WrongValueError(_PHRASES.say("model.error.bad_key", language))
        return _PHRASES.say("model.kept", language)

    async def name(settings: Settings, value: str) -> str:
        if ":" not in value:
            raise WrongValueError(_PHRASES.say("model.wrong_name", language, value=value))
        chosen = settings.model_copy(update={"model": value, "fallback_models": ()})
        try:
            seconds = await _answered(chosen)
        except ModelError as error:
            raise WrongValueError(_sentence(error, chosen, language)) from None
        return _PHRASES.say("model.answered", language, model=value, seconds=f"{seconds:.1f}")

    here = settings.openai_base_url or "https://api.openai.com/v1"
    return (
        Step(_PHRASES.say("model.step_url", language), base_url, "OPENAI_BASE_URL", is_secret=False, default=here),
        Step(_PHRASES.say("model.step_key", language), key, "OPENAI_API_KEY"),
        Step(_PHRASES.say("model.step_name", language), name, "NOD_MODEL", is_secret=False, default=settings.model),
    )
