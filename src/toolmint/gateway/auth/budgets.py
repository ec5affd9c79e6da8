"""Budgets of keys: what a request may cost is reserved in the store before, and what it cost charged after.

The store decides, in one transaction over all gateways. Requests that ask at once share a transaction.
While the store is away each gateway decides by what it knows.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from toolmint.core.budgets import (
    BudgetRequest,
    BudgetStore,
    KeySpending,
    ReservationChange,
    ReserveOutcome,
    ReserveState,
)
from toolmint.core.errors import StoreError, ToolmintError, aboundary
from toolmint.core.traffic import Key
from toolmint.gateway.http_errors import internal_error

LAPSE_SECONDS = 60.0
"""How long a reservation outlives the process that made it."""
_RENEW_SECONDS = LAPSE_SECONDS / 4
_POLL_SECONDS = 0.25
"""How often is looked for what other gateways give back."""
_AT_ONCE = 64
"""Requests of one key that ask in one transaction; those behind them wait for their turn."""
_MOST_CHANGES = 50_000
_NOTHING = Decimal(0)


@dataclass
class _Ask:
    """A request that waits for its reservation until a time of the loop."""

    request: BudgetRequest
    done: "asyncio.Future[ReserveState]"
    until: float


class Budgets:
    """Reserves and charges what requests cost.

    Args:
        store: decides over all gateways.
    """

    def __init__(self, store: BudgetStore) -> None:
        self._store = store
        self._spent: dict[str, Decimal] = {}
        self._newly_spent: dict[str, Decimal] = {}
        self._open: dict[str, BudgetRequest] = {}
        self._asks: dict[str, dict[str, _Ask]] = {}
        self._changes: list[ReservationChange] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._renewed = 0.0

    def spent(self, key: Key) -> bool:
        """Return whether a key's budget is spent, as far as this process knows; without the store."""
        return key.budget is not None and self._spent.get(key.id, _NOTHING) >= key.budget

    def left(self, key: Key) -> Decimal:
        """Return the US dollars that a key with a budget may still spend, as far as this process knows."""
        return (key.budget or _NOTHING) - self._spent.get(key.id, _NOTHING)

    async def reserve(self, request: BudgetRequest, seconds: float) -> ReserveState:
        """Reserve what a request may cost; wait some seconds for what requests at work give back."""
        loop = asyncio.get_running_loop()
        ask = _Ask(request, loop.create_future(), loop.time() + seconds)
        self._asks.setdefault(request.key, {})[request.request] = ask
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="budgets")
        try:
            return await ask.done
        finally:
            self._forget(ask)

    def charge(self, request: str, cost: Decimal) -> None:
        """Charge what a request has cost in place of what was reserved for it."""
        one = self._open.pop(request, None)
        if one is None:
            return
        for spent in (self._spent, self._newly_spent):
            spent[one.key] = spent.get(one.key, _NOTHING) + cost
        self._change(ReservationChange(request, cost))

    def release(self, request: str) -> None:
        """Drop the reservation of a request that used nothing."""
        if self._open.pop(request, None) is not None:
            self._change(ReservationChange(request, None))

    async def refresh(self, keys: Iterable[Key]) -> None:
        """Read anew what keys have spent, and prolong the reservations of requests at work.

        Raises:
            StoreError: the store is away; what is known stays.
        """
        self._newly_spent = {}  # what is charged while the store is read stands in here
        newly, changes = self._newly_spent, self._changes
        if changes:
            self._changes = []
            await self._ask([], changes)
        now = asyncio.get_running_loop().time()
        if self._open and now - self._renewed > _RENEW_SECONDS:
            self._renewed = now
            await self._store.renew_reservations(list(self._open), LAPSE_SECONDS)
        windows = {key.id: key.window for key in keys if key.budget is not None}
        if not windows:
            return
        found = await self._store.spending(windows)
        self._spent = {
            key: spending.spent + newly.get(key, _NOTHING) for key, spending in found.items()
        }

    async def close(self) -> None:
        """Write the changes that wait; without the store, what they would drop lapses."""
        changes, self._changes = self._changes, []
        if changes:
            with contextlib.suppress(StoreError):
                await self._ask([], changes)

    def _change(self, change: ReservationChange) -> None:
        self._changes.append(change)
        del self._changes[
            :-_MOST_CHANGES
        ]  # of older ones, while the store is away, reservations lapse
        self._changed.set()

    def _forget(self, ask: _Ask) -> None:
        """Remove an ask that has its answer, or whose client has gone."""
        asks = self._asks.get(ask.request.key)
        if asks is not None and asks.pop(ask.request.request, None) and not asks:
            del self._asks[ask.request.key]

    async def _work(self) -> None:
        """Ask the store until nobody waits; what is reserved by requests at work is asked for again."""
        while self._asks:
            self._changed.clear()
            changes, self._changes = self._changes, []
            asks = [ask for some in self._asks.values() for ask in islice(some.values(), _AT_ONCE)]
            try:
                waiting = await aboundary(self._decide(asks, changes), internal_error)
            except ToolmintError as fault:
                # The changes are not tried again either: they may be the cause, and reservations lapse.
                waiting = [self._fail(ask, fault) for ask in asks]
            self._expire()
            if all(waiting) and self._asks:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await self._changed.wait()

    async def _decide(self, asks: list[_Ask], changes: list[ReservationChange]) -> list[bool]:
        """Ask the store once; return which asks go on waiting."""
        try:
            outcomes = await self._ask([ask.request for ask in asks], changes)
        except StoreError:
            outcomes = [self._by_memory(ask.request) for ask in asks]
        return [self._take(ask, out) for ask, out in zip(asks, outcomes, strict=True)]

    async def _ask(
        self, asked: list[BudgetRequest], changes: list[ReservationChange]
    ) -> list[ReserveOutcome]:
        try:
            return list(await self._store.reserve(asked, changes, LAPSE_SECONDS))
        except StoreError:
            self._changes = [*changes, *self._changes]
            raise

    def _by_memory(self, request: BudgetRequest) -> ReserveOutcome:
        """Decide without the store: by what the key had spent when it was last read, and since then here."""
        mine = (one.cost for one in self._open.values() if one.key == request.key)
        known = KeySpending(self._spent.get(request.key, _NOTHING), sum(mine, start=_NOTHING))
        if known.spent >= request.budget:
            return ReserveOutcome("spent", known)
        free = known.spent + known.reserved < request.budget
        if free:
            self._open[request.request] = request
        return ReserveOutcome("granted" if free else "reserved", known)

    def _take(self, ask: _Ask, outcome: ReserveOutcome) -> bool:
        """Answer an ask; return whether it goes on waiting for what requests at work give back."""
        if outcome.state == "reserved":
            return True
        if outcome.state == "granted":
            self._open[ask.request.request] = ask.request
        self._forget(ask)
        if ask.done.done():  # its client has gone meanwhile
            self.release(ask.request.request)
        else:
            ask.done.set_result(outcome.state)
        return False

    def _fail(self, ask: _Ask, fault: ToolmintError) -> bool:
        """Answer an ask with a fault of the gateway itself, so that it is not tried again."""
        self._forget(ask)
        if not ask.done.done():
            ask.done.set_exception(fault)
        return False

    def _expire(self) -> None:
        """Answer the asks that have waited long enough."""
        now = asyncio.get_running_loop().time()
        for ask in [ask for some in self._asks.values() for ask in some.values()]:
            if ask.until <= now:
                self._forget(ask)
                if not ask.done.done():
                    ask.done.set_result("reserved")
