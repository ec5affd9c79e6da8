"""Grammars that hold a reply to what was read: plans name tools that exist, no value is made up.

A plan is free text in which ``tools`` stand in backticks and "values" in quotes; a call's strings and numbers
are those that the prompt has.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from toolwright.core.messages import ToolSpec

_CHUNK = re.compile(r"[\"`\\]+|\w+|\s+|[^\w\s\"`\\]")
_NUMBER = re.compile(r"(?<![\w.-])-?(?:0|[1-9]\d*)(?:\.\d+)?(?![\w-]|\.\d)")
_DATE = re.compile(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])")
_KNOWN = frozenset(
    {"type", "enum", "properties", "required", "items", "minItems", "minimum", "format"}
    | {"description", "title", "default", "additionalProperties"}
)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _either(literals: Sequence[str]) -> str:
    return f"({' | '.join(_text(one) for one in literals)})"


def rules(read: str) -> list[str]:
    """Give the rules of a value: some neighbouring words of the text, with no quote in them."""
    chunks = ["\n" if one[0] in '"`\\' or (one.isspace() and one != " ") else one
              for one in _CHUNK.findall(read)]  # fmt: skip
    return [f"SOME: %regex {json.dumps({'substring_chunks': chunks})}", r"READ: SOME & /[^\n]+/"]


def plan(tools: Sequence[ToolSpec], read: str) -> str:
    """Give the grammar of a plan, as Lark text.

    The tool that a plan names first is not named again in it: that `X` was wrong is no reason for `X`.

    Args:
        tools: those that it may name, one at least.
        read: the text that its values are taken from.
    """
    named: list[str] = []
    lines: list[str] = []
    for at, tool in enumerate(tools):
        name = _text(tool.name)
        named.append(f'{name} "`" after_{at}')
        # up to this tool, and from it on: all others are one step up and one step down
        up = [f"up_{at - 1}"] if at else []
        down = [f"down_{at + 1}"] if at + 1 < len(tools) else []
        others = f'| "`" ({" | ".join(up + down)}) "`"' if up + down else ""
        lines += [
            f"up_{at}: {' | '.join([name, *up])}",
            f"down_{at}: {' | '.join([name, *down])}",
            f"after_{at}: TEXT? ((value {others}) TEXT?)*",
        ]
    return "\n".join(
        [
            f'start: TEXT? (value TEXT?)* ("`" ({" | ".join(named)}))?',
            *lines,
            'value: "\\"" READ "\\""',
            'TEXT: /[^`"]+/',
            *rules(read),
        ]
    )


def arguments(tool: ToolSpec, read: str) -> str | None:
    """Give the expression of a tool's arguments, all of them read; None where its schema asks for more."""
    return _value(cast("dict[str, Any]", tool.parameters), read)


def _value(schema: dict[str, Any], read: str) -> str | None:
    """Give the expression of a value of a schema."""
    if not schema.keys() <= _KNOWN:
        return None
    if "enum" in schema:
        return _either([_text(one) for one in schema["enum"]])
    kind = schema.get("type")
    if kind == "boolean":
        return '("true" | "false")'
    if kind in {"integer", "number"}:
        return _number(schema, read)
    if kind == "string":
        return _string(schema, read)
    if kind == "array":
        return _array(schema, read)
    return _object(schema, read) if kind == "object" else None


def _number(schema: dict[str, Any], read: str) -> str | None:
    least, whole = schema.get("minimum"), schema["type"] == "integer"
    found = {one for one in _NUMBER.findall(read) if not whole or "." not in one}
    fit = sorted(one for one in found if least is None or float(one) >= least)
    return _either(fit) if fit else None


def _string(schema: dict[str, Any], read: str) -> str | None:
    if "format" not in schema:
        return '"\\"" READ "\\""'
    dates = sorted(set(_DATE.findall(read)))
    return _either([_text(one) for one in dates]) if schema["format"] == "date" and dates else None


def _array(schema: dict[str, Any], read: str) -> str | None:
    one = _value(schema.get("items") or {}, read)
    if one is None or schema.get("minItems", 0) > 1:
        return None
    some = f'"[" {one} ("," {one})* "]"'
    return f"({some})" if schema.get("minItems") else f'({some} | "[]")'


def _object(schema: dict[str, Any], read: str) -> str | None:
    properties = cast("dict[str, dict[str, Any]]", schema.get("properties") or {})
    if set(schema.get("required") or ()) != properties.keys():
        return None
    parts: list[str] = []
    for name, one in properties.items():
        value = _value(one, read)
        if value is None:
            return None
        parts.append(f"{_text(_text(name) + ':')} {value}")
    return f'("{{" {(" " + _text(",") + " ").join(parts)} "}}")'
