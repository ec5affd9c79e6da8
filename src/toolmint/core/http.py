"""HTTP requests and responses of tools, and the protocol of a transport."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class HttpRequest(NamedTuple):
    """One request: method, URL, the query as it is sent (encoded), headers, body.

    Query, headers and body may hold credentials: no message shows them, and they never follow a redirect to
    another origin.
    """

    method: str
    url: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    @property
    def target(self) -> str:
        """Return the URL with its query."""
        joint = "&" if "?" in self.url else "?"
        return f"{self.url}{joint}{self.query}" if self.query else self.url


class HttpResponse(NamedTuple):
    """Status, media type and text.

    ``cut`` says that the body was longer than the kept text; ``url`` is where it came from after redirects,
    if the transport knows.
    """

    status: int
    media_type: str
    text: str
    cut: bool = False
    url: str = ""


class Transport(Protocol):
    """Sends requests: over the network, or to a simulated server."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request.

        Raises:
            ToolError: the server cannot be reached or does not answer in time.
        """
        ...
