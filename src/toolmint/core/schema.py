"""Checks a call's arguments against a tool's JSON Schema, with messages that a model can act on."""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from toolmint.core.messages import ToolCall, ToolSpec
from toolmint.core.values import Value, canonical, clip

if TYPE_CHECKING:
    from jsonschema import ValidationError

_MAX_VIOLATIONS = 5


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Any:  # noqa: ANN401 - jsonschema has no types
    # Here, as it takes long to load, and a gateway that passes requests on checks none.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return cast("Any", Draft202012Validator)(json.loads(schema))


def schema_fault(schema: Mapping[str, Value]) -> str | None:
    """Return what is wrong with a JSON Schema, or None."""
    return _fault(canonical(schema))


@lru_cache(maxsize=4096)
def _fault(schema: str) -> str | None:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - see above

    try:
        cast("Any", Draft202012Validator).check_schema(json.loads(schema))
    except SchemaError as fault:
        return str(fault.message)
    return None


def matches_schema(schema: Mapping[str, Value], value: Value) -> bool:
    """Return whether a value fits a JSON Schema; False for an invalid schema."""
    return schema_fault(schema) is None and bool(_validator(canonical(schema)).is_valid(value))


def violations(spec: ToolSpec, arguments: Mapping[str, Value]) -> list[str]:
    """Return how the arguments violate the tool's schema: at most five messages, in a fixed order."""
    faults = cast(
        "Iterable[ValidationError]",
        _validator(canonical(spec.parameters)).iter_errors(dict(arguments)),
    )
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
