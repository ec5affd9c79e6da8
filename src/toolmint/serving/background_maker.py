"""Tools made in the background from what waits in the queue: several at once, each class once.

A class that is due waits here for a free place, not for its next request. Over all processes of a store a
lease keeps a class from being made twice: whoever does not get it looks again a little later, and finds
the tool that the other has made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from toolmint.core.errors import ToolmintError
from toolmint.core.namespace import ClassKey
from toolmint.core.store import Lease
from toolmint.core.tool import ToolRecord
from toolmint.core.traffic import LiveStore
from toolmint.maker.making_run import MakeRequest
from toolmint.serving.code_makings import MAX_PAUSE_SECONDS, CodeMakings
from toolmint.serving.kinds import KindSorter
from toolmint.serving.learned_makings import LearnedMakings
from toolmint.serving.leased import while_leased
from toolmint.serving.making_rules import Make, MakingRules, Notify
from toolmint.serving.making_work import MakingWork
from toolmint.serving.server import ToolServer

ELSEWHERE_SECONDS = 2.0
"""How long to wait before looking again at a class that another process is making."""
_MOST_DUE, PAUSE_SECONDS = 20_000, 30.0
"""Pause of a class after a making that broke off, such as for want of a model; doubled each time."""


class BackgroundMaker:
    """Makes tools of the classes that are offered to it.

    Args:
        make: makes a tool of a request, its model calls entered in the given ledger.
        live: the leases.
        rules: when and how.
        notify: called with the outcome of each making.
        flushed: awaited before the queue is read, so that all that was queued here stands in it.
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
        self._live, self.rules = live, rules
        self._notify, self._flushed, self._owner = notify, flushed, uuid4().hex
        self._running: dict[ClassKey, asyncio.Task[None]] = {}
        self._pending: dict[ClassKey, ToolServer] = {}
        self._due: dict[ClassKey, int] = {}
        self._pauses: dict[ClassKey, float] = {}
        self._timers: dict[ClassKey, asyncio.TimerHandle] = {}
        self._work_of = MakingWork(make, live, rules, notify=notify, busy=self._busy)
        self._learned = LearnedMakings(self._work_of, live, rules, notify)
        self._code = CodeMakings(self._work_of, self._learned, live, rules)
        self._had_learned, self._joining = set[ClassKey](), set[asyncio.Task[None]]()
        name_kinds, after = rules.name_kinds, rules.kinds_after
        self._sorter = KindSorter(name_kinds, live, after, rules.needed) if name_kinds else None

    @property
    def upcoming(self) -> Sequence[str]:
        """Requests that will come later, where they are known, such as the rest of a file: tools are tried
        on them, without labels.
        """
        return self._code.upcoming

    @upcoming.setter
    def upcoming(self, texts: Sequence[str]) -> None:
        self._code.upcoming = texts

    def offer(self, server: ToolServer, name: str) -> None:
        """Make a class's tool as soon as a place is free, unless it has one or too little waits."""
        if joined := server.classes.join_free():
            self._join_free(server, joined)
        name = server.classes.merged(name)
        key, free = server.namespace.key(name), server.classes.free
        waiting = server.classes.waiting.get(name, 0)
        learnt = self._learned.takes(server, name)
        if learnt:
            self._expect_version(server, key, waiting)
        # Compared before it serves, a repair would take the place of a version that is proved.
        wanted = learnt or name not in server.entries or not server.policy.shadow
        if name in server.entries and wanted and key not in self._due:
            self._wait_until(key, waiting - 1 + self.rules.needed)
        enough = waiting >= self._due.get(key, self.rules.needed)
        busy = key in self._running or key in self._pending or key in self._timers
        held = enough and name not in server.classes.learnt and free.holds(name)
        if enough and not busy and wanted and not held:
            self._pending[key] = server
            self._start_next()
        if self._sorter is not None and not free.holds():
            self._sorter.offer(server, lambda: self.offer_all(server))

    def _expect_version(self, server: ToolServer, key: ClassKey, waiting: int) -> None:
        """Note when the next learned version of a class is due: as it grows, and soon after a demotion."""
        if key.name in server.entries:
            self._had_learned.add(key)
        elif key in self._had_learned:
            self._had_learned.discard(key)
            self._wait_until(key, waiting + self.rules.learned_after)
        if key not in self._due:
            self._wait_until(key, self._learned.first_due(server, key.name))

    def _join_free(self, server: ToolServer, names: Sequence[str]) -> None:
        """Move what waits in classes of freely worded requests to their one class, and offer that."""

        async def work() -> None:
            try:
                if self._flushed is not None:
                    await self._flushed()
                await self._learned.join(server, names)
                self.offer(server, server.classes.free.name)
            except ToolmintError as fault:
                self._notify(server.classes.title(server.classes.free.name), str(fault))

        task = asyncio.create_task(work(), name="joining freely worded requests")
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

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
        return [
            *self._joining,
            *self._running.values(),
            *([sorting] if sorting is not None else []),
        ]

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
        made_by = self._learned if self._learned.takes(server, key.name) else self._code
        then = await made_by.make_class(server, key, lease)
        if then.pause is None:
            self._pauses.pop(key, None)
        else:
            self._offer_later(server, key, then.pause)
        if then.waiting is not None:
            self._wait_until(key, then.waiting)
        elif then.made:
            self._due.pop(key, None)
        if then.other is not None:
            self.offer(server, then.other)

    def _wait_until(self, key: ClassKey, waiting: int) -> None:
        """Note how many requests of a class have to wait before it is due; the store knows it again."""
        self._due.pop(key, None)
        if len(self._due) >= _MOST_DUE:
            del self._due[next(iter(self._due))]
        self._due[key] = waiting

    async def make(
        self, server: ToolServer, request: MakeRequest, lease: Lease | None = None
    ) -> ToolRecord | None:
        """Make a tool now, keep it with its report, and take it to work; None where none passed.

        It is kept under the class's ``lease``, if there is one.

        Raises:
            ToolmintError: the making broke off.
        """
        return await self._work_of.make(server, request, lease)

    def _busy(self) -> set[str]:
        return {one.name for one in self._running}
