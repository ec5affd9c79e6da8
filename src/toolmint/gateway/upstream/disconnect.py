"""What becomes of a request whose client leaves while it waits for its answer."""

import asyncio
from typing import Any

from toolmint.core.errors import ClientLeft
from toolmint.gateway.asgi import Receive

_SOON = 0.02
"""Seconds after which the gateway looks whether the client is still there."""
_REST = 1.0
"""Seconds in which an answer ends whose last event is here; its connection can then be used again."""


class Lookout:
    """Looks after the clients of requests that take a while: one timer for all, as timers are slow.

    A request that ends within 20 ms is never looked at, and one that goes on is within 40 ms.
    """

    def __init__(self) -> None:
        self._fresh: set[cancel_on_disconnect] = set()
        self._due: set[cancel_on_disconnect] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, one: "cancel_on_disconnect") -> None:
        """Look after a request's client from soon on."""
        self._fresh.add(one)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SOON, self._look)

    def discard(self, one: "cancel_on_disconnect") -> None:
        """Forget a request that is over."""
        self._fresh.discard(one)
        self._due.discard(one)

    def _look(self) -> None:
        due, self._due, self._fresh = self._due, self._fresh, set()
        for one in due:
            one.look()
        again = asyncio.get_running_loop().call_later(_SOON, self._look) if self._due else None
        self._timer = again


class cancel_on_disconnect:  # noqa: N801 - used as a function is, like contextlib.suppress
    """Breaks off what is done inside once the client has gone; looks for that only where it takes a while.

    Args:
        receive: of the request.
        after: seconds for which the work goes on without its client.
        lookout: that many requests share; None: one of its own.

    Attributes:
        gone: the client has left.

    Raises:
        ClientLeft: where it is left, if it was broken off.
    """

    def __init__(
        self, receive: Receive, after: float = 0.0, lookout: Lookout | None = None
    ) -> None:
        self._receive, self._after, self._lookout = receive, after, lookout or Lookout()
        self.gone = self._cut = False
        self._watch: asyncio.Future[Any] | None = None
        self._end: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._lookout.add(self)

    def nothing_missing(self) -> None:
        """Say that only the end of the body is due: without its client the work goes on no longer for it."""
        self._after = _REST
        if self.gone:
            self._cancel_later()

    def look(self) -> None:
        """Wait for the client's leaving from now on."""
        self._watch = asyncio.ensure_future(self._receive())
        self._watch.add_done_callback(self._leave)

    def _leave(self, _: object) -> None:
        self.gone = True
        if self._after > 0:
            self._cancel_later()
        else:
            self._cancel()

    def _cancel_later(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = asyncio.get_running_loop().call_later(self._after, self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._cut = True
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._lookout.discard(self)
        if self._watch is not None:
            self._watch.remove_done_callback(self._leave)
            self._watch.cancel()
        if self._end is not None:
            self._end.cancel()
        if self._cut and self._task is not None and kind is asyncio.CancelledError:
            self._task.uncancel()
            raise ClientLeft("the client closed its connection") from None
