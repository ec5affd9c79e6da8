"""What everything cost: every model call by purpose and class, every answer by tier, and the bill."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from toolwright.core.messages import Frozen
from toolwright.core.model import Model, ModelRequest, ModelResponse, Purpose, Usage
from toolwright.core.store import Count, LedgerEntry, ToolStore
from toolwright.core.task import Tier
from toolwright.maker.program import AttemptStatus

FLUSH_AT = 256
MAKING: frozenset[Purpose] = frozenset({"making", "second"})


class Ledger:
    """Collects entries and counts, and writes them to the store in batches."""

    def __init__(self) -> None:
        self._entries: list[LedgerEntry] = []
        self._counts: dict[tuple[str, int, Tier], Count] = {}

    def metered(self, model: Model, purpose: Purpose, request_class: str | None) -> "Metered":
        """Wrap a model so that each of its calls is entered under a purpose and a class."""
        return Metered(model, self, purpose, request_class)

    def enter(self, entry: LedgerEntry) -> None:
        """Add a model call."""
        self._entries.append(entry)

    def count(self, request_class: str, version: int, tier: Tier, what: AttemptStatus) -> None:
        """Add one request: ``answered``, ``refused`` or ``failed``."""
        key = (request_class, version, tier)
        old = self._counts.get(key) or Count(
            request_class=request_class, version=version, tier=tier
        )
        self._counts[key] = old.model_copy(update={what: getattr(old, what) + 1})

    @property
    def due(self) -> bool:
        """Whether it is time to write: at once after a model call, else when many counts wait."""
        counted = sum(c.answered + c.refused + c.failed for c in self._counts.values())
        return bool(self._entries) or counted >= FLUSH_AT

    async def flush(self, store: ToolStore) -> None:
        """Write what waits, in one transaction."""
        entries, counts = self._entries, list(self._counts.values())
        self._entries, self._counts = [], {}
        if entries or counts:
            await store.record(entries, counts)


class Metered:
    """A model whose calls are entered in a ledger."""

    def __init__(
        self, model: Model, ledger: Ledger, purpose: Purpose, request_class: str | None
    ) -> None:
        self._model, self._ledger = model, ledger
        self._purpose: Purpose = purpose
        self._class = request_class

    @property
    def name(self) -> str:
        """The metered model's name."""
        return self._model.name

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt and enter what it used."""
        response = await self._model.complete(request)
        self._ledger.enter(
            LedgerEntry(
                purpose=self._purpose, request_class=self._class, model=response.model,
                usage=response.usage, seconds=response.seconds,
            )
        )  # fmt: skip
        return response


class ClassBill(Frozen):
    """What one class cost. Costs are US dollars; None: a price is unknown.

    ``without`` is what the same requests would have cost if the strong model had answered each at
    the mean cost of those that it did answer. ``break_even`` is the number of requests after which
    making has paid for itself.
    """

    request_class: str
    requests: int
    by_tier: dict[str, int]
    making: Usage
    serving: Usage
    cost: Decimal | None
    without: Decimal | None
    break_even: int | None

    @property
    def saved(self) -> Decimal | None:
        """What the cache saved; negative until the break-even point."""
        return None if self.cost is None or self.without is None else self.without - self.cost


def _mean_strong(entries: Sequence[LedgerEntry]) -> Decimal | None:
    strong = [entry.usage for entry in entries if entry.purpose == "strong"]
    spent = sum(strong, start=Usage())
    return spent.cost / spent.requests if spent.requests and spent.cost is not None else None


def bill(entries: Sequence[LedgerEntry], counts: Sequence[Count]) -> list[ClassBill]:
    """Give the bill by class, the dearest first."""
    spent: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        spent[entry.request_class or "(unknown)"].append(entry)
    tiers: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for count in counts:
        tiers[count.request_class][count.tier] += count.answered
    overall = _mean_strong(entries)
    bills = [_one(name, spent[name], dict(tiers[name]), overall) for name in {*spent, *tiers}]
    return sorted(bills, key=lambda one: (-(one.cost or 0), one.request_class))


def _one(
    name: str, entries: list[LedgerEntry], by_tier: dict[str, int], overall: Decimal | None
) -> ClassBill:
    making = sum((e.usage for e in entries if e.purpose in MAKING), start=Usage())
    serving = sum((e.usage for e in entries if e.purpose not in MAKING), start=Usage())
    light = sum((e.usage for e in entries if e.purpose in {"use", "dispatch"}), start=Usage())
    requests = sum(by_tier.values())
    mean = _mean_strong(entries) or overall
    cost = (making + serving).cost
    cheap = sum(number for tier, number in by_tier.items() if tier != "strong")
    break_even = None
    if mean is not None and making.cost is not None and light.cost is not None and making.requests:
        gain = mean - (light.cost / cheap if cheap else Decimal(0))
        break_even = int(-(-making.cost // gain)) if gain > 0 else None
    return ClassBill(
        request_class=name, requests=requests, by_tier=by_tier, making=making, serving=serving,
        cost=cost, without=None if mean is None else mean * requests, break_even=break_even,
    )  # fmt: skip
