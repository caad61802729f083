"""What Prometheus reads: figures computed from the record when it asks, so that no process has to count while it works."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from nod.connect import Alone
from nod.dead import IS_DEAD
from nod.heartbeat import DEAD_SECONDS
from nod.schema import PLATFORMS

if TYPE_CHECKING:
    from prometheus_client import Metric

FIRST_TEXT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 600.0)
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

# Before `settled_at` no answer is open, and none can be accepted any more: what is counted there will not change.
_NOW = f"""
    WITH open AS (SELECT status, accepted_at FROM answers WHERE status IN ('waiting', 'running')),
         alive AS (SELECT * FROM processes WHERE seen_at > now() - make_interval(secs => {DEAD_SECONDS}))
    SELECT (SELECT count(*) FROM open WHERE status = 'waiting') AS waiting, (SELECT count(*) FROM open WHERE status = 'running') AS running,
           (SELECT coalesce(extract(epoch FROM now() - min(accepted_at)), 0)::float8 FROM open WHERE status = 'waiting')
             AS oldest_waiting_seconds,
           (SELECT count(*) FROM answers a WHERE {IS_DEAD}) AS dead_letters,
           (SELECT count(*) FROM attempts WHERE outcome = 'taken') AS takeovers,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('role', role, 'host', host, 'pid', pid::text, 'detail', detail)), '[]')
              FROM alive) AS processes,
           least(now() - interval '5 minutes', (SELECT min(accepted_at) FROM open)) AS settled_at"""  # noqa: S608  # our own condition

_BUCKETS = ", ".join(f"count(*) FILTER (WHERE seconds <= {limit})" for limit in FIRST_TEXT_SECONDS)
_COUNTS = f"""
    SELECT accepted_at < :settled_at AS is_settled, platform, status, coalesce(error, 'internal') AS error, coalesce(model, '') AS model,
           count(*) FILTER (WHERE is_first) AS questions, count(*) AS answers, coalesce(sum(tokens_in), 0)::bigint AS tokens_in,
           coalesce(sum(tokens_out), 0)::bigint AS tokens_out, coalesce(sum(cost_usd), 0)::float8 AS dollars,
           count(seconds) AS timed, coalesce(sum(seconds), 0)::float8 AS seconds, ARRAY[{_BUCKETS}] AS buckets
      FROM (SELECT a.*, NOT EXISTS (SELECT 1 FROM answers o WHERE o.question_id = a.question_id AND o.version < a.version) AS is_first,
                   CASE status WHEN 'answered'
                   THEN greatest(extract(epoch FROM coalesce(first_token_at, answered_at) - accepted_at), 0) END AS seconds
              FROM answers a WHERE accepted_at >= :since) counted
     GROUP BY 1, 2, 3, 4, 5"""  # noqa: S608  # our own numbers

_GAUGES = {
    "waiting": "Answers that wait to be claimed.",
    "running": "Answers that are being written.",
    "oldest_waiting_seconds": "Age of the oldest answer that waits to be claimed.",
    "dead_letters": "Questions given up after three strikes that nobody has asked anew or closed.",
}
_OF_PROCESSES = {  # counted by the bots, written with their heartbeat
    "rate_limited": "Calls that a platform refused because there were too many (429).",
    "dropped_edits": "Growths of an answer that were left out to stay within a platform's limits.",
}

_Key = tuple[str, ...]  # a figure's name, then its labels


@dataclass(frozen=True, slots=True)
class _Settled:
    """What was counted once and for all: everything that was accepted before a time."""

    before: datetime
    counts: Counter[_Key]


class Metrics:
    """The figures of one installation. Answers that are over are counted once; the later ones at each scrape, in two statements."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._alone = Alone(engine)
        self._settled = _Settled(_BEGINNING, Counter())

    async def exposition(self) -> tuple[bytes, str]:
        """Return the figures as Prometheus reads them, with the media type."""
        from prometheus_client import CollectorRegistry, exposition  # only where it is asked for

        families = list(await self.families())
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collected(families))  # pyright: ignore[reportArgumentType]  # a collector is whatever can `collect`
        return exposition.generate_latest(registry), exposition.CONTENT_TYPE_LATEST

    async def families(self) -> "Iterable[Metric]":
        """Return the figures as metric families."""
        settled = self._settled
        now = (await self._alone.row(_NOW))._asdict()
        rows = [row._asdict() for row in await self._alone.rows(_COUNTS, since=settled.before, settled_at=now["settled_at"])]
        over = settled.counts + _counts(row for row in rows if row["is_settled"])
        if self._settled is settled:  # no other scrape was quicker
            self._settled = _Settled(max(settled.before, now["settled_at"]), over)
        return _families(over + _counts(row for row in rows if not row["is_settled"]), now)


@dataclass(frozen=True, slots=True, eq=False)
class _Collected:
    """Metric families as a registry wants them."""

    families: "list[Metric]"

    def collect(self) -> "Iterator[Metric]":
        return iter(self.families)


def _counts(rows: Iterable[RowMapping]) -> Counter[_Key]:
    found: Counter[_Key] = Counter()
    for row in rows:
        platform, model = row["platform"], row["model"]
        found["questions", platform] += row["questions"]
        if row["status"] == "failed":
            found["apologised", platform, row["error"]] += row["answers"]
        else:
            found[row["status"], platform] += row["answers"]
        for direction in ("in", "out"):
            found["tokens", model, direction] += row[f"tokens_{direction}"]
        found["dollars", model] += row["dollars"]
        found["timed", platform] += row["timed"]
        found["seconds", platform] += row["seconds"]
        for limit, count in zip(FIRST_TEXT_SECONDS, row["buckets"], strict=True):
            found["bucket", platform, str(limit)] += count
    return found


def _families(counts: Counter[_Key], now: RowMapping) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    def counter(name: str, about: str, labels: tuple[str, ...], key: str, known: Iterable[_Key] = ()) -> "Metric":
        family = CounterMetricFamily(f"nod_{name}", about, labels=labels)
        found = {labelled[1:]: value for labelled, value in counts.items() if labelled[0] == key}
        for values, value in sorted({**dict.fromkeys(known, 0), **found}.items()):
            family.add_metric(values, value)
        return family

    each_platform = [(platform,) for platform in PLATFORMS]
    yield counter("questions", "Questions accepted.", ("platform",), "questions", each_platform)
    yield counter("answered", "Answers given.", ("platform",), "answered", each_platform)
    yield counter("apologised", "Answers that ended in an apology.", ("platform", "reason"), "apologised")
    yield counter("withdrawn", "Answers withdrawn before a word was said.", ("platform",), "withdrawn", each_platform)
    yield counter("tokens", "Tokens of language models.", ("model", "direction"), "tokens")
    yield counter("cost_dollars", "Cost of language models in US dollars, as far as prices are known.", ("model",), "dollars")
    first = HistogramMetricFamily(
        "nod_first_text_seconds", "From accepting a question to the first text of its answer.", labels=["platform"]
    )
    for (platform,) in each_platform:
        buckets = [(str(limit), counts["bucket", platform, str(limit)]) for limit in FIRST_TEXT_SECONDS]
        first.add_metric([platform], [*buckets, ("+Inf", counts["timed", platform])], counts["seconds", platform])
    yield first
    yield CounterMetricFamily("nod_takeovers", "Answers taken from a process that had died.", now["takeovers"])
    for name, about in _GAUGES.items():
        yield GaugeMetricFamily(f"nod_{name}", about, now[name])
    for name, about in _OF_PROCESSES.items():
        family = CounterMetricFamily(f"nod_{name}", about, labels=("role", "host", "pid"))
        for process in now["processes"]:
            if name in (counted := process["detail"].get("counts", {})):
                family.add_metric([process["role"], process["host"], process["pid"]], counted[name])
        yield family
    alive = GaugeMetricFamily("nod_processes", "Processes that were heard within the last seconds.", labels=("role",))
    for role, count in sorted(Counter(process["role"] for process in now["processes"]).items()):
        alive.add_metric([role], count)
    yield alive
