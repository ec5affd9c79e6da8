"""The gateway as a bare ASGI application: routes, keys, and every fault as an answer that SDKs understand."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from random import getrandbits
from typing import Any, NamedTuple

import orjson

from toolwright.cache.crew import Crew
from toolwright.core.errors import ToolwrightError
from toolwright.core.store import ToolStore, TrajectoryLog
from toolwright.core.toolbox import Toolbox
from toolwright.core.traffic import Key, LiveStore, TrafficLog
from toolwright.gateway.asgi import (
    JSON,
    ClientLeft,
    Gate,
    Headers,
    Receive,
    Scope,
    Send,
    answer,
    answer_json,
    header,
    local,
    read_body,
    refuse,
)
from toolwright.gateway.call import KINDS, Call, Kind
from toolwright.gateway.catalogue import Catalogue
from toolwright.gateway.completions import Completions
from toolwright.gateway.desks import Desks
from toolwright.gateway.feedback import Feedback
from toolwright.gateway.journal import Journal
from toolwright.gateway.keys import KeyRing
from toolwright.gateway.meters import Meters
from toolwright.gateway.models import Models
from toolwright.gateway.refusal import Refusal, no_key, of_fault
from toolwright.gateway.upstream import Upstream

LOG = logging.getLogger("toolwright.gateway")
REFRESH_SECONDS = 2.0
SWEEP_SECONDS = 3600.0
Handler = Callable[[Call, bytes], Awaitable[None]]


class Parts(NamedTuple):
    """What a gateway is put together from; ``rooms`` is the whole store, ``crew`` is None where none makes
    tools.
    """

    rooms: ToolStore
    live: LiveStore
    log: TrafficLog
    traces: TrajectoryLog
    upstream: Upstream
    desks: Desks
    journal: Journal
    keys: KeyRing
    meters: Meters
    completions: Completions
    feedback: Feedback
    crew: Crew | None
    catalogue: Catalogue


class Gateway:
    """The application.

    Args:
        parts: what it is put together from.
        gate: how large and slow bodies may be.
        keep_days: for which requests are kept; None: for good.
    """

    def __init__(
        self, parts: Parts, gate: Gate | None = None, keep_days: int | None = None
    ) -> None:
        self.parts, self._gate, self._keep_days = parts, gate or Gate(), keep_days
        self._models = Models(parts.upstream, parts.completions.own)
        self._pages: Any = None
        self._mcp_server: Any = None
        self._ready = False
        self._watch: asyncio.Task[None] | None = None
        self._routes: dict[tuple[str, str], tuple[str, Handler]] = {
            **{("POST", f"/v1{one.path}"): (one.name, self._serve(one)) for one in KINDS},
            ("POST", "/v1/feedback"): ("feedback", self._feedback),
            ("GET", "/v1/models"): ("models", self._list_models),
            ("GET", "/metrics"): ("metrics", self._metrics),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def start(self) -> None:
        """Open the upstream, read the keys, begin to write."""
        parts = self.parts
        await parts.upstream.start()
        await parts.keys.refresh()
        await parts.journal.start()
        self._watch = asyncio.create_task(self._refresh(), name="refresh")
        self._ready = True

    async def close(self) -> None:
        """Finish what is at work, write it, and end."""
        self._ready = False
        if self._watch is not None:
            self._watch.cancel()
        if self._mcp_server is not None:
            await self._mcp_server.close()
        await self.parts.completions.idle()
        if self.parts.crew is not None:
            await self.parts.crew.close()
        await self.parts.journal.close()
        await self.parts.upstream.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except ToolwrightError as fault:
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
                await self.parts.journal.take_up()
                await self.parts.desks.refresh()
            except ToolwrightError as fault:
                LOG.warning("the store cannot be read, the last known stays: %s", fault)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        number = f"req_{time.time_ns():016x}{getrandbits(64):016x}"
        path, method = scope["path"], scope["method"]
        named: Headers = [(b"x-request-id", number.encode())]
        if path in {"/healthz", "/readyz"}:
            await self._health(path, send, named)
            return
        if path == "/mcp":
            await self._mcp(scope, receive, send, named)
            return
        if path.startswith("/dashboard"):
            self._pages = self._pages or self._open_pages()
            await self._pages(scope, receive, send)
            return
        endpoint = "none"
        meters = self.parts.meters
        meters.in_flight += 1
        try:
            endpoint, handler = self._route(method, path)
            key = self.parts.keys.of(header(scope, b"authorization"))
            body = await read_body(scope, receive, self._gate) if method == "POST" else b""
            await handler(Call(scope, receive, send, key, number, started), body)
        except Refusal as refusal:
            self._count(endpoint, refusal.status, started)
            await refuse(send, refusal, named)
        except ClientLeft:
            self._count(endpoint, 499, started)
        except ToolwrightError as fault:
            LOG.warning("%s %s %s: [%s] %s", number, method, path, fault.code, fault)
            self._count(endpoint, 500, started)
            await refuse(send, of_fault(fault), named)
        finally:
            meters.in_flight -= 1

    def _open_pages(self) -> Any:  # noqa: ANN401 - an ASGI application
        """Load the dashboard with the first look at it: who never looks has no templates in memory."""
        from toolwright.gateway.dashboard.pages import Pages  # noqa: PLC0415

        parts = self.parts
        return Pages(
            parts.rooms, parts.live, parts.log, traces=parts.traces, keys=parts.keys, desks=parts.desks
        ).app()  # fmt: skip

    async def _mcp(self, scope: Scope, receive: Receive, send: Send, named: Headers) -> None:
        """Serve MCP to whoever has a key; its SDK is loaded with the first request."""
        try:
            key = self.parts.keys.of(header(scope, b"authorization"))
            if not self.parts.keys.known and not local(header(scope, b"host")):
                raise no_key("Without keys this is open on this machine alone.")
            if self._mcp_server is None:
                self._mcp_server = self._open_mcp()
        except Refusal as refusal:
            await refuse(send, refusal, named)
            return
        await self._mcp_server({**scope, "toolwright.key": key}, receive, send)

    def _open_mcp(self) -> Any:  # noqa: ANN401 - of a module that is an extra
        try:
            from toolwright.gateway.mcp import KEY, McpOverHttp, server_of  # noqa: PLC0415
        except ModuleNotFoundError as fault:
            raise Refusal(
                501, "MCP needs the extra: pip install 'toolwright[mcp]'", code="extra"
            ) from fault

        async def tools(context: Any) -> Toolbox:  # noqa: ANN401
            return await self.parts.catalogue.of(context.request.scope[KEY])

        return McpOverHttp(server_of(tools, version("toolwright")))

    def _count(self, endpoint: str, status: int, started: float) -> None:
        self.parts.meters.request(endpoint, "none", status, time.perf_counter() - started)

    def _route(self, method: str, path: str) -> tuple[str, Handler]:
        found = self._routes.get((method, path))
        if found is not None:
            return found
        if method == "GET" and path.startswith("/v1/models/"):
            return "models", self._one_model
        if any(known == path for _, known in self._routes):
            raise Refusal(405, f"{method} is not allowed on {path}.", code="method_not_allowed")
        raise Refusal(404, f"There is nothing at {method} {path}.", code="not_found")

    async def _health(self, path: str, send: Send, named: Headers) -> None:
        well = path == "/healthz" or self._ready
        body = {
            "status": "ok" if well else "starting",
            "store": "away" if self.parts.journal.away else "ok",
        }
        await answer_json(send, 200 if well else 503, body, named)

    def _serve(self, kind: Kind) -> Handler:
        async def serve(call: Call, body: bytes) -> None:
            await self.parts.completions.serve(call, kind, body)

        return serve

    async def _feedback(self, call: Call, body: bytes) -> None:
        said = await self.parts.feedback.take(call.key, body)
        await answer_json(call.send, 200, said, [(b"x-request-id", call.number.encode())])

    async def _list_models(self, call: Call, body: bytes) -> None:
        del body
        await self._say(call, await self._models.all(call.key))

    async def _one_model(self, call: Call, body: bytes) -> None:
        del body
        name = str(call.scope["path"]).removeprefix("/v1/models/")
        await self._say(call, await self._models.one(call.key, name))

    async def _say(self, call: Call, value: object) -> None:
        await answer(
            call.send, 200, orjson.dumps(value), [JSON, (b"x-request-id", call.number.encode())]
        )

    async def _metrics(self, call: Call, body: bytes) -> None:
        del body
        _admin(call.key)
        self.parts.meters.unwritten = self.parts.journal.waiting
        kind = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        await answer(call.send, 200, self.parts.meters.text(), [kind])


def _admin(key: Key) -> None:
    if not key.admin and key.id != "open":
        raise no_key("This needs a key with admin rights.")
