"""How large a request is at most: whether its prompt is all in its body, and how long its answers may be.

Only what is known to be text counts by its length. Whatever else a request has, now or in a later version of
an endpoint's interface, may name files, images or earlier answers that the endpoint reads beside the body.
"""

import math
from collections.abc import Mapping, Set
from typing import Any, cast

_LIMITS = {
    "chat": ("max_completion_tokens", "max_tokens"),
    "responses": ("max_output_tokens",),
    "completions": ("max_tokens",),
}
"""The names under which each endpoint reads its limit; any other name limits nothing there."""
_REFERENCES = ("previous_response_id", "conversation", "web_search_options", "prompt")
_TOOLS = frozenset({"function", "custom"})
"""Tools that the client runs; the endpoint runs all others, and reads what they find."""
_TEXT_PARTS = frozenset({"text", "input_text", "output_text", "refusal"})
_PART_FIELDS = frozenset({"type", "text", "refusal", "annotations", "logprobs", "cache_control"})
_MESSAGE_FIELDS = frozenset(
    {
        *("role", "content", "type", "id", "status", "phase", "name", "refusal", "annotations"),
        *("tool_calls", "tool_call_id", "function_call", "cache_control"),
        *("reasoning", "reasoning_content", "reasoning_details"),
    }
)
_CALLS = frozenset({"function_call", "custom_tool_call"})
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_MOST_TOKENS, _MOST_CHOICES = 10**9, 10**6
"""What is counted of larger numbers, which no endpoint takes."""
_UNREADABLE_CHOICES = 128
"""The most choices that OpenAI gives; taken where a number of choices cannot be read."""


def is_whole_prompt(endpoint: str, body: Mapping[str, Any], known: Set[str]) -> bool:
    """Return whether a conversation's prompt is all in its body, so that it counts by its length.

    Args:
        endpoint: ``chat`` or ``responses``.
        body: the request.
        known: names of the endpoint's fields that are known; empty: any field is.
    """
    if known and not body.keys() <= known:
        return False
    if any(body.get(name) is not None for name in _REFERENCES):
        return False
    if not _each(body.get("tools") or [], _is_client_tool):
        return False
    if endpoint == "chat":
        return _each(body.get("messages"), _is_text_message)
    beside: object = body.get("instructions")
    asked: object = body.get("input")
    told = beside is None or isinstance(beside, str)
    return told and (isinstance(asked, str) or _each(asked, _is_text_item))


def limit_of(endpoint: str, body: Mapping[str, Any], longest: int) -> int:
    """Return the tokens of one answer at most: the request's limit, else ``longest``.

    An endpoint may ignore a limit that is no number: then the larger of both counts.
    """
    found: list[int] = []
    for name in _LIMITS.get(endpoint, ()):
        value: object = body.get(name)
        if value is None:
            continue
        number = _number(value, _MOST_TOKENS)
        is_plain = isinstance(value, int | float) and number is not None and number > 0
        found.append(number or longest if is_plain else max(number or 0, longest))
    return max(found, default=longest)


def answer_count(body: Mapping[str, Any]) -> int:
    """Return how many answers a request asks for at most, over all its prompts."""
    choices = 1
    for name in ("n", "best_of"):
        value: object = body.get(name)
        if value is not None:
            number = _number(value, _MOST_CHOICES)
            choices = max(choices, _UNREADABLE_CHOICES if number is None else number)
    prompts: object = body.get("prompt")
    if isinstance(prompts, list):
        many = cast("list[object]", prompts)
        choices *= 1 if all(isinstance(token, int) for token in many) else len(many)
    return choices


def _number(value: object, most: int) -> int | None:
    """Return a number, also one that is given as text, rounded up; None where it cannot be read as one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)  # lenient endpoints convert such texts, too
        except ValueError:
            return None
    if not isinstance(value, int | float) or (isinstance(value, float) and math.isnan(value)):
        return None
    return math.ceil(max(-1, min(value, most)))


def _each(values: object, rule: Any) -> bool:  # noqa: ANN401 - a predicate over JSON values
    """Return whether a value is a list whose members all meet a rule."""
    return isinstance(values, list) and all(map(rule, cast("list[object]", values)))


def _is_client_tool(tool: object) -> bool:
    return isinstance(tool, dict) and _type(cast("dict[str, object]", tool)) in _TOOLS


def _type(value: Mapping[str, object]) -> str:
    """Return the type of a JSON object; empty where it is no text."""
    found = value.get("type")
    return found if isinstance(found, str) else ""


def _is_text_part(part: object) -> bool:
    if not isinstance(part, dict):
        return False
    found = cast("dict[str, object]", part)
    texts = all(isinstance(found.get(name, ""), str) for name in ("text", "refusal"))
    return _type(found) in _TEXT_PARTS and found.keys() <= _PART_FIELDS and texts


def _is_text(content: object) -> bool:
    return isinstance(content, str) or _each(content, _is_text_part)


def _is_text_message(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    found = cast("dict[str, object]", message)
    more = any(found[name] is not None for name in found.keys() - _MESSAGE_FIELDS)
    return not more and (found.get("content") is None or _is_text(found["content"]))


def _is_text_item(item: object) -> bool:
    """Return whether an item of ``input`` is text; one without content refers to what is stored."""
    if not isinstance(item, dict):
        return False
    found = cast("dict[str, object]", item)
    if found.get("type") is None or found["type"] == "message":
        return _is_text(found.get("content")) and _is_text_message(found)
    if _type(found) in _CALLS:
        return True
    if _type(found) in _OUTPUTS:
        return _is_text(found.get("output"))
    sealed = found.get("encrypted_content")
    return _type(found) == "reasoning" and isinstance(sealed, str) and bool(sealed)
