"""The strong model's answer to a request: passed on as it comes, and read on the way."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, cast

import orjson

from toolmint.core.errors import ClientLeft, UpstreamError
from toolmint.core.model import Usage
from toolmint.gateway.asgi import EVENTS, JSON, Headers, Receive
from toolmint.gateway.call import EndpointKind, GatewayCall, ParsedRequest
from toolmint.gateway.http_errors import upstream_unavailable
from toolmint.gateway.upstream.endpoint import Upstream, is_stream, passed_on
from toolmint.gateway.upstream.protocol import UpstreamReply
from toolmint.gateway.upstream.relay import StreamRelay

SOON = 0.02
"""Seconds after which the gateway looks whether the client is still there."""


class UpstreamAnswer(NamedTuple):
    """What the strong model said.

    Attributes:
        text: the answer, where it is one text that ended well (empty: nobody wanted to know it); None:
            there is nothing to learn.
        finish: sends what is still to be sent, once everything is written down.
    """

    status: int
    model: str
    text: str | None
    usage: Usage
    finish: Callable[[], Awaitable[None]]


class PassThrough:
    """Passes requests on to an endpoint."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def answer(
        self,
        call: GatewayCall,
        kind: EndpointKind,
        parsed: ParsedRequest,
        body: bytes,
        marks: Headers,
        *,
        keep: bool,
    ) -> UpstreamAnswer:
        """Pass a request on; a streamed reply has been sent but for its end, a whole one not at all.

        ``keep``: the answer's text is wanted; a stream is not put together for nobody.

        Raises:
            HttpError: the endpoint cannot be reached.
            ClientLeft: the client went away; the request to the endpoint is broken off.
        """
        hide = parsed.stream and kind.asks_usage and not parsed.usage_wanted
        if hide:
            options: dict[str, Any] = parsed.body.get("stream_options") or {}
            more = {"stream_options": options | {"include_usage": True}}
            body = orjson.dumps(parsed.body | more)
        with cancel_on_disconnect(call.receive):
            async with self._upstream.ask(
                "POST", kind.path, body, {"x-request-id": call.number}
            ) as reply:
                head = [
                    *passed_on(reply),
                    *marks,
                    *call.named(time.perf_counter() - call.started),
                ]
                if reply.status == 200 and is_stream(reply):
                    return await self._stream(call, reply, head, hide=hide, keep=keep)
                return self._whole(call, kind, reply.status, await reply.read(), head)

    def _whole(
        self, call: GatewayCall, kind: EndpointKind, status: int, raw: bytes, head: Headers
    ) -> UpstreamAnswer:
        value = _object(raw)
        if value is None:
            raise upstream_unavailable(
                f"The strong model's endpoint answered {status} with no JSON."
            )
        size = (b"content-length", str(len(raw)).encode())

        async def finish() -> None:
            start = {
                "type": "http.response.start",
                "status": status,
                "headers": [JSON, size, *head],
            }
            await call.send(start)
            await call.send({"type": "http.response.body", "body": raw})

        good = status < 400
        usage = usage_of(value.get("usage")) if good else Usage()
        text = kind.text(value) if good else None
        return UpstreamAnswer(status, str(value.get("model") or ""), text, usage, finish)

    async def _stream(
        self, call: GatewayCall, reply: UpstreamReply, head: Headers, *, hide: bool, keep: bool
    ) -> UpstreamAnswer:
        relay = StreamRelay(hide_usage=hide, keep=keep)
        headers = [EVENTS, (b"cache-control", b"no-cache"), *head]
        await call.send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async for piece in reply.pieces():
                out = relay.feed(piece)
                if out:
                    await call.send({"type": "http.response.body", "body": out, "more_body": True})
        except UpstreamError:
            broken = upstream_unavailable("The strong model's stream broke off.")
            last = b"data: " + orjson.dumps(broken.body) + b"\n\n"
            text = None
        else:
            last, text = relay.end(), relay.text() if keep else ""

        async def finish() -> None:
            await call.send({"type": "http.response.body", "body": last})

        return UpstreamAnswer(200, "", text, usage_of(relay.usage), finish)


class cancel_on_disconnect:  # noqa: N801 - used as a function is, like contextlib.suppress
    """Breaks off what is done inside once the client has gone; looks for that only where it takes a while.

    Raises:
        ClientLeft: where it is left, if the client has gone.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive, self._gone = receive, False
        self._watch: asyncio.Future[Any] | None = None
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._later = asyncio.get_running_loop().call_later(SOON, self._look)

    def _look(self) -> None:
        self._watch = asyncio.ensure_future(self._receive())
        self._watch.add_done_callback(self._leave)

    def _leave(self, _: object) -> None:
        self._gone = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._later.cancel()
        if self._watch is not None:
            self._watch.remove_done_callback(self._leave)
            self._watch.cancel()
        if self._gone and self._task is not None and kind is asyncio.CancelledError:
            self._task.uncancel()
            raise ClientLeft("the client closed its connection") from None


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def usage_of(wire: object) -> Usage:
    """Read the usage of either endpoint; where none is reported, the cost is unknown."""
    if not isinstance(wire, dict):
        return Usage(requests=1, cost=None)
    found = cast("dict[str, Any]", wire)
    details: Any = found.get("prompt_tokens_details") or found.get("input_tokens_details") or {}
    return Usage(
        requests=1,
        input_tokens=int(found.get("prompt_tokens") or found.get("input_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
        output_tokens=int(found.get("completion_tokens") or found.get("output_tokens") or 0),
        cost=None,
    )
