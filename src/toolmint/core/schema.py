"""Checks a call's arguments against a tool's JSON Schema, with messages that a model can act on."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from toolmint.core.errors import InputError, ToolmintError, boundary
from toolmint.core.messages import ToolCall, ToolSpec
from toolmint.core.values import MAX_DEPTH, Value, canonical, clip, too_deep

if TYPE_CHECKING:
    from jsonschema import ValidationError

_T = TypeVar("_T")
_MAX_VIOLATIONS = 5
_MOST_REFERENCES = 1000
"""References that one check follows: schemas that refer to each other can take exponential time."""
_LONGEST = 32_000
"""Characters of a bounded schema."""
_UNBOUNDED = frozenset({"patternProperties", "unevaluatedProperties", "unevaluatedItems"})
_UNBOUNDED_TEXTS = frozenset({"pattern", "$dynamicRef", "$recursiveRef"})
"""Keywords whose value is a text; where it is an object, the name is that of a property."""
_UNCOMMON = re.compile(r'"(?:pattern|unevaluated|\$)|\\')
"""Found in the text of each schema that has one of these keywords."""


class _Check:
    """Checks values against one schema.

    Nothing is ever retrieved: a reference that leads out of the schema leads nowhere.
    """

    def __init__(self, schema: str) -> None:
        # Here, as it takes long to load, and a gateway that passes requests on checks none.
        from jsonschema import Draft202012Validator, validators  # noqa: PLC0415
        from referencing import Registry  # noqa: PLC0415

        draft = cast("Any", Draft202012Validator)
        follow: Any = draft.VALIDATORS["$ref"]

        def reference(validator: object, to: str, instance: object, of: object) -> Iterator[Any]:
            self._left -= 1
            if self._left < 0:
                raise InputError(f"a check follows more than {_MOST_REFERENCES} references")
            yield from follow(validator, to, instance, of)

        content: Any = json.loads(schema)
        if isinstance(content, dict):
            # It would choose another validator where a reference leads back to the root.
            cast("dict[str, Any]", content).pop("$schema", None)
        kind: Any = cast("Any", validators).extend(draft, {"$ref": reference})
        self._validator = kind(content, registry=cast("Any", Registry)())
        self._left = 0

    def run(self, check: Callable[[Any], _T]) -> _T:
        """Return what a check by the validator returns.

        Raises:
            InputError: the schema cannot be applied, such as where a reference leads nowhere.
        """
        self._left = _MOST_REFERENCES
        return boundary(lambda: check(self._validator), _inapplicable)


def _inapplicable(fault: Exception) -> ToolmintError:
    return InputError(f"{type(fault).__name__}: {clip(str(fault), 200)}")


@lru_cache(maxsize=4096)
def _check(schema: str) -> _Check:
    return boundary(lambda: _Check(schema), _inapplicable)


def schema_fault(schema: Mapping[str, Value]) -> str | None:
    """Return what is wrong with a JSON Schema, or None."""
    if too_deep(schema):
        return f"it is nested deeper than {MAX_DEPTH} levels"
    return _fault(canonical(schema))


@lru_cache(maxsize=4096)
def _fault(schema: str) -> str | None:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - see above

    def check() -> str | None:
        try:
            cast("Any", Draft202012Validator).check_schema(json.loads(schema))
        except SchemaError as fault:
            return str(fault.message)
        return None

    try:
        return boundary(check, _inapplicable)
    except InputError as fault:
        return str(fault)


def is_bounded(schema: Mapping[str, Value]) -> bool:
    """Return whether a check against a schema takes a time that is bounded by the sizes of both.

    It is not where the schema has regular expressions, has references that lead out of it, or is very long
    or deep.
    """
    if too_deep(schema):
        return False
    text = canonical(schema)
    return len(text) <= _LONGEST and (_UNCOMMON.search(text) is None or _all_bounded(schema))


def _all_bounded(schema: Mapping[str, Value]) -> bool:
    rest: list[object] = list(schema.values())
    if not all(map(_bounded, schema, rest)):
        return False
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            inner = cast("dict[str, object]", part)
            # A "$schema" within a schema would choose another validator.
            if isinstance(inner.get("$schema"), str) or not all(
                map(_bounded, inner, inner.values())
            ):
                return False
            rest += inner.values()
        elif isinstance(part, list):
            rest += cast("list[object]", part)
    return True


def _bounded(name: str, value: object) -> bool:
    if name in _UNBOUNDED:
        return False
    if not isinstance(value, str):
        return True
    return name not in _UNBOUNDED_TEXTS and (name != "$ref" or value.startswith("#"))


def matches_schema(schema: Mapping[str, Value], value: Value) -> bool:
    """Return whether a value fits a schema; False for one that is invalid or not bounded."""
    if not is_bounded(schema) or schema_fault(schema) is not None:
        return False
    try:
        return _check(canonical(schema)).run(lambda validator: bool(validator.is_valid(value)))
    except InputError:
        return False


def violations(spec: ToolSpec, arguments: Mapping[str, Value]) -> list[str]:
    """Return how the arguments violate the tool's schema: at most five messages, in a fixed order."""

    def check(validator: Any) -> list["ValidationError"]:  # noqa: ANN401 - jsonschema has no types
        return list(cast("Iterable[ValidationError]", validator.iter_errors(dict(arguments))))

    try:
        faults = _check(canonical(spec.parameters)).run(check)
    except InputError as fault:
        return [f"the tool's schema cannot be applied ({fault})"]
    found = sorted(faults, key=lambda fault: (list(map(str, fault.absolute_path)), fault.message))
    return [_words(fault) for fault in found[:_MAX_VIOLATIONS]]


def _words(fault: "ValidationError") -> str:
    place = ".".join(str(part) for part in fault.absolute_path)
    return clip(f"{place}: {fault.message}" if place else str(fault.message), 300)


def unknown_arguments(spec: ToolSpec, arguments: Mapping[str, Value]) -> list[str]:
    """Return a message for each argument that a closed schema does not define, with the nearest name."""
    known = spec.parameters.get("properties")
    open_ended = (
        spec.parameters.get("additionalProperties") or "patternProperties" in spec.parameters
    )
    if not isinstance(known, dict) or open_ended:
        return []
    found: list[str] = []
    for name in arguments:
        if name not in known:
            near = get_close_matches(name, list(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            found.append(f"unknown argument {name!r}{hint}")
    return found


def schema_violation(spec: ToolSpec, call: ToolCall, arguments: Mapping[str, Value]) -> str | None:
    """Return why a call's arguments do not fit the tool's schema; None if they fit."""
    faults = unknown_arguments(spec, arguments) + violations(spec, arguments)
    if not faults:
        return None
    return f"the arguments of {call.name!r} do not fit: " + "; ".join(faults[:_MAX_VIOLATIONS])
