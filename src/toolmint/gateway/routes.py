"""The routes off the hot path, as one Starlette application: lists, feedback, metrics, health, pages, MCP."""

from collections.abc import Callable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from toolmint.core.errors import HttpError, ToolmintError
from toolmint.core.toolbox import Toolbox
from toolmint.core.traffic import Key
from toolmint.gateway.api.models import ModelList
from toolmint.gateway.api.stored import STORED, PassedReply, StoredAnswers
from toolmint.gateway.asgi import (
    AsgiMessage,
    BodyLimits,
    Receive,
    Scope,
    Send,
    is_loopback_host,
    read_body,
)
from toolmint.gateway.http_errors import from_error, internal_error, invalid_key
from toolmint.gateway.parts import Parts

_ERROR = "toolmint.error"
"""Key of the request's scope under which the error that was sent is kept."""
_NUMBER = "toolmint.number"


class Routes:
    """Serves the rarely used routes; ``serve`` raises an error after it has been sent, so that it is counted.

    Args:
        parts: of the gateway.
        limits: of a request's body.
        ready: returns whether the gateway has started.
        hot: paths that are served elsewhere, by POST alone.
    """

    def __init__(
        self, parts: Parts, limits: BodyLimits, ready: Callable[[], bool], hot: tuple[str, ...]
    ) -> None:
        self._parts, self._limits, self._ready = parts, limits, ready
        self._models = ModelList(parts.upstream, parts.completions.own)
        self._stored = StoredAnswers(parts.upstream, parts.metrics)
        self._pages: ASGIApp | None = None
        self._mcp: Any = None
        self._app = self._build(hot)

    def _build(self, hot: tuple[str, ...]) -> Starlette:
        app = Starlette(
            routes=[
                Route("/v1/models", self.models),
                Route("/v1/models/{name:path}", self.models),
                Route("/v1/feedback", self.feedback, methods=["POST"]),
                *(Route(path, self.stored, methods=list(methods)) for path, methods in STORED),
                Route("/metrics", self.metrics),
                Route("/healthz", self.health),
                Route("/readyz", self.health),
                Route("/mcp", _Forward(self.mcp)),
                Route("/dashboard", _Forward(self.dashboard)),
                Route("/dashboard/{rest:path}", _Forward(self.dashboard)),
                *(Route(path, self.health, methods=["POST"]) for path in hot),  # for the 405
            ],
            exception_handlers={
                HTTPException: _not_routed,
                ToolmintError: _refused,
                Exception: _refused,
            },
        )
        app.router.redirect_slashes = False
        return app

    async def serve(self, scope: Scope, receive: Receive, send: Send, number: str) -> None:
        """Answer a request under its id. Raise the error that was sent, if any."""

        async def named(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                name = (b"x-request-id", number.encode())
                message = {**message, "headers": [*message.get("headers", ()), name]}
            await send(message)

        scope[_NUMBER] = number
        await self._app(scope, receive, named)
        if (error := scope.get(_ERROR)) is not None:
            raise error

    @staticmethod
    def name(scope: Scope) -> str:
        """Return the word for a request's route in the metrics."""
        name = getattr(scope.get("endpoint"), "__name__", "none")
        return name if name in {"models", "feedback", "stored", "metrics"} else "none"

    async def close(self) -> None:
        """Close the MCP server."""
        if self._mcp is not None:
            await self._mcp.close()

    def _key(self, request: Request) -> Key:
        return self._parts.keys.of(
            request.headers.get("authorization", "").encode("latin-1") or None
        )

    async def models(self, request: Request) -> Response:
        """List the models that the key may use, or show one."""
        key, name = self._key(request), request.path_params.get("name")
        found = self._models.all(key) if name is None else self._models.one(key, name)
        return JSONResponse(await found)

    async def feedback(self, request: Request) -> Response:
        """Record a user's feedback on an answer."""
        key = self._key(request)
        body = await read_body(request.scope, request.receive, self._limits)
        return JSONResponse(await self._parts.feedback.take(key, body))

    async def stored(self, request: Request) -> PassedReply:
        """Pass on what is asked about an answer that the endpoint has stored."""
        key = self._key(request)
        # Read in any case: what comes after the body says that the client has left.
        body = await read_body(request.scope, request.receive, self._limits)
        sent = body if body or request.method == "POST" else None
        return self._stored.ask(request.scope, key, request.scope[_NUMBER], sent)

    async def metrics(self, request: Request) -> Response:
        """Write the metrics in Prometheus' text format."""
        key = self._key(request)
        if not key.admin and key.id != "open":
            raise invalid_key("This needs a key with admin rights.")
        self._parts.metrics.unwritten = self._parts.request_log.waiting
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(self._parts.metrics.text(), headers={"content-type": kind})

    async def health(self, request: Request) -> Response:
        """Say whether the process lives (``/healthz``) and whether it may get requests (``/readyz``)."""
        well = request.url.path == "/healthz" or self._ready()
        away = self._parts.request_log.away
        body = {"status": "ok" if well else "starting", "store": "away" if away else "ok"}
        return JSONResponse(body, 200 if well else 503)

    async def mcp(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve MCP to whoever has a key; its SDK is imported at the first request."""
        request = Request(scope)
        key = self._key(request)
        if not self._parts.keys.known and not is_loopback_host(
            request.headers.get("host", "").encode("latin-1")
        ):
            raise invalid_key("Without keys this is open on this machine alone.")
        self._mcp = self._mcp or self._open_mcp()
        await self._mcp({**scope, "toolmint.key": key}, receive, send)

    def _open_mcp(self) -> Any:  # noqa: ANN401 - of a module that is an extra
        try:
            from toolmint.gateway.mcp import KEY, McpOverHttp, server_of  # noqa: PLC0415
        except ModuleNotFoundError as fault:
            raise HttpError(
                501, "MCP needs the extra: pip install 'toolmint[mcp]'", code="extra"
            ) from fault

        async def tools(context: Any) -> Toolbox:  # noqa: ANN401
            return await self._parts.catalogue.of(context.request.scope[KEY])

        return McpOverHttp(server_of(tools, version("toolmint")))

    async def dashboard(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the dashboard, which is imported at its first request."""
        if self._pages is None:
            from toolmint.gateway.dashboard.pages import Pages  # noqa: PLC0415

            parts = self._parts
            self._pages = Pages(
                parts.store,
                parts.live,
                parts.log,
                traces=parts.traces,
                keys=parts.keys,
                servers=parts.servers,
            ).app()
        await self._pages(scope, receive, send)


class _Forward:
    """A class, as Starlette hands only those the bare ASGI call, with every method."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _error_response(request: Request, error: HttpError) -> Response:
    request.scope[_ERROR] = error
    return JSONResponse(error.body, error.status, headers=error.headers)


def _not_routed(request: Request, fault: Exception) -> Response:
    """Return Starlette's 404 and 405 in the format of all other errors."""
    status = fault.status_code if isinstance(fault, HTTPException) else 500
    method, path = request.method, request.url.path
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        text, code = f"{method} is not allowed on {path}.", "method_not_allowed"
    else:
        text, code = f"There is nothing at {method} {path}.", "not_found"
    headers = dict(getattr(fault, "headers", None) or {})
    return _error_response(request, HttpError(status, text, code=code, headers=headers))


def _refused(request: Request, fault: Exception) -> Response:
    """Return an error as JSON; what is no error of toolmint's is raised again by Starlette, and logged."""
    if isinstance(fault, HttpError):
        return _error_response(request, fault)
    error = from_error(fault) if isinstance(fault, ToolmintError) else internal_error(fault)
    response = JSONResponse(error.body, error.status, headers=error.headers)
    if isinstance(fault, ToolmintError):
        request.scope[_ERROR] = fault
    return response
