"""The pool of resident workers: which process answers, how many there are, and when one is replaced.

A process belongs to one owner and one program. It ends after a number of calls, when nobody asked it
for a while, when it has grown, when it has used much processor time, and after any fault. Where there are
too many, the one that was used least recently goes.
"""

import asyncio
import os
import time
from collections import Counter, OrderedDict, deque
from typing import NamedTuple

from toolmint.core.sandbox import Program, SandboxResult
from toolmint.core.values import Value
from toolmint.sandbox.link import Link
from toolmint.sandbox.resident import Reply, ResidentLost, ResidentWorker, read_reply

_MEMORY_OF_ONE = 12 << 20  # bytes: what one is reckoned with, of an eighth of the machine's memory
_TICK_SECONDS = 0.05  # how exactly a deadline is kept
_SWEEP_SECONDS = 2.0
_KNOWN_EVERY = 256
_CPU_SECONDS = 240.0  # of one process; the kernel kills it at 600
_BARRED = 4096  # programs that are remembered to have one process a call

_Key = tuple[str, str]


class ResidentLimits(NamedTuple):
    """When a resident worker is replaced.

    Attributes:
        processes: at most; None: by the machine's memory. 0: there are none.
        each: at most for one program and owner; None: the number of processors.
        calls: of one process.
        idle_seconds: without a call.
        growth_bytes: of its largest memory since its first call.
    """

    processes: int | None = None
    each: int | None = None
    calls: int = 50_000
    idle_seconds: float = 60.0
    growth_bytes: int = 48 << 20


def most_processes() -> int:
    """Return how many resident workers this machine has memory for."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(8, min(512, memory // 8 // _MEMORY_OF_ONE))


class Residents:
    """The resident workers of one fork server.

    Attributes:
        recycled: how many processes were replaced, by reason.
        barred: programs that have one process a call, with the reason.
    """

    def __init__(self, limits: ResidentLimits) -> None:
        self._limits = limits
        self._most = most_processes() if limits.processes is None else limits.processes
        self._each = limits.each or max(1, os.cpu_count() or 1)
        self._all: dict[_Key, list[ResidentWorker]] = {}
        self._idle: OrderedDict[ResidentWorker, None] = OrderedDict()
        self._queues: dict[_Key, deque[asyncio.Future[ResidentWorker | None]]] = {}
        self._opening: Counter[_Key] = Counter()
        self._expected: OrderedDict[str, Reply] = OrderedDict()
        self._checks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._swept, self._slow, self._active = 0.0, False, False
        self.recycled: Counter[str] = Counter()
        self.barred: OrderedDict[str, str] = OrderedDict()

    def all(self) -> list[ResidentWorker]:
        """Return the processes that there are."""
        return [one for group in self._all.values() for one in group]

    def __len__(self) -> int:
        """Return how many processes there are."""
        return sum(map(len, self._all.values()))

    async def call(
        self, link: Link, program: Program, given: Value, owner: str
    ) -> SandboxResult | None:
        """Answer an input; None where it needs a process of its own.

        Raises:
            ResidentLost: the process ended first.
            SandboxError: the fork server died.
        """
        key = (owner, program.key)
        resident = self._free(key) or await self._open(link, program, owner, key)
        if resident is None:
            return None
        self._wake()
        started = time.perf_counter()
        try:
            reply = await self._asked(resident, given)
        except EOFError as fault:
            raise ResidentLost(resident, time.perf_counter() - started) from fault
        if reply is None:
            return None
        result = read_reply(reply, program)
        self._release(resident, result)
        return result._replace(seconds=time.perf_counter() - started)

    async def _asked(self, resident: ResidentWorker, given: Value) -> Reply | None:
        """Return the reply to an input; None where the program may not be resident.

        Raises:
            EOFError: the process ended first.
        """
        try:
            reply = await resident.ask(given)
        except asyncio.CancelledError:
            resident.end("cancelled")  # its reply would come when nobody reads it
            raise
        if reply.kind != b"N":
            return reply
        self._bar(resident.program, reply.body.decode("utf-8", "replace"))
        resident.end("not resident")
        return None

    def _free(self, key: _Key) -> ResidentWorker | None:
        for one in self._all.get(key, ()):
            if one in self._idle:
                del self._idle[one]
                return one
        return None

    async def _open(
        self, link: Link, program: Program, owner: str, key: _Key
    ) -> ResidentWorker | None:
        """Return a new process, or wait for one of those that exist; None where there is no place."""
        mine = len(self._all.get(key, ())) + self._opening[key]
        if mine >= self._each:
            waiting: asyncio.Future[ResidentWorker | None]
            waiting = asyncio.get_running_loop().create_future()
            self._queues.setdefault(key, deque()).append(waiting)
            return await self._wait(waiting)
        if len(self) + self._opening.total() >= self._most:
            if not self._idle:
                return None
            next(iter(self._idle)).end("room")
        self._opening[key] += 1
        try:
            worker = await link.take(resident=True)
        finally:
            self._opening[key] -= 1
            self._opening += Counter()  # drops what is zero
            self._give_up(key)
        resident = ResidentWorker(link, worker, program, owner, self._lost)
        self._all.setdefault(key, []).append(resident)
        self._watch()
        self._wake()
        if program.known is not None and not await self._knows(resident):
            return None
        return None if program.key in self.barred else resident

    async def _wait(self, waiting: asyncio.Future[ResidentWorker | None]) -> ResidentWorker | None:
        try:
            return await waiting
        except asyncio.CancelledError:
            given = waiting.result() if waiting.done() and not waiting.cancelled() else None
            if given is not None and not given.gone:
                self._hand_on(given)
            raise

    def _give_up(self, key: _Key) -> None:
        """Let those that wait for a process have one of their own, where none is there and none comes."""
        if self._opening[key] or self._all.get(key):
            return
        for waiting in self._queues.pop(key, ()):
            if not waiting.done():
                waiting.set_result(None)

    async def _knows(self, resident: ResidentWorker) -> bool:
        """Ask the known input, and compare with what a fresh process gave; return whether it may go on."""
        program = resident.program
        try:
            reply = await self._asked(resident, program.known)
        except EOFError:
            return False
        if reply is None:
            return False
        expected = self._expected.setdefault(program.key, reply)
        self._expected.move_to_end(program.key)
        if len(self._expected) > _BARRED:
            self._expected.popitem(last=False)
        if reply == expected:
            return True
        self._bar(program, "its answer to a known request changed between calls")
        resident.end("state")
        return False

    def _bar(self, program: Program, why: str) -> None:
        self.barred[program.key] = why
        if len(self.barred) > _BARRED:
            self.barred.popitem(last=False)

    def _release(self, resident: ResidentWorker, result: SandboxResult) -> None:
        """Take a process back after a reply, or replace it."""
        limits = self._limits
        if resident.gone:
            return
        if result.status in {"memory", "output"}:
            resident.end(result.status)
        elif resident.calls >= limits.calls:
            resident.end("calls")
        elif resident.rss - resident.start_rss > limits.growth_bytes:
            resident.end("growth")
        elif resident.cpu_seconds > _CPU_SECONDS:
            resident.end("cpu time")
        elif resident.calls % _KNOWN_EVERY == 0 and resident.program.known is not None:
            task = asyncio.get_running_loop().create_task(self._check(resident))
            self._checks.add(task)
            task.add_done_callback(self._checks.discard)
        else:
            self._hand_on(resident)

    async def _check(self, resident: ResidentWorker) -> None:
        if await self._knows(resident) and not resident.gone:
            self._hand_on(resident)

    def _hand_on(self, resident: ResidentWorker) -> None:
        """Pass a process on to the next request that waits for it, or keep it idle."""
        queue = self._queues.get((resident.owner, resident.program.key))
        while queue:
            waiting = queue.popleft()
            if not waiting.done():
                waiting.set_result(resident)
                return
        self._idle[resident] = None

    def _lost(self, resident: ResidentWorker, why: str) -> None:
        """Forget a process that has ended; those that wait for it get a process of their own."""
        key = (resident.owner, resident.program.key)
        reason, _, what = why.partition(": ")
        self.recycled[reason] += 1
        if reason == "state":
            self._bar(resident.program, f"a call left something behind: {what}")
        self._idle.pop(resident, None)
        others = self._all.get(key, [])
        if resident in others:
            others.remove(resident)
        if not others:
            self._all.pop(key, None)
            self._give_up(key)

    def _watch(self) -> None:
        """Look at deadlines again soon, or, where nothing is at work, at idle processes later."""
        if self._timer is None and self._all:
            busy = len(self._idle) < len(self)
            seconds = _TICK_SECONDS if busy or self._active else _SWEEP_SECONDS
            self._slow, self._active = seconds == _SWEEP_SECONDS, False
            self._timer = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _wake(self) -> None:
        """Look at deadlines soon, as a call begins."""
        self._active = True
        if self._slow and self._timer is not None:
            self._timer.cancel()
            self._timer, self._slow = None, False
            self._watch()

    def _tick(self) -> None:
        """End the processes whose call is over time, and those that nobody asked for a while."""
        self._timer = None
        now = time.monotonic()
        for resident in self.all():
            if now > resident.deadline:
                resident.end("timeout")
        if now - self._swept > _SWEEP_SECONDS:
            self._swept = now
            self.sweep()
        self._watch()

    def sweep(self) -> None:
        """End the processes that nobody has asked for a while."""
        now = time.monotonic()
        for resident in list(self._idle):
            if now - resident.since > self._limits.idle_seconds:
                resident.end("idle")

    def clear(self) -> None:
        """End every process."""
        for resident in self.all():
            resident.end("closed")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
