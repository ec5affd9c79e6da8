"""What has happened, written behind the answers in batches: one transaction for all that came meanwhile."""

import asyncio
import contextlib
import logging

from toolwright.core.errors import StoreError
from toolwright.core.store import LedgerEntry
from toolwright.core.tool import Demonstration
from toolwright.core.traffic import Handled, Traffic, TrafficLog

LOG = logging.getLogger("toolwright.gateway")
PAUSE = 0.02
AGAIN = 1.0
MOST = 50_000


class Journal:
    """Collects requests, model calls and demonstrations, and writes them.

    While the store is away everything waits in memory, up to ``MOST`` requests; then the oldest are dropped,
    and the log says how many.
    """

    def __init__(self, log: TrafficLog) -> None:
        self._log = log
        self._handled: list[Handled] = []
        self._entries: list[LedgerEntry] = []
        self._queued: list[tuple[str, Demonstration]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.away = False
        self.dropped = 0

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_on(), name="journal")

    async def close(self) -> None:
        """Write what waits, and end."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    @property
    def waiting(self) -> int:
        """Requests that are not written yet."""
        return len(self._handled)

    def add(
        self,
        handled: Handled,
        entry: LedgerEntry | None = None,
        queued: tuple[str, Demonstration] | None = None,
    ) -> None:
        """Take a request, to be written soon."""
        self._handled.append(handled)
        if entry is not None:
            self._entries.append(entry)
        if queued is not None:
            self._queued.append(queued)
        if len(self._handled) > MOST:
            cut = len(self._handled) - MOST
            del self._handled[:cut]
            self.dropped += cut
        if not self._wake.is_set():
            self._wake.set()

    async def written(self, seconds: float = 1.0) -> None:
        """Wait until everything taken so far is written, or some seconds have passed."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await done

    async def _write_on(self) -> None:
        while not (self._closing and not self._handled and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            if not self._waiting and not self._closing:
                await asyncio.sleep(PAUSE)
            if not await self._write() and self._closing:
                LOG.error("%d requests could not be written before the end", len(self._handled))
                return

    async def _write(self) -> bool:
        traffic = Traffic(self._handled, self._entries, self._queued)
        waiting = self._waiting
        self._handled, self._entries, self._queued, self._waiting = [], [], [], []
        try:
            if traffic.handled or traffic.entries or traffic.queued:
                await self._log.write(traffic)
        except StoreError as fault:
            self._take_back(traffic, waiting, fault)
            return False
        if self.away:
            LOG.warning("the store is back")
        self.away = False
        for one in waiting:
            if not one.done():
                one.set_result(None)
        return True

    def _take_back(
        self, traffic: Traffic, waiting: list["asyncio.Future[None]"], fault: StoreError
    ) -> None:
        if not self.away:
            LOG.error("the store is away, what happens waits in memory: %s", fault)
        self.away = True
        self._handled = [*traffic.handled, *self._handled]
        self._entries = [*traffic.entries, *self._entries]
        self._queued = [*traffic.queued, *self._queued]
        self._waiting = [*waiting, *self._waiting]
        asyncio.get_running_loop().call_later(AGAIN, self._wake.set)
