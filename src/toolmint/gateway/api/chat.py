"""``POST /v1/chat/completions``: how a request is read, and a tool's answer written, whole or as events."""

import time
from functools import partial
from random import getrandbits
from typing import Any

import orjson

from toolmint.gateway.api.fields import FieldRules, RequestField, field_rules
from toolmint.gateway.api.requests import (
    MessageForm,
    open_request,
    read_conversation,
    read_messages,
)
from toolmint.gateway.api.value_rules import (
    absent,
    answer_format,
    anything,
    boolean,
    exactly,
    false,
    in_scope,
    number,
    one_of,
    stop_rule,
    text,
    texts_by_name,
    whole,
)
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


FORMAT = "text, a JSON object, or JSON of a schema without regular expressions"
_LOGPROBS = "it asks for logprobs"
_TOOLS = "it brings tools"
SAMPLING = {
    "temperature": RequestField("served", "0 to 2", number(0, 2)),
    "top_p": RequestField("served", "0 to 1", number(0, 1)),
    "user": RequestField("served", "a text", text),
    "safety_identifier": RequestField("served", "a text", text),
    "prompt_cache_key": RequestField("served", "a text", text),
    "prompt_cache_retention": RequestField("served", "a text", text),
    "metadata": RequestField("served", "an object of texts", texts_by_name),
    "service_tier": RequestField(
        "served",
        "auto, default, flex, priority, scale",
        one_of("auto", "default", "flex", "priority", "scale"),
    ),
}
"""Fields of both endpoints that leave what a tool answers as it is."""
EFFORT = one_of("none", "minimal", "low", "medium", "high", "xhigh")
EFFORTS = "none, minimal, low, medium, high, xhigh"
VERBOSITY = one_of("low", "medium", "high")

CHAT_FIELDS: dict[str, RequestField] = {
    "model": RequestField("read", "a text", anything),
    "messages": RequestField("read", "see below", anything),
    "stream": RequestField("delivery", "true, false", boolean),
    "stream_options.include_usage": RequestField("delivery", "true, false", boolean),
    "stream_options.include_obfuscation": RequestField("delivery", "true, false", boolean),
    "response_format": RequestField("scope", FORMAT, partial(answer_format, nested=True)),
    "stop": RequestField("scope", "a text, or a list of texts", stop_rule),
    "reasoning_effort": RequestField("scope", EFFORTS, in_scope("reasoning_effort", EFFORT)),
    "verbosity": RequestField("scope", "low, medium, high", in_scope("verbosity", VERBOSITY)),
    "max_completion_tokens": RequestField("limit", "1 or more", whole(1)),
    "max_tokens": RequestField("limit", "1 or more", whole(1)),
    "n": RequestField("model", "1", whole(1, 1), "it asks for several choices"),
    **SAMPLING,
    "frequency_penalty": RequestField("served", "-2 to 2", number(-2, 2)),
    "presence_penalty": RequestField("served", "-2 to 2", number(-2, 2)),
    "seed": RequestField("served", "a whole number", whole(-(1 << 63))),
    "modalities": RequestField(
        "model", '`["text"]`', exactly(["text"]), "it asks for other modalities"
    ),
    "logprobs": RequestField("model", "false", false, _LOGPROBS),
    "store": RequestField("model", "false", false, "it is to be stored at the model's endpoint"),
    "top_logprobs": RequestField("model", "null", absent, _LOGPROBS),
    "tools": RequestField("model", "null", absent, _TOOLS),
    "tool_choice": RequestField("model", "null", absent, _TOOLS),
    "parallel_tool_calls": RequestField("model", "null", absent, _TOOLS),
    "functions": RequestField("model", "null", absent, "it brings functions"),
    "function_call": RequestField("model", "null", absent, "it brings functions"),
    "audio": RequestField("model", "null", absent, "it asks for audio"),
    "prediction": RequestField("model", "null", absent, "it brings a prediction"),
    "web_search_options": RequestField("model", "null", absent, "it asks for a web search"),
    "logit_bias": RequestField("model", "null", absent, "it biases tokens"),
}
"""The understood fields of a chat completion; every other field is for the model."""
_RULES = field_rules(CHAT_FIELDS)
_FORM = MessageForm("text", None)


def read_chat(raw: bytes, rules: FieldRules = _RULES) -> ParsedRequest:
    """Read a request.

    Raises:
        HttpError: it is no JSON object, or names no model.
    """
    opened = open_request(raw)
    body = opened.body
    said = read_messages(body.get("messages"), _FORM)
    return read_conversation(opened, rules, said, body.get("response_format"))


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
            "id": f"chatcmpl-{getrandbits(96):024x}",
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
        "id": f"chatcmpl-{getrandbits(96):024x}",
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
