"""HTTP over the network, with limits of time, size, addresses and redirects."""

import asyncio
import socket
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from toolmint.core.errors import ToolError
from toolmint.core.http import HttpRequest, HttpResponse
from toolmint.tools.addresses import PrivateAddress, is_own_host, is_public

RESPONSE_LIMIT = 1 << 20
"""Bytes of a response that are kept."""
DOCUMENT_LIMIT = 64 << 20
"""Bytes of a document."""
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_KEPT_HEADERS = frozenset({"accept", "accept-language", "user-agent"})
"""Headers that follow a redirect to another origin: a key may stand under any other name."""


class PublicResolver(AbstractResolver):
    """Resolves hosts to public addresses alone; the connection goes to the very address that was checked."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of a host.

        Raises:
            PrivateAddress: one of them is not public.
            OSError: it has none.
        """
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if not is_public(one["host"]):
                raise PrivateAddress(f"{host!r} is the address {one['host']}")
        return found

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


class Network:
    """Sends requests through one shared session.

    Args:
        timeout: seconds until the complete response must be there.
        private: whether addresses of this machine and of private networks may be called.
        kept: bytes of a response's body that are kept.
    """

    def __init__(
        self, *, timeout: float = 30.0, private: bool = True, kept: int = RESPONSE_LIMIT
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._seconds, self._private, self._kept = timeout, private, kept
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = None if self._private else aiohttp.TCPConnector(resolver=PublicResolver())
            self._session = aiohttp.ClientSession(timeout=self._timeout, connector=connector)
        return self._session

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return the response, with at most so many bytes of the body as are kept.

        Redirects are followed where they cannot do harm: to another origin only without a body, and without
        what the request carried in query and headers.

        Raises:
            ToolError: the server cannot be reached or is private, or does not answer in time (retryable).
        """
        shown = request.url.partition("?")[0]
        try:
            async with asyncio.timeout(self._seconds):
                for _ in range(_MOST_REDIRECTS + 1):
                    found = await self._once(request)
                    if isinstance(found, HttpResponse):
                        return found
                    request = found
        except TimeoutError as fault:
            raise ToolError(
                f"{shown} gave no answer within {self._seconds:g} s",
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
            raise _unreachable(shown, fault) from fault
        raise ToolError(
            f"{shown} redirects more than {_MOST_REDIRECTS} times", code="tool-unreachable"
        )

    async def _once(self, request: HttpRequest) -> HttpResponse | HttpRequest:
        """Return the response, or the request that a redirect leads to."""
        address = URL(request.target, encoded=True)
        if not self._private and is_own_host(address.host or ""):
            raise PrivateAddress(f"{address.host!r} is not public")
        async with self._open().request(
            request.method,
            address,
            headers=dict(request.headers),
            data=request.body,
            allow_redirects=False,
        ) as response:
            to = response.headers.get("Location")
            if response.status in _REDIRECTS and to:
                return redirected(request, response.status, to)
            return (await self._read(response))._replace(url=request.url)

    async def _read(self, response: aiohttp.ClientResponse) -> HttpResponse:
        body = bytearray()
        while len(body) <= self._kept and (
            more := await response.content.read(self._kept + 1 - len(body))
        ):
            body += more
        try:
            text = body[: self._kept].decode(response.charset or "utf-8", "replace")
        except LookupError:
            text = body[: self._kept].decode("utf-8", "replace")
        return HttpResponse(response.status, response.content_type, text, len(body) > self._kept)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _unreachable(shown: str, fault: Exception) -> ToolError:
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, PrivateAddress):
            return ToolError(
                f"{shown} is not called: {cause}, and the document comes from the net; give "
                "private=allow with its source",
                code="tool-private",
            )
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    # Its words may hold the whole address, and with it a key.
    said = str(fault).split("?", 1)[0] if "://" in str(fault) else str(fault)
    return ToolError(f"{shown} cannot be reached: {said}", code="tool-unreachable")


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme)


def redirected(request: HttpRequest, status: int, to: str) -> HttpRequest:
    """Return the request that a redirect leads to.

    To another origin go no query, no body and no headers but harmless ones.

    Raises:
        ToolError: it leads to another origin with a method that changes something, or to no web address.
    """
    url = urljoin(request.url, to).partition("#")[0]
    method, body = request.method, request.body
    if status == 303 or (status in {301, 302} and method == "POST"):
        method, body = ("HEAD" if method == "HEAD" else "GET"), None
    headers: dict[str, Any] = dict(request.headers)
    if body is None:
        headers = {name: one for name, one in headers.items() if name.lower() != "content-type"}
    shown = url.partition("?")[0]
    if not url.startswith(("http://", "https://")):
        raise ToolError(f"{request.url} redirects to {shown!r}", code="tool-unreachable")
    if origin_of(url) != origin_of(request.url):
        if method not in {"GET", "HEAD"}:
            raise ToolError(
                f"{request.url} redirects {method} to another origin, {shown}; it is not sent there",
                code="tool-redirect",
            )
        headers = {name: one for name, one in headers.items() if name.lower() in _KEPT_HEADERS}
    return HttpRequest(method, url, "", headers, body)
