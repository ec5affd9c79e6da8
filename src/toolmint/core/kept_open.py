"""An asynchronous context that stays open between calls, entered and left by one task of its own."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

_T = TypeVar("_T")
# An event loop keeps weak references to its tasks: a context that nobody closed would be destroyed in the
# middle when its owner is collected. So it stays open until the process ends.
_HOLDING: "set[asyncio.Task[None]]" = set()


class KeptOpen(Generic[_T]):
    """Opens a context with its first use, and keeps it open until ``close``.

    Some contexts (task groups, and with them MCP connections) must be left by the task that entered them,
    so a task of its own does both.

    Args:
        context: returns the context; called each time that it is opened.
    """

    def __init__(self, context: Callable[[], AbstractAsyncContextManager[_T]]) -> None:
        self._context = context
        self._changing = asyncio.Lock()
        self._stop = asyncio.Event()
        self._opened: tuple[_T, asyncio.Task[None]] | None = None

    async def get(self) -> _T:
        """Return what the context gives; an error in opening it is raised here."""
        async with self._changing:
            if self._opened is None:
                self._opened = await self._open()
            return self._opened[0]

    async def close(self) -> None:
        """Leave the context, where it is open; a later ``get`` opens it again."""
        async with self._changing:
            if self._opened is not None:
                task, self._opened = self._opened[1], None
                self._stop.set()
                await task

    async def _open(self) -> tuple[_T, asyncio.Task[None]]:
        self._stop.clear()
        ready: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._hold(ready))
        _HOLDING.add(task)
        task.add_done_callback(_HOLDING.discard)
        try:
            await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not ready.done():
            await task  # raises what kept the context from opening
        return ready.result(), task

    async def _hold(self, ready: "asyncio.Future[_T]") -> None:
        async with self._context() as value:
            ready.set_result(value)
            await self._stop.wait()
