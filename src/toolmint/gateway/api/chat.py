"""``POST /v1/chat/completions``: how a request is read, and a tool's answer written, whole or as events."""

import time
from typing import Any
from uuid import uuid4

import orjson

from toolmint.gateway.api.requests import open_request, read_conversation
from toolmint.gateway.asgi import sse_event
from toolmint.gateway.call import EndpointKind, ParsedRequest, ReplyWriter
from toolmint.gateway.upstream.answer_text import chat_text

_DONE = b"data: [DONE]\n\n"
_NO_USAGE = {
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "total_tokens": 0,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
"""A tool uses no tokens; it says so rather than invent some."""


def read_chat(raw: bytes) -> ParsedRequest:
    """Read a request.

    Raises:
        HttpError: it is no JSON object, or a field has a wrong type.
    """
    opened = open_request(raw)
    messages, limits = opened.body.get("messages"), ("max_completion_tokens", "max_tokens")
    return read_conversation(opened, "messages", messages, limits)


def chat_reply(parsed: ParsedRequest, answer: str, facts: dict[str, Any]) -> bytes:
    """Return the body of a chat completion."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer,
        "refusal": None,
        "annotations": [],
    }
    return orjson.dumps(
        {
            "id": f"chatcmpl-{uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": parsed.model,
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            ],
            "usage": _NO_USAGE,
            "service_tier": "default",
            "system_fingerprint": None,
            "toolmint": facts,
        }
    )


def chat_events(parsed: ParsedRequest, answer: str, facts: dict[str, Any]) -> list[bytes]:
    """Return the events of a streamed chat completion."""
    common: dict[str, Any] = {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": parsed.model,
        "system_fingerprint": None,
    }
    if parsed.usage_wanted:
        common["usage"] = None

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse_event(common | {"choices": [choice]})

    events = [chunk({"role": "assistant", "content": "", "refusal": None})]
    if answer:
        events.append(chunk({"content": answer}))
    events.append(chunk({}, "stop"))
    if parsed.usage_wanted:
        events.append(sse_event(common | {"choices": [], "usage": _NO_USAGE, "toolmint": facts}))
    return [*events, _DONE]


CHAT = EndpointKind(
    "chat",
    "/chat/completions",
    read_chat,
    chat_text,
    asks_usage=True,
    written=ReplyWriter(chat_reply, chat_events),
)
