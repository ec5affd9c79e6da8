"""The little of ASGI that the gateway needs: reading a body within limits, and answering."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from ipaddress import ip_address
from typing import Any, NamedTuple

import orjson

from toolmint.core.errors import ClientLeft, HttpError

Scope = MutableMapping[str, Any]
AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


class BodyLimits(NamedTuple):
    """How large a body may be (bytes), and how long it may take to come (seconds)."""

    most: int = 20 << 20
    seconds: float = 30.0


async def read_body(scope: Scope, receive: Receive, limits: BodyLimits) -> bytes:
    """Return a request's body.

    Raise HttpError 413 where it is too large, and 408 where it is not complete within
    ``limits.seconds``. Raise ClientLeft where the client went away.
    """
    length = header(scope, b"content-length")
    if length is not None and length.isdigit() and int(length) > limits.most:
        raise _too_large(limits)
    parts: list[bytes] = []
    size = 0
    try:
        # One timer for the whole body: a timer per part would let a client drip without end.
        with _Expiry(limits.seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft("the client closed its connection while it sent the body")
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > limits.most:
                    raise _too_large(limits)
                parts.append(part)
                if not message.get("more_body"):
                    return part if len(parts) == 1 else b"".join(parts)
    except TimeoutError as fault:
        raise HttpError(
            408,
            f"The body did not come within {limits.seconds:g} s.",
            code="request_timeout",
            headers={"connection": "close"},
        ) from fault


class _Expiry:
    """Raises TimeoutError after some seconds, like ``asyncio.timeout``, at a third of its cost: every
    request reads a body, and nearly every body is there already.
    """

    __slots__ = ("_cancelling", "_over", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds, self._over = seconds, False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._cancelling = self._task.cancelling() if self._task is not None else 0
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._expire)

    def _expire(self) -> None:
        self._over = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if self._over and self._task is not None:
            # Another cancellation may have come too, and then that one stands.
            others = self._task.uncancel() > self._cancelling
            if kind is asyncio.CancelledError and not others:
                raise TimeoutError from None


def _too_large(limits: BodyLimits) -> HttpError:
    return HttpError(
        413,
        f"The body is larger than the {limits.most:,} bytes that are allowed.",
        code="request_too_large",
        headers={"connection": "close"},
    )


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return a request's header by its name in small letters."""
    found: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for key, value in found:
        if key == name:
            return value
    return None


def is_loopback_host(host: bytes | None) -> bool:
    """Return whether a ``Host`` header names this machine, and no other name that may lead to it."""
    name = (host or b"").decode("latin-1").rsplit(":", 1)[0].strip("[]")
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def sse_event(value: dict[str, Any], name: str | None = None) -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(value) + b"\n\n"


async def send_response(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Answer with a whole body."""
    size = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, size]})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, value: object, headers: Headers) -> None:
    """Answer with JSON."""
    await send_response(send, status, orjson.dumps(value), [JSON, *headers])


async def send_error(send: Send, error: HttpError, headers: Headers) -> None:
    """Answer with an error."""
    more = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send_json(send, error.status, error.body, [*headers, *more])
