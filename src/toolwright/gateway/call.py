"""One request with whose it is, and the two kinds of endpoint that answer with text."""

from collections.abc import Callable
from typing import Any, NamedTuple

from toolwright.core.traffic import Key
from toolwright.gateway import replies
from toolwright.gateway.asgi import Headers, Receive, Scope, Send
from toolwright.gateway.relay import chat_text, response_text
from toolwright.gateway.wire import Asked, read_chat, read_response


class Kind(NamedTuple):
    """An endpoint: how its requests are read and its answers written."""

    name: str
    path: str
    read: Callable[[bytes], Asked]
    whole: Callable[[Asked, str, dict[str, Any]], bytes]
    events: Callable[[Asked, str, dict[str, Any]], list[bytes]]
    text: Callable[[dict[str, Any]], str | None]


CHAT = Kind(
    "chat", "/chat/completions", read_chat, replies.chat, replies.chat_events, chat_text
)  # fmt: skip
RESPONSES = Kind(
    "responses", "/responses", read_response, replies.response, replies.response_events, response_text,
)  # fmt: skip


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
