"""Turns the schemas of an OpenAPI document into JSON Schemas 2020-12 of requests.

Each component is read once. One that is small stands wherever it is used; one that is large or contains
itself is referred to (``#/$defs/NAME``), so that a document's operations share it and nothing is cut.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from toolmint.core.values import MAX_DEPTH
from toolmint.tools.references import Document
from toolmint.tools.schema_words import plain_keywords

_Json = dict[str, Any]
_SMALL = 24
"""Schemas within a component that still stands wherever it is used."""
_ONE = ("items", "additionalProperties", "not", "propertyNames", "contains", "if", "then", "else")
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties")
_NOTES = frozenset({"description", "default"})


class Read(NamedTuple):
    """A schema, the names of the definitions that it refers to, and the number of schemas in it."""

    schema: _Json | bool
    uses: frozenset[str] = frozenset()
    size: int = 1


class Schemas:
    """Reads a document's schemas.

    Args:
        document: whose references are followed.
        fault: told of keywords that were left out, in words.
    """

    def __init__(self, document: Document, fault: Callable[[str], None]) -> None:
        self._document, self._fault = document, fault
        self._read: dict[str, Read] = {}
        self._names: dict[str, str] = {}
        self._open: list[str] = []
        self._recursive: set[str] = set()

    def read(self, schema: object) -> Read:
        """Return a schema as JSON Schema. ``readOnly`` properties, which no request has, are left out.

        Raises:
            InputError: a reference leads nowhere, out of the document, or in a circle.
        """
        faults: list[str] = []
        found = self._any(schema, faults)
        for one in faults[:3]:
            self._fault(one)
        return found

    def definitions(self, uses: frozenset[str]) -> _Json:
        """Return the definitions by name that stand under ``$defs`` for a schema with these uses."""
        by_name = {name: pointer for pointer, name in self._names.items()}
        found: _Json = {}
        rest = sorted(uses)
        while rest:
            name = rest.pop()
            if name not in found:
                read = self._read[by_name[name]]
                found[name] = read.schema
                rest += sorted(read.uses)
        return found

    def resolved(self, schema: object) -> _Json:
        """Return a schema with its own reference followed; what is no object is empty."""
        if not isinstance(schema, dict):
            return {}
        return self._document.resolve(cast("_Json", schema))

    def _any(self, schema: object, faults: list[str], depth: int = 0) -> Read:
        if isinstance(schema, bool):
            return Read(schema)
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return Read({})
        given = cast("_Json", schema)
        if isinstance(given.get("$ref"), str):
            return self._reference(given, faults, depth)
        return self._object(given, faults, depth)

    def _reference(self, given: _Json, faults: list[str], depth: int) -> Read:
        pointer = str(given["$ref"])
        target = self._component(pointer, faults, depth)
        beside = self._object(
            {name: value for name, value in given.items() if name != "$ref"}, faults, depth
        )
        uses, size = target.uses | beside.uses, target.size + beside.size
        if isinstance(beside.schema, bool) or isinstance(target.schema, bool) or not beside.schema:
            return target
        if beside.schema.keys() <= _NOTES:
            return Read(target.schema | beside.schema, uses, size)
        return Read({"allOf": [target.schema], **beside.schema}, uses, size)

    def _component(self, pointer: str, faults: list[str], depth: int) -> Read:
        if pointer in self._open:
            self._recursive.add(pointer)
        elif pointer not in self._read:
            self._open.append(pointer)
            target = self._document.resolve({"$ref": pointer})
            self._read[pointer] = self._any(target, faults, depth + 1)
            self._open.pop()
        else:
            read = self._read[pointer]
            if pointer not in self._recursive and read.size <= _SMALL:
                return read
        if pointer not in self._recursive and self._read[pointer].size <= _SMALL:
            return self._read[pointer]
        name = self._name(pointer)
        return Read({"$ref": f"#/$defs/{name}"}, frozenset({name}))

    def _name(self, pointer: str) -> str:
        if pointer not in self._names:
            plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", pointer.rpartition("/")[2]) or "schema"
            taken, number, name = set(self._names.values()), 2, plain
            while name in taken:
                name, number = f"{plain}_{number}", number + 1
            self._names[pointer] = name
        return self._names[pointer]

    def _object(self, given: Mapping[str, Any], faults: list[str], depth: int) -> Read:
        found = plain_keywords(given, faults)
        parts: list[Read] = []

        def inner(value: object) -> _Json | bool:
            parts.append(self._any(value, faults, depth + 1))
            return parts[-1].schema

        for key in _ONE:
            if isinstance(given.get(key), dict | bool):
                found[key] = inner(given[key])
        for key in _MANY:
            if isinstance(given.get(key), list) and given[key]:
                found[key] = [inner(one) for one in given[key]]
        for key in _NAMED:
            if isinstance(given.get(key), dict):
                found[key] = {
                    str(name): inner(value)
                    for name, value in given[key].items()
                    if not self.is_read_only(value)
                }
        self._required(given, found)
        if given.get("nullable") is True and "type" not in found:
            found = _or_null(found)
        uses = frozenset[str]().union(*(one.uses for one in parts))
        return Read(found, uses, 1 + sum(one.size for one in parts))

    def is_read_only(self, value: object) -> bool:
        """Return whether a property is for responses alone."""
        return self.resolved(value).get("readOnly") is True

    def _required(self, given: Mapping[str, Any], found: _Json) -> None:
        """Take ``readOnly`` names out of ``required``; put in those that a property itself says.

        Many documents have ``required: true`` inside a property by mistake.
        """
        hidden = self._hidden(given)
        names = [one for one in found.get("required", ()) if one not in hidden]
        fields: Any = given.get("properties")
        for name, value in cast("_Json", fields).items() if isinstance(fields, dict) else ():
            if isinstance(value, dict) and cast("_Json", value).get("required") is True:
                names.append(str(name))
        found.pop("required", None)
        if names:
            found["required"] = list(dict.fromkeys(names))

    def _hidden(self, given: Mapping[str, Any], depth: int = 0) -> set[str]:
        """Return the ``readOnly`` names of a schema and of what it is all of."""
        fields: Any = given.get("properties")
        found = {
            str(name)
            for name, value in (cast("_Json", fields) if isinstance(fields, dict) else {}).items()
            if self.is_read_only(value)
        }
        parts: Any = given.get("allOf")
        for part in cast("list[object]", parts) if isinstance(parts, list) and depth < 8 else ():
            found |= self._hidden(self.resolved(part), depth + 1)
        return found


def _or_null(schema: _Json) -> _Json:
    """Return a schema that takes null too; its description stays in front."""
    notes = {name: schema[name] for name in _NOTES if name in schema}
    rest = {name: value for name, value in schema.items() if name not in notes}
    return notes | ({"anyOf": [rest, {"type": "null"}]} if rest else {})
