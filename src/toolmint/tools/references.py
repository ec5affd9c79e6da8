"""Resolves ``$ref`` in OpenAPI documents, and cuts schemas that contain themselves."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

from toolmint.core.errors import InputError

_Json = dict[str, Any]
_TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}
_KEPT = (
    "type",
    "description",
    "enum",
    "const",
    "default",
    "format",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "minProperties",
    "maxProperties",
)


class Document:
    """An OpenAPI document with a resolver for its references."""

    def __init__(self, document: _Json) -> None:
        self._document = document

    def _at(self, pointer: str) -> Any:  # noqa: ANN401 - any part of a document
        if not pointer.startswith("#/"):
            raise InputError(
                f"the reference {pointer!r} leads out of the document; put it in, and try again"
            )
        found: Any = self._document
        for part in pointer[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or key not in found:
                raise InputError(f"the reference {pointer!r} leads nowhere: there is no {key!r}")
            found = cast("_Json", found)[key]
        return found

    def resolve(self, part: _Json) -> _Json:
        """Return a part with its reference followed, if it is one.

        Raises:
            InputError: the reference leads nowhere, out of the document, or in a circle.
        """
        seen: list[str] = []
        while "$ref" in part:
            pointer = str(part["$ref"])
            if pointer in seen:
                raise InputError(f"references go in a circle: {' -> '.join([*seen, pointer])}")
            seen.append(pointer)
            part = self._at(pointer)
        return part

    def expand(self, schema: _Json, inside: tuple[str, ...] = ()) -> _Json:
        """Return a schema with its references replaced; a schema inside itself is cut.

        A model is shown the whole schema, and JSON cannot be endless.
        """
        if "$ref" in schema:
            pointer = str(schema["$ref"])
            if pointer in inside:
                return {"description": f"again a {pointer.rpartition('/')[2]}"}
            return self.expand(self.resolve(schema), (*inside, pointer))
        return {key: self._expanded(value, inside) for key, value in schema.items()}

    def _expanded(self, value: object, inside: tuple[str, ...]) -> object:
        if isinstance(value, dict):
            return self.expand(cast("_Json", value), inside)
        if isinstance(value, list):
            return [self._expanded(one, inside) for one in cast("list[object]", value)]
        return value


def as_json_schema(schema: Mapping[str, Any]) -> _Json:
    """Return an OpenAPI 3.0 schema as JSON Schema 2020-12.

    Converts ``nullable`` and boolean bounds, and drops other keywords. A ``required: true`` inside a
    property, which many documents have by mistake, moves to its object.
    """
    found: _Json = {key: schema[key] for key in _KEPT if key in schema}
    _convert_keywords(found, nullable=bool(schema.get("nullable")))
    if isinstance(found.get("properties"), dict):
        found |= _properties(found)
    elif isinstance(found.get("required"), bool):
        del found["required"]
    for key in ("items", "additionalProperties", "not"):
        if isinstance(found.get(key), dict):
            found[key] = as_json_schema(found[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(found.get(key), list):
            found[key] = [as_json_schema(one) for one in found[key]]
    return found


def _convert_keywords(found: _Json, *, nullable: bool) -> None:
    for bound, name in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(bound), bool) and found.pop(bound) and name in found:
            found[bound] = found.pop(name)
    kinds = found.get("type")
    if isinstance(kinds, str) and kinds not in _TYPES:
        found["format"] = found.pop("type")
    if nullable and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]


def _properties(schema: _Json) -> _Json:
    given = cast("dict[str, Any]", schema["properties"])
    named = schema.get("required")
    required = [str(one) for one in cast("list[Any]", named)] if isinstance(named, list) else []
    fields: _Json = {}
    for name, about in given.items():
        if isinstance(about, dict):
            own = cast("_Json", about)
            fields[name] = as_json_schema(own)
            if own.get("required") is True and name not in required:
                required.append(name)
    return {"properties": fields, "required": [name for name in required if name in fields]}
