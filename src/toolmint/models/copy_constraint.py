"""The copy constraint: grammars under which names and values must occur in the prompt.

A plan is free text in which ``tools`` are in backticks and "values" in quotes; a call's strings and numbers
are those of the prompt. Small models hallucinate identifiers; a grammar makes that impossible without a
larger model. It is valid only for models whose training data follows the convention
(``Recipe.copy_constraint``).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolmint.core.messages import ToolSpec

_CHUNK = re.compile(r"[\"`\\]+|\w+|\s+|[^\w\s\"`\\]")
_NUMBER = re.compile(r"(?<![\w.-])-?(?:0|[1-9]\d*)(?:\.\d+)?(?![\w-]|\.\d)")
_DATE = re.compile(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])")
_KNOWN_KEYWORDS = frozenset(
    {"type", "enum", "properties", "required", "items", "minItems", "minimum", "format"}
    | {"description", "title", "default", "additionalProperties"}
)


def is_copy_constrained(config: Mapping[str, Any]) -> bool:
    """Return whether a model's ``config.json`` says that it was trained for the copy constraint."""
    # Folders that were trained before the key was renamed say "held_replies".
    return bool(config.get("copy_constraint", config.get("held_replies", False)))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _one_of(literals: Sequence[str]) -> str:
    return f"({' | '.join(_json(one) for one in literals)})"


def substring_rules(read: str) -> list[str]:
    """Return the Lark rules of a copied value: consecutive words of the text, without quotes or newlines."""
    chunks = [
        "\n" if one[0] in '"`\\' or (one.isspace() and one != " ") else one
        for one in _CHUNK.findall(read)
    ]
    return [f"SOME: %regex {json.dumps({'substring_chunks': chunks})}", r"READ: SOME & /[^\n]+/"]


def plan_grammar(tools: Sequence[ToolSpec], read: str) -> str:
    """Return the grammar of a plan, as Lark text.

    A plan ends by naming its tool. A tool named earlier in the plan is excluded there: "`X` was wrong" must
    not be followed by a call of `X`.

    Args:
        tools: the tools that a plan may name, at least one.
        read: the text that its values are copied from.
    """
    named: list[str] = []
    lines: list[str] = []
    for at, tool in enumerate(tools):
        name = _json(tool.name)
        named.append(f'{name} "`" after_{at}')
        # "up" and "down" chain all tools before and after this one, so that the rules for "any other tool"
        # grow linearly with the number of tools, not quadratically.
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
            *substring_rules(read),
        ]
    )


def arguments_expression(tool: ToolSpec, read: str) -> str | None:
    """Return the Lark expression of a tool's arguments, all copied from ``read``.

    None where the schema has keywords, optional properties or value kinds that cannot be copied.
    """
    return _value(cast("dict[str, Any]", tool.parameters), read)


def _value(schema: dict[str, Any], read: str) -> str | None:
    """Return the Lark expression of a value of a schema, or None where it cannot be copied."""
    if not schema.keys() <= _KNOWN_KEYWORDS:
        return None
    if "enum" in schema:
        return _one_of([_json(one) for one in schema["enum"]])
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
    return _one_of(fit) if fit else None


def _string(schema: dict[str, Any], read: str) -> str | None:
    if "format" not in schema:
        return '"\\"" READ "\\""'
    dates = sorted(set(_DATE.findall(read)))
    return _one_of([_json(one) for one in dates]) if schema["format"] == "date" and dates else None


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
        parts.append(f"{_json(_json(name) + ':')} {value}")
    return f'("{{" {(" " + _json(",") + " ").join(parts)} "}}")'
