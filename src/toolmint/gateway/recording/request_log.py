"""What has happened: kept in a file at once, and written to the store behind the answers, in batches."""

import asyncio
import contextlib
import logging

from pydantic import ValidationError

from toolmint.core.errors import StoreError
from toolmint.core.traffic import RequestRecord, TrafficLog
from toolmint.gateway.recording.write_ahead_log import Segment, WriteAheadLog

LOG = logging.getLogger("toolmint.gateway")
PAUSE = 0.25
AGAIN = 1.0
MOST = 50_000


class RequestLog:
    """Keeps each request in the write-ahead log before its answer ends, and writes many at once to the store.

    While the store is away they wait in memory and in that log, up to ``MOST``; then the oldest are dropped
    from memory, and the log says how many.
    """

    def __init__(self, log: TrafficLog, wal: WriteAheadLog) -> None:
        self._log, self._wal = log, wal
        self._records: list[RequestRecord] = []
        self._pages: list[Segment] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._wake, self._hurry = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.away = False
        self.dropped = 0

    async def start(self) -> None:
        """Write what processes that were killed have left, and begin."""
        await self.take_up()
        self._task = asyncio.create_task(self._write_on(), name="request log")

    async def take_up(self) -> None:
        """Write what processes that were killed have left.

        Raises:
            StoreError: the store is away; what is left stays.
        """
        for page in await asyncio.to_thread(self._wal.left):
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
        if not self._records:
            self._wal.close()

    @property
    def waiting(self) -> int:
        """Requests that are not in the store yet."""
        return len(self._records)

    async def add(self, request_record: RequestRecord) -> None:
        """Keep a request; where the log takes no line, wait for the store instead."""
        self._records.append(request_record)
        kept = self._wal.append(request_record.line + b"\n")
        if len(self._records) > MOST:
            cut = len(self._records) - MOST
            del self._records[:cut]
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
            if self._closing and (not done or not self._records):
                if not done:
                    LOG.error(
                        "%d requests wait in the write-ahead log for the store", len(self._records)
                    )
                return

    async def _write(self) -> bool:
        request_record, waiting = list[RequestRecord](), list[asyncio.Future[None]]()
        try:
            fresh = await asyncio.to_thread(self._wal.fresh) if self._records else None
            request_record, waiting = self._records, self._waiting
            self._records, self._waiting = [], []
            if fresh is not None:
                self._pages += self._wal.turn(fresh)
                await self._log.write(request_record)
        except (StoreError, OSError) as fault:
            if not self.away:
                LOG.error("the store is away, what happens waits: %s", fault)  # noqa: TRY400
            self.away = True
            self._records = [*request_record, *self._records]
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


def _read(page: Segment) -> list[RequestRecord]:
    """Return the requests of a file."""
    found: list[RequestRecord] = []
    for line in page.lines():
        try:
            found.append(RequestRecord.read(line))
        except ValidationError:
            LOG.warning("a line of %s cannot be read and is left out", page.path)
    return found
