"""HTTP requests and responses of tools, and the protocol of a transport."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class HttpRequest(NamedTuple):
    """One request: method, URL without query, query pairs, headers, body."""

    method: str
    url: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class HttpResponse(NamedTuple):
    """Status, media type and text; ``cut`` says that the body was longer than the kept text."""

    status: int
    media_type: str
    text: str
    cut: bool = False


class Transport(Protocol):
    """Sends requests: over the network, or to a simulated server."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request.

        Raises:
            ToolError: the server cannot be reached or does not answer in time.
        """
        ...
