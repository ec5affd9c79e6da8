"""Runs asynchronous work for ordinary code, on one event loop that the whole process shares.

Sandboxes, connections and background tasks belong to the event loop that opened them. ``asyncio.run``
makes a new loop for each call, so nothing could stay open between two calls, and it cannot be used where
a loop is running already, as in a notebook. Here one daemon thread keeps one loop for the life of the
process: what one call opens, the next one can use.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from toolmint.core.errors import ToolmintError

_T = TypeVar("_T")
_EXIT_SECONDS = 5.0


class _BackgroundLoop:
    """An event loop in a daemon thread; it starts with the first work and ends with the process."""

    def __init__(self, name: str = "toolmint-loop", exit_seconds: float = _EXIT_SECONDS) -> None:
        self._name, self._exit_seconds = name, exit_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, work: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Start a coroutine on the loop; return its future, which any thread may wait for."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop,), name=self._name, daemon=True
                )
                self._thread.start()
                atexit.register(self._stop)
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on the loop's own thread."""
        return threading.current_thread() is self._thread

    def forget(self) -> None:
        """Forget the loop: a forked child has no thread that runs it."""
        self.__init__(self._name, self._exit_seconds)

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        while not loop.is_closed():
            try:
                loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # asyncio stores the error in the task and raises it again out of the loop; the
                # waiting thread gets it from the task, and other work must go on.
                continue
            break

    def _stop(self) -> None:
        """End what still runs, and the loop, so that the interpreter destroys no pending task."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return

        async def cancel() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await loop.shutdown_asyncgens()

        ended = asyncio.run_coroutine_threadsafe(cancel(), loop)
        ended.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
        thread.join(self._exit_seconds)
        if not thread.is_alive():
            loop.close()


_BACKGROUND = _BackgroundLoop()
os.register_at_fork(after_in_child=_BACKGROUND.forget)


class _LoopBeside:
    """A second loop for code of users: where it blocks, the background loop still keeps its limits.

    A loop that a call blocks after its caller has left is never used again.
    """

    def __init__(self) -> None:
        self._loop = self._fresh()
        self._running: set[object] = set()
        self._left: set[object] = set()

    @staticmethod
    def _fresh() -> _BackgroundLoop:
        return _BackgroundLoop("toolmint-tools", 0.2)

    def forget(self) -> None:
        """Forget the loop in a forked child."""
        self.__init__()

    @property
    def left(self) -> int:
        """How many calls still run although their callers have left."""
        return len(self._left & self._running)

    async def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the second loop; a cancelled caller does not wait for its end."""
        if self.left:
            self._loop, self._running, self._left = self._fresh(), set(), set()
        running, mine = self._running, object()

        async def noted() -> _T:
            try:
                return await work
            finally:
                running.discard(mine)

        running.add(mine)
        try:
            return await asyncio.wrap_future(self._loop.submit(noted()))
        except asyncio.CancelledError:
            self._left.add(mine)
            raise


_BESIDE = _LoopBeside()
os.register_at_fork(after_in_child=_BESIDE.forget)


async def run_beside(work: Coroutine[Any, Any, _T]) -> _T:
    """Await a coroutine of a user's code.

    Called on the background loop, it runs on a second loop, so that code that blocks stops nothing but
    itself. Elsewhere it runs on the caller's loop, to which the user's own connections belong.
    """
    if _BACKGROUND.is_current:
        return await _BESIDE.run(work)
    return await work


def blocked_calls() -> int:
    """Return how many calls of users' code still run although their callers have left."""
    return _BESIDE.left


def run_sync(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end from ordinary code, and return its result.

    The coroutine runs on the background loop of the process, so this also works where an event loop is
    running already, as in a notebook, and from any thread. The coroutine's own error is raised here.
    An interrupt (Ctrl-C) cancels the coroutine, waits for its end, and is passed on.

    Raises:
        ToolmintError: called on the background loop itself, which would wait for itself; await the
            coroutine there.

    Example:
        >>> run_sync(asyncio.sleep(0, "done"))
        'done'
    """
    if _BACKGROUND.is_current:
        work.close()
        raise ToolmintError(
            "run_sync was called on toolmint's own event loop: await the coroutine there",
            code="loop",
        )
    tasks: list[asyncio.Task[_T]] = []
    try:
        return _BACKGROUND.submit(_started(work, tasks)).result()
    except KeyboardInterrupt:
        _BACKGROUND.submit(_cancelled(tasks)).result()
        raise


async def run_in_background(work: Coroutine[Any, Any, _T]) -> _T:
    """Await a coroutine that runs on the background loop, from any event loop.

    Cancelling the caller cancels the coroutine. What the coroutine opens can be used again by a later
    call, synchronous or from another loop.
    """
    if _BACKGROUND.is_current:
        return await work
    return await asyncio.wrap_future(_BACKGROUND.submit(work))


async def _started(work: Coroutine[Any, Any, _T], tasks: "list[asyncio.Task[_T]]") -> _T:
    """Run a coroutine as a task that ``_cancelled`` can find."""
    tasks.append(task := asyncio.create_task(work))
    return await task


async def _cancelled(tasks: "list[asyncio.Task[_T]]") -> None:
    """Cancel the task of ``_started`` and wait for its end; it was started first, so it is there."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
