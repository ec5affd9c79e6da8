"""What becomes of a request whose client leaves while it waits for its answer."""

import asyncio
from typing import Any

from toolmint.core.errors import ClientLeft
from toolmint.gateway.asgi import Receive

_SOON = 0.02
"""Seconds after which the gateway looks whether the client is still there."""
_REST = 1.0
"""Seconds in which an answer ends whose last event is here; its connection can then be used again."""


class cancel_on_disconnect:  # noqa: N801 - used as a function is, like contextlib.suppress
    """Breaks off what is done inside once the client has gone; looks for that only where it takes a while.

    Args:
        receive: of the request.
        after: seconds for which the work goes on without its client.

    Attributes:
        gone: the client has left.

    Raises:
        ClientLeft: where it is left, if it was broken off.
    """

    def __init__(self, receive: Receive, after: float = 0.0) -> None:
        self._receive, self._after = receive, after
        self.gone = self._cut = False
        self._watch: asyncio.Future[Any] | None = None
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._later = asyncio.get_running_loop().call_later(_SOON, self._look)

    def nothing_missing(self) -> None:
        """Say that only the end of the body is due: without its client the work goes on no longer for it."""
        self._after = _REST
        if self.gone:
            self._later.cancel()
            self._later = asyncio.get_running_loop().call_later(_REST, self._cancel)

    def _look(self) -> None:
        self._watch = asyncio.ensure_future(self._receive())
        self._watch.add_done_callback(self._leave)

    def _leave(self, _: object) -> None:
        self.gone = True
        if self._after > 0:
            self._later = asyncio.get_running_loop().call_later(self._after, self._cancel)
        else:
            self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._cut = True
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._later.cancel()
        if self._watch is not None:
            self._watch.remove_done_callback(self._leave)
            self._watch.cancel()
        if self._cut and self._task is not None and kind is asyncio.CancelledError:
            self._task.uncancel()
            raise ClientLeft("the client closed its connection") from None
