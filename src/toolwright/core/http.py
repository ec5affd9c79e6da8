"""What a tool sends over HTTP and gets back, and the protocol of what carries it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class HttpRequest(NamedTuple):
    """One request: method, whole URL without query, query pairs, headers, and a body."""

    method: str
    url: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class HttpResponse(NamedTuple):
    """Status, media type and text; ``cut`` says that the body was longer than what is kept."""

    status: int
    media_type: str
    text: str
    cut: bool = False


class Transport(Protocol):
    """Carries requests: the network, or a simulated server."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request.

        Raises:
            ToolError: the server cannot be reached or does not answer in time.
        """
        ...
