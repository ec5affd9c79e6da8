"""The strong model's answer to a request: passed on as it comes, and read on the way."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import aiohttp
import orjson

from toolwright.core.model import Usage
from toolwright.gateway.asgi import EVENTS, JSON, ClientLeft, Headers, Receive
from toolwright.gateway.call import Call, Kind
from toolwright.gateway.refusal import upstream_away
from toolwright.gateway.relay import Relay
from toolwright.gateway.upstream import Upstream, passed_on
from toolwright.gateway.wire import Asked


class Answered(NamedTuple):
    """What the strong model said.

    Attributes:
        text: the answer, where it is one text that ended well; None: there is nothing to learn.
        finish: sends what is still to be sent, once everything is written down.
    """

    status: int
    model: str
    text: str | None
    usage: Usage
    finish: Callable[[], Awaitable[None]]


class Strong:
    """Passes requests on to an endpoint."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def answer(
        self, call: Call, kind: Kind, asked: Asked, body: bytes, marks: Headers
    ) -> Answered:
        """Pass a request on; a streamed reply has been sent but for its end, a whole one not at all.

        Raises:
            Refusal: the endpoint cannot be reached.
            ClientLeft: the client went away; the request to the endpoint is broken off.
        """
        hide = asked.stream and kind.name == "chat" and not asked.usage_wanted
        if hide:
            options: dict[str, Any] = asked.body.get("stream_options") or {}
            more = {"stream_options": options | {"include_usage": True}}
            body = orjson.dumps(asked.body | more)
        with _left(call.receive):
            async with self._upstream.ask(
                "POST", kind.path, body, {"x-request-id": call.number}
            ) as reply:
                head = [
                    *passed_on(reply), *marks, *call.named(time.perf_counter() - call.started),
                ]  # fmt: skip
                if reply.status == 200 and "event-stream" in reply.headers.get("content-type", ""):
                    return await self._stream(call, asked, reply, head, hide=hide)
                return self._whole(call, kind, reply.status, await reply.read(), head)

    def _whole(self, call: Call, kind: Kind, status: int, raw: bytes, head: Headers) -> Answered:
        value = _object(raw)
        if value is None:
            raise upstream_away(f"The strong model's endpoint answered {status} with no JSON.")
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
        return Answered(status, str(value.get("model") or ""), text, usage, finish)

    async def _stream(
        self, call: Call, asked: Asked, reply: aiohttp.ClientResponse, head: Headers, *, hide: bool
    ) -> Answered:
        relay = Relay(hide_usage=hide, keep=asked.text is not None)
        headers = [EVENTS, (b"cache-control", b"no-cache"), *head]
        await call.send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async for piece in reply.content.iter_any():
                out = relay.feed(piece)
                if out:
                    await call.send({"type": "http.response.body", "body": out, "more_body": True})
        except (aiohttp.ClientError, TimeoutError):
            broken = upstream_away("The strong model's stream broke off.")
            last = b"data: " + orjson.dumps(broken.body) + b"\n\n"
            text = None
        else:
            last, text = relay.end(), relay.text() if asked.text is not None else None

        async def finish() -> None:
            await call.send({"type": "http.response.body", "body": last})

        return Answered(200, "", text, usage_of(relay.usage), finish)


@contextmanager
def _left(receive: Receive) -> Generator[None]:
    """Break off what is done inside once the client has gone."""
    task = asyncio.current_task()
    watch = asyncio.ensure_future(receive())
    gone = False

    def leave(_: object) -> None:
        nonlocal gone
        gone = True
        if task is not None:
            task.cancel()

    watch.add_done_callback(leave)
    try:
        yield
    except asyncio.CancelledError:
        if not gone or task is None:
            raise
        task.uncancel()
        raise ClientLeft from None
    finally:
        watch.remove_done_callback(leave)
        watch.cancel()


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
