"""What of a client's request goes on to the endpoint beside its body: the query, and some headers."""

import re
from collections.abc import Mapping
from urllib.parse import quote_from_bytes

from toolmint.core.traffic import Key
from toolmint.gateway.asgi import Scope

FORWARDED = frozenset(
    {
        b"openai-beta",
        b"idempotency-key",
        b"x-client-request-id",
        b"traceparent",
        b"tracestate",
        b"http-referer",
        b"x-title",
    }
)
"""Names of the headers that go on.

``openai-organization`` and ``openai-project`` do not: they belong to a key, and the endpoint is asked with
the gateway's own.
"""
_PLAIN = re.compile(rb"[!-~]*")
_LONGEST = 4096


def forwarded_headers(scope: Scope, key: Key, number: str) -> dict[str, str]:
    """Return headers for the endpoint: the listed ones of a client's request, and the request's id.

    An idempotency key begins with the tenant where keys are known, as the endpoint sees one client only.
    """
    more = {"x-request-id": number}
    for name, value in scope["headers"]:
        if name in FORWARDED and _is_line(value):
            text = value.decode("latin-1")
            if name == b"idempotency-key" and key.id != "open":
                text = f"{key.tenant}-{text}"
            more[name.decode()] = text
    return more


def put_into(more: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a body into which something was put.

    It has an idempotency key of its own: the client's may come again with the body as it was.
    """
    key = more.get("idempotency-key")
    return dict(more) if key is None else {**more, "idempotency-key": f"{key}-usage"}


def _is_line(value: bytes) -> bool:
    return len(value) <= _LONGEST and value.isascii() and value.decode().isprintable()


def with_query(path: str, query: bytes) -> str:
    """Return a path with the query of a request, if it has one."""
    if not query:
        return path
    plain = _PLAIN.fullmatch(query) is not None
    return f"{path}?{query.decode() if plain else quote_from_bytes(query, safe='!$&+,/:;=?@%~*()')}"
