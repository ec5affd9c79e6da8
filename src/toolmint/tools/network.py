"""HTTP over the network, with limits of time and size."""

import asyncio

import aiohttp

from toolmint.core.errors import ToolError
from toolmint.core.http import HttpRequest, HttpResponse

_KEPT = 1 << 20


class Network:
    """Sends requests through one shared session.

    Args:
        timeout: seconds until the complete response must be there.
    """

    def __init__(self, *, timeout: float = 30.0) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._seconds = timeout
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return the response, with at most 1 MiB of the body.

        Raises:
            ToolError: the server cannot be reached, or does not answer in time (retryable).
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.request(
                request.method,
                request.url,
                params=list(request.query),
                headers=dict(request.headers),
                data=request.body,
            ) as response:
                body = await response.content.read(_KEPT + 1)
                while len(body) <= _KEPT and (
                    more := await response.content.read(_KEPT + 1 - len(body))
                ):
                    body += more
                text = body[:_KEPT].decode(response.charset or "utf-8", "replace")
                return HttpResponse(response.status, response.content_type, text, len(body) > _KEPT)
        except TimeoutError as fault:
            raise ToolError(
                f"{request.url} gave no answer within {self._seconds:g} s",
                code="tool-timeout",
                retryable=True,
            ) from fault
        except (
            aiohttp.ClientError,
            OSError,
            LookupError,
            ValueError,
            asyncio.IncompleteReadError,
        ) as fault:
            raise ToolError(
                f"{request.url} cannot be reached: {fault}", code="tool-unreachable"
            ) from fault

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
