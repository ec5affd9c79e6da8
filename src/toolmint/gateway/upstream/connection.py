"""A connection to an endpoint, which httptools reads, and the reply that comes on it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httptools

from toolmint.core.errors import UpstreamError, UpstreamTimeout
from toolmint.gateway.asgi import Headers

MOST_HEAD = 64 << 10
"""Bytes that the head of a reply may have."""
TOO_LONG = f"the head of its answer is longer than {MOST_HEAD:,} bytes"
HIGH = 1 << 20
"""Bytes of a reply that wait here before the endpoint has to."""


class Connection(asyncio.Protocol):
    """Carries one request at a time.

    Args:
        seconds: that may pass without a byte while a reply is awaited.
        resting: where it goes once it can carry another request.
    """

    def __init__(self, seconds: float, resting: "list[Connection]") -> None:
        self._seconds, self._heard, self._resting = seconds, 0.0, resting
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._transport: Any = None
        self._reply: DirectReply | None = None
        self._head = self._named = 0
        self.lost = False
        self.since = 0.0

    def ask(self, request: bytes) -> "DirectReply":
        """Send a request; returns the reply to wait for."""
        reply = self._reply = DirectReply(self)
        self._heard, self._head, self._named = self._loop.time(), 0, 0
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)
        self._transport.write(request)
        return reply

    def release(self) -> None:
        """End a request; the connection rests, or is closed where it can carry no other one."""
        reply, self._reply = self._reply, None
        if self.lost or reply is None or not (reply.whole and reply.keep):
            self.drop()
            return
        self.since = self._loop.time()
        self._resting.append(self)

    def drop(self) -> None:
        """Close the connection at once."""
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def hold(self) -> None:
        """Pause reading from the endpoint (backpressure)."""
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Resume reading from the endpoint."""
        self._heard = self._loop.time()
        self._transport.resume_reading()

    def _look(self) -> None:
        """Break off a reply that has been silent for too long; one that we hold up ourselves has not."""
        self._timer = None
        reply = self._reply
        if reply is None or reply.whole:
            return
        now = self._loop.time()
        if reply.held:
            self._heard = now
        left = self._heard + self._seconds - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._fail(UpstreamTimeout("it was silent for too long"))

    def _fail(self, fault: UpstreamError) -> None:
        if self._reply is not None:
            self._reply.end(fault)
        self.drop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read on; what nobody asked for ends the connection."""
        reply = self._reply
        if reply is None or reply.whole:
            self.drop()
            return
        self._heard = self._loop.time()
        if not reply.headed:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(UpstreamError("what it answers is not HTTP/1.1"))
        if not reply.headed and self._head > MOST_HEAD:
            self._fail(UpstreamError(TOO_LONG))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the reply: well where only this can end it, else as broken off."""
        self.lost = True
        reply = self._reply
        if reply is not None and not reply.whole:
            well = exc is None and reply.headed and reply.endless
            reply.end(None if well else UpstreamError(str(exc or "it closed the connection")))
        self.drop()

    def on_message_begin(self) -> None:
        """See whether something comes behind the reply: then the connection is in disorder."""
        if self._reply is not None and self._reply.whole:
            self._reply.keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if self._reply is not None and not self._reply.headed:
            self._reply.heads.append((name.lower(), value))
            self._named += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """Set the status of the reply; informational ones (below 200) are skipped."""
        status = self._parser.get_status_code()
        if self._named > MOST_HEAD:
            self._fail(UpstreamError(TOO_LONG))
            return
        if self._reply is not None and not self._reply.headed and status >= 200:
            self._reply.begin(status)
        elif self._reply is not None and not self._reply.headed:
            self._reply.heads.clear()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if self._reply is not None and not self._reply.whole:
            self._reply.feed(body)

    def on_message_complete(self) -> None:
        """End the reply as complete."""
        if self._reply is not None and self._reply.headed and not self._reply.whole:
            self._reply.keep = self._parser.should_keep_alive()
            self._reply.end(None)


class DirectReply:
    """A reply as it comes.

    Attributes:
        status: of HTTP; 0 until the head is here.
        heads: the headers, their names in small letters.
        whole: nothing more will come.
        keep: the endpoint will take another request on this connection.
        held: the endpoint waits, as too much of the reply has not been taken yet.
    """

    def __init__(self, connection: Connection) -> None:
        self.status = 0
        self.heads: Headers = []
        self.whole = self.keep = self.held = False
        self._connection, self._parts = connection, list[bytes]()
        self._size = 0
        self._fault: UpstreamError | None = None
        self._wake: asyncio.Future[None] | None = None

    @property
    def headed(self) -> bool:
        """Whether the head is here."""
        return self.status != 0

    @property
    def endless(self) -> bool:
        """Whether only the end of the connection can end the body."""
        return not any(name in {b"content-length", b"transfer-encoding"} for name, _ in self.heads)

    def begin(self, status: int) -> None:
        """Take the status; the head is whole."""
        self.status = status
        self._stir()

    def feed(self, part: bytes) -> None:
        """Take a part of the body."""
        self._parts.append(part)
        self._size += len(part)
        if self._size > HIGH and not self.held:
            self.held = True
            self._connection.hold()
        self._stir()

    def end(self, fault: UpstreamError | None) -> None:
        """Take the end."""
        if not self.whole:
            self.whole, self._fault = True, fault
            self._stir()

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _more(self) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        await self._wake
        self._wake = None

    async def head(self) -> None:
        """Wait for the head.

        Raises:
            UpstreamError: it did not come.
        """
        while not self.headed:
            if self._fault is not None:
                raise self._fault
            await self._more()

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it comes.

        Raises:
            UpstreamError: it broke off.
        """
        while True:
            if self._parts:
                out = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
                self._parts.clear()
                self._size = 0
                if self.held and not self.whole:
                    self.held = False
                    self._connection.go_on()
                yield out
            elif self.whole:
                if self._fault is not None:
                    raise self._fault
                return
            else:
                await self._more()

    async def read(self) -> bytes:
        """Return the whole body.

        Raises:
            UpstreamError: it broke off.
        """
        if self.whole and self._fault is None and len(self._parts) == 1:
            return self._parts[0]
        return b"".join([piece async for piece in self.pieces()])

    def release(self) -> None:
        """Release the connection to the pool; it is closed where the reply is not complete."""
        self._connection.release()
