"""Threads that nobody waits for: a function that hangs is abandoned, and the process still ends.

``asyncio.to_thread`` takes threads that the interpreter joins at its end, so that one tool that hangs
would hold a process whose time limit has long passed. A thread cannot be stopped from outside: an abandoned
one goes on until its function returns or the process ends.
"""

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

from toolmint.core.errors import outcome_of

_T = TypeVar("_T")
_Job = Callable[[], None]
_MOST_IDLE = 32


class _DaemonThreads:
    """Daemon threads that wait for work; a new one starts where none is idle."""

    def __init__(self) -> None:
        self._idle: list[SimpleQueue[_Job]] = []
        self._guard = threading.Lock()
        self.abandoned = 0

    def submit(self, job: _Job) -> None:
        """Run a job, which raises nothing, in a thread."""
        with self._guard:
            queue = self._idle.pop() if self._idle else None
        if queue is None:
            queue = SimpleQueue[_Job]()
            threading.Thread(
                target=self._serve, args=(queue,), name="toolmint-tool", daemon=True
            ).start()
        queue.put(job)

    def _serve(self, queue: "SimpleQueue[_Job]") -> None:
        while True:
            queue.get()()
            with self._guard:
                if len(self._idle) >= _MOST_IDLE:
                    return
                self._idle.append(queue)

    def ended(self, call: "_Call") -> None:
        """Note that a function has ended."""
        with self._guard:
            call.ended = True
            self.abandoned -= call.left

    def left(self, call: "_Call") -> None:
        """Note that a function's caller has left."""
        with self._guard:
            call.left = not call.ended
            self.abandoned += call.left

    def forget(self) -> None:
        """Forget the threads in a forked child, which has none of them."""
        self.__init__()


class _Call:
    """A function that runs, and whether its caller has left."""

    def __init__(self) -> None:
        self.ended = self.left = False


_THREADS = _DaemonThreads()
os.register_at_fork(after_in_child=_THREADS.forget)


async def in_daemon_thread(function: Callable[[], _T]) -> _T:
    """Run a function in a daemon thread and return its value; what it raises is raised here.

    A cancelled caller leaves at once; the function goes on to its end, which nobody sees.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[_T | None, BaseException | None]] = loop.create_future()
    context, call = contextvars.copy_context(), _Call()

    def hand_over(outcome: tuple[_T | None, BaseException | None]) -> None:
        if not done.done():
            done.set_result(outcome)

    def job() -> None:
        outcome = outcome_of(lambda: context.run(function))
        _THREADS.ended(call)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(hand_over, outcome)

    _THREADS.submit(job)
    try:
        value, fault = await done
    except asyncio.CancelledError:
        _THREADS.left(call)
        raise
    if fault is not None:
        raise fault
    return value  # pyright: ignore[reportReturnType] - without a fault there is a value


def abandoned_threads() -> int:
    """Return how many functions still run although their callers have left."""
    return _THREADS.abandoned
