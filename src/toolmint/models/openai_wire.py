"""The OpenAI chat-completions wire format: pure functions between core types and JSON."""

import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from toolmint.core.errors import ModelError
from toolmint.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from toolmint.core.model import ModelRequest, ModelResponse, Usage
from toolmint.core.tool_names import legal_name, legal_names
from toolmint.models.endpoint_dialect import Dialect, shaped
from toolmint.models.reply_fields import (
    arguments_of,
    calls_of,
    content_parts,
    count_of,
    field_text,
    fields_of,
    reasoning_of,
)

DEFAULT_BASE_URL = "https://api.openai.com/v1"
Finish = Literal["stop", "length", "tool_calls", "content_filter", "unknown"]
_FINISH_REASONS: dict[str, Finish] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
}
"""Why a reply ended, in the words of several endpoints."""


def encode_message(message: Message) -> dict[str, Any]:
    """Return a message in wire form."""
    match message:
        case SystemMessage() | UserMessage():
            return {"role": message.role, "content": message.content}
        case ToolMessage():
            return message.model_dump()
        case AssistantMessage(content=content, tool_calls=calls):
            wire: dict[str, Any] = {"role": "assistant", "content": content}
            if calls:
                wire["tool_calls"] = [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": call.arguments},
                    }
                    for call in calls
                ]
            return wire


def _encode_tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


_DEFAULT_DIALECT = Dialect()


def wire_names(request: ModelRequest) -> dict[str, str]:
    """Return the names under which an endpoint knows the request's tools, by the tools' own names."""
    return legal_names(tool.name for tool in request.tools)


def with_own_names(response: ModelResponse, request: ModelRequest) -> ModelResponse:
    """Return a response whose calls name the tools by their own names."""
    own = {legal: name for name, legal in wire_names(request).items() if legal != name}
    if not own or not response.tool_calls:
        return response
    calls = tuple(
        one.model_copy(update={"name": own.get(one.name, one.name)}) for one in response.tool_calls
    )
    return response.model_copy(update={"tool_calls": calls})


def _named(message: Message, names: Mapping[str, str]) -> Message:
    """Return a message whose calls have names that every endpoint takes."""
    if not isinstance(message, AssistantMessage) or not message.tool_calls:
        return message
    calls = tuple(
        one.model_copy(update={"name": names.get(one.name) or legal_name(one.name)})
        for one in message.tool_calls
    )
    return message.model_copy(update={"tool_calls": calls})


def encode_request(
    request: ModelRequest, model: str, *, stream: bool = False, dialect: Dialect = _DEFAULT_DIALECT
) -> dict[str, Any]:
    """Return the body of ``POST /chat/completions``."""
    names = wire_names(request)
    tools = [tool.model_copy(update={"name": names[tool.name]}) for tool in request.tools]
    messages = [_named(message, names) for message in request.messages]
    body: dict[str, Any] = {
        "model": model,
        "messages": [encode_message(one) for one in shaped(messages, tools, dialect)],
        dialect.limit_field: request.max_tokens,
    }
    if dialect.temperature:
        body["temperature"] = request.temperature
    if request.stop:
        body["stop"] = list(request.stop)
    if request.seed is not None:
        body["seed"] = request.seed
    if tools and dialect.tools:
        body["tools"] = [_encode_tool(tool) for tool in tools]
        if request.tool_choice != "auto" and dialect.tool_choice:
            body["tool_choice"] = request.tool_choice
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return body


def decode_usage(wire: object) -> Usage:
    """Return the usage of a reply; the cost is unknown (None)."""
    if not isinstance(wire, dict):
        return Usage(requests=1, cost=None)
    usage = cast("dict[str, Any]", wire)
    details = _object(usage.get("prompt_tokens_details"))
    return Usage(
        requests=1,
        input_tokens=count_of(usage.get("prompt_tokens")),
        cached_tokens=count_of(details.get("cached_tokens")),
        output_tokens=count_of(usage.get("completion_tokens")),
        cost=None,
    )


def _object(value: object) -> dict[str, Any]:
    """Return a JSON object, and an empty one for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _finish(word: object) -> Finish:
    return _FINISH_REASONS.get(word.lower(), "unknown") if isinstance(word, str) else "unknown"


def decode_response(wire: object, seconds: float) -> ModelResponse:
    """Return the response of a whole reply; what is odd within its message has a defined reading.

    Raises:
        ModelError: the JSON is no chat completion: it has no message.
    """
    body = _object(wire)
    choices: object = body.get("choices")
    first = cast("list[object]", choices)[0] if isinstance(choices, list) and choices else None
    choice = _object(first)
    message: object = choice.get("message")
    if not isinstance(message, dict):
        raise ModelError(
            f"the endpoint's reply is no chat completion: it has no message ({wire!r:.200})",
            code="model-reply",
        )
    fields = fields_of(cast("dict[str, Any]", message))
    return ModelResponse(
        content=fields.content,
        reasoning=fields.reasoning,
        tool_calls=fields.calls,
        finish_reason=_finish(choice.get("finish_reason")),
        model=field_text(body.get("model")),
        usage=decode_usage(body.get("usage")),
        seconds=seconds,
    )


class StreamReader:
    """Collects the events of a streamed reply into one response."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[object, dict[str, str]] = {}
        self._last: object = None
        self._model, self._finish_reason = "", "unknown"
        self._usage: object = None

    def feed(self, data: str) -> str:
        """Add the data of one event and return its text.

        Raises:
            ModelError: the event is no chunk of a chat completion, or says that the stream broke off.
        """
        try:
            chunk: object = json.loads(data)
        except (ValueError, RecursionError):
            chunk = None
        if not isinstance(chunk, dict):
            raise _no_chunk(data)
        fields = cast("dict[str, Any]", chunk)
        if fields.get("error"):
            raise ModelError(f"the stream broke off: {fields['error']}", code="model-reply")
        self._model = field_text(fields.get("model")) or self._model
        self._usage = fields.get("usage") or self._usage
        choices: object = fields.get("choices") or []
        first = cast("list[object]", choices)[:1] if isinstance(choices, list) else [None]
        if first and not isinstance(first[0], dict):
            raise _no_chunk(data)
        return self._choice(cast("dict[str, Any]", first[0])) if first else ""

    def _choice(self, choice: dict[str, Any]) -> str:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = _object(choice.get("delta"))
        parts: object = delta.get("tool_calls")
        for part in cast("list[object]", parts) if isinstance(parts, list) else ():
            self._part(_object(part))
        text, thought = content_parts(delta.get("content"))
        self._reasoning.append(reasoning_of(delta) or thought)
        self._text.append(text)
        return text

    def _part(self, part: dict[str, Any]) -> None:
        """Add a piece of a call; without an index, a new id begins the next call."""
        given = field_text(part.get("id"))
        at: object = part.get("index")
        if not isinstance(at, int):
            at = (given or self._last) if given or self._last is not None else 0
        self._last = at
        call = self._calls.setdefault(at, {"id": "", "name": "", "arguments": ""})
        function = _object(part.get("function"))
        call["id"] = call["id"] or given
        call["name"] += field_text(function.get("name"))
        raw = function.get("arguments")
        call["arguments"] += raw if isinstance(raw, str) else arguments_of(raw) if raw else ""

    def response(self, seconds: float) -> ModelResponse:
        """Return the whole response."""
        calls = [
            {"id": one["id"], "name": one["name"], "arguments": one["arguments"]}
            for one in self._calls.values()
        ]
        return ModelResponse(
            content="".join(self._text),
            reasoning="".join(self._reasoning),
            tool_calls=calls_of({"tool_calls": calls}),
            finish_reason=_finish(self._finish_reason),
            model=self._model,
            usage=decode_usage(self._usage),
            seconds=seconds,
        )


def _no_chunk(data: str) -> ModelError:
    return ModelError(
        f"a streamed event is no completion chunk: {data[:200]!r}", code="model-reply"
    )
