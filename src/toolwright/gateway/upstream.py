"""The strong model's endpoint, over aiohttp: bytes go through, faults become errors that clients
understand.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiohttp

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

    @asynccontextmanager
    async def ask(
        self, method: str, path: str, body: bytes | None, more: Mapping[str, str]
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send a request; gives the open reply.

        Raises:
            Refusal: the endpoint cannot be reached, is too slow, or refuses the gateway's own key.
        """
        if self._session is None:
            raise RuntimeError("the upstream is not started")
        try:
            async with self._session.request(
                method, self.base_url + path, data=body, headers=more
            ) as reply:
                if reply.status in {401, 403}:
                    raise Refusal(
                        502, f"The strong model's endpoint refused the gateway's key ({reply.status}).",
                        kind="server_error", code="upstream_key",
                    )  # fmt: skip
                yield reply
        except TimeoutError as fault:
            raise upstream_away(
                "The strong model's endpoint did not answer in time.", 504
            ) from fault
        except aiohttp.ClientError as fault:
            raise upstream_away(
                f"The strong model's endpoint cannot be reached: {fault or type(fault).__name__}."
            ) from fault


def passed_on(reply: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    """Give the headers of a reply that clients should see."""
    return [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in reply.headers.items()
        if name.lower().startswith(FORWARDED)
    ]
