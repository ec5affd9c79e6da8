"""Read tool calls that a model wrote as text, in the dialects of open models; total functions.

Endpoints that parse no calls, and local models, leave them in the text:

- Hermes, Qwen: ``<tool_call>{"name": ..., "arguments": {...}}</tool_call>``
- Qwen-Coder: ``<tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>``
- Llama: ``<|python_tag|>`` before JSON or ``NAME.call(key="value")``; ``<function=NAME>{...}</function>``;
  a list ``[NAME(key="value")]``
- Mistral: ``[TOOL_CALLS]`` before a JSON list, or before ``NAME[ARGS]{...}``
- gpt-oss: ``<|channel|>commentary to=functions.NAME <|message|>{...}<|call|>``
- JSON in fences, or bare: an object with ``name`` and ``arguments`` (or their usual other names), or a list
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value
from toolmint.roles.json_text import argument_text, object_at, value_at, values_in
from toolmint.roles.python_calls import python_calls

MOST_CALLS = 64
"""Calls of one reply that are read."""
_NAMES = ("name", "tool_name", "tool", "function", "action")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "action_input", "tool_input")
_TAGGED = re.compile(r"<tool_calls?>\s*(.*?)\s*(?:</tool_calls?>|(?=<tool_call>)|\Z)", re.DOTALL)
_FUNCTION = re.compile(
    r"<function=([^>\n]{1,200})>\s*(.*?)\s*(?:</function>|(?=<function=)|\Z)", re.DOTALL
)
_PARAMETER = re.compile(
    r"<parameter=([^>\n]{1,200})>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL
)
_MISTRAL = re.compile(r"\s*([\w./-]{1,200})\s*(?:\[CALL_ID\][\w-]*)?\s*(?:\[ARGS\])?\s*(?=\{)")
_CHANNEL_CALL = re.compile(
    r"<\|channel\|>[^<]*?to=functions\.([\w.-]+)(?:[^<]|<\|constrain\|>)*<\|message\|>\s*"
)
_FENCE = re.compile(
    r"```[ \t]*(?:json|tool_call|tool_code|tool)?[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL
)
_PYTHON_TAG, _MISTRAL_TAG = "<|python_tag|>", "[TOOL_CALLS]"


class WrittenCall(NamedTuple):
    """A call that stands in a text: its name, its arguments as text, and where it begins."""

    name: str
    arguments: str
    start: int


def call_of(value: Value, *, bare: bool = True) -> tuple[str, str] | None:
    """Return name and arguments of a JSON object that means a call; None for any other value.

    ``bare``: an object with a name alone is a call without arguments.
    """
    if not isinstance(value, dict):
        return None
    body = value.get("function")
    fields = body if isinstance(body, dict) else value
    named = next((one for one in _NAMES if isinstance(fields.get(one), str)), None)
    given = next((one for one in _ARGUMENTS if one in fields), None)
    if named is None or (given is None and not (bare and named == "name")):
        return None
    return str(fields[named]), argument_text(fields[given] if given is not None else None)


def _calls_of(value: Value, start: int, *, bare: bool = True) -> list[WrittenCall]:
    items = value if isinstance(value, list) else [value]
    found = [call_of(one, bare=bare) for one in items[:MOST_CALLS]]
    return [WrittenCall(*one, start) for one in found if one is not None]


def written_calls(text: str, tools: Sequence[ToolSpec] = ()) -> list[WrittenCall]:
    """Return the calls of a text by the first dialect that finds any, at most ``MOST_CALLS``.

    Args:
        text: a reply, without its reasoning.
        tools: their schemas say which of Qwen-Coder's values, all of them text, are numbers or lists.
    """
    readers: tuple[tuple[str, Callable[[], Iterable[WrittenCall]]], ...] = (
        ("<tool_call", lambda: _tagged(text, tools)),
        ("<function=", lambda: _functions(text, 0, tools)),
        (_PYTHON_TAG, lambda: _python_tagged(text)),
        (_MISTRAL_TAG, lambda: _mistral(text)),
        ("to=functions.", lambda: _channel_calls(text)),
        ("```", lambda: _fenced(text)),
        ("{", lambda: _bare(text)),
        ("(", lambda: _pythonic(text, tools)),
    )
    for mark, read in readers:
        found = list(read())[:MOST_CALLS] if mark in text else []
        if found:
            return found
    return []


def _tagged(text: str, tools: Sequence[ToolSpec]) -> list[WrittenCall]:
    found: list[WrittenCall] = []
    for block in _TAGGED.finditer(text):
        inner = block[1]
        if "<function=" in inner:
            found += _functions(inner, block.start(), tools)
            continue
        values = [value for value, _, _ in values_in(inner)]
        found += [one for value in values for one in _calls_of(value, block.start())]
    return found


def _functions(text: str, start: int, tools: Sequence[ToolSpec]) -> list[WrittenCall]:
    found: list[WrittenCall] = []
    for block in _FUNCTION.finditer(text):
        name, inner = block[1].strip(), block[2]
        parameters = _PARAMETER.findall(inner)
        if parameters or not inner.startswith("{"):
            typed = {
                key.strip(): _typed(name, key.strip(), value, tools) for key, value in parameters
            }
            arguments = argument_text(typed)
        else:
            whole = object_at(inner, 0)
            arguments = argument_text(whole[0]) if whole is not None else inner
        found.append(WrittenCall(name, arguments, start + block.start()))
    return found


def _typed(name: str, key: str, text: str, tools: Sequence[ToolSpec]) -> Value:
    """Return a value that was written as text: as JSON where the schema wants no string."""
    spec = next((tool for tool in tools if tool.name == name), None)
    known = spec.parameters.get("properties") if spec is not None else None
    schema = known.get(key) if isinstance(known, dict) else None
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "string" or (isinstance(kind, list) and "string" in kind):
        return text
    if kind is None and not text.lstrip().startswith(("{", "[")):
        return text
    try:
        stripped = text.strip()
        plain = {"True": "true", "False": "false", "None": "null"}.get(stripped, stripped)
        found = value_at(plain, 0)
        return found[0] if found is not None and found[1] == len(plain) else text
    except (ValueError, json.JSONDecodeError):
        return text


def _python_tagged(text: str) -> list[WrittenCall]:
    start = text.find(_PYTHON_TAG)
    inner = text[start + len(_PYTHON_TAG) :]
    found = [one for value, _, _ in values_in(inner) for one in _calls_of(value, start)]
    return found or [
        WrittenCall(one.name, argument_text(one.arguments), start) for one in python_calls(inner)
    ]


def _mistral(text: str) -> list[WrittenCall]:
    found: list[WrittenCall] = []
    first = text.find(_MISTRAL_TAG)
    for inner in text[first:].split(_MISTRAL_TAG)[1:]:
        head = _MISTRAL.match(inner)
        if head is not None:
            whole = object_at(inner, head.end())
            arguments = argument_text(whole[0]) if whole else inner[head.end() :].strip()
            found.append(WrittenCall(head[1], arguments, first))
            continue
        found += [one for value, _, _ in values_in(inner) for one in _calls_of(value, first)]
    return found


def _channel_calls(text: str) -> list[WrittenCall]:
    found: list[WrittenCall] = []
    for head in _CHANNEL_CALL.finditer(text):
        whole = object_at(text, head.end())
        raw = text[head.end() :].partition("<|")[0].strip()
        arguments = argument_text(whole[0]) if whole else raw
        found.append(WrittenCall(head[1], arguments, head.start()))
    return found


def _fenced(text: str) -> list[WrittenCall]:
    found: list[WrittenCall] = []
    for block in _FENCE.finditer(text):
        for value, _, _ in values_in(block[1]):
            found += _calls_of(value, block.start())
    return found


def _bare(text: str) -> list[WrittenCall]:
    """Return the calls that stand in the text as JSON, one after the other."""
    found: list[WrittenCall] = []
    for value, start, _ in values_in(text):
        # A later object with a name alone is rather a result that the model made up.
        found += _calls_of(value, start, bare=not found)
    return found


def _pythonic(text: str, tools: Sequence[ToolSpec]) -> list[WrittenCall]:
    """Return calls written as Python: a list of them at the end of a reply, or known tools alone."""
    listed = text.rfind("\n[") + 1
    start = listed if listed or text.startswith("[") else 0
    end = text[start:].strip()
    found = list(python_calls(end))
    if not found or end[found[-1].end :].strip() not in {"", "]"}:
        return []
    known = {tool.name for tool in tools}
    if not end.startswith("[") and not all(one.name in known for one in found):
        return []
    return [WrittenCall(one.name, argument_text(one.arguments), start) for one in found]
