"""The strong model's endpoint, over aiohttp: bytes go through, faults become errors that clients
understand.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType

import aiohttp
from yarl import URL

from toolwright.gateway.refusal import Refusal, upstream_away

FORWARDED = ("openai-", "x-ratelimit-", "retry-after", "x-should-retry")
CONNECT_SECONDS = 10.0


class Upstream:
    """An OpenAI-compatible endpoint.

    Args:
        base_url: such as ``https://api.openai.com/v1``.
        key: the gateway's own key for it; it is never shown to clients.
        seconds: that may pass without a byte from it.
    """

    def __init__(self, base_url: str, key: str | None, seconds: float = 600.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": "toolwright",
        }
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=seconds
        )
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    async def start(self) -> None:
        """Open the pool of connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60.0),
            timeout=self._timeout, headers=self._headers, auto_decompress=False,
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def ask(self, method: str, path: str, body: bytes | None, more: Mapping[str, str]) -> "Asking":
        """Give a request that is sent where it is entered (``async with``), and then the open reply."""
        if self._session is None:
            raise RuntimeError("the upstream is not started")
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = URL(self.base_url + path)
        return Asking(self._session.request(method, url, data=body, headers=more))


class Asking:
    """A request on its way; faults on the way become refusals, also while the reply is read."""

    def __init__(self, request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> None:
        self._request = request

    async def __aenter__(self) -> aiohttp.ClientResponse:
        """Send it.

        Raises:
            Refusal: the endpoint cannot be reached, is too slow, or refuses the gateway's own key.
        """
        try:
            reply = await self._request.__aenter__()
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise _away(fault) from fault
        if reply.status in {401, 403}:
            reply.close()
            raise Refusal(
                502, f"The strong model's endpoint refused the gateway's key ({reply.status}).",
                kind="server_error", code="upstream_key",
            )  # fmt: skip
        return reply

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._request.__aexit__(kind, fault, trace)
        if isinstance(fault, (TimeoutError, aiohttp.ClientError)):
            raise _away(fault) from fault


def _away(fault: Exception) -> Refusal:
    if isinstance(fault, TimeoutError):
        return upstream_away("The strong model's endpoint did not answer in time.", 504)
    said = str(fault) or type(fault).__name__
    return upstream_away(f"The strong model's endpoint cannot be reached: {said}.")


def passed_on(reply: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    """Give the headers of a reply that clients should see."""
    return [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in reply.headers.items()
        if name.lower().startswith(FORWARDED)
    ]
