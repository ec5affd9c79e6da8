"""Puts credentials into requests, as a document's security schemes say or as the user says himself."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

from toolmint.core.errors import ToolError
from toolmint.core.http import HttpRequest

OWN_SCHEMES: Mapping[str, Mapping[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
}
"""Schemes that need no document."""
PLACES = ("header", "query", "cookie")
"""Places of a key that needs no document, as in ``header.X-Api-Key``."""


def own_scheme(name: str) -> Mapping[str, str] | None:
    """Return a scheme that needs no document: bearer, basic, or PLACE.NAME; None if it is no such name."""
    place, dot, key = name.partition(".")
    if dot and key and place in PLACES:
        return {"type": "apiKey", "in": place, "name": key}
    return OWN_SCHEMES.get(name)


def with_query_pair(request: HttpRequest, pair: str) -> HttpRequest:
    """Return a request with one more encoded pair in its query."""
    return request._replace(query=f"{request.query}&{pair}" if request.query else pair)


def _with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    kept = {key: one for key, one in request.headers.items() if key.lower() != name.lower()}
    return request._replace(headers=kept | {name: value})


def with_credential(request: HttpRequest, scheme: Mapping[str, Any], secret: str) -> HttpRequest:
    """Return a request with one credential, where its scheme says."""
    match (scheme.get("type"), scheme.get("in") or str(scheme.get("scheme", "")).lower()):
        case ("apiKey", "query"):
            name = quote(str(scheme["name"]), safe="")
            return with_query_pair(request, f"{name}={quote(secret, safe='')}")
        case ("apiKey", "cookie"):
            cookies = [request.headers.get("Cookie"), f"{scheme['name']}={secret}"]
            return _with_header(request, "Cookie", "; ".join(filter(None, cookies)))
        case ("apiKey", _):
            return _with_header(request, str(scheme.get("name", "X-API-Key")), secret)
        case ("http", "basic"):
            said = base64.b64encode(secret.encode()).decode()
            return _with_header(request, "Authorization", f"Basic {said}")
        case _:
            return _with_header(request, "Authorization", f"Bearer {secret}")


def authorized(
    request: HttpRequest,
    name: str,
    ways: Sequence[Sequence[str]],
    schemes: Mapping[str, Mapping[str, Any]],
    secrets: Mapping[str, str],
) -> HttpRequest:
    """Return the request with its credentials.

    Those of the document's schemes go in for the first alternative whose secrets are all known. Those that
    need no document go into every request, and stand for the document's.

    Args:
        request: without credentials.
        name: the operation's, for messages.
        ways: the operation's alternatives, each the names of the schemes that it needs together.
        schemes: the document's security schemes by name.
        secrets: credentials by the name of a scheme of the document, or as ``own_scheme`` takes it.

    Raises:
        ToolError: the operation needs credentials that were not given; the message names the schemes.
    """
    own = [one for one in secrets if one not in schemes and own_scheme(one) is not None]
    for one in own:
        request = with_credential(request, cast("Mapping[str, Any]", own_scheme(one)), secrets[one])
    known = set(secrets) - set(own)
    way = next((way for way in ways if way and set(way) <= known), None)
    if way is None:
        if own or not ways or any(not one for one in ways):
            return request
        needed = " or ".join(" with ".join(one) for one in ways)
        raise ToolError(
            f"{name!r} needs credentials for {needed}; give key=SCHEME:VARIABLE with its source",
            code="tool-credentials",
        )
    for one in way:
        request = with_credential(request, schemes.get(one) or {}, secrets[one])
    return request
