"""What can go wrong with a language model, told apart: which sentence people read, whether trying again helps, and for how long."""

import asyncio
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from nod.errors import ModelError

# What trying again a moment later may cure; everything else is told at once.
PASSING = frozenset({"rate_limited", "overloaded", "model_down", "timeout"})
DOWN = PASSING - {"rate_limited"}  # and what means that the provider is down, when it is passing
_BY_STATUS = {
    401: "bad_key", 402: "no_quota", 403: "forbidden", 404: "no_model", 408: "timeout", 413: "too_long",
    429: "rate_limited", 503: "overloaded", 504: "timeout", 529: "overloaded",
}  # fmt: skip
_BY_CODE = {
    "insufficient_quota": "no_quota", "billing_hard_limit_reached": "no_quota", "context_length_exceeded": "too_long",
    "content_filter": "filtered", "content_policy_violation": "filtered", "model_not_found": "no_model", "invalid_api_key": "bad_key",
}  # fmt: skip
_TOO_LONG = ("context length", "context_length", "context window", "prompt is too long", "maximum context", "input tokens exceed")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long nod waits for a model. Together they end an answer with trouble within 60 s, and any answer within 120 s."""

    first_token_seconds: float = 50.0  # a reasoning model thinks, a local one loads
    between_seconds: float = 20.0  # a silence in mid-answer that is as good as the end
    retry_seconds: float = 30.0  # after the beginning of the first call that failed, no other begins later than this
    trouble_seconds: float = 55.0  # and none lasts longer without a word
    handover_seconds: float = 5.0  # instead of `retry_seconds` while another model stands ready
    backoff_seconds: float = 1.0  # before the second try; doubled each time
    note_seconds: float = 15.0  # without a word, after which people are told that the work goes on
    answer_seconds: float = 117.0  # one attempt, search and all; what is left of two minutes is for committing it

    def first_token(self, now: float, trouble_since: float | None, models: int = 1) -> float:
        """Return how long a call that begins now may take for its first word, when so many models share the time that is left."""
        left = self.trouble_seconds if trouble_since is None else trouble_since + self.trouble_seconds - now
        return max(0.0, min(self.first_token_seconds, left / models))

    def wait_before_retry(self, error: ModelError, tried: int) -> float:
        """Return how long to wait before trying again: what the provider asked for, else twice as long each time, never in step."""
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds
        return self.backoff_seconds * 2 ** (tried - 1) * random.uniform(0.75, 1.25)


def fault_from(error: Exception, *, has_said: bool) -> ModelError:
    """Return a provider's exception as a ModelError. `has_said`: some of this call's text had come, which cannot be taken back."""
    if isinstance(error, ModelError):
        return error
    kind = _kind_of(error)
    if has_said and kind != "filtered":
        kind = "cut"
    return ModelError(f"{type(error).__name__}: {str(error)[:300]}", kind, _retry_after(error))


def _kind_of(error: Exception) -> str:
    status, body = getattr(error, "status_code", None), _body_of(error)
    if status is None and _is_timeout(error):
        return "timeout"
    said = f"{error} {body}".lower()
    if kind := next((kind for code, kind in _BY_CODE.items() if code == body.get("code")), None):
        return kind
    if status in (None, 400, 422) and any(words in said for words in _TOO_LONG):
        return "too_long"
    if status == 400 and "content_filter" in said:
        return "filtered"
    return _BY_STATUS.get(status or 0, "model_down")


def _is_timeout(error: BaseException) -> bool:
    """Return whether time ran out. Only the first cause tells: the client also calls a refused connection a time-out."""
    while cause := error.__cause__:
        error = cause
    return isinstance(error, TimeoutError | asyncio.CancelledError) or "Timeout" in type(error).__name__


def is_passing(error: Exception, fault: ModelError) -> bool:
    """Return whether trying again may help. What the provider calls our mistake (4xx) stays one."""
    status = getattr(error, "status_code", None)
    return fault.kind in PASSING and (status is None or status in (408, 409, 425, 429) or status >= 500)


def _body_of(error: Exception) -> dict[str, Any]:
    body: Any = getattr(error, "body", None)
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return {}
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    return body if isinstance(body, dict) else {}


def _retry_after(error: Exception) -> float | None:
    """Return what `Retry-After` says (seconds or a date; `retry-after-ms` is finer)."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, "")) / unit)
        except ValueError:
            continue
    try:
        return max(0.0, (parsedate_to_datetime(headers["retry-after"]) - datetime.now(UTC)).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None
