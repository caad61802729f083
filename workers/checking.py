"""Whether the language model answers: one short real call, for `nod doctor` and `nod setup model`."""

import time
from collections.abc import Sequence
from pathlib import Path

from nod.doctor import CHECK_SECONDS, Finding
from nod.errors import ModelError
from nod.language import Language, Phrases
from nod.settings import Settings
from nod.setup import Step, WrongValueError

_PHRASES = Phrases(Path(__file__).parent / "phrases")


async def model(settings: Settings, language: Language) -> Finding:
    """Return whether the model that is set answers."""
    if not settings.has_model and settings.model.startswith("openai:"):
        return Finding("model", "off", _PHRASES.say("model.none", language), ".venv/bin/nod setup model")
    try:
        seconds = await _answered(settings)
    except ModelError as error:
        return Finding("model", "broken", _sentence(error, settings, language), ".venv/bin/nod setup model")
    return Finding("model", "ok", _PHRASES.say("model.answered", language, model=settings.model, seconds=f"{seconds:.1f}"))


async def _answered(settings: Settings) -> float:
    """Return how long a short call takes, in seconds. Raises ModelError."""
    from workers.faults import fault_from
    from workers.models import model_from

    began = time.monotonic()
    async with model_from(settings) as language_model:
        assert language_model is not None
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
        chosen = settings.model_copy(update={"model": value})
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
