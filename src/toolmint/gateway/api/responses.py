"""``POST /v1/responses``: how a request is read, and a tool's answer written, whole or as events."""

import time
from typing import Any
from uuid import uuid4

import orjson

from toolmint.gateway.api.requests import open_request, read_conversation, typed
from toolmint.gateway.asgi import sse_event
from toolmint.gateway.call import EndpointKind, ParsedRequest, ReplyWriter
from toolmint.gateway.upstream.answer_text import response_text

_NO_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


def read_response(raw: bytes) -> ParsedRequest:
    """Read a request.

    Raises:
        HttpError: it is no JSON object, or a field has a wrong type.
    """
    opened = open_request(raw)
    messages: object = opened.body.get("input")
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    instructions = typed(opened.body, "instructions", str, "a text") or ""
    return read_conversation(opened, "input", messages, ("max_output_tokens",), instructions)


def _response(
    parsed: ParsedRequest, number: str, status: str, output: list[dict[str, Any]]
) -> dict[str, Any]:
    body = parsed.body
    return {
        "id": number,
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": parsed.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def _item(number: str, answer: str | None, status: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": answer, "annotations": []}
    return {
        "id": number,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [] if answer is None else [part],
    }


def response_reply(parsed: ParsedRequest, answer: str, facts: dict[str, Any]) -> bytes:
    """Return the body of a response."""
    done = _item(f"msg_{uuid4().hex}", answer, "completed")
    whole = _response(parsed, f"resp_{uuid4().hex}", "completed", [done])
    return orjson.dumps(whole | {"usage": _NO_USAGE, "toolmint": facts})


def response_events(parsed: ParsedRequest, answer: str, facts: dict[str, Any]) -> list[bytes]:
    """Return the events of a streamed response, numbered from 0."""
    number, item = f"resp_{uuid4().hex}", f"msg_{uuid4().hex}"
    begun = _response(parsed, number, "in_progress", [])
    done = _item(item, answer, "completed")
    whole = _response(parsed, number, "completed", [done]) | {"usage": _NO_USAGE, "toolmint": facts}
    place: dict[str, Any] = {"item_id": item, "output_index": 0, "content_index": 0}
    part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        (
            "response.output_item.added",
            {"output_index": 0, "item": _item(item, None, "in_progress")},
        ),
        ("response.content_part.added", place | {"part": part}),
        ("response.output_text.delta", place | {"delta": answer, "logprobs": []}),
        ("response.output_text.done", place | {"text": answer, "logprobs": []}),
        ("response.content_part.done", place | {"part": part | {"text": answer}}),
        ("response.output_item.done", {"output_index": 0, "item": done}),
        ("response.completed", {"response": whole}),
    ]
    return [
        sse_event({"type": name, "sequence_number": at} | more, name)
        for at, (name, more) in enumerate(steps)
    ]


RESPONSES = EndpointKind(
    "responses",
    "/responses",
    read_response,
    response_text,
    written=ReplyWriter(response_reply, response_events),
)
