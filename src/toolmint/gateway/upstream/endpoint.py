"""The strong model's endpoint: bytes go through, faults become errors that clients understand."""

from collections.abc import Mapping
from types import TracebackType
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from toolmint.core.errors import HttpError, UpstreamError, UpstreamTimeout
from toolmint.gateway.asgi import Headers
from toolmint.gateway.http_errors import upstream_unavailable
from toolmint.gateway.upstream.direct import Direct
from toolmint.gateway.upstream.protocol import UpstreamClient, UpstreamReply

_DROPPED = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
        b"alt-svc",
        b"strict-transport-security",
    }
)
"""Headers of one connection or of the endpoint's own address, and the length, which is set anew."""
_PLAIN_CONNECTION = (b"keep-alive", b"close")
_LAST_STATUS = 599
_OURS = b"x-toolmint-"
_REQUEST_ID, _THEIR_REQUEST_ID = b"x-request-id", b"x-upstream-request-id"


class Upstream:
    """An OpenAI-compatible endpoint.

    Args:
        base_url: such as ``https://api.openai.com/v1``.
        key: the gateway's own key for it; it is never shown to clients.
        seconds: that may pass without a byte from it.
    """

    def __init__(self, base_url: str, key: str | None, seconds: float = 600.0) -> None:
        self.base_url = base_url.rstrip("/")
        headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": "toolmint",
        }
        if key:
            headers["authorization"] = f"Bearer {key}"
        self._client = client_for(self.base_url, headers, seconds)

    async def start(self) -> None:
        """Open the pool of connections."""
        await self._client.start()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def ask(self, method: str, path: str, body: bytes | None, more: Mapping[str, str]) -> "Asking":
        """Return a request that is sent where it is entered (``async with``), and then the open reply."""
        return Asking(self._client, (method, path, body, more))


class Asking:
    """A request on its way; faults on the way become refusals, also while the reply is read."""

    def __init__(
        self, client: UpstreamClient, request: tuple[str, str, bytes | None, Mapping[str, str]]
    ) -> None:
        self._client, self._request = client, request
        self._reply: UpstreamReply | None = None

    async def __aenter__(self) -> UpstreamReply:
        """Send it.

        Raises:
            HttpError: the endpoint cannot be reached, is too slow, or answers with what is no status.
        """
        try:
            reply = self._reply = await self._client.send(*self._request)
        except UpstreamError as fault:
            raise _away(fault) from fault
        if reply.status > _LAST_STATUS:
            reply.release()
            raise upstream_unavailable(
                f"The strong model's endpoint answered with status {reply.status}."
            )
        return reply

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reply is not None:
            self._reply.release()
        if isinstance(fault, UpstreamError):
            raise _away(fault) from fault


def client_for(base_url: str, headers: Mapping[str, str], seconds: float) -> UpstreamClient:
    """Return the client for an endpoint: connections of our own, or aiohttp where those are not enough."""
    if _plain(urlsplit(base_url), base_url):
        return Direct(base_url, headers, seconds)
    from toolmint.gateway.upstream.session import AiohttpClient  # noqa: PLC0415 - aiohttp takes 0.3 s to load

    return AiohttpClient(base_url, headers, seconds, _proxy(urlsplit(base_url)))


def _proxy(parts: SplitResult) -> str | None:
    """Return the proxy that the environment names for an address (``HTTPS_PROXY``, ``NO_PROXY``)."""
    url = getproxies().get(parts.scheme)
    if url is None or proxy_bypass(parts.hostname or ""):
        return None
    return url if "://" in url else f"http://{url}"


def _plain(parts: SplitResult, base_url: str) -> bool:
    """Return whether a bare connection is enough: no proxy, no user's name, nothing to quote."""
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    proxied = _proxy(parts) is not None
    odd = parts.username is not None or parts.query or not base_url.isascii() or " " in base_url
    return bool(host) and parts.scheme in {"http", "https"} and not proxied and not odd


def _away(fault: UpstreamError) -> HttpError:
    if isinstance(fault, UpstreamTimeout):
        return upstream_unavailable("The strong model's endpoint did not answer in time.", 504)
    return upstream_unavailable(f"The strong model's endpoint cannot be reached: {fault}.")


def passed_on(reply: UpstreamReply) -> Headers:
    """Return the headers of a reply that clients see: all but those of the connection itself.

    The endpoint's own request id has another name, as ``x-request-id`` is the gateway's.
    """
    found: Headers = []
    hops: set[bytes] = set()
    for one in reply.heads:
        name, value = one
        if name in _DROPPED:
            if name == b"connection" and value not in _PLAIN_CONNECTION:
                hops |= {word.strip().lower() for word in value.split(b",")}
        elif name == _REQUEST_ID:
            found.append((_THEIR_REQUEST_ID, value))
        elif not name.startswith(_OURS):
            found.append(one)
    return [one for one in found if one[0] not in hops] if hops else found


def is_stream(reply: UpstreamReply) -> bool:
    """Return whether a reply is a stream of events."""
    for name, value in reply.heads:
        if name == b"content-type":
            return b"event-stream" in value
    return False
