"""The gateway as an ASGI application: from a request to the endpoint that answers it.

Where a request goes:

1. ``Gateway.__call__`` gives it an id and counts it as in flight.
2. A POST to an endpoint of ``api/endpoints.py`` (chat, responses, embeddings, completions) is the hot
   path: key (``auth``), body (``asgi.read_body``), then ``api/completions.py``. It is bare ASGI, as a
   Starlette application costs 6.7 % more CPU a request, and its router alone 2.9 %
   (``benchmarks/gateway_parts.py``).
3. Anything else goes to the Starlette application of ``routes.py``.
4. ``api/completions.py`` asks the tools (``serving``), or passes it on (``upstream``), and records it
   (``recording``).
5. An error becomes its HTTP response here; an unexpected fault becomes a JSON 500 and one log entry.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from random import getrandbits

from toolmint.core.errors import ClientLeft, HttpError, ToolmintError, aboundary
from toolmint.gateway.asgi import (
    BodyLimits,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    send_error,
)
from toolmint.gateway.call import EndpointKind, GatewayCall
from toolmint.gateway.http_errors import from_error, internal_error
from toolmint.gateway.parts import Parts
from toolmint.gateway.routes import Routes

_LOG = logging.getLogger("toolmint.gateway")
REFRESH_SECONDS = 2.0
SWEEP_SECONDS = 3600.0


class Gateway:
    """The application.

    Args:
        parts: what it is built from.
        limits: how large and slow bodies may be.
        keep_days: for which requests are kept; None: for good.
    """

    def __init__(
        self, parts: Parts, limits: BodyLimits | None = None, keep_days: int | None = None
    ) -> None:
        self.parts, self._limits, self._keep_days = parts, limits or BodyLimits(), keep_days
        self._hot = {f"/v1{kind.path}": kind for kind in parts.kinds}
        self._routes = Routes(parts, self._limits, lambda: self._ready, tuple(self._hot))
        self._ready = False
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        number = f"req_{time.time_ns():016x}{getrandbits(64):016x}"
        kind = self._hot.get(scope["path"]) if scope["method"] == "POST" else None
        metrics = self.parts.metrics
        metrics.in_flight += 1
        try:
            if kind is None:
                work = self._routes.serve(scope, receive, send, number)
            else:
                work = self._serve(kind, (scope, receive, send), number, started)
            await aboundary(work, internal_error)
        except ToolmintError as fault:
            status = await self._answer(fault, scope, send, number, written=kind is None)
            name = Routes.name(scope) if kind is None else kind.name
            metrics.request(name, "none", status, time.perf_counter() - started)
        finally:
            metrics.in_flight -= 1

    async def _serve(
        self, kind: EndpointKind, asgi: tuple[Scope, Receive, Send], number: str, started: float
    ) -> None:
        scope, receive, send = asgi
        key = self.parts.keys.of(header(scope, b"authorization"))
        body = await read_body(scope, receive, self._limits)
        call = GatewayCall(scope, receive, send, key, number, started)
        await self.parts.completions.serve(call, kind, body)

    async def _answer(
        self, fault: ToolmintError, scope: Scope, send: Send, number: str, *, written: bool
    ) -> int:
        """Log an error and send it, unless that is ``written``; return its HTTP status."""
        if isinstance(fault, ClientLeft):
            return 499
        where = f"{number} {scope['method']} {scope['path']}"
        error = fault if isinstance(fault, HttpError) else from_error(fault)
        if error.wire_code == "internal_error":
            _LOG.error("%s: %r", where, fault.__cause__, exc_info=fault.__cause__)
        elif not isinstance(fault, HttpError):
            _LOG.warning("%s: [%s] %s", where, fault.code, fault)
        if not written:
            try:
                await send_error(send, error, [(b"x-request-id", number.encode())])
            except RuntimeError as begun:  # of uvicorn: a part of the answer is out already
                _LOG.warning("%s: the answer broke off: %s", where, begun)
        return error.status

    async def start(self) -> None:
        """Open the upstream, read the keys, and start the writer."""
        parts = self.parts
        await parts.upstream.start()
        await parts.keys.refresh()
        await parts.request_log.start()
        self._watch = asyncio.create_task(self._refresh(), name="refresh")
        self._ready = True

    async def close(self) -> None:
        """Finish the requests at work, write their records, and close everything."""
        self._ready = False
        if self._watch is not None:
            self._watch.cancel()
        await self._routes.close()
        await self.parts.completions.idle()
        await self.parts.maker.close()
        await self.parts.keys.close()
        await self.parts.request_log.close()
        await self.parts.upstream.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except ToolmintError as fault:
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _refresh(self) -> None:
        """Follow what other gateways and commands do to the store, and forget what is too old."""
        swept = 0.0
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                if self._keep_days is not None and time.monotonic() - swept > SWEEP_SECONDS:
                    swept = time.monotonic()
                    before = datetime.now(UTC) - timedelta(days=self._keep_days)
                    await self.parts.log.forget(before.isoformat())
                await self.parts.keys.refresh()
                await self.parts.request_log.take_up()
                await self.parts.servers.refresh()
            except ToolmintError as fault:
                _LOG.warning("the store cannot be read, the last known stays: %s", fault)
