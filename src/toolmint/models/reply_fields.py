"""Read the fields of an endpoint's message in one defined way: content, reasoning, calls; total functions.

Endpoints differ from OpenAI's in what they send: arguments as an object, calls without ids, contents as a
list of parts, reasoning under several names. Whatever JSON a field holds has a defined reading.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from toolmint.core.messages import ToolCall
from toolmint.core.values import canonical, too_deep

_REASONING = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
_THOUGHT_PARTS = frozenset({"thinking", "reasoning", "reasoning.text", "reasoning.summary"})
_TEXTS = ("text", "content", "thinking", "reasoning", "summary", "refusal")


class MessageFields(NamedTuple):
    """What a message says, thinks and calls."""

    content: str
    reasoning: str
    calls: tuple[ToolCall, ...]


def fields_of(message: dict[str, Any]) -> MessageFields:
    """Return the content, the reasoning and the calls of an assistant's message."""
    content, thought = content_parts(message.get("content"))
    reasoning = reasoning_of(message)
    return MessageFields(
        content or field_text(message.get("refusal")),
        "\n".join(one for one in (reasoning, thought) if one),
        calls_of(message),
    )


def content_parts(value: object) -> tuple[str, str]:
    """Return the text of a content, and the reasoning among its parts."""
    if not isinstance(value, list):
        return field_text(value), ""
    said: list[str] = []
    thought: list[str] = []
    for part in cast("list[object]", value):
        kind = cast("dict[str, object]", part).get("type") if isinstance(part, dict) else None
        thinks = isinstance(kind, str) and kind in _THOUGHT_PARTS
        (thought if thinks else said).append(field_text(cast("object", part)))
    return "".join(said), "".join(thought)


def reasoning_of(message: dict[str, Any]) -> str:
    """Return the reasoning of a message or of a streamed piece, under the first name that has any."""
    return next((text for name in _REASONING if (text := field_text(message.get(name)))), "")


def field_text(value: object, depth: int = 0) -> str:
    """Return the text of a field: a text, the texts of parts, or of an object's fields of text."""
    if isinstance(value, str):
        return value
    if value is None or depth > 8:
        return ""
    if isinstance(value, list):
        return "".join(field_text(one, depth + 1) for one in cast("list[object]", value))
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return next(
            (text for name in _TEXTS if (text := field_text(fields.get(name), depth + 1))), ""
        )
    return str(value)


def calls_of(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    """Return the calls of a message; one without an id, or with that of another one, gets one."""
    found: list[ToolCall] = []
    taken: set[str] = set()
    for number, one in enumerate(_listed(message)):
        function = one.get("function")
        fields = cast("dict[str, Any]", function) if isinstance(function, dict) else one
        given = one.get("id")
        name = str(given) if isinstance(given, str | int) and given != "" else ""
        if not name or name in taken:
            name = f"call_{number}"
        taken.add(name)
        found.append(
            ToolCall(
                id=name,
                name=field_text(fields.get("name")),
                arguments=arguments_of(fields.get("arguments", fields.get("parameters"))),
            )
        )
    return tuple(found)


def _listed(message: dict[str, Any]) -> Iterable[dict[str, Any]]:
    given: object = message.get("tool_calls") or message.get("function_call")
    items = cast("list[object]", given) if isinstance(given, list) else [given]
    return [cast("dict[str, Any]", one) for one in items if isinstance(one, dict)]


def arguments_of(value: object) -> str:
    """Return arguments as the text that they should be: of nothing, and of an empty text, an empty object."""
    if isinstance(value, str):
        return value if value.strip() else "{}"
    if value is None:
        return "{}"
    if too_deep(value):
        return f"a {type(value).__name__} that is nested too deeply"
    try:
        return canonical(value)
    except ValueError:  # NaN and Infinity, which json reads
        return json.dumps(value, ensure_ascii=False)


def count_of(value: object) -> int:
    """Return a count of tokens; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value < 10**12 else 0
