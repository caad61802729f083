"""The one error tree. `str(error)` is a sentence: what happened, to which thing, what to do next.

The sentence is for terminals, logs and admins. People in chat see a phrase in their language, chosen by `kind`.
"""


class NodError(Exception):
    """Anything nod can say clearly; every other exception is a bug."""

    kind: str = "internal"


class ConfigError(NodError):
    """A setting, file or address which nod cannot start with."""

    kind = "config"


class NotFoundError(NodError):
    """The thing that was named does not exist (or is not yours to see)."""

    kind = "not_found"


class UnavailableError(NodError):
    """A server which nod depends on does not answer; trying again later is right."""

    kind = "unavailable"


class LoadError(NodError):
    """A document that cannot be read; `kind` names why, and the rest of the batch goes on."""

    def __init__(self, message: str, kind: str = "unreadable") -> None:
        super().__init__(message)
        self.kind = kind


class ModelError(NodError):
    """The language model did not answer; `kind` chooses the sentence people see.

    Kinds: bad_key, forbidden, no_model, rate_limited, no_quota, overloaded, model_down, timeout, cut, empty, filtered, too_long.
    """

    def __init__(self, message: str, kind: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; the name of its class where it says nothing, as a time-out does."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
