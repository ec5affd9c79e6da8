"""Prometheus metrics, their children kept, so that a request costs a few additions."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Meters:
    """The gateway's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "toolwright_requests", "Requests, by endpoint, tier and status.",
            ["endpoint", "tier", "status"], registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "toolwright_request_seconds", "Whole time of a request.", ["tier"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        tokens = Counter(
            "toolwright_upstream_tokens", "Tokens of the strong model.", ["kind"],
            registry=self.registry,
        )  # fmt: skip
        cost = Counter(
            "toolwright_cost_usd", "US dollars: spent, and saved by tools.", ["kind"],
            registry=self.registry,
        )  # fmt: skip
        self._input, self._output = tokens.labels("input"), tokens.labels("output")
        self._spent, self._saved = cost.labels("spent"), cost.labels("saved")
        self.in_flight = Gauge(
            "toolwright_requests_in_flight", "Requests now at work.", registry=self.registry
        )
        self._comparisons = Counter(
            "toolwright_comparisons", "Tools' answers compared with a stronger tier's.",
            ["kind", "result"], registry=self.registry,
        )  # fmt: skip
        self._moves = Counter(
            "toolwright_transitions", "Versions that moved, by their new state.", ["state"],
            registry=self.registry,
        )  # fmt: skip
        self.unwritten = Gauge(
            "toolwright_journal_waiting", "Requests not yet written to the store.",
            registry=self.registry,
        )  # fmt: skip
        self._children: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def request(self, endpoint: str, tier: str, status: int, seconds: float) -> None:
        """Count a request that took some seconds."""
        key = (endpoint, tier, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(endpoint, tier, str(status))
        child.inc()
        timer = self._timers.get(tier)
        if timer is None:
            timer = self._timers[tier] = self._seconds.labels(tier)
        timer.observe(seconds)

    def spent(self, input_tokens: int, output_tokens: int, cost: float | None) -> None:
        """Count what the strong model used."""
        self._input.inc(input_tokens)
        self._output.inc(output_tokens)
        if cost is not None:
            self._spent.inc(cost)

    def saved(self, cost: float | None) -> None:
        """Count what a tool saved."""
        if cost is not None:
            self._saved.inc(cost)

    def compared(self, kind: str, *, agreed: bool, moved: str | None) -> None:
        """Count a comparison, and the state that it led to."""
        self._comparisons.labels(kind, "agreed" if agreed else "disagreed").inc()
        if moved is not None:
            self._moves.labels(moved).inc()

    def text(self) -> bytes:
        """Give all metrics in Prometheus' text form."""
        return generate_latest(self.registry)
