"""What has happened: kept in a file at once, and written to the store behind the answers, in batches."""

import asyncio
import contextlib
import logging

from pydantic import ValidationError

from toolwright.core.errors import StoreError
from toolwright.core.traffic import Handled, TrafficLog
from toolwright.gateway.spool import Page, Spool

LOG = logging.getLogger("toolwright.gateway")
PAUSE = 0.25
AGAIN = 1.0
MOST = 50_000


class Journal:
    """Keeps each request in a spool before its answer ends, and writes many at once to the store.

    While the store is away they wait in memory and in the spool, up to ``MOST``; then the oldest are dropped
    from memory, and the log says how many.
    """

    def __init__(self, log: TrafficLog, spool: Spool) -> None:
        self._log, self._spool = log, spool
        self._handled: list[Handled] = []
        self._pages: list[Page] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._wake, self._hurry = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.away = False
        self.dropped = 0

    async def start(self) -> None:
        """Write what processes that were killed have left, and begin."""
        await self.take_up()
        self._task = asyncio.create_task(self._write_on(), name="journal")

    async def take_up(self) -> None:
        """Write what processes that were killed have left.

        Raises:
            StoreError: the store is away; what is left stays.
        """
        for page in await asyncio.to_thread(self._spool.left):
            found = await asyncio.to_thread(_read, page)
            if found:
                await self._log.write(found, again=True)
                LOG.info("%d requests of a gateway that was killed are written", len(found))
            await asyncio.to_thread(page.drop)

    async def close(self) -> None:
        """Write what waits, and end."""
        self._closing = True
        self._hurry.set()
        self._wake.set()
        if self._task is not None:
            await self._task
        if not self._handled:
            self._spool.close()

    @property
    def waiting(self) -> int:
        """Requests that are not in the store yet."""
        return len(self._handled)

    async def add(self, handled: Handled) -> None:
        """Keep a request; where the spool takes no line, wait for the store instead."""
        self._handled.append(handled)
        kept = self._spool.append(handled.line + b"\n")
        if len(self._handled) > MOST:
            cut = len(self._handled) - MOST
            del self._handled[:cut]
            self.dropped += cut
            LOG.error("%d requests were dropped, the store is away for too long", self.dropped)
        if not self._wake.is_set():
            self._wake.set()
        if not kept:
            await self.flush()

    async def flush(self, seconds: float = 1.0) -> None:
        """Wait until everything taken so far is in the store, or some seconds have passed."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._hurry.set()
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await done

    async def _write_on(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE):
                    await self._hurry.wait()
            self._hurry.clear()
            done = await self._write()
            if self._closing and (not done or not self._handled):
                if not done:
                    LOG.error("%d requests wait in the spool for the store", len(self._handled))
                return

    async def _write(self) -> bool:
        handled, waiting = list[Handled](), list[asyncio.Future[None]]()
        try:
            fresh = await asyncio.to_thread(self._spool.fresh) if self._handled else None
            handled, waiting = self._handled, self._waiting
            self._handled, self._waiting = [], []
            if fresh is not None:
                self._pages += self._spool.turn(fresh)
                await self._log.write(handled)
        except (StoreError, OSError) as fault:
            if not self.away:
                LOG.error("the store is away, what happens waits: %s", fault)  # noqa: TRY400
            self.away = True
            self._handled = [*handled, *self._handled]
            self._waiting = [*waiting, *self._waiting]
            asyncio.get_running_loop().call_later(AGAIN, self._wake.set)
            return False
        pages, self._pages = self._pages, []
        for page in pages:
            await asyncio.to_thread(page.drop)
        if self.away:
            LOG.warning("the store is back")
        self.away = False
        for one in waiting:
            if not one.done():
                one.set_result(None)
        return True


def _read(page: Page) -> list[Handled]:
    """Give the requests of a file."""
    found: list[Handled] = []
    for line in page.lines():
        try:
            found.append(Handled.read(line))
        except ValidationError:
            LOG.warning("a line of %s cannot be read and is left out", page.path)
    return found
