"""uvicorn's protocol with a cork: what is written in one turn of the loop is sent by one call of the system.

An answer's head and body are two messages of ASGI, which uvicorn would send one by one, and a client would
wake up for each.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Cork:
    """A transport that gathers what is written until the loop's next turn; all else is the transport's own.

    Args:
        transport: of a connection.
        loop: that it belongs to.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ANN401 - any kind
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send some bytes soon."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Send what is here now."""
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def close(self) -> None:
        """Send what is here, and close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._transport, name)


class CorkedProtocol(HttpToolsProtocol):
    """uvicorn's protocol over httptools, behind a cork."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401
        """Begin."""
        super().connection_made(Cork(transport, self.loop))  # pyright: ignore[reportArgumentType]
