"""Prometheus metrics: plain sums while requests run, put into Prometheus' form where somebody looks.

The loop alone counts, so no lock is needed; the library's own counters take one for each addition.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
BOUNDS = (*map(str, map(float, _SECONDS)), "+Inf")


class _Timer:
    """How many requests took how long, by upper bounds, and all their seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts, self.total = [0] * len(BOUNDS), 0.0


class ResidentCounts(Protocol):
    """The resident workers of a sandbox."""

    recycled: Counter[str]

    def __len__(self) -> int:
        """Return how many there are."""
        ...


class Metrics(Collector):
    """The gateway's metrics, in a registry of their own.

    Attributes:
        in_flight: requests that are now at work.
        unwritten: requests that are not in the store yet.
        residents: counts resident workers, or None.
    """

    def __init__(self) -> None:
        self.in_flight = self.unwritten = 0
        self.residents: ResidentCounts | None = None
        self._requests = Counter[tuple[str, str, int]]()
        self._timers: dict[str, _Timer] = {}
        self._tokens, self._costs = {"input": 0, "output": 0}, {"spent": 0.0, "saved": 0.0}
        self._unknown = {"spent": 0, "saved": 0}
        self._comparisons, self._moves = Counter[tuple[str, str]](), Counter[str]()
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def request(self, endpoint: str, tier: str, status: int, seconds: float) -> None:
        """Count a request that took some seconds."""
        self._requests[endpoint, tier, status] += 1
        timer = self._timers.get(tier)
        if timer is None:
            timer = self._timers[tier] = _Timer()
        timer.counts[bisect_left(_SECONDS, seconds)] += 1
        timer.total += seconds

    def spent(self, input_tokens: int, output_tokens: int, cost: float | None) -> None:
        """Count what the strong model used; an unknown cost is in no sum but counted as one."""
        self._tokens["input"] += input_tokens
        self._tokens["output"] += output_tokens
        if cost is None:
            self._unknown["spent"] += 1
        else:
            self._costs["spent"] += cost

    def saved(self, cost: float | None) -> None:
        """Count what a tool saved; Prometheus' counters never fall, so a loss counts as nothing."""
        if cost is None:
            self._unknown["saved"] += 1
        else:
            self._costs["saved"] += max(0.0, cost)

    def compared(self, kind: str, *, agreed: bool, moved: str | None) -> None:
        """Count a comparison, and the state that it led to."""
        self._comparisons[kind, "agreed" if agreed else "disagreed"] += 1
        if moved is not None:
            self._moves[moved] += 1

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        requests = CounterMetricFamily(
            "toolmint_requests",
            "Requests, by endpoint, tier and status.",
            labels=["endpoint", "tier", "status"],
        )
        for (endpoint, tier, status), count in self._requests.items():
            requests.add_metric([endpoint, tier, str(status)], count)
        yield requests
        yield self._seconds()
        yield _counted(
            "toolmint_upstream_tokens", "Tokens of the strong model.", "kind", self._tokens
        )
        words = "US dollars: spent, and saved by tools."
        yield _counted("toolmint_cost_usd", words, "kind", self._costs)
        words = "Requests whose cost or saving is unknown, so that it is in no sum."
        yield _counted("toolmint_cost_unknown", words, "kind", self._unknown)
        compared = CounterMetricFamily(
            "toolmint_comparisons",
            "Tools' answers compared with a stronger tier's.",
            labels=["kind", "result"],
        )
        for (kind, result), count in self._comparisons.items():
            compared.add_metric([kind, result], count)
        yield compared
        words = "Versions that moved, by their new state."
        yield _counted("toolmint_transitions", words, "state", self._moves)
        yield GaugeMetricFamily(
            "toolmint_requests_in_flight", "Requests now at work.", self.in_flight
        )
        yield GaugeMetricFamily(
            "toolmint_requests_unwritten", "Requests not yet written to the store.", self.unwritten
        )
        if self.residents is not None:
            words = "Processes that verified tools keep."
            yield GaugeMetricFamily("toolmint_resident_workers", words, len(self.residents))
            words = "Processes of tools that were replaced, by reason."
            yield _counted(
                "toolmint_resident_workers_replaced", words, "reason", self.residents.recycled
            )

    def _seconds(self) -> HistogramMetricFamily:
        found = HistogramMetricFamily(
            "toolmint_request_seconds", "Whole time of a request.", labels=["tier"]
        )
        for tier, timer in self._timers.items():
            buckets = list(zip(BOUNDS, accumulate(timer.counts), strict=True))
            found.add_metric([tier], buckets, timer.total)
        return found

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text form."""
        return generate_latest(self.registry)


def _counted(name: str, words: str, label: str, sums: dict[str, int] | dict[str, float]) -> Metric:
    found = CounterMetricFamily(name, words, labels=[label])
    for value, count in sums.items():
        found.add_metric([value], count)
    return found
