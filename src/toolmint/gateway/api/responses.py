"""``POST /v1/responses``: how a request is read, and a tool's answer written, whole or as events."""

import time
from functools import partial
from random import getrandbits
from typing import Any, cast

import orjson

from toolmint.gateway.api.chat import EFFORT, EFFORTS, FORMAT, SAMPLING, VERBOSITY
from toolmint.gateway.api.fields import FieldRules, RequestField, field_rules
from toolmint.gateway.api.requests import (
    MessageForm,
    Said,
    open_request,
    read_conversation,
    read_messages,
)
from toolmint.gateway.api.value_rules import (
    absent,
    answer_format,
    anything,
    boolean,
    false,
    in_scope,
    number,
    one_of,
    some_of,
    text,
    whole,
)
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


_STORED = (
    "its response is to be stored, and only the model's endpoint can go on from it; "
    "send 'store': false where nothing goes on"
)
_TOOLS = "it brings tools"


def _unstored(value: object) -> bytes | None:
    return b"" if value is False else None


RESPONSE_FIELDS: dict[str, RequestField] = {
    "model": RequestField("read", "a text", anything),
    "input": RequestField("read", "a text, or items: see below", anything),
    "instructions": RequestField("read", "a text, which is part of the scope", text),
    "stream": RequestField("delivery", "true, false", boolean),
    "stream_options.include_obfuscation": RequestField("delivery", "true, false", boolean),
    "store": RequestField("model", "false; null or left out is true", _unstored, _STORED, _STORED),
    "text.format": RequestField("scope", FORMAT, partial(answer_format, nested=False)),
    "text.verbosity": RequestField(
        "scope", "low, medium, high", in_scope("text.verbosity", VERBOSITY)
    ),
    "reasoning.effort": RequestField("scope", EFFORTS, in_scope("reasoning.effort", EFFORT)),
    "reasoning.summary": RequestField("model", "null", absent),
    "reasoning.generate_summary": RequestField("model", "null", absent),
    "max_output_tokens": RequestField("limit", "1 or more", whole(1)),
    **SAMPLING,
    "truncation": RequestField("served", "auto, disabled", one_of("auto", "disabled")),
    "include": RequestField(
        "served",
        "a list of at most `reasoning.encrypted_content`: a tool has no reasoning",
        some_of("reasoning.encrypted_content"),
    ),
    "top_logprobs": RequestField("model", "0", number(0, 0), "it asks for logprobs"),
    "tools": RequestField("model", "an empty list", some_of(), _TOOLS),
    "tool_choice": RequestField("model", "auto, none", one_of("auto", "none"), _TOOLS),
    "parallel_tool_calls": RequestField("served", "true, false: there are no tools", boolean),
    "max_tool_calls": RequestField("model", "null", absent, _TOOLS),
    "background": RequestField("model", "false", false, "it runs in the background"),
    "previous_response_id": RequestField(
        "model", "null", absent, "it goes on from an earlier response"
    ),
    "conversation": RequestField("model", "null", absent, "it belongs to a conversation"),
    "prompt": RequestField("model", "null", absent, "it uses a prompt that is stored elsewhere"),
}
"""The understood fields of a response; every other field is for the model."""
_RULES = field_rules(RESPONSE_FIELDS)
_FORM = MessageForm("input_text", "message")


def read_response(raw: bytes, rules: FieldRules = _RULES) -> ParsedRequest:
    """Read a request.

    Raises:
        HttpError: it is no JSON object, or names no model.
    """
    opened = open_request(raw)
    body = opened.body
    asked: object = body.get("input")
    if isinstance(asked, str):
        said: Said = (asked, (), "") if asked else (None, (), "it has no user's text")
    else:
        said = read_messages(asked, _FORM)
    beside: object = body.get("instructions")
    shape: object = body.get("text")
    form = cast("dict[str, object]", shape).get("format") if isinstance(shape, dict) else None
    return read_conversation(opened, rules, said, form, beside if isinstance(beside, str) else "")


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
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": None,
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "store": False,
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [],
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation") or "disabled",
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
    done = _item(f"msg_{getrandbits(128):032x}", answer, "completed")
    whole = _response(parsed, f"resp_{getrandbits(128):032x}", "completed", [done])
    return orjson.dumps(whole | {"usage": _NO_USAGE, "toolmint": facts})


def response_events(parsed: ParsedRequest, answer: str, facts: dict[str, Any]) -> list[bytes]:
    """Return the events of a streamed response, numbered from 0."""
    number, item = f"resp_{getrandbits(128):032x}", f"msg_{getrandbits(128):032x}"
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
