"""Sums of requests and makings, of which bills are made."""

from typing import NamedTuple


class DailyTotal(NamedTuple):
    """One day's requests of a class that one tier answered: how many, what they cost and saved.

    Costs are US dollars. An unknown cost is in no sum; ``unknown`` counts such requests, and ``unsaved``
    those of which it is unknown what they saved. ``request_class`` is ``str`` of the class's key; None: no
    class is known.
    """

    day: str
    request_class: str | None
    tier: str
    requests: int
    cost: float
    saved: float
    unknown: int
    tokens: int = 0
    unsaved: int = 0


class MakingCost(NamedTuple):
    """What the makings of a class used: US dollars (None: a price is unknown) and tokens."""

    cost: float | None
    tokens: int
    calls: int
