"""Tools made in the background from what waits in the queue: several at once, each class once.

A class that is due waits here for a free place, not for its next request. Over all processes of a store a
lease keeps a class from being made twice: whoever does not get it looks again a little later, and finds
the tool that the other has made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from toolmint.core.errors import InputError, ToolmintError
from toolmint.core.namespace import ClassKey
from toolmint.core.store import Lease
from toolmint.core.tool import Demonstration, ToolRecord
from toolmint.core.traffic import LiveStore
from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.maker.report import short_reason
from toolmint.serving.after_making import after_making, keep_result, report_fault
from toolmint.serving.arc_agreements import branch_disputed
from toolmint.serving.kinds import KindSorter
from toolmint.serving.leased import while_leased
from toolmint.serving.ledger import Ledger
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.making_queue import (
    demonstrations_since,
    make_request_for,
    merge_duplicates,
    refused_of,
    repair_request,
    with_upcoming,
)
from toolmint.serving.making_rules import Make, MakingRules, Notify
from toolmint.serving.server import ALIVE, ToolServer

ELSEWHERE_SECONDS = 2.0
"""How long to wait before looking again at a class that another process is making."""
_MOST_DUE, PAUSE_SECONDS, MAX_PAUSE_SECONDS = 20_000, 30.0, 3600.0
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
        name_kinds, after = rules.name_kinds, rules.kinds_after
        self._sorter = KindSorter(name_kinds, live, after, rules.needed) if name_kinds else None
        self.upcoming: Sequence[str] = ()

    def offer(self, server: ToolServer, name: str) -> None:
        """Make a class's tool as soon as a place is free, unless it has one or too little waits."""
        key = server.namespace.key(name)
        waiting = server.classes.waiting.get(name, 0)
        # Compared before it serves, a repair would take the place of a version that is proved.
        wanted = name not in server.entries or not server.policy.shadow
        if name in server.entries and wanted and key not in self._due:
            self._wait_until(key, waiting - 1 + self.rules.needed)
        enough = waiting >= self._due.get(key, self.rules.needed)
        busy = key in self._running or key in self._pending or key in self._timers
        if enough and not busy and wanted:
            self._pending[key] = server
            self._start_next()
        if self._sorter is not None:
            self._sorter.offer(server, lambda: self.offer_all(server))

    async def sort_rest(self, server: ToolServer) -> None:
        """Name the kinds of what waits in small classes, and offer what that joins; such as after a file."""
        if self._sorter is not None:
            await self._sorter.sort_rest(server, lambda: self.offer_all(server))

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
        """Wait until nothing is made or sorted, and nothing waits for a place."""
        while tasks := self._tasks():
            await asyncio.wait(tasks)

    def _tasks(self) -> list[asyncio.Task[None]]:
        sorting = self._sorter.task if self._sorter is not None else None
        return [*self._running.values(), *([sorting] if sorting is not None else [])]

    async def close(self) -> None:
        """Cancel the makings at work; their leases are released."""
        self._pending.clear()
        for timer in self._timers.values():
            timer.cancel()
        tasks = self._tasks()
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
                work = self._make_class(server, key, lease)
                await while_leased(self._live, lease, self.rules.lease_seconds, work)
            finally:
                await self._live.release(lease)
        except ToolmintError as fault:
            pause = self._pauses.get(key, PAUSE_SECONDS)
            self._pauses[key] = min(MAX_PAUSE_SECONDS, 2 * pause)
            self._offer_later(server, key, pause)
            said = f"the making broke off: [{fault.code}] {fault}"
            self._notify(server.classes.title(key.name), said)

    async def _make_class(self, server: ToolServer, key: ClassKey, lease: Lease) -> None:
        if self._flushed is not None:
            await self._flushed()
        async with self._merging:  # two makings at once would merge the same classes twice
            name, queued = await merge_duplicates(server, key.name)
        if name != key.name:
            self.offer(server, name)
            return
        if name in server.entries and not server.policy.shadow:
            await self._repair(server, key, lease, queued)
            return
        if await self._adopted(server, key):
            return
        versions = await server.store.versions(name)
        wrong = await self._live.disagreements(key)
        last = versions[-1][0] if versions else None
        if last is not None:
            queued[name] = await demonstrations_since(server.store, name, last.version, wrong)
        failures = sum(not report.made for report in await server.store.reports(name))
        due = self.rules.needed * 2**failures
        self._wait_until(key, due)
        missing = due - len(queued.get(name, []))
        # A branch was wrong and the rest was not: its last version is gone on from, with that evidence.
        mended = last is not None and branch_disputed(await self._live.tally(key, last.version))
        if missing > 0 and not (mended and not failures):
            waiting = server.classes.waiting.get(name, 0)
            self._wait_until(key, waiting + max(missing, self.rules.needed // 2))
            return
        first = frozenset(one.input for one in wrong if one.input is not None)
        request = self._request(server, name, queued, first)
        request = repair_request(request, last) if last is not None and mended else request
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

    async def _repair(
        self,
        server: ToolServer,
        key: ClassKey,
        lease: Lease,
        queued: dict[str, list[Demonstration]],
    ) -> None:
        """Make a version that answers more than the one at work, from what it refused since."""
        record, waiting = server.entries[key.name].record, server.classes.waiting.get(key.name, 0)
        kept: ToolRecord | None = None
        if len(refused_of(record, queued.get(key.name, ()))) >= self.rules.needed:
            request = repair_request(self._request(server, key.name, queued), record)
            kept = await self.make(server, request, lease)
            waiting *= 1 if kept is not None else 2
        self._wait_until(key, waiting + self.rules.needed)

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
        first: frozenset[str] = frozenset(),
    ) -> MakeRequest:
        request = make_request_for(name, queued, self.rules.settings, first)
        return with_upcoming(request, server, self.upcoming)

    async def make(
        self, server: ToolServer, request: MakeRequest, lease: Lease | None = None
    ) -> ToolRecord | None:
        """Make a tool now, keep it with its report, and take it to work; None where none passed.

        It is kept under the class's ``lease``, if there is one.

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
            kept = await keep_result(server, name, result, state, lease)
        except InputError as fault:
            await report_fault(server, name, fault)
            raise
        finally:
            await ledger.flush(server.store)
        title = title if request.keep_title else result.title or title
        await server.classes.set_title(name, title)
        if kept is None:
            reason = short_reason(str(result.body.get("ending", "")), case=False)
            self._notify(title, f"no tool passed: {reason}")
            return None
        entry = ActiveVersion(kept, state, server.namespace.key(name))
        server.adopt(entry)
        await after_making(server, entry, request, result, {one.name for one in self._running})
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
