"""What the gateway needs of a client for the strong model's endpoint; there are two."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from toolwright.gateway.asgi import Headers

CONNECT_SECONDS = 10.0
KEPT_SECONDS = 60.0
"""So long a connection may rest before it is closed."""


class Gone(Exception):
    """The endpoint cannot be reached, or its answer broke off; the text says how."""


class Late(Gone):
    """It took too long."""


class Reply(Protocol):
    """An answer whose head is here."""

    status: int

    @property
    def heads(self) -> Headers:
        """Its headers, their names in small letters."""
        ...

    async def read(self) -> bytes:
        """Give the whole body. Raises Gone."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raises Gone."""
        ...

    def release(self) -> None:
        """Give the connection back; one whose answer has not ended is closed."""
        ...


class Client(Protocol):
    """Sends requests to one endpoint."""

    async def start(self) -> None:
        """Make ready."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...

    async def send(
        self, method: str, path: str, body: bytes | None, more: Mapping[str, str]
    ) -> Reply:
        """Send a request and give its reply once the head is here; its ``release`` must follow.

        Raises Gone; Late where it took too long.
        """
        ...
