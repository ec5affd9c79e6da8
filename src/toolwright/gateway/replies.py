"""A tool's answer as OpenAI's endpoints would send it, whole or as events; the text is the same to the
byte.
"""

import time
from typing import Any
from uuid import uuid4

import orjson

from toolwright.gateway.wire import Asked

DONE = b"data: [DONE]\n\n"
NOTHING_USED = {
    "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}  # fmt: skip
"""A tool uses no tokens; it says so rather than invent some."""


def event(value: dict[str, Any], name: str | None = None) -> bytes:
    """Give one server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(value) + b"\n\n"


def chat(asked: Asked, answer: str, facts: dict[str, Any]) -> bytes:
    """Give the body of a chat completion."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer,
        "refusal": None,
        "annotations": [],
    }
    return orjson.dumps(
        {
            "id": f"chatcmpl-{uuid4().hex}", "object": "chat.completion",
            "created": int(time.time()), "model": asked.model,
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            ],
            "usage": NOTHING_USED, "service_tier": "default", "system_fingerprint": None,
            "toolwright": facts,
        }
    )  # fmt: skip


def chat_events(asked: Asked, answer: str, facts: dict[str, Any]) -> list[bytes]:
    """Give the events of a streamed chat completion."""
    common: dict[str, Any] = {
        "id": f"chatcmpl-{uuid4().hex}", "object": "chat.completion.chunk",
        "created": int(time.time()), "model": asked.model, "system_fingerprint": None,
    }  # fmt: skip
    if asked.usage_wanted:
        common["usage"] = None

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event(common | {"choices": [choice]})

    events = [chunk({"role": "assistant", "content": "", "refusal": None})]
    if answer:
        events.append(chunk({"content": answer}))
    events.append(chunk({}, "stop"))
    if asked.usage_wanted:
        events.append(event(common | {"choices": [], "usage": NOTHING_USED, "toolwright": facts}))
    return [*events, DONE]


def _response(
    asked: Asked, number: str, status: str, output: list[dict[str, Any]]
) -> dict[str, Any]:
    body = asked.body
    return {
        "id": number, "object": "response", "created_at": int(time.time()), "status": status,
        "error": None, "incomplete_details": None, "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"), "model": asked.model,
        "output": output, "parallel_tool_calls": True, "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None}, "store": False,
        "temperature": body.get("temperature", 1.0), "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": [], "top_p": body.get("top_p", 1.0), "truncation": "disabled",
        "usage": None, "user": body.get("user"), "metadata": body.get("metadata") or {},
    }  # fmt: skip


def _item(number: str, answer: str | None, status: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": answer, "annotations": []}
    return {
        "id": number, "type": "message", "status": status, "role": "assistant",
        "content": [] if answer is None else [part],
    }  # fmt: skip


USED = {
    "input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0,
}  # fmt: skip


def response(asked: Asked, answer: str, facts: dict[str, Any]) -> bytes:
    """Give the body of a response."""
    done = _item(f"msg_{uuid4().hex}", answer, "completed")
    whole = _response(asked, f"resp_{uuid4().hex}", "completed", [done])
    return orjson.dumps(whole | {"usage": USED, "toolwright": facts})


def response_events(asked: Asked, answer: str, facts: dict[str, Any]) -> list[bytes]:
    """Give the events of a streamed response, numbered from 0."""
    number, item = f"resp_{uuid4().hex}", f"msg_{uuid4().hex}"
    begun = _response(asked, number, "in_progress", [])
    done = _item(item, answer, "completed")
    whole = _response(asked, number, "completed", [done]) | {"usage": USED, "toolwright": facts}
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
        event({"type": name, "sequence_number": at} | more, name)
        for at, (name, more) in enumerate(steps)
    ]
