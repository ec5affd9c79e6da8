"""Reads demonstrations and requests from JSON lines or a BIG-Bench task; errors name the line."""

from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.text_files import is_one_value, json_value, lines_of, read_text
from toolmint.core.tool import Demonstration

__all__ = ["demonstration_of", "parse_demonstrations", "read_text"]

_EXPECTED = 'expected an object with "input" (a string) and "target" (a string)'
_DESCRIPTIVE = frozenset({"id", "source", "comment", "metadata"})
"""Fields that say where an entry is from; they shape neither the request nor the answer."""


def _target(value: object, where: str) -> str | None:
    if isinstance(value, list) and value:
        return _target(cast("list[object]", value)[0], where)
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"{where}: the target must be a string, not {value!r:.60}", code="label-type")


def demonstration_of(entry: object, where: str, *, labelled: bool) -> Demonstration:
    """Read one entry.

    Raises:
        InputError: it is not an object, its input or target is missing or not a string, or it has a field
            that is not understood; the message names it.
    """
    if not isinstance(entry, dict):
        raise InputError(f"{where}: {_EXPECTED}, got {entry!r:.60}")
    fields = cast("dict[str, object]", entry)
    for name, value in fields.items():
        if name not in {"input", "target"} | _DESCRIPTIVE and value is not None:
            raise InputError(
                f"{where}: the field {name!r} is not understood; {_EXPECTED}", code="unknown-field"
            )
    text = fields.get("input")
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: {_EXPECTED}; 'input' is {text!r:.60}")
    target = _target(fields.get("target"), where)
    if labelled and target is None:
        raise InputError(f"{where}: {_EXPECTED}; 'target' is missing")
    return Demonstration(input=text, target=target)


def parse_demonstrations(text: str, name: str, *, labelled: bool = True) -> list[Demonstration]:
    """Read JSON lines, a JSON list, or a BIG-Bench object with ``examples``.

    Raises:
        InputError: an entry is invalid; the message names the file and the line or example.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise InputError(f"{name} is empty: {_EXPECTED} on each line", code="demonstrations-few")
    whole = _whole(text, name)
    if whole is not None:
        pairs = [(f"{name}, example {number}", entry) for number, entry in enumerate(whole)]
    else:
        pairs = list(_lines(text, name))
    return [demonstration_of(entry, where, labelled=labelled) for where, entry in pairs]


def _whole(text: str, name: str) -> list[object] | None:
    try:
        value: Any = json_value(text)
    except ValueError as fault:
        if not is_one_value(text):
            return None
        raise InputError(f"{name}: not JSON ({fault}); {_EXPECTED}", code="jsonl") from fault
    if isinstance(value, dict) and "examples" in value:
        value = cast("dict[str, object]", value)["examples"]
    return cast("list[object]", value) if isinstance(value, list) else None


def _lines(text: str, name: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for number, line in lines_of(text):
        try:
            found.append((f"{name}:{number}", json_value(line)))
        except ValueError as fault:
            raise InputError(
                f"{name}:{number}: not JSON ({fault}); {_EXPECTED}", code="jsonl"
            ) from fault
    return found
