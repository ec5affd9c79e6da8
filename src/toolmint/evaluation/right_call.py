"""When a call is the right one: tool, arguments as JSON values, and what makes a call invalid."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from toolmint.core.errors import ToolArgumentsError
from toolmint.core.messages import ToolCall, ToolSpec
from toolmint.core.schema import schema_violation
from toolmint.core.values import Value


class RightCall(NamedTuple):
    """The call that is right.

    Attributes:
        name: of the tool.
        arguments: values that each argument may have.
        optional: arguments that may be left out.
    """

    name: str
    arguments: Mapping[str, Sequence[Value]]
    optional: frozenset[str] = frozenset()

    @classmethod
    def of(cls, call: ToolCall) -> "RightCall":
        """Return a recorded call as the only right one.

        Raises:
            ToolArgumentsError: its arguments are no JSON object.
        """
        return cls(call.name, {name: (value,) for name, value in call.parsed().items()})


def same_argument(given: Value, wanted: Value) -> bool:
    """Return whether an argument has the wanted value.

    The same JSON value; a number may be written as text, letter case and white space of texts are passed
    over, and lists and objects are compared part by part.
    """
    if isinstance(given, bool) or isinstance(wanted, bool):
        return _text(given) == _text(wanted)
    if isinstance(given, list) and isinstance(wanted, list):
        pairs = zip(given, wanted, strict=False)
        return len(given) == len(wanted) and all(same_argument(one, two) for one, two in pairs)
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(
            same_argument(value, wanted[name]) for name, value in given.items()
        )
    if isinstance(given, (list, dict)) or isinstance(wanted, (list, dict)):
        return False
    one, two = _number(given), _number(wanted)
    return one == two if one is not None and two is not None else _text(given) == _text(wanted)


def _number(value: Value) -> float | None:
    if not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _text(value: Value) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return " ".join(text.split()).casefold()


def golden_score(
    given: Mapping[str, Value], golden: RightCall, spec: ToolSpec | None
) -> tuple[bool, float]:
    """Return whether the arguments are exactly right, and the F1 over names with right values.

    An argument that the golden call does not have is passed over where it has its schema's default.
    """
    known = spec.parameters.get("properties") if spec is not None else None
    fields = cast("dict[str, Value]", known) if isinstance(known, dict) else {}
    extra = [
        name
        for name, value in given.items()
        if name not in golden.arguments and not _is_default(value, fields.get(name))
    ]
    right = [
        name
        for name, values in golden.arguments.items()
        if name in given and any(same_argument(given[name], one) for one in values)
    ]
    wrong = [name for name in golden.arguments if name in given and name not in right]
    lacking = [
        name for name in golden.arguments if name not in given and name not in golden.optional
    ]
    size = 2 * len(right) + len(extra) + 2 * len(wrong) + len(lacking)
    exact = not extra and not wrong and not lacking
    return exact, 2 * len(right) / size if size else 1.0


def _is_default(value: Value, field: Value) -> bool:
    return isinstance(field, dict) and "default" in field and same_argument(value, field["default"])


def invalid_call(call: ToolCall, tools: Sequence[ToolSpec]) -> str | None:
    """Return why a call cannot be made: no such tool, no JSON object, or not the tool's schema; else None."""
    spec = next((tool for tool in tools if tool.name == call.name), None)
    if spec is None:
        return f"there is no tool {call.name!r}"
    try:
        arguments = call.parsed()
    except ToolArgumentsError as fault:
        return str(fault)
    return schema_violation(spec, call, arguments)
