"""``stream_options`` that the gateway puts into a request, so that a stream tells its usage."""

import json
from typing import Any, cast

import orjson

from toolmint.gateway.call import EndpointKind, ParsedRequest

_MOST_KNOWN = 1000
_PLEA = b'"stream_options":{"include_usage":true},'
_NAMES = (b"stream_options", b"include_usage")
_UNCLEAR = frozenset({400, 422})
"""Statuses of a refusal that may mean a field, also where it does not name it."""


class StreamOptions:
    """Knows which models' endpoints refuse ``stream_options``; those are not asked for their usage again."""

    def __init__(self) -> None:
        self._refusing: set[tuple[str, str]] = set()

    def wanted(self, kind: EndpointKind, parsed: ParsedRequest) -> bool:
        """Return whether a request's stream tells its usage only if the gateway asks for it."""
        if not parsed.stream or not kind.asks_usage or parsed.usage_wanted:
            return False
        given: object = parsed.body.get("stream_options")
        odd = given is not None and not isinstance(given, dict)
        return not odd and (kind.path, parsed.model) not in self._refusing

    def put_in(self, parsed: ParsedRequest, body: bytes) -> bytes:
        """Return a request's body that asks for the usage; all else stays byte for byte where it can."""
        if "stream_options" not in parsed.body:
            at = body.index(b"{") + 1
            return body[:at] + _PLEA + body[at:]
        given = cast("dict[str, Any]", parsed.body["stream_options"] or {})
        asks = parsed.body | {"stream_options": given | {"include_usage": True}}
        try:
            return orjson.dumps(asks)
        except TypeError:  # lone surrogates, numbers beyond 64 bits, deep nesting
            pass
        try:
            return json.dumps(asks).encode()
        except RecursionError:  # nobody is asked for the usage, and the request goes on as it came
            return body

    def may_be_why(self, status: int, raw: bytes) -> bool:
        """Return whether a refusal may have been for what was put in."""
        return status in _UNCLEAR or any(name in raw for name in _NAMES)

    def learn(self, kind: EndpointKind, parsed: ParsedRequest, status: int) -> None:
        """Note that a request that was refused with the plea got a status without it."""
        if status < 400 and len(self._refusing) < _MOST_KNOWN:
            self._refusing.add((kind.path, parsed.model))
