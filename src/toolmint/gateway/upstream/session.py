"""An endpoint over aiohttp, for what needs more than a connection: a proxy, an odd address."""

from collections.abc import AsyncGenerator, Mapping

import aiohttp
from yarl import URL

from toolmint.core.errors import UpstreamError, UpstreamTimeout
from toolmint.gateway.asgi import Headers
from toolmint.gateway.upstream.protocol import CONNECT_SECONDS, KEPT_SECONDS


class AiohttpReply:
    """A reply of aiohttp's."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self.status, self._reply = reply.status, reply
        self.heads: Headers = [(name.lower(), value) for name, value in reply.raw_headers]

    async def read(self) -> bytes:
        """Return the whole body.

        Raises:
            UpstreamError: it broke off.
        """
        try:
            return await self._reply.read()
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise _gone(fault) from fault

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it comes.

        Raises:
            UpstreamError: it broke off.
        """
        try:
            async for piece in self._reply.content.iter_any():
                yield piece
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise _gone(fault) from fault

    def release(self) -> None:
        """Return the connection to the pool, or close it where the reply has not ended."""
        if self._reply.content.at_eof():
            self._reply.release()
        else:
            self._reply.close()


class AiohttpClient:
    """Asks one endpoint, through a proxy where one is given.

    The proxy is resolved once. aiohttp's ``trust_env`` would resolve it for each request, in a thread, and
    would read ``~/.netrc``, whose entry for the host then clashes with the authorization header. Redirects
    are not followed: that would post the body, with the key, to an address that nobody configured.

    Args:
        base_url: with http or https.
        headers: of every request.
        seconds: that may pass without a byte from it.
        proxy: URL of an HTTP proxy; None: direct.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str], seconds: float, proxy: str | None = None
    ) -> None:
        self._base, self._headers, self._proxy = base_url, headers, proxy
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=seconds
        )
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool of connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS),
            timeout=self._timeout,
            headers=self._headers,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, path: str, body: bytes | None, more: Mapping[str, str]
    ) -> AiohttpReply:
        """Send a request and return its reply once the head is here; ``release`` must follow.

        Raise UpstreamError where the endpoint cannot be reached or broke off, UpstreamTimeout where it
        took too long.
        """
        if self._session is None:
            raise RuntimeError("the upstream is not started")
        try:
            url = URL(self._base + path)
            reply = await self._session.request(
                method, url, data=body, headers=more, proxy=self._proxy, allow_redirects=False
            )
            return AiohttpReply(reply)
        except (TimeoutError, aiohttp.ClientError, ValueError) as fault:
            raise _gone(fault) from fault


def _gone(fault: Exception) -> UpstreamError:
    away = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
    kind = UpstreamTimeout if isinstance(fault, TimeoutError) else UpstreamError
    return kind(str(fault) or type(fault).__name__, sent=not isinstance(fault, away))
