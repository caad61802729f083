"""Whether the language model answers: one short real call, for `nod doctor` and `nod setup model`."""

import contextlib
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from nod.doctor import CHECK_SECONDS, Finding
from nod.errors import ModelError
from nod.language import Language, Phrases
from nod.program import typed
from nod.settings import Settings
from nod.setup import Step, WrongValueError
from workers.spending import price_of

_PHRASES = Phrases(Path(__file__).parent / "phrases")
_OPENAI = "https://api.openai.com/v1"
_ANSWERS = (200, 401, 403)  # of a server that has models, to somebody without a key


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


async def _listed(address: str, key: str, language: Language) -> tuple[int, list[str] | None]:
    """Return the HTTP status with which a server answers when it is asked for its models, and their names; None for no such list.

    Raises WrongValueError when no server is there.
    """
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(timeout=CHECK_SECONDS / 2) as client:
            answer = await client.get(f"{address.rstrip('/')}/models", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise WrongValueError(_PHRASES.say("model.nobody", language, value=address)) from None
    try:
        return answer.status_code, [str(model["id"]) for model in answer.json()["data"]] if answer.is_success else []
    except (ValueError, KeyError, TypeError):  # a web page, or some other server's list
        return answer.status_code, None


async def _offered(settings: Settings, language: Language) -> list[str]:
    """Return the models that a compatible server lists, embeddings last. OpenAI's own are a hundred, most of them not for chat."""
    address, key = settings.openai_base_url, settings.openai_api_key
    if not address or address.rstrip("/") == _OPENAI:
        return []
    with contextlib.suppress(WrongValueError):  # it has just gone: the model's own call says so
        _, names = await _listed(address, key.get_secret_value() if key else "", language)
        return [f"openai:{name}" for name in sorted(names or (), key=lambda name: ("embed" in name, name))]
    return []


def _sentence(error: ModelError, settings: Settings, language: Language) -> str:
    return _PHRASES.say(f"model.error.{error.kind}", language, model=settings.model)


def steps(settings: Settings, language: Language) -> Sequence[Step]:
    """Return how to connect a model: where it is, the key, its name; the last step is a real call."""
    here = settings.openai_base_url or _OPENAI

    async def base_url(_: Settings, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise WrongValueError(_PHRASES.say("model.wrong_url", language, value=value))
        status, names = await _listed(value, "", language)
        return value if status in _ANSWERS and names is not None else _PHRASES.say("model.no_list", language, value=value, status=status)

    async def key(_: Settings, value: str) -> str:
        if not value.isascii() or " " in value:
            raise WrongValueError(_PHRASES.say("model.wrong_key", language))
        status, _names = await _listed(here, value, language)
        if status == 401:
            raise WrongValueError(_PHRASES.say("model.error.bad_key", language))
        return _PHRASES.say("model.accepted" if status == 200 else "model.untested", language)

    async def name(settings: Settings, value: str) -> str:
        if ":" not in value:
            raise WrongValueError(_PHRASES.say("model.wrong_name", language, value=value))
        chosen = settings.model_copy(update={"model": value, "fallback_models": ()})
        try:
            seconds = await _answered(chosen)
        except ModelError as error:
            raise WrongValueError(_sentence(error, chosen, language)) from None
        return _PHRASES.say("model.answered", language, model=value, seconds=f"{seconds:.1f}")

    offer = partial(_offered, language=language)
    return (
        Step(_PHRASES.say("model.step_url", language), base_url, "OPENAI_BASE_URL", is_secret=False, default=here),
        Step(_PHRASES.say("model.step_key", language), key, "OPENAI_API_KEY"),
        Step(_PHRASES.say("model.step_name", language), name, "NOD_MODEL", is_secret=False, default=settings.model, offer=offer),
    )
