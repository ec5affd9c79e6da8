"""The one bill: what each class cost, what its tools saved, and when making paid for itself.

Command line and dashboard print it from the same rows: the requests by day, class and tier, and what
makings used. An unknown price is never taken for 0: a sum over one is unknown.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from toolmint.core.messages import Frozen
from toolmint.core.store import ClassInfo, ToolStore
from toolmint.core.totals import DailyTotal, MakingCost
from toolmint.core.traffic import TrafficLog
from toolmint.serving.titles import class_title

NO_CLASS = "(no class)"


class Cost(Frozen):
    """US dollars that are known, and how many amounts are not."""

    known: float = 0.0
    unknown: int = 0

    @property
    def total(self) -> float | None:
        """The sum; None where a part of it is unknown."""
        return None if self.unknown else self.known

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(known=self.known + other.known, unknown=self.unknown + other.unknown)

    def __str__(self) -> str:
        if not self.unknown:
            return f"${self.known:,.4f}"
        return f"? (${self.known:,.4f} known, {self.unknown} unknown)" if self.known else "?"


class ClassBill(Frozen):
    """What one class cost and saved.

    Attributes:
        key: the class's key as a text; ``(no class)`` for requests that are of none.
        title: what people call the class.
        example: one of its requests; None: none may be kept.
        requests: all that were answered.
        by_tier: how many each tier answered.
        tokens: of the requests; ``making_tokens`` of the makings.
        spent: for requests. ``making``: for making the class's tools.
        saved: what the tools' answers would have cost, less what they did, in US dollars; None: no price
            of the strong model's answers is known.
        break_even: requests after which the making has paid for itself; None: nobody knows.
    """

    key: str
    title: str
    example: str | None
    requests: int
    by_tier: dict[str, int]
    tokens: int
    making_tokens: int
    spent: Cost
    making: Cost
    saved: float | None
    break_even: int | None

    @property
    def by_tools(self) -> int:
        """Requests that the strong model did not answer."""
        return self.requests - self.by_tier.get("strong", 0)

    @property
    def net(self) -> float | None:
        """What is left of the savings after the making; None: a part is unknown."""
        if self.saved is None or self.making.total is None:
            return None
        return self.saved - self.making.total


class DayBill(Frozen):
    """One day's sums of what is known, in US dollars.

    Attributes:
        unknown: requests of which it is unknown what they cost.
        unsaved: requests of which it is unknown what they saved.
    """

    day: str
    spent: float
    saved: float
    unknown: int = 0
    unsaved: int = 0


class Bill(Frozen):
    """The whole bill, the class that saved most first."""

    classes: tuple[ClassBill, ...]
    days: tuple[DayBill, ...]
    requests: int
    by_tools: int
    spent: Cost
    making: Cost
    saved: float | None


def bill_of(
    totals: Sequence[DailyTotal],
    makings: Mapping[str, MakingCost],
    classes: Mapping[str, ClassInfo],
) -> Bill:
    """Return the bill of some days.

    Args:
        totals: requests by day, class and tier.
        makings: what makings used, by the classes' keys.
        classes: titles and examples, by the classes' keys.
    """
    by_class: dict[str, list[DailyTotal]] = defaultdict(list)
    by_day: dict[str, list[DailyTotal]] = defaultdict(list)
    for one in totals:
        by_class[one.request_class or NO_CLASS].append(one)
        by_day[one.day].append(one)
    for key in makings:
        by_class.setdefault(key, [])
    overall = _mean_strong(totals)
    bills = [
        _class_bill(key, some, (makings.get(key), classes.get(key)), overall)
        for key, some in by_class.items()
    ]
    saved = [one.saved for one in bills]
    return Bill(
        classes=tuple(
            sorted(bills, key=lambda one: (-(one.saved or 0), -one.spent.known, one.title))
        ),
        days=tuple(
            DayBill(
                day=day,
                spent=_spent(some).known,
                saved=sum(one.saved for one in some),
                unknown=sum(one.unknown for one in some),
                unsaved=sum(one.unsaved for one in some),
            )
            for day, some in sorted(by_day.items())
        ),
        requests=sum(one.requests for one in bills),
        by_tools=sum(one.by_tools for one in bills),
        spent=sum((one.spent for one in bills), start=Cost()),
        making=sum((one.making for one in bills), start=Cost()),
        saved=None if None in saved else sum(one or 0.0 for one in saved),
    )


def _spent(totals: Sequence[DailyTotal]) -> Cost:
    return Cost(known=sum(one.cost for one in totals), unknown=sum(one.unknown for one in totals))


def _mean_strong(totals: Sequence[DailyTotal]) -> float | None:
    """Return what an answer of the strong model cost on average; None: no price is known."""
    strong = [one for one in totals if one.tier == "strong"]
    priced = sum(one.requests - one.unknown for one in strong)
    return sum(one.cost for one in strong) / priced if priced else None


def _class_bill(
    key: str,
    totals: Sequence[DailyTotal],
    known: tuple[MakingCost | None, ClassInfo | None],
    overall: float | None,
) -> ClassBill:
    making, info = known
    by_tier: dict[str, int] = defaultdict(int)
    for one in totals:
        by_tier[one.tier] += one.requests
    mean = _mean_strong(totals)
    mean = overall if mean is None else mean
    cost = Cost()
    if making is not None:
        cost = Cost(unknown=1) if making.cost is None else Cost(known=making.cost)
    return ClassBill(
        key=key,
        title=class_title({key: info} if info else {}, key),
        example=info.example if info else None,
        requests=sum(one.requests for one in totals),
        by_tier=dict(by_tier),
        tokens=sum(one.tokens for one in totals),
        making_tokens=making.tokens if making else 0,
        spent=_spent(totals),
        making=cost,
        saved=_saved(totals, mean),
        break_even=_break_even(cost, mean, totals),
    )


def _saved(totals: Sequence[DailyTotal], mean: float | None) -> float | None:
    """Return what tools' answers saved; None: no price is known.

    An answer whose saving was not known when it was given is taken at the mean of the strong model's.
    """
    saved = sum(one.saved for one in totals)
    tools = [one for one in totals if one.tier != "strong" and one.requests]
    if tools and not saved and mean is None:
        return None
    for one in tools:
        if one.unsaved and (mean is None or one.unknown):
            return None
        saved += one.unsaved * ((mean or 0.0) - one.cost / one.requests)
    return saved


def _break_even(making: Cost, mean: float | None, totals: Sequence[DailyTotal]) -> int | None:
    """Return the requests after which a making has paid: its cost by what each tool's answer saves."""
    if making.total is None or not making.known or mean is None:
        return None
    tools = [one for one in totals if one.tier != "strong"]
    answered = sum(one.requests for one in tools)
    gain = mean - (sum(one.cost for one in tools) / answered if answered else 0.0)
    # Sums of floats are off in their last digits: 0.4 / 0.02 must not become 21 requests.
    return math.ceil(making.known / gain - 1e-9) if gain > 0 else None


async def read_bill(store: ToolStore, log: TrafficLog, since: str = "") -> Bill:
    """Return the bill of a whole store.

    Args:
        store: the whole store, for titles.
        log: the requests and what makings used.
        since: a day (ISO 8601) with which the bill begins; empty: with the first request. Makings are
            counted whenever they were.
    """
    return bill_of(await log.days(since), await log.makings(), await store.classes())
