"""One request with whose it is, and the kinds of endpoint that requests come to."""

from collections.abc import Callable
from typing import Any, NamedTuple

from toolwright.core.traffic import Key
from toolwright.gateway import replies
from toolwright.gateway.asgi import Headers, Receive, Scope, Send
from toolwright.gateway.relay import chat_text, response_text
from toolwright.gateway.wire import Asked, read_chat, read_other, read_response


class Kind(NamedTuple):
    """An endpoint: how its requests are read, a reply's text found, and the gateway's own answers written.

    ``asks_usage``: a stream tells its usage only where ``stream_options`` ask for it. ``written`` is None
    where the gateway itself answers nothing.
    """

    name: str
    path: str
    read: Callable[[bytes], Asked]
    text: Callable[[dict[str, Any]], str | None]
    asks_usage: bool = False
    written: "Written | None" = None


class Written(NamedTuple):
    """How the gateway writes an answer of its own: in one piece, and as events."""

    whole: Callable[[Asked, str, dict[str, Any]], bytes]
    events: Callable[[Asked, str, dict[str, Any]], list[bytes]]


def _no_text(_: dict[str, Any]) -> None:
    return None


CHAT = Kind(
    "chat", "/chat/completions", read_chat, chat_text, asks_usage=True,
    written=Written(replies.chat, replies.chat_events),
)  # fmt: skip
RESPONSES = Kind(
    "responses", "/responses", read_response, response_text,
    written=Written(replies.response, replies.response_events),
)  # fmt: skip
EMBEDDINGS = Kind("embeddings", "/embeddings", read_other, _no_text)
COMPLETIONS = Kind("completions", "/completions", read_other, _no_text, asks_usage=True)
KINDS = (CHAT, RESPONSES, EMBEDDINGS, COMPLETIONS)


class Call(NamedTuple):
    """One request: where it comes from, whose it is, its id, and when it began (seconds)."""

    scope: Scope
    receive: Receive
    send: Send
    key: Key
    number: str
    started: float

    def named(self, seconds: float) -> Headers:
        """Give the headers that every answer has; the gateway took some seconds until now."""
        return [
            (b"x-request-id", self.number.encode()),
            (b"x-toolwright-overhead-ms", f"{1000 * seconds:.3f}".encode()),
        ]
