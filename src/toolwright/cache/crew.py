"""Tools made in the background from what waits in the queue: each once, however many gateways ask."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, cast
from uuid import uuid4

from toolwright.cache.desk import ALIVE, Desk, Entry
from toolwright.cache.ledger import Ledger
from toolwright.cache.merge import doubles
from toolwright.cache.queue import Make
from toolwright.core.errors import ToolwrightError
from toolwright.core.store import Lease, MakingReport, ToolStore
from toolwright.core.tool import Demonstration, ToolRecord
from toolwright.core.traffic import Comparison, LiveStore
from toolwright.core.values import Value
from toolwright.maker.making import Order, Outcome

ELSEWHERE_SECONDS = 2.0
PAUSE_SECONDS, MOST_SECONDS = 30.0, 3600.0
"""After a making that broke off, such as for want of a model, the next one waits; each time twice as long."""
FOREIGN = 3
MOST = 60
"""Demonstrations that a making takes at most: the newest, those that an older version got wrong first."""
FAULTS = 5
"""A making after a demotion learns from what came since so many last faults."""

Told = Callable[[str, str], None]
"""Hears of a class what became of it, in words."""


def order_for(
    name: str,
    queued: dict[str, list[Demonstration]],
    settings: Order,
    first: frozenset[str] = frozenset(),
) -> Order:
    """Give the order for a class: its newest demonstrations, and a few requests of others to be refused.

    ``first`` are requests that an older version got wrong: the maker is shown them.
    """
    newest = queued.get(name, [])[::-1]
    mine = sorted(newest, key=lambda one: one.input not in first)[:MOST]
    foreign = tuple(
        one.input for other, them in queued.items() if other != name for one in them[:FOREIGN]
    )
    return settings.model_copy(
        update={
            "request_class": name,
            "labelled": tuple(mine),
            "foreign": foreign,
            "clustered": True,
        }
    )


class _Rest(NamedTuple):
    """Until when a class is left alone (seconds of the loop), and for how long that is."""

    until: float
    seconds: float


class Crew:
    """Makes tools in the background, those of one room one after the other.

    Args:
        make: makes a tool of an order.
        live: the leases, of the whole store.
        needed: demonstrations that a first making takes; each failed one doubles it.
        settings: an order whose profile, tries and limits every making shares.
        told: hears what became of each making.
        lease_seconds: of a lease; it is prolonged until the making ends.
        flushed: awaited before the queue is read, so that all that was queued here stands in it.
        light: where no parser can be proved, make a tool that a light model reads requests for (LATM's own).
    """

    def __init__(
        self,
        make: Make,
        live: LiveStore,
        *,
        needed: int,
        settings: Order,
        told: Told,
        lease_seconds: float = 30.0,
        flushed: Callable[[], Awaitable[None]] | None = None,
        light: bool = False,
    ) -> None:
        self._make, self._live, self._needed = make, live, needed
        self._settings, self._told, self._lease_seconds = settings, told, lease_seconds
        self._owner, self._flushed, self._light = uuid4().hex, flushed, light
        self._running: dict[str, asyncio.Task[None]] = {}
        self._due: dict[str, int] = {}
        self._rest: dict[str, _Rest] = {}

    def offer(self, desk: Desk, name: str) -> None:
        """Begin to make a class's tool, unless it is being made or too little waits."""
        full = desk.room + name
        enough = desk.waiting.get(name, 0) >= self._due.get(full, self._needed)
        if full in self._running or name in desk.entries or not enough:
            return
        rest = self._rest.get(full)
        if rest is not None and asyncio.get_running_loop().time() < rest.until:
            return
        task = asyncio.create_task(self._work(desk, name), name=f"making {full}")
        self._running[full] = task
        task.add_done_callback(lambda _: self._running.pop(full, None))

    async def close(self) -> None:
        """Break off what is being made; the leases lapse or are given back."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is being made."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _work(self, desk: Desk, name: str) -> None:
        full = desk.room + name
        try:
            lease = await self._live.lease(f"making {desk.room}", self._owner, self._lease_seconds)
            if lease is None:
                self._pause(full, ELSEWHERE_SECONDS)
                return
            try:
                await self._heeded(lease, self._leased(desk, name, lease))
            finally:
                await self._live.release(lease)
        except ToolwrightError as fault:
            before = self._rest[full].seconds if full in self._rest else PAUSE_SECONDS / 2
            self._pause(full, min(MOST_SECONDS, 2 * before))
            self._told(full, f"making broke off: [{fault.code}] {fault}")

    def _pause(self, full: str, seconds: float) -> None:
        self._rest[full] = _Rest(asyncio.get_running_loop().time() + seconds, seconds)

    async def _heeded(self, lease: Lease, work: Awaitable[None]) -> None:
        """Do something while a lease is prolonged; a lost lease breaks it off."""
        doing = asyncio.ensure_future(work)

        async def beat() -> None:
            while True:
                await asyncio.sleep(self._lease_seconds / 3)
                if not await self._live.renew(lease, self._lease_seconds):
                    doing.cancel()

        heart = asyncio.create_task(beat())
        try:
            await doing
        finally:
            heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heart

    async def _leased(self, desk: Desk, name: str, lease: Lease) -> None:
        store = desk.store
        name, queued = await self._merged(desk, name)
        full = desk.room + name
        versions = await store.versions(name)
        at_work = [one for one in versions if one[1] in ALIVE]
        if at_work:
            record, state = at_work[-1]
            known = await self._live.standing(full, record.version)
            desk.adopt(Entry(record, state, full, known))
            return
        if versions and versions[-1][1] == "retired":
            self._pause(full, MOST_SECONDS)
            return
        wrong = await self._live.disagreements(full)
        if versions:
            queued[name] = await self._since(store, name, versions[-1][0].version, wrong)
        failures = sum(not report.made for report in await store.reports(name))
        self._due[full] = self._needed * 2**failures
        missing = self._due[full] - len(queued.get(name, []))
        if missing > 0:
            self._due[full] = desk.waiting.get(name, 0) + max(missing, self._needed // 2)
            return
        first = frozenset(one.input for one in wrong if one.input is not None)
        order = order_for(name, queued, self._settings, first)
        self._told(full, f"making a tool of {len(order.labelled)} demonstrations")
        ledger = Ledger()
        try:
            outcome = await self._made(order, ledger, full)
            kept: ToolRecord | None = None
            if outcome.record is not None:
                kept = await store.add(outcome.record, "shadowing", "passed the gate", lease)
            await self._report(store, order, kept, outcome.body)
        finally:
            await ledger.flush(store)
        if kept is None:
            self._due[full] *= 2
            self._told(full, f"no tool passed: {outcome.body.get('ending', '')}")
            return
        self._rest.pop(full, None)
        desk.adopt(Entry(kept, "shadowing", full))
        self._told(full, f"v{kept.version} passed the gate and is in shadow")

    async def _made(self, order: Order, ledger: Ledger, full: str) -> Outcome:
        """Make a tool; where no parser passes and a light model is there, one that it can use."""
        outcome = await self._make(order, ledger)
        if outcome.record is not None or not self._light:
            return outcome
        self._told(full, "no parser passed; making a tool that a light model uses")
        light = await self._make(order.model_copy(update={"profile": "latm"}), ledger)
        before = cast("dict[str, Value]", {"without_a_light_model": outcome.body})
        return light.model_copy(update={"body": light.body | before})

    async def _since(
        self, store: ToolStore, name: str, version: int, wrong: Sequence[Comparison]
    ) -> list[Demonstration]:
        """Give the demonstrations since a version's last faults; what is older may be true no more."""
        mine = [one.at for one in wrong if one.version == version][:FAULTS]
        since = mine[-1].isoformat() if mine else None
        return (await store.queued(name, since)).get(name, [])

    async def _merged(self, desk: Desk, name: str) -> tuple[str, dict[str, list[Demonstration]]]:
        """Join classes that came up twice; gives the name that a class has then, and the queue."""
        if self._flushed is not None:
            await self._flushed()
        queued = await desk.store.queued()
        found = doubles(queued)
        for old, new in found.items():
            await desk.store.join(old, new)
            desk.merge(old, new, [one.input for one in queued[old]])
            queued[new] += queued.pop(old)
        return found.get(name, name), queued

    async def _report(
        self, store: ToolStore, order: Order, kept: ToolRecord | None, body: dict[str, Value]
    ) -> None:
        await store.report(
            MakingReport(
                request_class=order.request_class, made=kept is not None,
                version=kept.version if kept else None, body=body,
            )
        )  # fmt: skip
