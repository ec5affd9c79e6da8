"""The little of ASGI that the gateway needs: reading a body within limits, and answering."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from ipaddress import ip_address
from typing import Any, NamedTuple

import orjson

from toolwright.gateway.refusal import Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


class ClientLeft(Exception):
    """The client went away before it was answered."""


class Patience:
    """``asyncio.timeout`` for what hardly ever waits: a timer that is cancelled again, and no more.

    Raises:
        TimeoutError: where it is left, if the seconds have passed.
    """

    __slots__ = ("_over", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds, self._over = seconds, False

    def __enter__(self) -> None:
        self._task: Any = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def _end(self) -> None:
        self._over = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if self._over and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise TimeoutError from None


class Gate(NamedTuple):
    """How large a body may be (bytes), and how long it may take to come (seconds)."""

    most: int = 20 << 20
    seconds: float = 30.0


async def read_body(scope: Scope, receive: Receive, gate: Gate) -> bytes:
    """Give a request's body.

    Raises:
        Refusal: it is too large, or too slow.
        ClientLeft: the client went away.
    """
    told = header(scope, b"content-length")
    if told is not None and told.isdigit() and int(told) > gate.most:
        raise _too_large(gate)
    first = await _receive(receive, gate.seconds)
    body: bytes = first.get("body", b"")
    if not first.get("more_body"):
        return body
    parts, size = [body], len(body)
    async with asyncio.timeout(gate.seconds) as _:
        while True:
            message = await _receive(receive, gate.seconds)
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > gate.most:
                raise _too_large(gate)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)


async def _receive(receive: Receive, seconds: float) -> Message:
    try:
        with Patience(seconds):
            message = await receive()
    except TimeoutError as fault:
        raise Refusal(
            408, f"The body did not come within {seconds:g} s.", code="request_timeout",
            headers={"connection": "close"},
        ) from fault  # fmt: skip
    if message["type"] == "http.disconnect":
        raise ClientLeft
    return message


def _too_large(gate: Gate) -> Refusal:
    return Refusal(
        413, f"The body is larger than the {gate.most:,} bytes that are allowed.",
        code="request_too_large", headers={"connection": "close"},
    )  # fmt: skip


def header(scope: Scope, name: bytes) -> bytes | None:
    """Give a request's header by its name in small letters."""
    found: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for key, value in found:
        if key == name:
            return value
    return None


def local(host: bytes | None) -> bool:
    """Say whether a ``Host`` header names this machine, and no other name that may lead to it."""
    name = (host or b"").decode("latin-1").rsplit(":", 1)[0].strip("[]")
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


async def answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Answer with a whole body."""
    size = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, size]})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, value: object, headers: Headers) -> None:
    """Answer with JSON."""
    await answer(send, status, orjson.dumps(value), [JSON, *headers])


async def refuse(send: Send, refusal: Refusal, headers: Headers) -> None:
    """Answer with an error."""
    more = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    await answer_json(send, refusal.status, refusal.body, [*headers, *more])
