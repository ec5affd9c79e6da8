"""Tools made in the background from what waits in the queue: several at once, each class once.

A class that is due waits here for a free place, not for its next request. Over all processes of a store a
lease keeps a class from being made twice: whoever does not get it looks again a little later, and finds
the tool that the other has made.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from toolmint.core.errors import StoreError, ToolmintError
from toolmint.core.namespace import ClassKey
from toolmint.core.store import Lease, MakingReport
from toolmint.core.tool import Demonstration, ToolRecord
from toolmint.core.traffic import LiveStore
from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.maker.report import short_reason
from toolmint.serving.ledger import Ledger
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.making_queue import (
    demonstrations_since,
    make_request_for,
    merge_duplicates,
)
from toolmint.serving.making_rules import Make, MakingRules, Notify
from toolmint.serving.server import ALIVE, ToolServer

ELSEWHERE_SECONDS = 2.0
"""How long to wait before looking again at a class that another process is making."""
_MOST_DUE = 20_000
PAUSE_SECONDS, MAX_PAUSE_SECONDS = 30.0, 3600.0
"""Pause of a class after a making that broke off, such as for want of a model; doubled each time."""


class BackgroundMaker:
    """Makes tools of the classes that are offered to it.

    Args:
        make: makes a tool of a request, its model calls entered in the given ledger.
        live: the leases.
        rules: when and how.
        notify: called with the outcome of each making.
        flushed: awaited before the queue is read, so that all that was queued here stands in it.

    Attributes:
        upcoming: requests that will come later, where they are known, such as the rest of a file: tools
            are tried on them, without labels.
    """

    def __init__(
        self,
        make: Make,
        live: LiveStore,
        rules: MakingRules,
        *,
        notify: Notify,
        flushed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._make, self._live, self.rules = make, live, rules
        self._notify, self._flushed, self._owner = notify, flushed, uuid4().hex
        self._running: dict[ClassKey, asyncio.Task[None]] = {}
        self._pending: dict[ClassKey, ToolServer] = {}
        self._due: dict[ClassKey, int] = {}
        self._pauses: dict[ClassKey, float] = {}
        self._timers: dict[ClassKey, asyncio.TimerHandle] = {}
        self._merging = asyncio.Lock()
        self.upcoming: Sequence[str] = ()

    def offer(self, server: ToolServer, name: str) -> None:
        """Make a class's tool as soon as a place is free, unless it has one or too little waits."""
        key = server.namespace.key(name)
        enough = server.classes.waiting.get(name, 0) >= self._due.get(key, self.rules.needed)
        busy = key in self._running or key in self._pending or key in self._timers
        if enough and not busy and name not in server.entries:
            self._pending[key] = server
            self._start_next()

    def offer_all(self, server: ToolServer) -> None:
        """Offer every class that waits, such as after a restart."""
        for name in list(server.classes.waiting):
            self.offer(server, name)

    def at_work(self, key: ClassKey) -> bool:
        """Return whether a class's tool is being made, or waits for a place."""
        return key in self._running or key in self._pending

    async def wait_for(self, key: ClassKey) -> None:
        """Wait until a class is neither being made nor waits for a place."""
        while self.at_work(key):
            task = self._running.get(key) or next(iter(self._running.values()))
            await asyncio.wait([task])

    async def idle(self) -> None:
        """Wait until nothing is being made, and nothing waits for a place."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    async def close(self) -> None:
        """Cancel the makings at work; their leases are released."""
        self._pending.clear()
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start_next(self) -> None:
        while self._pending and len(self._running) < self.rules.at_once:
            key = next(iter(self._pending))
            server = self._pending.pop(key)
            task = asyncio.create_task(self._work(server, key), name=f"making {key}")
            self._running[key] = task
            task.add_done_callback(lambda _, key=key: self._ended(key))

    def _ended(self, key: ClassKey) -> None:
        self._running.pop(key, None)
        self._start_next()

    def _offer_later(self, server: ToolServer, key: ClassKey, seconds: float) -> None:
        def again() -> None:
            self._timers.pop(key, None)
            self.offer(server, key.name)

        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(seconds, again)

    async def _work(self, server: ToolServer, key: ClassKey) -> None:
        try:
            lease = await self._live.lease(f"making {key}", self._owner, self.rules.lease_seconds)
            if lease is None:
                self._offer_later(server, key, ELSEWHERE_SECONDS)
                return
            try:
                await self._while_leased(lease, self._make_class(server, key, lease))
            finally:
                await self._live.release(lease)
        except ToolmintError as fault:
            pause = self._pauses.get(key, PAUSE_SECONDS)
            self._pauses[key] = min(MAX_PAUSE_SECONDS, 2 * pause)
            self._offer_later(server, key, pause)
            said = f"the making broke off: [{fault.code}] {fault}"
            self._notify(server.classes.title(key.name), said)

    async def _while_leased(self, lease: Lease, work: Awaitable[None]) -> None:
        """Run an action while its lease is prolonged; losing the lease cancels it.

        A process that stalls (a suspended machine, a full disk) loses its lease to another one. It must
        not go on then, or two tools of one class would be stored.
        """
        doing = asyncio.ensure_future(work)
        lost = False

        async def prolong() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(self.rules.lease_seconds / 3)
                if not await self._live.renew(lease, self.rules.lease_seconds):
                    lost = True
                    doing.cancel()

        heart = asyncio.create_task(prolong())
        try:
            await doing
        except asyncio.CancelledError:
            if not lost:
                raise
            raise StoreError(f"the lease {lease.name!r} lapsed", code="lease-lost") from None
        finally:
            heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heart

    async def _make_class(self, server: ToolServer, key: ClassKey, lease: Lease) -> None:
        if self._flushed is not None:
            await self._flushed()
        async with self._merging:  # two makings at once would merge the same classes twice
            name, queued = await merge_duplicates(server, key.name)
        if name != key.name:
            self.offer(server, name)
            return
        if await self._adopted(server, key):
            return
        versions = await server.store.versions(name)
        wrong = await self._live.disagreements(key)
        if versions:
            queued[name] = await demonstrations_since(
                server.store, name, versions[-1][0].version, wrong
            )
        failures = sum(not report.made for report in await server.store.reports(name))
        due = self.rules.needed * 2**failures
        self._wait_until(key, due)
        missing = due - len(queued.get(name, []))
        if missing > 0:
            waiting = server.classes.waiting.get(name, 0)
            self._wait_until(key, waiting + max(missing, self.rules.needed // 2))
            return
        first = frozenset(one.input for one in wrong if one.input is not None)
        request = self._request(server, name, queued, first)
        kept = await self.make(server, request, lease)
        if kept is None:
            self._wait_until(key, 2 * due)
        else:
            self._pauses.pop(key, None)
            self._due.pop(key, None)

    def _wait_until(self, key: ClassKey, waiting: int) -> None:
        """Note how many requests of a class have to wait before it is due; the store knows it again."""
        self._due.pop(key, None)
        if len(self._due) >= _MOST_DUE:
            del self._due[next(iter(self._due))]
        self._due[key] = waiting

    async def _adopted(self, server: ToolServer, key: ClassKey) -> bool:
        """Take over the version that another process has made; True too where a person retired the class."""
        versions = await server.store.versions(key.name)
        at_work = [one for one in versions if one[1] in ALIVE]
        if at_work:
            record, state = at_work[-1]
            tally = await self._live.tally(key, record.version)
            server.adopt(ActiveVersion(record, state, key, tally))
            return True
        if versions and versions[-1][1] == "retired":
            self._offer_later(server, key, MAX_PAUSE_SECONDS)
            return True
        return False

    def _request(
        self,
        server: ToolServer,
        name: str,
        queued: dict[str, list[Demonstration]],
        first: frozenset[str],
    ) -> MakeRequest:
        request = make_request_for(name, queued, self.rules.settings, first)
        request = request.model_copy(update={"title": server.classes.title(name)})
        if not self.upcoming:
            return request
        known = {one.input for one in request.labelled}
        return request.model_copy(
            update={"unlabelled": server.classes.upcoming_of(name, self.upcoming, known)}
        )

    async def make(
        self, server: ToolServer, request: MakeRequest, lease: Lease | None = None
    ) -> ToolRecord | None:
        """Make a tool now, keep it with its report, and take it to work; None where none passed.

        Args:
            server: of the namespace that the class is in.
            request: what to make.
            lease: the class's, where the making runs under one.

        Raises:
            ToolmintError: the making broke off.
        """
        name = request.request_class
        title = request.title or server.classes.title(name)
        self._notify(title, f"making a tool of {len(request.labelled)} demonstrations")
        ledger = Ledger()
        state = "shadowing" if server.policy.shadow else "serving"
        try:
            result = await self._result(request, ledger, title)
            kept: ToolRecord | None = None
            if result.record is not None:
                kept = await server.store.add(result.record, state, "passed verification", lease)
            report = MakingReport(
                request_class=name,
                made=kept is not None,
                version=kept.version if kept else None,
                body=result.body,
            )
            await server.store.report(report)
        finally:
            await ledger.flush(server.store)
        title = title if request.keep_title else result.title or title
        await server.classes.set_title(name, title)
        if kept is None:
            reason = short_reason(str(result.body.get("ending", "")), case=False)
            self._notify(title, f"no tool passed: {reason}")
            return None
        server.adopt(ActiveVersion(kept, state, server.namespace.key(name)))
        self._notify(title, f"v{kept.version} passed verification and is {state}")
        return kept

    async def _result(self, request: MakeRequest, ledger: Ledger, title: str) -> MakingResult:
        """Make a tool; where no parser passes and a light model is there, one that it can use."""
        result = await self._make(request, ledger)
        if result.record is not None or not self.rules.light or request.profile == "latm":
            return result
        self._notify(title, "no parser passed; making a tool that a light model uses")
        light = await self._make(request.model_copy(update={"profile": "latm"}), ledger)
        return light.model_copy(
            update={"body": light.body | {"without_a_light_model": result.body}}
        )
