"""The keywords of JSON Schema 2020-12 that are kept of a document, and the values that they may have."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

_Json = dict[str, Any]
TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: object) -> bool:
    return _number(value) and cast("float", value) >= 0 and cast("float", value) % 1 == 0


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _finite(value: object) -> bool:
    """Return whether a value is one of JSON: a document may hold numbers that are infinite."""
    if isinstance(value, dict):
        return all(map(_finite, cast("_Json", value).values()))
    if isinstance(value, list):
        return all(map(_finite, cast("list[object]", value)))
    return not isinstance(value, float) or math.isfinite(value)


def _choices(value: object) -> bool:
    return isinstance(value, list) and value != [] and _finite(cast("list[object]", value))


def _names(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, cast("list[object]", value)))


def _pattern(value: object) -> bool:
    """Return whether a pattern can be applied here; those of other dialects cannot."""
    if not isinstance(value, str):
        return False
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _positive(value: object) -> bool:
    return _number(value) and cast("float", value) > 0


_ALLOWED: Mapping[str, Callable[[object], bool]] = {
    "description": _text,
    "format": _text,
    "contentEncoding": _text,
    "contentMediaType": _text,
    "enum": _choices,
    "const": _finite,
    "default": _finite,
    "minimum": _number,
    "maximum": _number,
    "exclusiveMinimum": _number,
    "exclusiveMaximum": _number,
    "multipleOf": _positive,
    "minLength": _count,
    "maxLength": _count,
    "pattern": _pattern,
    "minItems": _count,
    "maxItems": _count,
    "uniqueItems": _flag,
    "minProperties": _count,
    "maxProperties": _count,
    "minContains": _count,
    "maxContains": _count,
}
_SILENT = frozenset({"pattern", "enum", "description"})
"""Left out without a word where they cannot be applied: other dialects' patterns, empty lists."""


def plain_keywords(schema: Mapping[str, Any], faults: list[str]) -> _Json:
    """Return the keywords of a schema that hold no schemas, as JSON Schema 2020-12 writes them.

    Converts OpenAPI 3.0's ``nullable`` and boolean bounds. Keywords with a value that they cannot have are
    left out and named in ``faults``.
    """
    found: _Json = {}
    given = dict(schema)
    for bound, name in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(given.get(bound), bool) and given.pop(bound) and name in given:
            given[bound] = given.pop(name)
    _types(given, found, faults)
    for name, allowed in _ALLOWED.items():
        if name in given:
            if allowed(given[name]):
                found[name] = given[name]
            elif name not in _SILENT:
                faults.append(f"{name} = {given[name]!r:.60}")
    required = given.get("required")
    if _names(required):
        found["required"] = list(dict.fromkeys(cast("list[str]", required)))
    depending = given.get("dependentRequired")
    if isinstance(depending, dict) and all(map(_names, cast("_Json", depending).values())):
        found["dependentRequired"] = depending
    return found


def _types(given: Mapping[str, Any], found: _Json, faults: list[str]) -> None:
    kinds: Any = given.get("type")
    names: list[Any] = (
        cast("list[Any]", kinds) if isinstance(kinds, list) else [] if kinds is None else [kinds]
    )
    known = [one for one in names if isinstance(one, str) and one in TYPES]
    for one in names:
        if not isinstance(one, str):
            faults.append(f"type = {one!r:.60}")
        elif one not in TYPES:
            # Documents write such types as "file" and "date"; they say what a text holds.
            found["format"] = one
    if given.get("nullable") is True and known and "null" not in known:
        known.append("null")
    if known:
        found["type"] = known[0] if len(known) == 1 else list(dict.fromkeys(known))
