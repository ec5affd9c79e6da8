"""Specifications of tools from the loosely typed documents of API-Bank and Seal-Tools."""

from collections.abc import Mapping
from typing import Any, cast

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value

_JSON_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}


def _field(about: Mapping[str, Any]) -> dict[str, Value]:
    kind = _JSON_TYPES.get(str(about.get("type", "")).lower())
    described: dict[str, Value] = {"description": str(about.get("description", ""))}
    return {"type": kind, **described} if kind else described


def documented_spec(
    name: str, description: str, fields: Mapping[str, Any], required: list[str]
) -> ToolSpec:
    """Return the spec of a document whose fields are ``{"type", "description"}`` in any spelling of types."""
    properties: dict[str, Value] = {key: cast("Value", _field(one)) for key, one in fields.items()}
    parameters: dict[str, Value] = {
        "type": "object",
        "properties": properties,
        "required": cast("Value", required),
    }
    return ToolSpec(name=name, description=description, parameters=parameters)
