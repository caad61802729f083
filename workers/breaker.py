"""The circuit breaker of one model of one provider: after failures in a row it is left alone, and tried now and then."""

import time
from collections.abc import Callable

from nod.logs import log

MOST_FAILURES = 5
PROBE_SECONDS = 30.0

_log = log(__name__)


class Breaker:
    """Whether a model is asked just now: no more after five failures in a row, then by one call every 30 s until one is answered.

    Only failures count which mean that the provider is down. Each process knows its own: one that begins anew tries anew.
    """

    def __init__(self, model: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.kind = "model_down"  # of the last failure
        self._model = model
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether the model is asked as usual."""
        return self._failures < MOST_FAILURES

    def lets_through(self) -> bool:
        """Return whether the model may be asked now. While it is left alone, yes means that this call is the one which tries."""
        if self.is_closed:
            return True
        if self._clock() < self._probe_at:
            return False
        self._probe_at = self._clock() + PROBE_SECONDS
        return True

    def failed(self, kind: str) -> None:
        """Count a failure."""
        self.kind = kind
        self._failures += 1
        if self._failures == MOST_FAILURES:
            self._probe_at = self._clock() + PROBE_SECONDS
            _log.warning("model is left alone: it failed over and over", model=self._model, kind=kind)

    def answered(self) -> None:
        """Note that the provider is there, whatever it said."""
        if not self.is_closed:
            _log.info("model answers again", model=self._model)
        self._failures = 0
