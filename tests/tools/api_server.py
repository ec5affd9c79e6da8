"""A small HTTP API on loopback that echoes what it was sent."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


async def _echo(request: web.Request) -> web.Response:
    body = await request.text()
    return web.json_response(
        {
            "method": request.method,
            "path": request.path,
            "query": [[name, value] for name, value in request.query.items()],
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body,
        }
    )


async def _missing(request: web.Request) -> web.Response:
    return web.json_response({"detail": "no such pet"}, status=404)


async def _huge(request: web.Request) -> web.Response:
    return web.Response(text="x" * (3 << 20))


@asynccontextmanager
async def api() -> AsyncGenerator[str]:
    application = web.Application()
    application.router.add_get("/missing", _missing)
    application.router.add_get("/huge", _huge)
    application.router.add_route("*", "/{rest:.*}", _echo)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: Any = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
