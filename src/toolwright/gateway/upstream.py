"""The strong model's endpoint: bytes go through, faults become errors that clients understand."""

from collections.abc import Mapping
from types import TracebackType
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from toolwright.gateway.asgi import Headers
from toolwright.gateway.direct import Direct
from toolwright.gateway.endpoint import Client, Gone, Late, Reply
from toolwright.gateway.refusal import Refusal, upstream_away

FORWARDED = (b"openai-", b"x-ratelimit-", b"retry-after", b"x-should-retry")


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
            "user-agent": "toolwright",
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
        """Give a request that is sent where it is entered (``async with``), and then the open reply."""
        return Asking(self._client, (method, path, body, more))


class Asking:
    """A request on its way; faults on the way become refusals, also while the reply is read."""

    def __init__(
        self, client: Client, request: tuple[str, str, bytes | None, Mapping[str, str]]
    ) -> None:
        self._client, self._request = client, request
        self._reply: Reply | None = None

    async def __aenter__(self) -> Reply:
        """Send it.

        Raises:
            Refusal: the endpoint cannot be reached, is too slow, or refuses the gateway's own key.
        """
        try:
            reply = self._reply = await self._client.send(*self._request)
        except Gone as fault:
            raise _away(fault) from fault
        if reply.status in {401, 403}:
            reply.release()
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
        if self._reply is not None:
            self._reply.release()
        if isinstance(fault, Gone):
            raise _away(fault) from fault


def client_for(base_url: str, headers: Mapping[str, str], seconds: float) -> Client:
    """Give the client for an endpoint: connections of our own, or aiohttp where those are not enough."""
    if _plain(urlsplit(base_url), base_url):
        return Direct(base_url, headers, seconds)
    from toolwright.gateway.session import Session  # noqa: PLC0415 - aiohttp takes 0.3 s to load

    return Session(base_url, headers, seconds)


def _plain(parts: SplitResult, base_url: str) -> bool:
    """Say whether an address needs no more than a connection: no proxy, no user's name, nothing to quote."""
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    proxied = parts.scheme in getproxies() and not proxy_bypass(host)
    odd = parts.username is not None or parts.query or not base_url.isascii() or " " in base_url
    return bool(host) and parts.scheme in {"http", "https"} and not proxied and not odd


def _away(fault: Gone) -> Refusal:
    if isinstance(fault, Late):
        return upstream_away("The strong model's endpoint did not answer in time.", 504)
    return upstream_away(f"The strong model's endpoint cannot be reached: {fault}.")


def passed_on(reply: Reply) -> Headers:
    """Give the headers of a reply that clients should see."""
    return [one for one in reply.heads if one[0].startswith(FORWARDED)]


def is_stream(reply: Reply) -> bool:
    """Say whether a reply is a stream of events."""
    return any(name == b"content-type" and b"event-stream" in value for name, value in reply.heads)
