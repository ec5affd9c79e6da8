"""Reads demonstrations and requests from JSON lines or a BIG-Bench task; errors name the line."""

import json
from pathlib import Path
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.tool import Demonstration

_EXPECTED = 'expected an object with "input" (a string) and "target" (a string)'


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        InputError: the file is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as fault:
        raise InputError(f"{str(path)!r} cannot be read: {fault.strerror}", code="file") from fault
    except UnicodeDecodeError as fault:
        raise InputError(f"{str(path)!r} is not UTF-8 (byte {fault.start})", code="file") from fault


def _target(value: object, where: str) -> str | None:
    if isinstance(value, list) and value:
        return _target(cast("list[object]", value)[0], where)
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"{where}: the target must be a string, not {value!r:.60}", code="label-type")


def demonstration_of(entry: object, where: str, *, labelled: bool) -> Demonstration:
    """Read one entry.

    Raises:
        InputError: it is not an object, or its input or target is missing or not a string.
    """
    if not isinstance(entry, dict):
        raise InputError(f"{where}: {_EXPECTED}, got {entry!r:.60}")
    fields = cast("dict[str, object]", entry)
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
    if not text.strip():
        raise InputError(f"{name} is empty: {_EXPECTED} on each line", code="demonstrations-few")
    whole = _whole(text)
    if whole is not None:
        pairs = [(f"{name}, example {number}", entry) for number, entry in enumerate(whole)]
    else:
        pairs = list(_lines(text, name))
    return [demonstration_of(entry, where, labelled=labelled) for where, entry in pairs]


def _whole(text: str) -> list[object] | None:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and "examples" in value:
        value = cast("dict[str, object]", value)["examples"]
    return cast("list[object]", value) if isinstance(value, list) else None


def _lines(text: str, name: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append((f"{name}:{number}", json.loads(line)))
        except (ValueError, RecursionError) as fault:
            raise InputError(
                f"{name}:{number}: not JSON ({fault}); {_EXPECTED}", code="jsonl"
            ) from fault
    return found
