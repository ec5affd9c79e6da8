"""An endpoint over aiohttp, for what needs more than a connection: a proxy, an odd address."""

from collections.abc import AsyncGenerator, Mapping

import aiohttp
from yarl import URL

from toolwright.gateway.asgi import Headers
from toolwright.gateway.endpoint import CONNECT_SECONDS, KEPT_SECONDS, Gone, Late


class SessionReply:
    """A reply of aiohttp's."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self.status, self._reply = reply.status, reply
        self.heads: Headers = [(name.lower(), value) for name, value in reply.raw_headers]

    async def read(self) -> bytes:
        """Give the whole body.

        Raises:
            Gone: it broke off.
        """
        try:
            return await self._reply.read()
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise _gone(fault) from fault

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it comes.

        Raises:
            Gone: it broke off.
        """
        try:
            async for piece in self._reply.content.iter_any():
                yield piece
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise _gone(fault) from fault

    def release(self) -> None:
        """Give the connection back, or close it where the reply has not ended."""
        if self._reply.content.at_eof():
            self._reply.release()
        else:
            self._reply.close()


class Session:
    """Asks one endpoint; environment variables such as ``HTTPS_PROXY`` are followed.

    Args:
        base_url: with http or https.
        headers: of every request.
        seconds: that may pass without a byte from it.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], seconds: float) -> None:
        self._base, self._headers = base_url, headers
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=seconds
        )
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool of connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS),
            timeout=self._timeout, headers=self._headers, auto_decompress=False, trust_env=True,
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, path: str, body: bytes | None, more: Mapping[str, str]
    ) -> SessionReply:
        """Send a request and give its reply once the head is here; ``release`` must follow.

        Raises:
            Gone: the endpoint cannot be reached, or broke off; ``Late``: it took too long.
        """
        if self._session is None:
            raise RuntimeError("the upstream is not started")
        try:
            url = URL(self._base + path)
            return SessionReply(await self._session.request(method, url, data=body, headers=more))
        except (TimeoutError, aiohttp.ClientError, ValueError) as fault:
            raise _gone(fault) from fault


def _gone(fault: Exception) -> Gone:
    return (Late if isinstance(fault, TimeoutError) else Gone)(str(fault) or type(fault).__name__)
