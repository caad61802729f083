"""What a process counts of itself. Its heartbeat takes the figures along to the record, where `GET /metrics` finds them.

One counter per process, as Prometheus' own clients have it: what is counted is seen deep in the calls of a platform.
"""

from collections import Counter

_counted: Counter[str] = Counter()


def count(name: str) -> None:
    """Count one more of `rate_limited` or `dropped_edits` (bot/web/metrics.py tells what they are)."""
    _counted[name] += 1


def counted() -> dict[str, int]:
    """Return what this process has counted so far."""
    return dict(_counted)
