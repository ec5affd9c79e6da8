"""The dashboard's own files, and where its templates stand."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

HERE = Path(__file__).parent
PageHandler = Callable[[Request], Awaitable[Response]]
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def asset(name: str, kind: str) -> PageHandler:
    """Return a page that is a file of this folder, of the media type ``kind``."""

    async def page(request: Request) -> Response:
        del request
        return Response((HERE / name).read_text(encoding="utf-8"), media_type=kind)

    return page
