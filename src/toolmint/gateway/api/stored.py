"""What a client asks the endpoint about an answer that is stored there: read, cancelled, deleted.

``GET`` and ``DELETE /v1/responses/{id}``, its ``/cancel`` and ``/input_items``, and the same of chat
completions, are passed on as they came.
"""

import re
import time

import orjson

from toolmint.core.errors import ClientLeft, HttpError, UpstreamError
from toolmint.core.traffic import Key
from toolmint.gateway.asgi import Receive, Scope, Send
from toolmint.gateway.http_errors import upstream_unavailable
from toolmint.gateway.observability.metrics import Metrics
from toolmint.gateway.upstream.disconnect import cancel_on_disconnect
from toolmint.gateway.upstream.endpoint import Asking, Upstream, is_stream, passed_on
from toolmint.gateway.upstream.forwarded import forwarded_headers, with_query
from toolmint.gateway.upstream.protocol import UpstreamReply

STORED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/v1/responses/{id}", ("GET", "DELETE")),
    ("/v1/responses/{id}/cancel", ("POST",)),
    ("/v1/responses/{id}/input_items", ("GET",)),
    ("/v1/chat/completions/{id}", ("GET", "POST", "DELETE")),
    ("/v1/chat/completions/{id}/messages", ("GET",)),
)
"""Paths and methods that are passed on."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


class StoredAnswers:
    """Passes on what is asked about stored answers.

    Args:
        upstream: the endpoint.
        metrics: count what is passed on.
    """

    def __init__(self, upstream: Upstream, metrics: Metrics) -> None:
        self._upstream, self._metrics = upstream, metrics

    def ask(self, scope: Scope, key: Key, number: str, body: bytes | None) -> "PassedReply":
        """Return what answers a request by passing it on.

        Raises:
            HttpError: its path names no answer.
        """
        method, name = scope["method"], scope["path_params"]["id"]
        if not _ID.fullmatch(name):  # such as "..", which would lead to another path
            raise HttpError(404, f"There is no answer {name!r:.60}.", code="not_found")
        path = with_query(scope["path"].removeprefix("/v1"), scope.get("query_string", b""))
        asking = self._upstream.ask(
            "GET" if method == "HEAD" else method, path, body, forwarded_headers(scope, key, number)
        )
        return PassedReply(asking, self._metrics)


class PassedReply:
    """The endpoint's reply as an ASGI application: whole, or event by event as it comes."""

    def __init__(self, asking: Asking, metrics: Metrics) -> None:
        self._asking, self._metrics = asking, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the request and pass the reply back."""
        del scope
        started, status = time.perf_counter(), 499
        try:
            with cancel_on_disconnect(receive, 0.0):
                async with self._asking as reply:
                    last = await self._pass(reply, send)
                    status = reply.status
        except ClientLeft:
            last = None
        # Outside, as the end of an answer looks as if the client had left.
        if last is not None:
            await send({"type": "http.response.body", "body": last})
        self._metrics.request("stored", "strong", status, time.perf_counter() - started)

    async def _pass(self, reply: UpstreamReply, send: Send) -> bytes:
        """Send the head, and all of a stream but its end; returns what is still to be sent."""
        start = {"type": "http.response.start", "status": reply.status, "headers": passed_on(reply)}
        if not is_stream(reply):
            raw = await reply.read()
            await send(start)
            return raw
        await send(start)
        try:
            async for piece in reply.pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except UpstreamError:
            broken = upstream_unavailable("The strong model's stream broke off.")
            return b"data: " + orjson.dumps(broken.body) + b"\n\n"
        return b""
