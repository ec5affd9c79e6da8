"""What a key's budget holds back for requests that are at work, over all gateways of a store."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from toolmint.core.model import Usage


class Prices(Protocol):
    """Knows what models cost, in US dollars."""

    def cost(self, model: str, usage: Usage, asked: str = "") -> Decimal | None:
        """Return what a usage costs; None: the price, or the usage, is not known.

        Args:
            model: as the endpoint names it.
            usage: tokens; its own cost is ignored. Calls without any token: the usage is not known.
            asked: as the client named it.
        """
        ...

    def window(self, model: str) -> int | None:
        """Return the tokens that a model's prompt and answer may have together; None: not known."""
        ...

    def longest(self, model: str) -> int | None:
        """Return the tokens that an answer has at most where the request sets no limit; None: not known."""
        ...


class KeySpending(NamedTuple):
    """What a key has spent in its window, and what is reserved beside, in US dollars."""

    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)


class BudgetRequest(NamedTuple):
    """A request that asks for money of a budget.

    Attributes:
        request: its id.
        key: the id of its key.
        budget: US dollars that the key may spend in its window.
        window: in days; None: for good.
        cost: US dollars that the request may cost at most.
    """

    request: str
    key: str
    budget: Decimal
    window: int | None
    cost: Decimal


ReserveState = Literal["granted", "spent", "reserved"]
"""``spent``: the budget is used up; ``reserved``: what is left is reserved by requests at work."""


class ReserveOutcome(NamedTuple):
    """Whether money was reserved, and what the key has spent and reserved without it."""

    state: ReserveState
    spending: KeySpending


class ReservationChange(NamedTuple):
    """A reservation whose request has ended.

    Attributes:
        request: its id.
        cost: US dollars that it used; None: nothing, the reservation is dropped.
    """

    request: str
    cost: Decimal | None


class BudgetStore(Protocol):
    """Keeps what is reserved of budgets. A reservation goes when its request is written to the log."""

    async def reserve(
        self,
        asked: Sequence[BudgetRequest],
        changes: Sequence[ReservationChange],
        seconds: float,
    ) -> Sequence[ReserveOutcome]:
        """Apply changes, then reserve in order what a budget still has, in one transaction.

        A request is granted while what its key has spent and reserved is below the budget, so that the
        last one alone may pass it. A reservation lapses after some seconds unless it is renewed.
        """
        ...

    async def renew_reservations(self, requests: Sequence[str], seconds: float) -> None:
        """Prolong the reservations of some requests."""
        ...

    async def spending(self, windows: Mapping[str, int | None]) -> Mapping[str, KeySpending]:
        """Return what keys have spent and reserved, by the keys' ids and their windows in days."""
        ...
