"""What the gateway needs of a client for the strong model's endpoint; there are two."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from toolmint.gateway.asgi import Headers

CONNECT_SECONDS = 10.0
KEPT_SECONDS = 60.0
"""So long a connection may rest before it is closed."""


class UpstreamReply(Protocol):
    """An answer whose head is here."""

    status: int

    @property
    def heads(self) -> Headers:
        """Its headers, their names in small letters."""
        ...

    async def read(self) -> bytes:
        """Return the whole body. Raise UpstreamError."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raise UpstreamError."""
        ...

    def release(self) -> None:
        """Return the connection to the pool; one whose answer has not ended is closed."""
        ...


class UpstreamClient(Protocol):
    """Sends requests to one endpoint."""

    async def start(self) -> None:
        """Make ready."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...

    async def send(
        self, method: str, path: str, body: bytes | None, more: Mapping[str, str]
    ) -> UpstreamReply:
        """Send a request and return its reply once the head is here; its ``release`` must follow.

        Raise UpstreamError; UpstreamTimeout where it took too long.
        """
        ...
