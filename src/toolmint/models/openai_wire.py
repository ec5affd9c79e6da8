"""The OpenAI chat-completions wire format: pure functions between core types and JSON."""

import json
from typing import Any, Literal, NamedTuple, cast

from toolmint.core.errors import ModelError
from toolmint.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from toolmint.core.model import ModelRequest, ModelResponse, Usage

DEFAULT_BASE_URL = "https://api.openai.com/v1"
Finish = Literal["stop", "length", "tool_calls", "content_filter", "unknown"]
_FINISH_REASONS = {"stop", "length", "tool_calls", "content_filter"}


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


class Dialect(NamedTuple):
    """What differs between endpoints: the name of the length limit, and whether temperature is accepted."""

    limit_field: str = "max_tokens"
    temperature: bool = True


_DEFAULT_DIALECT = Dialect()


def encode_request(
    request: ModelRequest, model: str, *, stream: bool = False, dialect: Dialect = _DEFAULT_DIALECT
) -> dict[str, Any]:
    """Return the body of ``POST /chat/completions``."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [encode_message(message) for message in request.messages],
        dialect.limit_field: request.max_tokens,
    }
    if dialect.temperature:
        body["temperature"] = request.temperature
    if request.stop:
        body["stop"] = list(request.stop)
    if request.seed is not None:
        body["seed"] = request.seed
    if request.tools:
        body["tools"] = [_encode_tool(tool) for tool in request.tools]
        if request.tool_choice != "auto":
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
        input_tokens=int(usage.get("prompt_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
        output_tokens=int(usage.get("completion_tokens") or 0),
        cost=None,
    )


def _object(value: object) -> dict[str, Any]:
    """Return a JSON object, empty for null; raise TypeError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(f"an object was due, got {value!r:.80}")
    return cast("dict[str, Any]", value)


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _finish(word: object) -> Finish:
    return cast("Finish", word) if word in _FINISH_REASONS else "unknown"


def decode_response(wire: object, seconds: float) -> ModelResponse:
    """Return the response of a whole reply.

    Raises:
        ModelError: the JSON is no chat completion.
    """
    try:
        body = cast("dict[str, Any]", wire)
        choice = body["choices"][0]
        message = choice["message"]
        calls = tuple(
            ToolCall(
                id=str(call["id"]),
                name=call["function"]["name"],
                arguments=call["function"]["arguments"],
            )
            for call in message.get("tool_calls") or ()
        )
        return ModelResponse(
            content=message.get("content") or "",
            tool_calls=calls,
            finish_reason=_finish(choice.get("finish_reason")),
            model=str(body.get("model", "")),
            usage=decode_usage(body.get("usage")),
            seconds=seconds,
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as fault:
        raise ModelError(
            f"the endpoint's reply is no chat completion ({fault!r})", code="model-reply"
        ) from fault


class StreamReader:
    """Collects the events of a streamed reply into one response."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._model, self._finish_reason = "", "unknown"
        self._usage: object = None

    def feed(self, data: str) -> str:
        """Add the data of one event and return its text.

        Raises:
            ModelError: the event is no chunk of a chat completion.
        """
        try:
            chunk: dict[str, Any] = json.loads(data)
            if "error" in chunk:
                raise ModelError(f"the stream broke off: {chunk['error']}", code="model-reply")
            self._model = chunk.get("model") or self._model
            self._usage = chunk.get("usage") or self._usage
            choices = _list(chunk.get("choices"))
            return self._choice(choices[0]) if choices else ""
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise ModelError(
                f"a streamed event is no completion chunk: {data[:200]!r}", code="model-reply"
            ) from fault

    def _choice(self, choice: dict[str, Any]) -> str:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = _object(choice.get("delta"))
        for part in map(_object, _list(delta.get("tool_calls"))):
            call = self._calls.setdefault(part["index"], {"id": "", "name": "", "arguments": ""})
            function = _object(part.get("function"))
            call["id"] += part.get("id") or ""
            call["name"] += function.get("name") or ""
            call["arguments"] += function.get("arguments") or ""
        text = str(delta.get("content") or "")
        self._text.append(text)
        return text

    def response(self, seconds: float) -> ModelResponse:
        """Return the whole response."""
        return ModelResponse(
            content="".join(self._text),
            tool_calls=tuple(ToolCall(**call) for _, call in sorted(self._calls.items())),
            finish_reason=_finish(self._finish_reason),
            model=self._model,
            usage=decode_usage(self._usage),
            seconds=seconds,
        )
