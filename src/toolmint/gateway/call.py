"""One request to the gateway: as its endpoint reads it, and whose it is.

These types stand apart from ``api`` as ``recording`` and ``upstream`` use them too, and ``api`` uses both.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from toolmint.core.traffic import Key
from toolmint.gateway.asgi import Headers, Receive, Scope, Send
from toolmint.serving.records import Caller


class ParsedRequest(NamedTuple):
    """What a request asks for.

    Attributes:
        model: as named by the client.
        stream: the answer is to come as events.
        usage_wanted: the stream is to end with an event that holds the usage.
        text: the request as a tool reads it; None: it is more than that, or not understood.
        scope: digest of everything else that shapes an answer: model, instructions, format.
        why: the reason why no tool may answer, also where there is a text; empty: tools may.
        longest: bytes that a tool's answer may have; None: no limit.
        stops: texts that must not stand in a tool's answer.
        as_json: the answer has to be JSON; a schema that it has to meet, where one is given.
        body: the whole request.
    """

    model: str
    stream: bool
    usage_wanted: bool
    text: str | None
    scope: str
    why: str
    longest: int | None
    stops: tuple[str, ...]
    as_json: bool
    schema: dict[str, Any] | None
    body: dict[str, Any]


class ReplyWriter(NamedTuple):
    """How the gateway writes an answer of its own: in one piece, and as events."""

    whole: Callable[[ParsedRequest, str, dict[str, Any]], bytes]
    events: Callable[[ParsedRequest, str, dict[str, Any]], list[bytes]]


class EndpointKind(NamedTuple):
    """An endpoint: how its requests are read, a reply's text found, and the gateway's own answers written.

    ``asks_usage``: a stream tells its usage only where ``stream_options`` ask for it. ``written`` is None
    where the gateway itself answers nothing.
    """

    name: str
    path: str
    read: Callable[[bytes], ParsedRequest]
    text: Callable[[dict[str, Any]], str | None]
    asks_usage: bool = False
    written: ReplyWriter | None = None


class GatewayCall(NamedTuple):
    """One request: where it comes from, whose it is, its id, and when it began (seconds)."""

    scope: Scope
    receive: Receive
    send: Send
    key: Key
    number: str
    started: float

    def caller(self, parsed: ParsedRequest) -> Caller:
        """Return who asked, as the log keeps it."""
        return Caller(self.number, self.key.tenant, self.key.id, parsed.stream)

    def named(self, seconds: float) -> Headers:
        """Return the headers that every answer has; the gateway took some seconds until now."""
        return [
            (b"x-request-id", self.number.encode()),
            (b"x-toolmint-overhead-ms", f"{1000 * seconds:.3f}".encode()),
        ]
