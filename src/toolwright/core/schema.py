"""Checks a call's arguments against a tool's JSON Schema, in words that a model can act on."""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator, SchemaError, ValidationError

from toolwright.core.messages import ToolCall, ToolSpec
from toolwright.core.values import Value, canonical, clip

MOST = 5


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Any:  # noqa: ANN401 - jsonschema has no types
    return cast("Any", Draft202012Validator)(json.loads(schema))


def schema_fault(schema: Mapping[str, Value]) -> str | None:
    """Say what is wrong with a JSON Schema, or None."""
    return _fault(canonical(schema))


@lru_cache(maxsize=4096)
def _fault(schema: str) -> str | None:
    try:
        cast("Any", Draft202012Validator).check_schema(json.loads(schema))
    except SchemaError as fault:
        return str(fault.message)
    return None


def meets(schema: Mapping[str, Value], value: Value) -> bool:
    """Say whether a value meets a JSON Schema; none meets a schema that is none."""
    return schema_fault(schema) is None and bool(_validator(canonical(schema)).is_valid(value))


def violations(spec: ToolSpec, arguments: Mapping[str, Value]) -> list[str]:
    """Give each way in which arguments break the tool's schema, at most five, in a fixed order."""
    faults = cast(
        "Iterable[ValidationError]",
        _validator(canonical(spec.parameters)).iter_errors(dict(arguments)),
    )
    found = sorted(faults, key=lambda fault: (list(map(str, fault.absolute_path)), fault.message))
    return [_words(fault) for fault in found[:MOST]]


def _words(fault: ValidationError) -> str:
    place = ".".join(str(part) for part in fault.absolute_path)
    return clip(f"{place}: {fault.message}" if place else str(fault.message), 300)


def unknown_arguments(spec: ToolSpec, arguments: Mapping[str, Value]) -> list[str]:
    """Name the arguments that a closed document does not know, with the nearest known name."""
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


def refusal(spec: ToolSpec, call: ToolCall, arguments: Mapping[str, Value]) -> str | None:
    """Say why a call's arguments do not fit its tool's document; None: they fit."""
    faults = unknown_arguments(spec, arguments) + violations(spec, arguments)
    if not faults:
        return None
    return f"the arguments of {call.name!r} do not fit: " + "; ".join(faults[:MOST])
